"""Files, read and written in threads, so that a slow disk never stops the loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO, Protocol, TypeAlias, TypeVar

import attrs

from bcpicture.core.preflight import BACK, FRONT
from bcpicture.errors import SourceError
from bcpicture.net.bodies import BLOCK, SMALL, Blocks, BytesBody, require_bytes

T = TypeVar("T")


async def in_thread(job: Callable[..., T], *args: object) -> T:
    """Run *job* in a thread; unlike `asyncio.to_thread` it copies no context."""
    return await asyncio.get_running_loop().run_in_executor(None, job, *args)


async def in_thread_to_end(job: Callable[..., T], *args: object) -> T:
    """Run *job* in a thread; a cancellation waits until the thread is done."""
    return await to_end(asyncio.get_running_loop().run_in_executor(None, job, *args))


async def to_end(future: asyncio.Future[T]) -> T:
    """Wait for *future*; a cancellation of ours does so as well before it goes on.

    For work on what belongs to somebody else, who may go on with it as soon as we are
    gone.
    """
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await settled(future)
        raise


def let_go(job: asyncio.Future[Any]) -> None:
    """Leave *job*, at work in a thread, to itself; nobody asks how it ends."""
    if not job.cancel() and not job.cancelled():
        job.exception()


async def settled(future: asyncio.Future[T]) -> None:
    """Wait until *future* is done, however often we are cancelled meanwhile.

    Only for the way out: the cancellation that led there goes on afterwards.
    """
    while not future.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([future])
    if not future.cancelled():
        future.exception()  # so that nobody misses it


Signs: TypeAlias = tuple[int, int, int]
"""What tells that a file is still the same: bytes, when they changed, which file."""


def signs_of(told: os.stat_result) -> Signs:
    """The signs in what the system told."""
    return told.st_size, told.st_mtime_ns, told.st_ino


def _changed(path: Path) -> SourceError:
    return SourceError(
        f"The file {path} changed while it was being sent.",
        advice="The upload was broken off, nothing was replaced; send it again.",
    )


class Readable(Protocol):
    """A file that a thread reads from its start."""

    def start(self) -> None:
        """Open it, or go to its start."""

    def read(self, size: int) -> bytes:
        """Read on."""

    def verify(self) -> None:
        """Fail if it is not what it was at the start."""

    def close(self) -> None:
        """Let go of it."""


class _PathReader:
    """One reading of one file. Every method runs in a thread and takes the lock.

    The lock is for cancellation: the thread goes on reading after the task that waits
    for it was cancelled, and only then may the file be closed.
    """

    def __init__(self, path: Path, expected: Signs) -> None:
        self._path = path
        self._expected = expected
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._closed = False

    def start(self) -> None:
        with self._lock:
            if not self._closed:
                self._file = _open(self._path)
        self.verify()

    def read(self, size: int) -> bytes:
        with self._lock:
            return self._file.read(size) if self._file else b""

    def verify(self) -> None:
        with self._lock:
            if self._file is not None and not self._same(self._file):
                raise _changed(self._path)

    def _same(self, file: BinaryIO) -> bool:
        # The open file tells of writers, the path of somebody who put another there.
        try:
            named = signs_of(self._path.stat())
        except FileNotFoundError:
            return False
        return signs_of(os.fstat(file.fileno())) == named == self._expected

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                self._file.close()


def _open(path: Path) -> BinaryIO:
    # Unbuffered: blocks are large, and a buffer would only copy them once more.
    return path.open("rb", buffering=0)


async def read_blocks(reader: Readable, size: int, what: str) -> Blocks:
    """Yield exactly *size* bytes, reading one block ahead.

    The last block is held back until the source proved unchanged: a request that lacks
    it is never completed, so the service stores nothing.

    Raises:
        SourceError: There are fewer bytes, or they changed.
    """
    loop, left = asyncio.get_running_loop(), size
    ahead: asyncio.Future[bytes] | None = None
    try:
        await in_thread(reader.start)
        ahead = loop.run_in_executor(None, reader.read, min(BLOCK, left))
        while left:
            block = await ahead
            left -= len(block)
            if not block:
                raise SourceError(
                    f"{what} ended {left} bytes before its size of {size}.",
                    advice="The upload was broken off; send it again when it is whole.",
                )
            if left:
                ahead = loop.run_in_executor(None, reader.read, min(BLOCK, left))
            else:
                await in_thread(reader.verify)
            yield block
    except OSError as exc:
        raise SourceError(
            f"{what} cannot be read any more: {exc.strerror or exc}.",
            advice="The upload was broken off, nothing was replaced.",
        ) from exc
    finally:
        if ahead is not None:
            let_go(ahead)
        # Not awaited: it must happen even while the task is being cancelled.
        _ = loop.run_in_executor(None, reader.close)


def read_ends(file: IO[bytes], start: int, size: int) -> tuple[bytes, bytes]:
    """The first and the last of the *size* bytes that stand behind *start*."""
    file.seek(start)
    head = file.read(FRONT)
    file.seek(start + max(0, size - BACK))
    return head, file.read(BACK)


@attrs.frozen
class FileBody:
    """A file that is named by its path."""

    path: Path
    """Where it is."""

    _signs: Signs = attrs.field(repr=False)
    _ends: tuple[bytes, bytes] = attrs.field(repr=False)

    replayable: bool = attrs.field(default=True, init=False)
    """Always: it is opened anew."""

    whole: None = attrs.field(default=None, init=False, repr=False)
    """It is never read whole."""

    @property
    def size(self) -> int:
        """Exact number of bytes."""
        return self._signs[0]

    def blocks(self) -> Blocks:
        """All of them, from a file opened for this purpose."""
        reader = _PathReader(self.path, self._signs)
        return read_blocks(reader, self.size, f"The file {self.path}")

    async def ends(self) -> tuple[bytes, bytes]:
        """The first of them, and the last, as they were when it was inspected."""
        return self._ends

    async def aclose(self) -> None:
        """There is nothing to let go of: each reading closes its own file."""


def _inspect(path: Path) -> FileBody | BytesBody:
    """Look at a file, and take a small one in while it is open anyway."""
    try:
        # Asked before it is opened: to open a pipe would wait for its other end.
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise SourceError(
                f"{path} is not a file of a known size.",
                advice="Open it yourself and hand over the file object.",
            )
        with _open(path) as file:
            told = os.fstat(file.fileno())
            require_bytes(told.st_size, f"the file {path}")
            if told.st_size > SMALL:
                return FileBody(path, signs_of(told), read_ends(file, 0, told.st_size))
            data = file.read(told.st_size + 1)
            if len(data) != told.st_size or signs_of(os.fstat(file.fileno())) != (
                signs_of(told)
            ):
                raise _changed(path)
            return BytesBody(data)
    except (OSError, ValueError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise SourceError(
            f"The file {str(path)!r} cannot be read: {why}.",
            advice="Check its name and who may read it.",
        ) from exc


async def file_body(path: Path) -> FileBody | BytesBody:
    """The body for the file at *path*.

    Raises:
        SourceError: It is not there, not readable, not a file, or empty.
    """
    return await in_thread(_inspect, path)
