"""Bodies from factories: functions that open the same bytes anew for every attempt."""

from __future__ import annotations

import asyncio
import inspect
import logging
import zlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import TypeAlias

import attrs

from bcpicture.core.preflight import BACK, FRONT
from bcpicture.errors import SourceError
from bcpicture.net.bodies import (
    HEAD,
    SMALL,
    Blocks,
    Body,
    TwoEnded,
    require_bytes,
)
from bcpicture.net.files import in_thread
from bcpicture.net.foreign import Foreign, awaited
from bcpicture.net.gathering import Stream, drained
from bcpicture.net.spools import OnceBody

Factory: TypeAlias = Callable[[], Foreign]
"""Returns a source, sync or async, or an async context manager around one."""

Open: TypeAlias = Callable[[Foreign], Awaitable[Body | Stream]]
"""Makes something to read of what a factory returned, and owns it."""

log = logging.getLogger("bcpicture.net")


@attrs.define
class _Fingerprint:
    """What is remembered of the bytes of one opening."""

    head: bytes = b""
    crc: int = 0
    whole: bool = False

    def add(self, block: bytes | memoryview) -> None:
        if len(self.head) < HEAD:
            self.head += bytes(block[: HEAD - len(self.head)])
        self.crc = zlib.crc32(block, self.crc)

    async def take(self, block: bytes | memoryview) -> None:
        """Add a block; a long one is summed up in a thread."""
        if len(block) > SMALL:
            await in_thread(self.add, block)
        else:
            self.add(block)

    def differs(self, other: _Fingerprint) -> bool:
        """Whether they cannot be of the same bytes."""
        shorter = min(len(self.head), len(other.head))
        both = self.whole and other.whole
        return self.head[:shorter] != other.head[:shorter] or (
            both and self.crc != other.crc
        )


@attrs.frozen
class _Opening:
    """What a factory returned once, and how it is closed."""

    stuff: Body | Stream
    exits: AsyncExitStack

    async def aclose(self) -> None:
        try:
            await self.exits.aclose()
        except Exception:
            # All bytes may have left by now: an error would be no news of them.
            log.warning(
                "what a source's factory returned cannot be closed", exc_info=True
            )


def _is_context(it: object) -> bool:
    return hasattr(it, "__aenter__") and not any(
        hasattr(it, name) for name in ("read", "__aiter__", "__iter__")
    )


async def _called(factory: Factory) -> Foreign:
    if inspect.iscoroutinefunction(factory):
        return await factory()
    # A plain function may open a file, which must not stop the loop.
    job = asyncio.get_running_loop().run_in_executor(None, factory)
    try:
        returned = await asyncio.shield(job)
    except asyncio.CancelledError:
        job.add_done_callback(_unwanted)
        raise
    return await awaited(returned)


def _unwanted(job: asyncio.Future[Foreign]) -> None:
    """Close what came after nobody waited for it any more."""
    if not job.cancelled() and not job.exception():
        close = getattr(job.result(), "close", None)
        if callable(close) and not inspect.iscoroutinefunction(close):
            _ = job.get_loop().run_in_executor(None, close)


async def _opened(factory: Factory, open_: Open) -> _Opening:
    returned = await _called(factory)
    async with AsyncExitStack() as exits:
        if _is_context(returned):
            returned = await exits.enter_async_context(returned)
        stuff = await open_(returned)
        exits.push_async_callback(stuff.aclose)
        return _Opening(stuff, exits.pop_all())


@attrs.define(eq=False)
class FactoryBody:
    """What a factory returns, called anew for every attempt."""

    _factory: Factory = attrs.field(repr=False)
    _open: Open = attrs.field(repr=False)
    size: int
    """Exact number of bytes, of every opening."""

    _first: _Opening | None = attrs.field(default=None, repr=False)
    _known: _Fingerprint | None = attrs.field(default=None, repr=False)

    replayable: bool = attrs.field(default=True, init=False)
    """Always: that is what a factory is for."""

    whole: None = attrs.field(default=None, init=False, repr=False)
    """It is never read whole."""

    async def blocks(self) -> Blocks:
        """All of them, from a new opening; the last only if they are what they were."""
        opening, self._first = self._first, None
        if opening is None:
            opening = await _opened(self._factory, self._open)
        print_, left = _Fingerprint(), self.size
        async with aclosing(opening), aclosing(self._sized(opening)) as blocks:
            async for block in blocks:
                left -= len(block)
                await print_.take(block)
                print_.whole = not left
                self._compare(print_)
                yield block

    def _sized(self, opening: _Opening) -> Blocks:
        stuff = opening.stuff
        if isinstance(stuff, Stream):
            return OnceBody(stuff, self.size).blocks()
        if stuff.size != self.size:
            raise _changed(f"has {stuff.size} bytes, not {self.size}")
        return stuff.blocks()

    def _compare(self, print_: _Fingerprint) -> None:
        known = self._known
        if known is not None and known is not print_ and print_.differs(known):
            raise _changed("does not have the bytes that it had before")
        if known is None or print_.whole:
            self._known = print_

    async def aclose(self) -> None:
        """Close what was opened and never read."""
        opening, self._first = self._first, None
        if opening is not None:
            await opening.aclose()


@attrs.define(eq=False)
class SeenFactoryBody(FactoryBody):
    """The same, where the end can be seen before the beginning is sent."""

    _see: Callable[[], Awaitable[tuple[bytes, bytes]]] = attrs.field(
        kw_only=True, repr=False
    )

    async def ends(self) -> tuple[bytes, bytes]:
        """The first of them, and the last, of the first opening."""
        return await self._see()


@attrs.define
class _Ends:
    """The two ends of a stream that is read only to be counted."""

    head: bytes = b""
    tail: bytes = b""

    def add(self, block: bytes | memoryview) -> None:
        if len(self.head) < FRONT:
            self.head += bytes(block[: FRONT - len(self.head)])
        self.tail = (self.tail + bytes(block[-BACK:]))[-BACK:]

    async def seen(self) -> tuple[bytes, bytes]:
        return self.head, self.tail


def _changed(how: str) -> SourceError:
    return SourceError(
        f"What the factory returned {how}.",
        advice="The upload was broken off; a factory must open the same bytes each "
        "time.",
    )


async def factory_body(
    factory: Factory, open_: Open, length: int | None
) -> FactoryBody:
    """The body for what *factory* returns.

    A stream without *length* is read to its end once, only to count its bytes.

    Raises:
        SourceError: There are no bytes.
    """
    opening = await _opened(factory, open_)
    stuff = opening.stuff
    if isinstance(stuff, TwoEnded):
        return SeenFactoryBody(factory, open_, stuff.size, opening, see=stuff.ends)
    if not isinstance(stuff, Stream):
        return FactoryBody(factory, open_, stuff.size, opening)
    if length is not None:
        return FactoryBody(factory, open_, length, opening)
    return await _counted(factory, open_, opening, stuff)


async def _counted(
    factory: Factory, open_: Open, opening: _Opening, stream: Stream
) -> SeenFactoryBody:
    known, ends = _Fingerprint(whole=True), _Ends()

    def note(block: bytes | memoryview) -> None:
        known.add(block)
        ends.add(block)

    async with aclosing(opening):
        size = await drained(stream, note)
    require_bytes(size, "what the factory returned")
    return SeenFactoryBody(factory, open_, size, None, known, see=ends.seen)
