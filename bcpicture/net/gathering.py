"""The bytes of a stream, whatever kind of stream it is, many chunks a hop."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import aclosing
from typing import TypeAlias

import attrs

from bcpicture.errors import SourceError, UsageError
from bcpicture.net.bodies import BLOCK, Blocks
from bcpicture.net.files import let_go
from bcpicture.net.foreign import Foreign, awaited

_TICK = 0.05
"""Seconds after which what a slow source has yielded so far goes on its way."""

_END = object()


def checked(chunk: Foreign) -> bytes | memoryview:
    """A chunk that nobody can change any more.

    Raises:
        UsageError: It is no bytes.
    """
    if isinstance(chunk, bytes):
        return chunk
    try:
        view = memoryview(chunk).cast("B")
    except TypeError:
        raise UsageError(
            f"The stream yields {type(chunk).__name__}, not bytes.",
            advice="Open files in binary mode, and encode text before.",
        ) from None
    return view if view.readonly else bytes(view)


class ThreadedStream:
    """Takes steps that block, many of them in one hop into a thread.

    A hop ends when it has a block together. A source that is slow does not hold back
    what it has yielded: that is fetched a few times a second.
    """

    def __init__(
        self,
        step: Callable[[], bytes | memoryview | None],
        close: Callable[[], object] | None = None,
    ) -> None:
        """Take *step* until it returns None; *close* is called in the end."""
        self._step = step
        self._close = close
        self._busy = threading.Lock()  # while a thread is at work on the source
        self._handing = threading.Lock()  # so that no chunk is appended to a lost list
        self._chunks: list[bytes | memoryview] = []
        self._stopped = False

    def _fill(self) -> bool:
        """Take steps; whether the source has ended."""
        with self._busy:
            size = 0
            while size < BLOCK and not self._stopped:
                chunk = self._step()
                if chunk is None:
                    return True
                size += len(chunk)
                with self._handing:
                    self._chunks.append(chunk)
            return self._stopped

    def _taken(self) -> bytes | memoryview:
        with self._handing:
            chunks, self._chunks = self._chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def blocks(self) -> Blocks:
        """All of them, read one block ahead."""
        loop, ended = asyncio.get_running_loop(), False
        job = loop.run_in_executor(None, self._fill)
        try:
            while not ended:
                await asyncio.wait([job], timeout=_TICK)
                hop_is_over = job.done()
                ended = hop_is_over and job.result()
                block = self._taken()
                if hop_is_over and not ended:
                    job = loop.run_in_executor(None, self._fill)
                if block:
                    yield block
        finally:
            self._stopped = True
            let_go(job)

    async def aclose(self) -> None:
        """Take no further step; close it behind the thread that may be at work."""
        self._stopped = True
        if self._close is not None:
            _ = asyncio.get_running_loop().run_in_executor(None, self._end)

    def _end(self) -> None:
        with self._busy:
            if self._close is not None:
                self._close()


@attrs.frozen
class AsyncStream:
    """Something that is awaited for its chunks."""

    _chunks: AsyncIterable[Foreign]
    _close: Callable[[], object] | None = None

    async def blocks(self) -> Blocks:
        """All of them, as they come."""
        async for chunk in self._chunks:
            yield checked(chunk)

    async def aclose(self) -> None:
        """Close it, if it is our own to close."""
        if self._close is not None:
            await awaited(self._close())


Stream: TypeAlias = ThreadedStream | AsyncStream
"""Bytes that can be read once."""


async def _reads(read: Callable[[int], Awaitable[bytes]]) -> Blocks:
    while chunk := await read(BLOCK):
        yield chunk


def _steps_of_file(file: Foreign) -> Callable[[], bytes | memoryview | None]:
    def step() -> bytes | memoryview | None:
        chunk = file.read(BLOCK)
        if chunk is None:
            raise SourceError(
                "The file object has no bytes at the moment.",
                advice="Open it in blocking mode, or hand over an async stream.",
            )
        return checked(chunk) or None

    return step


def _steps_of_iterable(source: Foreign) -> Callable[[], bytes | memoryview | None]:
    steps = iter(source)

    def step() -> bytes | memoryview | None:
        chunk = next(steps, _END)
        return None if chunk is _END else checked(chunk)

    return step


def stream_of(source: Foreign, *, owned: bool) -> Stream:
    """The stream that *source* is.

    Args:
        source: Has `read`, or `read_chunk` (a part of a form, in aiohttp), or can be
            iterated over; sync or async.
        owned: Whether it is closed in the end.
    """
    close = getattr(source, "aclose", None) or getattr(source, "close", None)
    close = close if owned and callable(close) else None
    if hasattr(source, "read_chunk"):
        return AsyncStream(_reads(source.read_chunk), close)
    if is_async_file(source):
        return AsyncStream(_reads(source.read), close)
    if hasattr(source, "read"):
        return ThreadedStream(_steps_of_file(source), close)
    if hasattr(source, "__aiter__"):
        return AsyncStream(source, close)
    return ThreadedStream(_steps_of_iterable(source), close)


def is_async_file(source: object) -> bool:
    """Whether *source* has to be awaited for what it reads."""
    return inspect.iscoroutinefunction(getattr(source, "read", None))


async def drained(stream: Stream, note: Callable[[bytes | memoryview], object]) -> int:
    """Read *stream* to its end; return how many bytes there were."""
    size = 0
    async with aclosing(stream.blocks()) as blocks:
        async for block in blocks:
            size += len(block)
            note(block)
    return size
