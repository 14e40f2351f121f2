"""From whatever a caller holds to a body that can be sent."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import os
import tempfile
import threading
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

import attrs

from bcpicture.errors import SourceError, UsageError
from bcpicture.net.bodies import BLOCK, SMALL, Blocks, Body, BytesBody, require_bytes
from bcpicture.net.files import Signs, file_body, in_thread, read_blocks

_END = object()

SPOOL_MEMORY = 2_000_000
"""Bytes of a stream that are kept in memory; the rest goes to a temporary file."""

Source: TypeAlias = (
    bytes
    | bytearray
    | memoryview
    | str
    | os.PathLike[str]
    | IO[bytes]
    | AsyncIterable[bytes]
    | Iterable[bytes]
)
"""What can be uploaded; a `str` is a path."""


class _ObjectReader:
    """One reading of a file object that somebody else opened, from where it stood."""

    def __init__(
        self, file: IO[bytes], start: int, lock: threading.Lock, signs: Signs | None
    ) -> None:
        self._file = file
        self._start = start
        self._lock = lock
        self._signs = signs

    def start(self) -> None:
        with self._lock:
            self._file.seek(self._start)

    def read(self, size: int) -> bytes:
        with self._lock:
            return self._file.read(size)

    def verify(self) -> None:
        with self._lock:
            if self._file.read(1) or _signs_of(self._file) != self._signs:
                raise SourceError(
                    "The file object changed while it was being sent.",
                    advice="The upload was broken off; send it again when it is whole.",
                )

    def close(self) -> None:
        """Whoever opened it closes it."""


@attrs.frozen
class ObjectBody:
    """A file object that can seek, from where it stands to its end."""

    _file: IO[bytes] = attrs.field(repr=False)
    _start: int
    size: int
    """Exact number of bytes."""

    _signs: Signs | None = attrs.field(default=None, repr=False)
    _owned: bool = False
    # Two readings of one file object take turns.
    _lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    replayable: bool = attrs.field(default=True, init=False)
    """Always: it goes back to where it stood."""

    whole: None = attrs.field(default=None, init=False, repr=False)
    """It is never read whole."""

    def blocks(self) -> Blocks:
        """All of them, from where the file object stood at first."""
        reader = _ObjectReader(self._file, self._start, self._lock, self._signs)
        return read_blocks(reader, self.size, "The file object")

    async def aclose(self) -> None:
        """Close it, if it is our own temporary file."""
        if self._owned:
            await in_thread(self._close)

    def _close(self) -> None:
        with self._lock:
            self._file.close()


@attrs.frozen
class OnceBody:
    """A stream that is sent as it comes, once, with a length that the caller knows."""

    _stream: AsyncGenerator[bytes, None] = attrs.field(repr=False)
    size: int
    """Exact number of bytes, as the caller says."""

    replayable: bool = attrs.field(default=False, init=False)
    """Never."""

    whole: None = attrs.field(default=None, init=False, repr=False)
    """It is never read whole."""

    async def blocks(self) -> Blocks:
        """All of them; the last one is held back until the stream has ended."""
        held, left = b"", self.size
        async for block in self._stream:
            left -= len(block)
            if left < 0:
                break
            if held and block:
                yield held
            held = block or held
        if left:
            word = "more" if left < 0 else "fewer"
            raise SourceError(
                f"The stream has {word} bytes than its length of {self.size}.",
                advice="Give the right length=, or leave spooling on.",
            )
        yield held

    async def aclose(self) -> None:
        """Read no more from it; whoever made it closes it."""
        # While the transport is still inside of it, its cancellation ends it as well.
        with contextlib.suppress(RuntimeError):
            await self._stream.aclose()


def _object_body(file: IO[bytes], *, owned: bool = False) -> ObjectBody:
    start = file.tell()
    size = file.seek(0, io.SEEK_END) - start
    require_bytes(size, "the file object (read from where it stands)")
    return ObjectBody(file, start, size, _signs_of(file), owned)


def _signs_of(file: IO[bytes]) -> Signs | None:
    """What tells that a real file is still the same; None for what is in memory."""
    try:
        return Signs.of(os.fstat(file.fileno()))
    except (OSError, AttributeError):
        return None


async def _chunks_of(
    source: Any,  # noqa: ANN401 - many kinds
) -> AsyncGenerator[bytes, None]:
    """The bytes of a stream, whatever kind of stream it is."""
    if hasattr(source, "read"):
        while chunk := await _read_some(source):
            yield _checked(chunk)
    elif hasattr(source, "__aiter__"):
        async for chunk in source:
            yield _checked(chunk)
    else:
        steps: Iterator[bytes] = iter(source)
        while (chunk := await in_thread(next, steps, _END)) is not _END:
            yield _checked(chunk)


async def _read_some(source: Any) -> bytes:  # noqa: ANN401 - sync or async
    if inspect.iscoroutinefunction(source.read):
        return cast("bytes", await source.read(SMALL))
    return cast("bytes", await in_thread(source.read, BLOCK))


def _checked(chunk: object) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)
    raise UsageError(
        f"The stream yields {type(chunk).__name__}, not bytes.",
        advice="Open files in binary mode, and encode text before.",
    )


class _Spool:
    """A temporary file that is filled and closed in threads, one after the other."""

    def __init__(self) -> None:
        # Closed by `close`, or by the body that it becomes.
        self._file = tempfile.SpooledTemporaryFile(SPOOL_MEMORY)  # noqa: SIM115
        self._lock = threading.Lock()

    def write(self, chunk: bytes) -> None:
        with self._lock:
            if not self._file.closed:
                self._file.write(chunk)

    def body(self) -> ObjectBody:
        with self._lock:
            self._file.seek(0)
            return _object_body(self._file, owned=True)

    def close(self) -> None:
        with self._lock:
            self._file.close()


async def _spooled(chunks: AsyncGenerator[bytes, None]) -> ObjectBody:
    """Read a stream to its end, so that it has a length and can be sent again."""
    spool = _Spool()
    try:
        async with aclosing(chunks):
            async for chunk in chunks:
                await in_thread(spool.write, chunk)
        return await in_thread(spool.body)
    except BaseException:
        # Behind the thread that may be at work on it still.
        _ = asyncio.get_running_loop().run_in_executor(None, spool.close)
        raise


def _is_stream(source: object) -> bool:
    kinds = ("read", "__aiter__", "__iter__")
    return any(hasattr(source, name) for name in kinds)


def _seekable(source: Any) -> bool:  # noqa: ANN401 - any object may come
    seekable = getattr(source, "seekable", None)
    if not callable(seekable) or inspect.iscoroutinefunction(seekable):
        return False
    try:
        return hasattr(source, "read") and bool(seekable())
    except ValueError as exc:
        raise SourceError(
            f"The file object cannot be read: {exc}.", advice="Open it again."
        ) from exc


async def open_source(
    source: Source, *, spool: bool = True, length: int | None = None
) -> Body:
    """Make a body of *source*.

    Args:
        source: Bytes, a path, a binary file object, or a stream of bytes.
        spool: Read a stream that cannot seek to its end first: 2 MB in memory, the
            rest in a temporary file. Without it the stream is sent once at most.
        length: Number of bytes of such a stream; needed if it is not spooled.

    Raises:
        SourceError: There are no bytes, or they cannot be read.
        UsageError: It is nothing that has bytes.
    """
    if isinstance(source, bytes):
        require_bytes(len(source), "the bytes given")
        return BytesBody(source)
    if isinstance(source, bytearray | memoryview):
        return _view_body(source)
    if isinstance(source, str | os.PathLike):
        return await file_body(Path(source))
    if isinstance(source, io.TextIOBase):
        raise UsageError(
            "The file is open in text mode.", advice='Open it with mode "rb".'
        )
    if not _is_stream(source):
        raise UsageError(
            f"A {type(source).__name__} cannot be uploaded.",
            advice="Give bytes, a path, a binary file or a stream of bytes.",
        )
    if _seekable(source):
        return await in_thread(_object_body, source)
    return await _stream_body(source, spool=spool, length=length)


def _view_body(source: bytearray | memoryview) -> BytesBody:
    view = memoryview(source).cast("B")
    require_bytes(len(view), "the bytes given")
    # A copy where it is cheap: the caller may change its buffer meanwhile.
    return BytesBody(bytes(view) if len(view) <= BLOCK else view.toreadonly())


async def _stream_body(source: Source, *, spool: bool, length: int | None) -> Body:
    chunks = _chunks_of(source)
    if spool:
        body = await _spooled(chunks)
        if length is not None and length != body.size:
            await body.aclose()
            raise SourceError(
                f"The stream has {body.size} bytes, not {length}.",
                advice="Give the right length=, or none: it is counted.",
            )
        return body
    if length is None:
        raise UsageError(
            "A stream that is not spooled needs its length.",
            advice="Give length=, or leave spooling on.",
        )
    return OnceBody(chunks, require_bytes(length, "the stream"))
