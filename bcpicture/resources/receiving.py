"""Taking bytes in within the attempt, so that it is made again if they break off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bcpicture.errors import NoPictureError
from bcpicture.net.exchange import Exchange
from bcpicture.resources.errands import CONTENT, ask
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.streams import PictureStream

T = TypeVar("T")

Rest = Callable[[], PictureStream]
"""Leaves with a stream of what is still to come; whoever calls it closes that."""


async def receive(
    picture: PictureHandle, consume: Callable[[Exchange, Rest], Awaitable[T]]
) -> T:
    """Ask for a picture's bytes, as often as the retry policy allows.

    Args:
        picture: Whose.
        consume: Reads an answer, from its beginning in every attempt; returns
            something.

    Raises:
        NoPictureError: There are none.
    """
    # The handle is of the module beside.
    session, of = picture._session, picture._of  # noqa: SLF001 - as told above

    async def taken(exchange: Exchange) -> T | None:
        if exchange.status == 204 or exchange.length == 0:
            return None

        def rest() -> PictureStream:
            exchange.detached = True
            return PictureStream(session, exchange)

        return await consume(exchange, rest)

    if (found := await ask(of, CONTENT, taken)) is None:
        raise NoPictureError(str(of))
    return found
