"""One request on its way through the emulator: what it says, and what became of it."""

import socket
import struct
import time
from urllib.parse import unquote

from aiohttp import hdrs, web
from multidict import CIMultiDict

from bcpicture.emulator.blobs import Blobs, Incoming
from bcpicture.emulator.faults import Fault
from bcpicture.emulator.patience import Patience
from bcpicture.emulator.problems import ServiceError, too_large
from bcpicture.emulator.seen import Seen

DRAINED = 1024 * 1024
"""A body up to this size is read even if the reply does not need it."""


class CutError(Exception):
    """The connection is to be cut, without a reply."""


class Exchange:
    """A request, and the notes that are taken about it."""

    def __init__(
        self,
        request: web.BaseRequest,
        *,
        fault: Fault | None,
        blobs: Blobs,
        patience: Patience,
    ) -> None:
        self.request = request
        self.fault = fault
        self.patience = patience
        self.method = request.method
        self.target = relative(request.raw_path)
        self.raw_path, _, self.raw_query = self.target.partition("?")
        self.origin = f"{request.scheme}://{request.host}"
        self.incoming = Incoming(blobs)
        self.principal: str | None = None
        self.begun = Seen(
            method=self.method,
            target=self.target,
            headers=CIMultiDict(request.headers),
            started=time.monotonic(),
            fault=fault.action if fault else None,
        )
        self._continued = False

    @property
    def length(self) -> int | None:
        """What ``Content-Length`` says."""
        return self.request.content_length

    @property
    def links(self) -> str:
        """Where the links of the reply point to."""
        action = self.fault.action if self.fault else ""
        return action.removesuffix("_links") if action.endswith("_links") else "own"

    def header(self, name: str) -> str | None:
        """The value of a header."""
        return self.request.headers.get(name)

    def seen(self, status: int | None) -> Seen:
        """The final note."""
        begun = self.begun
        return Seen(
            method=begun.method,
            target=begun.target,
            headers=begun.headers,
            started=begun.started,
            received=self.incoming.size,
            sha256=self.incoming.sha256,
            status=status,
            principal=self.principal,
            fault=begun.fault,
            finished=time.monotonic(),
        )

    async def _piece(self) -> bytes:
        """The next piece of the body; empty at its end."""
        if not self.request.body_exists:
            return b""
        if not self._continued:
            self._invite()
        return await self.request.content.readany()

    async def receive(self, limit: int) -> Incoming:
        """Reads the whole body into a file or into memory.

        Raises:
            ServiceError: it is larger than the limit.
            ConnectionError: it ended before it was complete.
        """
        if self.length is not None and self.length > limit:
            raise too_large(limit)
        hold = self._hold_at()
        while piece := await self._piece():
            await self.incoming.write(piece)
            if self.incoming.size > limit:
                raise too_large(limit)
            if self.incoming.size >= hold:
                hold = float("inf")
                await self._hold()
        await self.incoming.settle()
        return self.incoming

    async def receive_until(self, position: float) -> None:
        """Reads the body up to a position, or to its end."""
        while self.incoming.size < position:
            piece = await self._piece()
            if not piece:
                break
            await self.incoming.write(piece)
        await self.incoming.settle()

    async def drain(self) -> None:
        """Reads a small body that nobody needs, so that the reply finds a listener."""
        if (self.length or 0) <= DRAINED and not self.incoming.size:
            await self.receive_until(DRAINED)

    async def stall(self) -> None:
        """Does nothing for as long as the fault says.

        Raises:
            CutError: the faults were cleared, or the server ends.
        """
        seconds = self.fault.seconds if self.fault else 0.0
        if not await self.patience.wait(seconds):
            raise CutError

    def reset(self) -> None:
        """Cuts the connection, by a reset where the system lets us."""
        transport = self.request.transport
        if transport is None:
            return
        plain = transport.get_extra_info("socket")
        if plain is not None:
            # To linger for no time at all is what turns a close into a reset.
            linger = struct.pack("ii", 1, 0)
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()

    def _hold_at(self) -> float:
        if self.fault is not None and self.fault.action == "stall_reading":
            return max(self.fault.at, 1)
        return float("inf")

    async def _hold(self) -> None:
        transport = self.request.transport
        if transport is not None and not transport.is_closing():
            transport.pause_reading()
        try:
            await self.stall()
        finally:
            if transport is not None and not transport.is_closing():
                transport.resume_reading()

    def _invite(self) -> None:
        """Answers ``Expect: 100-continue``, once."""
        self._continued = True
        expected = self.header(hdrs.EXPECT)
        if expected is None:
            return
        if expected.lower() != "100-continue":
            raise ServiceError(417, "BadRequest", f"Unknown Expect: {expected}")
        transport = self.request.transport
        if transport is not None:
            transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")


def relative(target: str) -> str:
    """The target without scheme and host, which a proxy is told."""
    if target.startswith("/"):
        return target
    _, _, behind = target.partition("://")
    return "/" + behind.partition("/")[2]


def readable(target: str) -> str:
    """The target, decoded, for faults to match."""
    return unquote(target)
