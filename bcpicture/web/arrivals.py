"""Taking a picture in at full speed, which frees its place and its connection."""

from __future__ import annotations

from bcpicture.core.media import SNIFF_BYTES
from bcpicture.errors import ClosedError
from bcpicture.net.exchange import Exchange
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.receiving import Rest, receive
from bcpicture.resources.streams import PictureStream
from bcpicture.web.keeping import Keeping


class Arrival:
    """A picture that came in: all of it, or its beginning and a stream of the rest.

    Several visitors may share one that is whole; whoever is the last to release it
    leaves nothing behind.
    """

    def __init__(
        self, kept: Keeping, length: int | None, rest: PictureStream | None = None
    ) -> None:
        self.kept = kept
        self.length = length
        """Number of all bytes, if it is known."""
        self._rest = rest
        self._holders = 1
        self._taken = False

    @property
    def whole(self) -> bool:
        """Whether nothing is to come any more."""
        return self._rest is None

    def share(self) -> Arrival | None:
        """The same for one more holder; None if there can be no other."""
        if not self.whole and self._taken:
            return None
        self._taken = True
        self._holders += 1
        return self

    async def read(self, at: int) -> bytes:
        """The next bytes, from there on; none at the end.

        Raises:
            BcPictureError: The rest does not come.
        """
        if at < self.kept.size:
            if piece := await self.kept.read(at):
                return piece
            raise ClosedError("The picture was closed while it was being read.")
        return b"" if self._rest is None else await anext(self._rest, b"")

    async def aclose(self) -> None:
        """Hold it no longer."""
        if self._holders == 1 and self._rest is not None:
            await self._rest.aclose()
        self.release()

    def release(self) -> None:
        """Hold it no longer; a stream that is dropped gives back what it holds."""
        self._holders -= 1
        if self._holders == 0:
            self._rest = None
            self.kept.close()


async def take_in(picture: PictureHandle, kept: Keeping, longest: int) -> Arrival:
    """Take in a picture, or the beginning of one that is longer than *longest*.

    A body that breaks off is asked for again: nobody has seen anything of it yet.

    Raises:
        BcPictureError: There is no picture, or it does not come.
    """

    async def take(exchange: Exchange, rest: Rest) -> Arrival:
        kept.restart()
        return await _receive(exchange, rest, kept, longest)

    try:
        return await receive(picture, take)
    except BaseException:
        kept.close()
        raise


async def _receive(
    exchange: Exchange, rest: Rest, kept: Keeping, longest: int
) -> Arrival:
    announced = exchange.length
    enough = longest
    if announced is not None:
        if announced > longest:
            enough = SNIFF_BYTES
        _reserve(kept, min(announced, longest))
    while chunk := await exchange.next_chunk():
        await kept.add(chunk)
        if kept.size > enough:
            await kept.finish(whole=False)
            return Arrival(kept, announced, rest())
    await kept.finish(whole=True)
    return Arrival(kept, kept.size)


def _reserve(kept: Keeping, size: int) -> None:
    """Ask for no more room than the announced size needs."""
    memory = min(size, kept.in_memory)
    kept.room.resize(memory=memory, disk=size if size > memory else 0)
