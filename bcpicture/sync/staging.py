"""Files of a pull while they have no name of their own yet.

Each is called after the journal that its pull belongs to, of which one process at a
time has the lock: what such a name is left on belonged to a run that was killed. No
other pull, and no download, ever uses or removes it.

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
from typing import BinaryIO

from bcpicture.core.signs import YOUNG, FileSigns
from bcpicture.net.files import in_thread, in_thread_to_end
from bcpicture.net.parts import make_like
from bcpicture.sync.targets import Staged

SUFFIX = ".part"
"""What the names of files end with that are being written."""

_BLOCK = 1 << 18


class Part:
    """A file without its name. Every method runs in a thread.

    The lock is for cancellation: a thread may still write when the file is given up.
    """

    def __init__(
        self, folder: Path, mark: str, *, wall: Callable[[], int] = time.time_ns
    ) -> None:
        self._path = folder / f".{mark}-{secrets.token_hex(8)}{SUFFIX}"
        self._wall = wall
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._hash = hashlib.sha256()
        self._size = 0
        self._ended = False

    def write(self, *chunks: bytes, hashed: bool = True) -> None:
        """Append *chunks*; their digest need not be computed if it is known."""
        with self._lock:
            if self._ended:
                return
            if self._file is None:
                self._file = self._path.open("xb", buffering=0)
            for chunk in chunks:
                if hashed:
                    self._hash.update(chunk)
                self._size += len(chunk)
                view = memoryview(chunk)
                while view:
                    view = view[self._file.write(view) :]

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
            if lasting:
                os.fsync(self._file.fileno())
            dated = self._wall() - YOUNG
            if os.utime in os.supports_fd:
                os.utime(self._file.fileno(), ns=(dated, dated))
            told = os.fstat(self._file.fileno())
            self._file.close()
            if os.utime not in os.supports_fd:
                os.utime(self._path, ns=(dated, dated))
                told = self._path.stat()
            self._ended = True
        return Staged(
            path=self._path,
            digest=digest or self._hash.hexdigest(),
            size=self._size,
            signs=FileSigns.of(told),
        )

    def discard(self) -> None:
        """Leave nothing behind, unless it was kept."""
        with self._lock:
            if not self._ended:
                self._remove()

    def remove(self) -> None:
        """Leave nothing behind."""
        with self._lock:
            self._remove()

    def _remove(self) -> None:
        self._ended = True
        if self._file is not None:
            self._file.close()
            with suppress(OSError):
                self._path.unlink()


class PartSpool:
    """A file without its name, as a task writes it."""

    def __init__(self, part: Part) -> None:
        self._part = part

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Append some."""
        await in_thread(self._part.write, *chunks)

    async def keep(self) -> Staged:
        """That were all; they are on the disk when this returns.

        Raises:
            OSError: It was given up.
        """
        kept = await in_thread_to_end(self._part.keep)
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
