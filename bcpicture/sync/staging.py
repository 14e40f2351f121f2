"""Files of a pull while they have no name of their own yet.

Each is called after the journal that its pull belongs to, of which one process at a
time has the lock: what such a name is left on belonged to a run that was killed. No
other pull, and no download, ever uses or removes it. Linux can do without any name,
for a file that replaces none; what a killed run leaves of it is gone.

A file that was written a moment ago could be changed by somebody within the tick of its
time stamp, and look the same. So what a pull writes is dated two seconds back: whoever
writes to it later gives it another time, and it need not be read again to be sure.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from bcpicture.core.signs import YOUNG, FileSigns
from bcpicture.net.files import in_thread, in_thread_to_end
from bcpicture.net.parts import make_like
from bcpicture.sync.targets import Staged

SUFFIX = ".part"
"""What the names of files end with that are being written."""

_BLOCK = 1 << 18

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)

_BY_NUMBER = os.utime in os.supports_fd

_OPEN_FILES = "/proc/self/fd"
"""Where Linux names the open files of a process."""


class Part:
    """A file without its name. Every method runs in a thread.

    The lock is for cancellation: a thread may still write when the file is given up.
    """

    def __init__(
        self, folder: Path, mark: str, *, wall: Callable[[], int] = time.time_ns
    ) -> None:
        self._folder = folder
        self._path = folder / f".{mark}-{secrets.token_hex(8)}{SUFFIX}"
        self._wall = wall
        self._lock = threading.Lock()
        # A number, not a file object, which asks the system for more than is needed.
        self._file: int | None = None
        self._made = False
        self._hash = hashlib.sha256()
        self._size = 0
        self._ended = False

    def write(self, *chunks: bytes, hashed: bool = True) -> None:
        """Append *chunks*; their digest need not be computed if it is known."""
        with self._lock:
            if self._ended:
                return
            if self._file is None:
                self._file = self._new()
            for chunk in chunks:
                if hashed:
                    self._hash.update(chunk)
                self._size += len(chunk)
                written = os.write(self._file, chunk)
                while written < len(chunk):
                    written += os.write(self._file, memoryview(chunk)[written:])

    def copy(self, path: Path) -> None:
        """Append what another file holds."""
        with path.open("rb", buffering=0) as file:
            while block := file.read(_BLOCK):
                self.write(block)

    def keep(
        self,
        *,
        digest: str | None = None,
        like: os.stat_result | None = None,
        lasting: bool = True,
    ) -> Staged | None:
        """End it; return what it is now, None if it was given up.

        Args:
            digest: That of the bytes, if it is known.
            like: The file whose mode and owner it takes over.
            lasting: Whether the bytes are flushed to the disk.
        """
        with self._lock:
            if self._ended or self._file is None:
                return None
            if like is not None:
                make_like(self._path, like)
            told = self._sealed(self._file, lasting=lasting)
            self._close()
            if not _BY_NUMBER:
                self._date(self._path)
                told = self._path.stat()
            self._ended = True
        return self._staged(told, digest)

    def become(
        self, path: Path, *, digest: str | None = None, lasting: bool = True
    ) -> Staged | None:
        """End it as a new file; return what that is, None if something is there.

        Args:
            path: Its name.
            digest: That of the bytes, if it is known.
            lasting: Whether the bytes are flushed to the disk.

        Raises:
            OSError: The name cannot be given.
        """
        kept = self.keep(digest=digest, lasting=lasting)
        if kept is None or os.path.lexists(path):
            return None
        kept.path.replace(path)
        return kept

    def discard(self) -> None:
        """Leave nothing behind, unless it was kept."""
        with self._lock:
            if not self._ended:
                self._remove()

    def remove(self) -> None:
        """Leave nothing behind."""
        with self._lock:
            self._remove()

    def _new(self) -> int:
        number = os.open(self._path, _NEW, 0o666)
        self._made = True
        return number

    def _sealed(self, file: int, *, lasting: bool) -> os.stat_result:
        if lasting:
            os.fsync(file)
        if _BY_NUMBER:
            self._date(file)
        return os.fstat(file)

    def _date(self, file: int | Path) -> None:
        dated = self._wall() - YOUNG
        os.utime(file, ns=(dated, dated))

    def _staged(self, told: os.stat_result, digest: str | None) -> Staged:
        return Staged(
            path=self._path,
            digest=digest or self._hash.hexdigest(),
            size=self._size,
            signs=FileSigns.of(told),
        )

    def _remove(self) -> None:
        self._ended = True
        with suppress(OSError):
            self._close()
        if self._made:
            with suppress(OSError):
                self._path.unlink()

    def _close(self) -> None:
        number, self._file = self._file, None
        if number is not None:
            os.close(number)


class Nameless(Part):
    """A file without any name, which can only become a new one."""

    usable = hasattr(os, "O_TMPFILE") and Path(_OPEN_FILES).is_dir()
    """Whether this system has them; not each of its file systems need have."""

    def become(
        self, path: Path, *, digest: str | None = None, lasting: bool = True
    ) -> Staged | None:
        """End it as a new file; see `Part.become`."""
        with self._lock:
            if self._ended or self._file is None:
                return None
            told = self._sealed(self._file, lasting=lasting)
            # Any number for a folder makes Python follow the link to the file.
            open_file = f"{_OPEN_FILES}/{self._file}"
            try:
                os.link(open_file, path, src_dir_fd=self._file, follow_symlinks=True)
            except FileExistsError:
                return None
            self._close()
            self._ended = True
        return self._staged(told, digest)

    def _new(self) -> int:
        return os.open(self._folder, os.O_WRONLY | os.O_TMPFILE, 0o666)


class PartSpool:
    """A file without its name, as a task writes it."""

    def __init__(self, part: Part, judge: Callable[[OSError], None]) -> None:
        self._part = part
        # Raises a better error, if it is no matter of this file alone.
        self._judge = judge

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Append some.

        Raises:
            OSError: It cannot be written.
            TargetError: Nothing can be.
        """
        try:
            await in_thread(self._part.write, *chunks)
        except OSError as exc:
            self._judge(exc)
            raise

    async def keep(self) -> Staged:
        """That were all; they are on the disk when this returns.

        Raises:
            OSError: It cannot be written, or was given up.
            TargetError: Nothing can be.
        """
        try:
            kept = await in_thread_to_end(self._part.keep)
        except OSError as exc:
            self._judge(exc)
            raise
        if kept is None:
            raise OSError(0, "Nothing was written")
        return kept

    async def discard(self) -> None:
        """Leave nothing behind."""
        await in_thread_to_end(self._part.remove)


def sweep(folder: Path, mark: str) -> None:
    """Clear away what killed runs of one journal were writing."""
    for path in folder.glob(f".{mark}-*{SUFFIX}"):
        with suppress(OSError):
            path.unlink()
