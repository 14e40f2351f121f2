"""A picture on its way to a target, attempt after attempt."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Coroutine, Sequence

import attrs

from bcpicture.core import media
from bcpicture.core.digests import ALREADY_THERE, AlreadyThere
from bcpicture.core.guards import require_within
from bcpicture.core.models import Downloaded
from bcpicture.net.bodies import BLOCK, SMALL
from bcpicture.net.exchange import Exchange
from bcpicture.net.files import settled
from bcpicture.net.progress import Meter
from bcpicture.net.sinks import Sink

Ask = Callable[[Callable[[Exchange], Awaitable[bool]]], Awaitable[bool]]
"""Asks for the bytes, as often as it takes; False if there is no picture."""


class _Behind:
    """The writing of one block, while the next one comes in."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None

    def start(self, writing: Coroutine[object, object, None]) -> None:
        """Begin; what was begun before has been settled."""
        self._task = asyncio.create_task(writing)

    async def settle(self) -> None:
        """Wait for its end; a cancellation of ours ends it, too."""
        task, self._task = self._task, None
        if task is not None:
            await task

    async def stop(self) -> None:
        """Cancel it, and wait until nothing of it is at work."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await settled(task)


@attrs.define(kw_only=True)
class Saving:
    """One picture on its way to its target.

    Chunks are gathered to blocks, and while the next block comes in, one is written in
    one hop into a thread and hashed in another. The last block waits until the
    connection was given back, so a picture of one block touches its target only when
    it is whole.
    """

    sink: Sink
    """Where it goes."""

    digest: bool = False
    """Whether the result has the SHA-256."""

    unless: str | AlreadyThere | None = None
    """Digest of the bytes that are not wanted."""

    max_bytes: int | None = None
    """More than this is an error."""

    meter: Meter | None = None
    """Tells how far it is."""

    _attempts: int = attrs.field(default=1, init=False)
    _size: int = attrs.field(default=0, init=False)
    _kind: media.Kind | None = attrs.field(default=None, init=False)
    _rest: Sequence[bytes] = attrs.field(default=(), init=False)
    _sha256: "hashlib._Hash" = attrs.field(factory=hashlib.sha256, init=False)  # noqa: UP037 - the name is private to the stub

    async def save(self, ask: Ask) -> Downloaded | None:
        """Ask for the picture and put it in its place; None if there is none."""
        finished = False
        try:
            if not await ask(self.consume):
                return None
            done = await self._finish()
            finished = True
            return done
        finally:
            if not finished:
                await self.sink.discard()

    async def consume(self, exchange: Exchange) -> bool:
        """Read a reply; False if it says that there is no picture."""
        self._attempts = exchange.number
        self._size, self._rest = 0, ()
        if exchange.status == 204:
            return False
        require_within(self.max_bytes, exchange.length or 0)
        if self.meter is not None:
            await self.meter.begin(exchange.number, exchange.length)
        behind = _Behind()
        try:
            return await self._take(exchange, behind)
        except asyncio.CancelledError:
            await behind.stop()
            raise
        finally:
            await behind.settle()

    async def _take(self, exchange: Exchange, behind: _Behind) -> bool:
        gathered: list[bytes] = []
        waiting = received = 0
        meter, max_bytes = self.meter, self.max_bytes
        while chunk := await exchange.next_chunk():
            gathered.append(chunk)
            waiting += len(chunk)
            received += len(chunk)
            require_within(max_bytes, received)
            if meter is not None and meter.add(len(chunk)):
                await meter.tell()
            if waiting >= BLOCK:
                await behind.settle()
                behind.start(self._pass_on(gathered))
                gathered, waiting = [], 0
        self._rest = gathered
        return bool(received)

    async def _pass_on(self, chunks: Sequence[bytes]) -> None:
        """Write a full block."""
        hashing = self._note(chunks)
        await self._begin(chunks)
        self._size += sum(map(len, chunks))
        await self.sink.write(chunks)
        if hashing is not None:
            await hashing

    async def _begin(self, chunks: Sequence[bytes]) -> None:
        if self._size:
            return
        head = b"".join(chunks[:1]) if chunks else b""
        if len(head) < media.SNIFF_BYTES:
            head = b"".join(chunks)
        self._kind = media.sniff(head)
        await self.sink.begin(self._kind)

    def _note(self, chunks: Sequence[bytes]) -> asyncio.Future[None] | None:
        """Hash *chunks*, long ones in a thread beside the writing."""
        if not self._size:
            self._sha256 = hashlib.sha256()
        if not self.digest and self.unless is None:
            return None
        if sum(map(len, chunks)) > SMALL:
            loop = asyncio.get_running_loop()
            return loop.run_in_executor(None, _update, self._sha256, chunks)
        _update(self._sha256, chunks)
        return None

    async def _finish(self) -> Downloaded:
        rest = self._rest
        hashing = self._note(rest)
        await self._begin(rest)
        self._size += sum(map(len, rest))
        if hashing is not None:
            await hashing
        if self.meter is not None:
            # Before it is in its place: the caller may still object.
            await self.meter.finish(self._attempts, self._size)
        unchanged = await self._is_there()
        if unchanged:
            await self.sink.discard()
        else:
            await self.sink.finish(rest)
        return Downloaded(
            path=self.sink.path,
            size=self._size,
            sha256=self._digest(),
            content_type=self._kind.content_type if self._kind is not None else None,
            attempts=self._attempts,
            unchanged=unchanged,
        )

    def _digest(self) -> str | None:
        wanted = self.digest or self.unless is not None
        return self._sha256.hexdigest() if wanted else None

    async def _is_there(self) -> bool:
        if self.unless is None:
            return False
        found = self._sha256.hexdigest()
        if self.unless is ALREADY_THERE:
            return await self.sink.holds(self._size, found)
        return found == self.unless


async def read_told(
    exchange: Exchange, *, meter: Meter, max_bytes: int | None
) -> bytes:
    """All bytes of a reply, in memory, while somebody is told how far it is.

    Raises:
        AnswerError: It is longer than *max_bytes*.
    """
    if exchange.status == 204:
        return b""
    await meter.begin(exchange.number, exchange.length)
    collected = io.BytesIO()  # hands its bytes over without a copy
    while chunk := await exchange.next_chunk():
        collected.write(chunk)
        require_within(max_bytes, collected.tell())
        if meter.add(len(chunk)):
            await meter.tell()
    await meter.finish(exchange.number, collected.tell())
    return collected.getvalue()


def _update(sha256: "hashlib._Hash", chunks: Sequence[bytes]) -> None:  # noqa: UP037 - as above
    for chunk in chunks:
        sha256.update(chunk)
