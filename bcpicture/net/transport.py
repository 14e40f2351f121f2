"""One request, once, over aiohttp; what goes wrong becomes one of our troubles."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

import aiohttp
import attrs
from aiohttp.abc import AbstractStreamWriter

from bcpicture.errors import Trouble
from bcpicture.net.bodies import Blocks, Body, pieces
from bcpicture.net.resends import HiddenResendError, no_hidden_resend
from bcpicture.net.watchdog import Timeouts, Watchdog


class BrokenError(Exception):
    """There is no usable answer. Internal: the session makes an error of it."""

    def __init__(self, trouble: Trouble, text: str) -> None:
        super().__init__(text)
        self.trouble = trouble


# Read from the top: the narrow classes first.
TROUBLES: tuple[tuple[type[BaseException], Trouble], ...] = (
    (aiohttp.ConnectionTimeoutError, Trouble.CONNECT),
    (aiohttp.ClientConnectorError, Trouble.CONNECT),
    (aiohttp.ServerFingerprintMismatch, Trouble.CONNECT),
    (aiohttp.ClientHttpProxyError, Trouble.CONNECT),
    (aiohttp.InvalidURL, Trouble.CONNECT),
    (aiohttp.ServerTimeoutError, Trouble.STALLED),
    (aiohttp.ClientPayloadError, Trouble.CUT),
    (aiohttp.ClientResponseError, Trouble.MALFORMED),
    (aiohttp.ClientConnectionError, Trouble.DROPPED),
    (aiohttp.ClientError, Trouble.MALFORMED),
    (HiddenResendError, Trouble.DROPPED),
    (asyncio.IncompleteReadError, Trouble.CUT),
    (TimeoutError, Trouble.STALLED),
    (OSError, Trouble.DROPPED),
)
"""Which of our troubles a foreign exception is."""

FOREIGN = (aiohttp.ClientError, HiddenResendError, OSError, asyncio.IncompleteReadError)
"""Everything that aiohttp raises on account of the network."""


def broken(exc: BaseException, *, reading: bool = False) -> BrokenError:
    """What *exc* means to us.

    Args:
        exc: Raised by aiohttp.
        reading: Whether the reply had begun, so that a lost connection cut it.
    """
    trouble = next(ours for theirs, ours in TROUBLES if isinstance(exc, theirs))
    if reading and trouble is Trouble.DROPPED:
        trouble = Trouble.CUT
    if isinstance(exc, aiohttp.ClientResponseError):
        # It holds the request, token included: neither kept nor quoted.
        return BrokenError(trouble, exc.message.strip().partition("\n")[0])
    ours = BrokenError(trouble, str(exc) or type(exc).__name__)
    ours.__cause__ = exc
    return ours


class Outgoing(aiohttp.Payload):
    """A body on its way: written in pieces, counted, its own errors kept."""

    _autoclose = True  # the generator below closes what it opens

    def __init__(self, body: Body, moved: Callable[[], None]) -> None:
        super().__init__(body, content_type="application/octet-stream")
        self._body = body
        self._moved = moved
        self._size = body.size
        self.sent = 0
        self.error: BaseException | None = None

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Never: a body is not text."""
        raise TypeError(f"a picture has no text in {encoding} ({errors})")

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write all of it."""
        await self.write_with_length(writer, None)

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Write all of it."""
        del content_length  # checked where the bytes come from
        async with aclosing(self._body.blocks()) as blocks:
            while (block := await self._next(blocks)) is not None:
                await self._write(writer, block)

    async def _next(self, blocks: Blocks) -> bytes | memoryview | None:
        # Only what the source raises is the source's error, not a lost connection.
        try:
            return await anext(blocks, None)
        except asyncio.CancelledError as exc:
            task = asyncio.current_task()
            if task is None or not task.cancelling():
                self.error = exc  # nobody cancelled us: it was raised
            raise
        except Exception as exc:
            self.error = exc
            raise

    async def _write(
        self, writer: AbstractStreamWriter, block: bytes | memoryview
    ) -> None:
        for piece in pieces(block):
            await writer.write(piece)
            self.sent += len(piece)
            self._moved()


@attrs.frozen(kw_only=True)
class Transport:
    """What all requests of a session share."""

    http: aiohttp.ClientSession
    """The connections."""

    timeouts: Timeouts
    """How long nothing may happen."""

    watchdog: Watchdog
    """Who looks that something does."""

    proxy: str | None = None
    """Address of the proxy, resolved once; None to go straight."""

    own: bool = False
    """Whether `http` is of our own making, and its replies are `Reply`."""

    clock: Callable[[], float] = time.monotonic
    """Monotonic seconds."""

    options: Mapping[str, Mapping[str, Any]] = attrs.field(init=False, repr=False)
    """What aiohttp is told with every request, by its verb; made once."""

    @options.default
    def _options(self) -> Mapping[str, Mapping[str, Any]]:
        # No total, since a slow large picture is fine; the watchdog sees to the rest.
        limits = aiohttp.ClientTimeout(total=None, sock_connect=self.timeouts.connect)
        usual: dict[str, Any] = {
            "allow_redirects": False,
            "raise_for_status": False,
            "auto_decompress": False,
            "timeout": limits,
            "proxy": self.proxy,
            "middlewares": (),
        }
        # A proxy is asked for a tunnel without a `Reply`.
        safe = self.own and self.proxy is None
        repeated = {**usual, "middlewares": () if safe else (no_hidden_resend,)}
        return {"GET": repeated, "DELETE": repeated, "PATCH": usual, "POST": usual}
