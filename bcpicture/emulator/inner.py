"""One request of a batch: as it was written, and as the handlers see it."""

import time

import attrs
from multidict import CIMultiDict

from bcpicture.emulator.blobs import Incoming
from bcpicture.emulator.exchange import Exchange
from bcpicture.emulator.faults import Fault
from bcpicture.emulator.message import Message
from bcpicture.emulator.problems import too_large
from bcpicture.emulator.reply import Reply
from bcpicture.emulator.seen import Seen


@attrs.frozen(kw_only=True)
class Asked:
    """One request of a batch, as it was written."""

    id: str | None
    """What its answer is to be called."""

    method: str
    """The verb."""

    url: str
    """An address, or a path from the host or from the service root on."""

    headers: CIMultiDict[str] = attrs.field(repr=False)
    """Its own headers; those of the batch do not count for it."""

    body: bytes = attrs.field(repr=False)
    """Its body."""


class Inner(Message):
    """One request of a batch, as the handlers see it."""

    def __init__(
        self, outer: Exchange, asked: Asked, target: str, fault: Fault | None
    ) -> None:
        super().__init__(
            asked.method,
            target,
            origin=outer.origin,
            fault=fault,
            blobs=outer.incoming.blobs,
            patience=outer.patience,
        )
        self.asked, self.body = asked, asked.body
        self.started = time.monotonic()

    @property
    def length(self) -> int:
        """Length of the body, which is known from the start."""
        return len(self.body)

    def header(self, name: str) -> str | None:
        """The value of a header."""
        return self.asked.headers.get(name)

    async def receive(self, limit: int) -> Incoming:
        """Hands over the body."""
        if len(self.body) > limit:
            raise too_large(limit)
        if not self.incoming.size and self.body:
            await self.incoming.write(self.body)
            await self.incoming.settle()
        return self.incoming

    async def receive_until(self, position: float) -> None:
        """Does nothing: the body is there already."""

    async def drain(self) -> None:
        """Does nothing, for the same reason."""

    def seen(self, reply: Reply, outer: Exchange, worked: float) -> Seen:
        """The note about it."""
        caller = outer.caller
        return Seen(
            method=self.method,
            target=self.target,
            headers=self.asked.headers,
            started=self.started,
            received=len(self.body),
            sha256=self.incoming.sha256,
            status=reply.status,
            principal=caller.name if caller else None,
            tenant=caller.tenant if caller else None,
            fault=self.fault.action if self.fault else None,
            worked=worked,
            wrote=self.wrote,
            replaced=self.replaced,
            finished=time.monotonic(),
        )
