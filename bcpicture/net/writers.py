"""File objects that a caller opened, as targets of a download.

They belong to somebody else: no thread is at work on one any more when the call is
over, and where they can seek, an error leaves them as they were.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import os
from collections.abc import Sequence
from typing import IO, ClassVar

from bcpicture.core.digests import ALREADY_THERE, AlreadyThere
from bcpicture.core.media import Kind
from bcpicture.errors import UsageError
from bcpicture.net.files import in_thread, in_thread_to_end, to_end
from bcpicture.net.foreign import Foreign, awaited
from bcpicture.net.sent import Sent
from bcpicture.net.sinks import Sink

_GONE = (OSError, ValueError)
"""What a file object raises that was closed meanwhile, or cannot do it after all."""


class _ObjectSink:
    """What is the same for all file objects."""

    atomic: ClassVar[bool] = False
    """Never: whoever looks sees it grow."""

    path: ClassVar[None] = None
    """It is known by no name."""

    _span: tuple[int, int] | None = None
    """Where it stood and where it ended; None before that is known, and if it cannot
    be taken back there."""

    _sent: Sent | None = None
    """What cannot be taken back; None if it can be."""

    async def holds(self, size: int, sha256: str) -> bool:
        """Unknown: it is open for writing."""
        del size, sha256
        return False


class FileSink(_ObjectSink):
    """A file object whose calls block: all of them run in threads."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._again = False

    async def begin(self, kind: Kind | None) -> None:
        """The answer begins, once more perhaps; done with the first bytes."""
        del kind
        self._again = True

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Append *chunks*."""
        await in_thread_to_end(self._write, chunks)

    async def finish(self, rest: Sequence[bytes]) -> None:
        """Append *rest*, and flush what the file object keeps back."""
        await in_thread_to_end(self._finish, rest)
        self._span = None

    async def discard(self) -> None:
        """Go back to where it stood, if it can seek and something was written."""
        if self._span is not None:
            with contextlib.suppress(*_GONE):
                await in_thread_to_end(self._go_back, *self._span)

    def _write(self, chunks: Sequence[bytes]) -> None:
        if self._again:
            self._start()
        for chunk in chunks:
            view = self._sent.new_of(chunk) if self._sent else memoryview(chunk)
            while view:
                view = view[self._wrote(self._file.write(view), len(view)) :]

    def _wrote(self, count: int | None, size: int) -> int:
        if count is None and isinstance(self._file, io.RawIOBase):
            raise BlockingIOError("The file object takes no more, and does not wait.")
        return size if count is None else count

    def _start(self) -> None:
        self._again = False
        if self._sent is not None:
            self._sent.again()
        elif self._span is not None:
            self._go_back(*self._span)
        else:
            self._span = self._find_span()
            self._sent = None if self._span else Sent()

    def _find_span(self) -> tuple[int, int] | None:
        """Where it stands and where it ends; None if it cannot be taken back there."""
        file = self._file
        try:
            if not (file.seekable() and hasattr(file, "truncate")):
                return None
            start = file.tell()
            end = file.seek(0, io.SEEK_END)
            file.seek(start)
        except (AttributeError, *_GONE):
            return None
        return start, max(start, end)

    def _go_back(self, start: int, end: int) -> None:
        try:
            self._file.seek(start)
        except OSError:
            # It cannot flush what it keeps back before there is room on the disk.
            os.ftruncate(self._file.fileno(), end)
            self._file.seek(start)
        self._file.truncate(end)

    def _finish(self, rest: Sequence[bytes]) -> None:
        self._write(rest)
        if self._sent is not None:
            self._sent.end()
        if flush := getattr(self._file, "flush", None):
            flush()


class AsyncFileSink(_ObjectSink):
    """A file object whose calls are awaited, in this task."""

    def __init__(self, file: Foreign) -> None:
        self._file = file

    async def begin(self, kind: Kind | None) -> None:
        """The answer begins, once more perhaps."""
        del kind
        await to_end(asyncio.ensure_future(self._start()))

    async def _start(self) -> None:
        if self._sent is not None:
            self._sent.again()
        elif self._span is not None:
            await self._go_back(*self._span)
        else:
            self._span = await self._find_span()
            self._sent = None if self._span else Sent()

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Append *chunks*, in one call: each may be a hop into a thread."""
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        if self._sent is not None:
            # It may be a socket: whoever cancels does not wait for its other end.
            await self._write(bytes(await in_thread(self._sent.new_of, data)))
        else:
            await to_end(asyncio.ensure_future(self._write(data)))

    async def _write(self, data: bytes) -> None:
        while data:
            count = await self._file.write(data)
            short = isinstance(count, int) and count < len(data)
            data = data[count:] if short else b""

    async def finish(self, rest: Sequence[bytes]) -> None:
        """Append *rest*, and flush what the file object keeps back."""
        await self.write(rest)
        if self._sent is not None:
            self._sent.end()
        if flush := getattr(self._file, "flush", None):
            await awaited(flush())
        self._span = None

    async def discard(self) -> None:
        """Go back to where it stood, if it can seek and something was written."""
        if self._span is not None:
            with contextlib.suppress(*_GONE):
                await to_end(asyncio.ensure_future(self._go_back(*self._span)))

    async def _find_span(self) -> tuple[int, int] | None:
        file = self._file
        try:
            if not (await awaited(file.seekable()) and hasattr(file, "truncate")):
                return None
            start = int(await awaited(file.tell()))
            end = int(await awaited(file.seek(0, io.SEEK_END)))
            await awaited(file.seek(start))
        except (AttributeError, *_GONE):
            return None
        return start, max(start, end)

    async def _go_back(self, start: int, end: int) -> None:
        await awaited(self._file.seek(start))
        await awaited(self._file.truncate(end))


class _Drained:
    """The writer of a socket, which no thread may touch, as an awaited file object."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def write(self, data: bytes) -> None:
        """Write *data* and wait until most of it is out."""
        self._writer.write(data)
        await self._writer.drain()


async def open_writer(target: Foreign, unless: str | AlreadyThere | None) -> Sink:
    """Make a sink of a file object.

    Raises:
        UsageError: It takes no bytes, or cannot be compared.
    """
    if unless is ALREADY_THERE:
        raise UsageError(
            "Whether it is ALREADY_THERE is not known: a file object is not read.",
            advice="Give a path, or the digest of the bytes that are there.",
        )
    write = getattr(target, "write", None)
    if not callable(write):
        raise UsageError(
            f"A {type(target).__name__} cannot take a picture.",
            advice="Give a path, or a file object that is open for writing bytes.",
        )
    # Wrappers of text files are no TextIOBase, but have its `encoding`.
    if isinstance(target, io.TextIOBase) or hasattr(target, "encoding"):
        raise UsageError(
            "The file is open in text mode.", advice='Open it with mode "wb".'
        )
    await _require_writable(target)
    if inspect.iscoroutinefunction(getattr(target, "drain", None)):
        return AsyncFileSink(_Drained(target))
    waits = inspect.iscoroutinefunction(write)
    return AsyncFileSink(target) if waits else FileSink(target)


async def _require_writable(target: Foreign) -> None:
    writable = getattr(target, "writable", None)
    try:
        if writable is None or await awaited(writable()):
            return
    except ValueError as exc:
        raise UsageError(
            f"The file object cannot be written: {exc}.", advice="Open it again."
        ) from exc
    raise UsageError(
        "The file is open for reading only.", advice='Open it with mode "wb".'
    )
