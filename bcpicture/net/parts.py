"""Files that appear under their name only when they are whole."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, ClassVar

from bcpicture.core.media import Kind
from bcpicture.net.bodies import BLOCK
from bcpicture.net.files import in_thread


class PartFile:
    """A file that is written beside its place, flushed to the disk and renamed.

    Every method runs in a thread and takes the lock: the thread goes on after the task
    that waits for it was cancelled, and only then may the file be closed.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._part = self._place = target
        self._closed = False

    def _opened(self) -> BinaryIO:
        if self._file is None:
            # Beside what a symbolic link points at, as writing to it would do.
            self._place = Path(os.path.realpath(self.target))
            old = replaceable(self._place, self.target)
            # The name is cut: a target of 255 bytes leaves no room for more.
            name = f".{self.target.name[:40]}.{secrets.token_hex(8)}.part"
            part = self._place.with_name(name)
            self._file = _new(part)
            self._part = part
            if old is not None:
                make_like(self._part, old)
        return self._file

    def write(self, *chunks: bytes) -> None:
        """Append *chunks*."""
        with self._lock:
            if self._closed:
                return
            file = self._opened()
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    view = view[file.write(view) :]

    def commit(self, *rest: bytes) -> None:
        """Append *rest* and put the file in its place."""
        self.write(*rest)
        with self._lock:
            if self._closed:
                return
            file = self._opened()
            os.fsync(file.fileno())
            file.close()
            self._part.replace(self._place)
            self._closed = True
        flush_quietly(self._place.parent)

    def discard(self) -> None:
        """Leave nothing behind, unless it is in its place already."""
        with self._lock:
            if not self._closed:
                self._closed = True
                # What went wrong before is what the caller should hear of.
                with contextlib.suppress(OSError):
                    self._drop()

    def _drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()
            with contextlib.suppress(FileNotFoundError):
                self._part.unlink()

    def holds(self, size: int, sha256: str) -> bool:
        """Whether the file that is there has these bytes."""
        try:
            with self.target.open("rb", buffering=0) as file:
                told = os.fstat(file.fileno())
                if not stat.S_ISREG(told.st_mode) or told.st_size != size:
                    return False
                found = hashlib.sha256()
                while block := file.read(BLOCK):
                    found.update(block)
        except FileNotFoundError:
            return False
        return found.hexdigest() == sha256


def replaceable(place: Path, named: Path) -> os.stat_result | None:
    """What is at *place*; None if nothing is.

    Raises:
        OSError: It is nothing that a picture may replace.
    """
    try:
        told = place.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(told.st_mode):
        why = "Is a directory, not the name of a file in it"
        raise IsADirectoryError(errno.EISDIR, why, str(named))
    if not stat.S_ISREG(told.st_mode):
        # A device or a pipe would be replaced by a file.
        why = "Is no file; open it yourself and hand over the file object"
        raise FileExistsError(errno.EEXIST, why, str(named))
    if not os.access(place, os.W_OK):
        # To rename asks the folder alone, and would replace it all the same.
        raise PermissionError(errno.EACCES, "Is read-only", str(named))
    return told


def _new(part: Path) -> BinaryIO:
    """Open a file that is not there yet.

    Raises:
        OSError: It cannot be; a folder that is missing is named as the caller knows it.
    """
    try:
        return part.open("xb", buffering=0)
    except FileNotFoundError:
        why, folder = "No such folder", str(part.parent)
        raise FileNotFoundError(errno.ENOENT, why, folder) from None


def make_like(part: Path, old: os.stat_result) -> None:
    """Let the same people read and write the new file as the old one."""
    if hasattr(os, "chown"):
        # Only root may give files away, or their owner to a group of his.
        with contextlib.suppress(OSError):
            os.chown(part, old.st_uid, old.st_gid)
    part.chmod(stat.S_IMODE(old.st_mode))


def flush_quietly(folder: Path) -> None:
    """Make a new name last, where the system can."""
    # Windows opens no folders, and not every network drive flushes them.
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


class PathSink:
    """A download into a file of a name."""

    atomic: ClassVar[bool] = True
    """Always: it is written beside its place."""

    def __init__(self, target: Path, *, sniff_extension: bool = False) -> None:
        self._named = target
        self._sniff_extension = sniff_extension
        self._part = PartFile(target)
        self._begun = False

    @property
    def path(self) -> Path:
        """Where it is, or will be."""
        return self._part.target

    async def begin(self, kind: Kind | None) -> None:
        """The answer begins, once more perhaps."""
        if self._begun:
            # A thread of the attempt before, if one is left, has a file of its own.
            old, self._part = self._part, PartFile(self._named)
            await in_thread(old.discard)
        self._begun = True
        named = self._named
        if self._sniff_extension and kind is not None:
            named = named.with_name(named.stem + kind.extension)
        self._part.target = named

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Append *chunks* to the temporary neighbour."""
        await in_thread(self._part.write, *chunks)

    async def finish(self, rest: Sequence[bytes]) -> None:
        """Append *rest* and put the file in its place."""
        await in_thread(self._part.commit, *rest)

    async def holds(self, size: int, sha256: str) -> bool:
        """Whether the file that is there has these bytes."""
        return await in_thread(self._part.holds, size, sha256)

    async def discard(self) -> None:
        """Leave nothing behind; who is cancelled once more need not wait for it."""
        await in_thread(self._part.discard)
