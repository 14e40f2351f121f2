"""Bodies from file objects that somebody else opened, and that can seek."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import threading
from collections.abc import Awaitable
from typing import IO, Protocol

import attrs

from bcpicture.core.preflight import BACK, FRONT
from bcpicture.errors import SourceError
from bcpicture.net.bodies import BLOCK, SMALL, Blocks, BytesBody, require_bytes
from bcpicture.net.files import Signs, in_thread, read_blocks, read_ends, signs_of
from bcpicture.net.foreign import closed

_WHERE = "the file object (read from where it stands)"


def _changed() -> SourceError:
    return SourceError(
        "The file object changed while it was being sent.",
        advice="The upload was broken off; send it again when it is whole.",
    )


class _ObjectReader:
    """One reading of a file object, from where it stood."""

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
                raise _changed()

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

    async def ends(self) -> tuple[bytes, bytes]:
        """The first of them, and the last."""
        return await in_thread(self._ends)

    def _ends(self) -> tuple[bytes, bytes]:
        with self._lock:
            return read_ends(self._file, self._start, self.size)

    async def aclose(self) -> None:
        """Close it, if it is our own to close."""
        if self._owned:
            # Shielded: a cancellation must not keep the thread from beginning.
            await asyncio.shield(in_thread(self._close))

    def _close(self) -> None:
        with self._lock:
            self._file.close()


def object_body(file: IO[bytes], *, owned: bool = False) -> ObjectBody | BytesBody:
    """The body of *file*, from where it stands; blocks, so it runs in a thread.

    Args:
        file: It can seek.
        owned: Whether the body closes it.

    Raises:
        SourceError: There is nothing to read.
    """
    start = file.tell()
    size = file.seek(0, io.SEEK_END) - start
    require_bytes(size, _WHERE)
    signs = _signs_of(file)
    if size > SMALL or owned:
        return ObjectBody(file, start, size, signs, owned)
    file.seek(start)
    data = file.read(size)
    if len(data) != size or _signs_of(file) != signs:
        raise _changed()
    return BytesBody(data)


def _signs_of(file: IO[bytes]) -> Signs | None:
    """What tells that a real file is still the same; None for what is in memory."""
    try:
        return signs_of(os.fstat(file.fileno()))
    except (OSError, AttributeError):
        return None


class AsyncSeekable(Protocol):
    """A file object of aiofiles, anyio and the like."""

    def read(self, size: int, /) -> Awaitable[bytes]:
        """Read on."""

    def seek(self, offset: int, whence: int = 0, /) -> Awaitable[int]:
        """Go elsewhere."""

    def tell(self) -> Awaitable[int]:
        """Where it stands."""


@attrs.frozen
class AsyncObjectBody:
    """An async file object that can seek, from where it stands to its end."""

    _file: AsyncSeekable = attrs.field(repr=False)
    _start: int
    size: int
    """Exact number of bytes."""

    _owned: bool = False

    replayable: bool = attrs.field(default=True, init=False)
    """Always: it goes back to where it stood."""

    whole: None = attrs.field(default=None, init=False, repr=False)
    """It is never read whole."""

    async def blocks(self) -> Blocks:
        """All of them; the last one is held back until it is sure to be the last."""
        await self._file.seek(self._start)
        left = self.size
        while left:
            block = await self._file.read(min(BLOCK, left))
            left -= len(block)
            if not block or (not left and await self._file.read(1)):
                raise _changed()
            yield block

    async def ends(self) -> tuple[bytes, bytes]:
        """The first of them, and the last."""
        await self._file.seek(self._start)
        head = await self._file.read(FRONT)
        await self._file.seek(self._start + max(0, self.size - BACK))
        return head, await self._file.read(BACK)

    async def aclose(self) -> None:
        """Close it, if it is our own to close."""
        if self._owned:
            await closed(self._file)


async def async_object_body(
    file: AsyncSeekable, *, owned: bool
) -> AsyncObjectBody | None:
    """The body of *file*, from where it stands; None if it cannot seek after all.

    Raises:
        SourceError: There is nothing to read.
    """
    with contextlib.suppress(OSError):  # a pipe, for example
        start = await file.tell()
        size = await file.seek(0, io.SEEK_END) - start
        return AsyncObjectBody(file, start, require_bytes(size, _WHERE), owned)
    return None
