"""One request on its way through the emulator: what it says, and what became of it."""

import socket
import struct
import time

import attrs
from aiohttp import hdrs, web
from multidict import CIMultiDict

from bcpicture.emulator.blobs import Blobs, Incoming
from bcpicture.emulator.faults import Fault
from bcpicture.emulator.identity import Caller
from bcpicture.emulator.message import Message, relative
from bcpicture.emulator.patience import Patience
from bcpicture.emulator.problems import ServiceError, too_large
from bcpicture.emulator.seen import Seen
from bcpicture.emulator.work import Work

DRAINED = 1024 * 1024
"""A body up to this size is read even if the reply does not need it."""


class Exchange(Message):
    """A request over the wire, and the notes that are taken about it."""

    def __init__(
        self,
        request: web.BaseRequest,
        *,
        fault: Fault | None,
        blobs: Blobs,
        patience: Patience,
    ) -> None:
        super().__init__(
            request.method,
            relative(request.raw_path),
            origin=f"{request.scheme}://{request.host}",
            fault=fault,
            blobs=blobs,
            patience=patience,
        )
        self.request = request
        self.caller: Caller | None = None
        self.work: Work | None = None
        self.inner: tuple[Seen, ...] = ()
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

    def header(self, name: str) -> str | None:
        """The value of a header."""
        return self.request.headers.get(name)

    def seen(self, status: int | None) -> Seen:
        """The final note."""
        caller, work = self.caller, self.work
        return attrs.evolve(
            self.begun,
            received=self.incoming.size,
            sha256=self.incoming.sha256,
            status=status,
            principal=caller.name if caller else None,
            tenant=caller.tenant if caller else None,
            worked=work.spent if work else 0.0,
            inner=self.inner,
            wrote=self.wrote,
            replaced=self.replaced,
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
