"""One process at a time works with a journal; who it is stands in a file.

The lock itself is the operating system's, so that it ends with its process, however
that ends. What stands in the file is for people: a file that a dead process left, or
that was copied along from another machine, says something and blocks nobody.
"""

from __future__ import annotations

import asyncio
import errno
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from bcpicture.errors import JournalError
from bcpicture.net.files import in_thread, in_thread_to_end
from bcpicture.sync.holder import Holder, locked
from bcpicture.sync.journal import utc_now

BEAT = 5.0
"""Seconds between two signs of life."""

_LENGTH = 2048
"""Bytes of the file."""

_HELD = {errno.EAGAIN, errno.EACCES, errno.EDEADLK}
"""How the systems say that another process has it."""

if sys.platform == "win32":
    import msvcrt

    _FAR = 2**30  # what is locked cannot be read there, so let it not be the text

    def _seize(descriptor: int) -> None:
        os.lseek(descriptor, _FAR, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _seize(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Lock:
    """The right to work with a journal, for as long as the block lasts.

    Raises:
        LockedError: Another process has it.
        JournalError: The file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        *,
        command: str,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
        beat: float = BEAT,
    ) -> None:
        self._path = path
        self._command = command
        self._clock = clock
        self._monotonic = monotonic
        self._beat = beat
        self._me: Holder | None = None
        self._life: asyncio.Task[None] | None = None
        # A descriptor that was closed may be another file's by now: whoever uses it
        # has this.
        self._using = threading.Lock()
        self._descriptor: int | None = None

    async def __aenter__(self) -> Self:
        try:
            await in_thread_to_end(self._take)
        except asyncio.CancelledError:
            await self._give_back()
            raise
        self._life = asyncio.create_task(self._live())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._life is not None:
            self._life.cancel()
        await self._give_back()

    async def _give_back(self) -> None:
        await in_thread_to_end(self._release)

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self._beat)
            with suppress(OSError):  # a full disk: the lock holds all the same
                await in_thread(self._tell)

    # What follows runs in threads.

    def _take(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as exc:
            raise _unusable(self._path, exc) from exc
        try:
            _seize(descriptor)
        except OSError as exc:
            holder = Holder.read(_text(descriptor))
            os.close(descriptor)
            if exc.errno not in _HELD:
                raise _unusable(self._path, exc) from exc
            now, monotonic = self._clock(), self._monotonic()
            raise locked(self._path, holder, now, monotonic) from exc
        self._descriptor = descriptor
        self._me = Holder.me(self._command, self._clock(), self._monotonic())
        with suppress(OSError):
            self._tell()

    def _tell(self) -> None:
        with self._using:
            if self._descriptor is None or self._me is None:
                return
            told = attrs.evolve(
                self._me, beat=self._clock(), monotonic=self._monotonic()
            )
            _write(self._descriptor, told.text())

    def _release(self) -> None:
        with self._using:
            if self._descriptor is None:
                return
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _unusable(path: Path, error: OSError) -> JournalError:
    return JournalError(
        f"The lock {path} cannot be had: {error.strerror}.",
        advice="Choose a folder of your own on a local disk with `--state-dir`.",
    )


def _text(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LENGTH).decode("utf-8", "replace")


def _write(descriptor: int, text: str) -> None:
    # In one piece and always as long, so that nobody reads half of it.
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, text.encode().ljust(_LENGTH))
