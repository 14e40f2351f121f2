"""Pictures that were replaced or taken away, under the digest of their bytes.

What lies under a digest was written in full, and reached the disk, before it had that
name. Two that save the same bytes at once do each other no harm.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import AsyncIterable, Callable, Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import attrs

from bcpicture.errors import BackupError
from bcpicture.net.files import in_thread, in_thread_to_end
from bcpicture.sync.journal import utc_now
from bcpicture.sync.places import flush_folder, make_private

_BLOCK = 2**20
_PART = ".part"
"""What the names of files end with that are being written."""

_MAKING = threading.Lock()
"""Who finds a folder must not rely on it before it is on the disk."""


@attrs.frozen(kw_only=True)
class Saved:
    """A picture in the backup."""

    digest: str
    """SHA-256 of its bytes, hexadecimal."""

    size: int
    """Their number."""


@attrs.frozen(kw_only=True)
class Pruned:
    """What was taken out of the backup."""

    pictures: int
    """Files that are gone."""

    size: int
    """Their bytes."""


class Backups:
    """A folder of pictures.

    Args:
        folder: Made by `places.prepare`.
        clock: Tells how old a picture in it is.
    """

    def __init__(
        self, folder: Path, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._folder = folder
        self._clock = clock

    async def save(self, picture: bytes | Path | AsyncIterable[bytes]) -> Saved:
        """Put a picture aside; it is durable when this returns.

        Raises:
            BackupError: It cannot be written, and nothing of it stays.
        """
        part = _Part(self._folder, self._clock())
        if isinstance(picture, bytes):
            return await in_thread(part.whole, (picture,))
        if isinstance(picture, Path):
            return await in_thread(part.whole, _blocks(picture))
        try:
            async for block in picture:
                await in_thread(part.write, block)
            return await in_thread(part.keep)
        finally:
            await in_thread_to_end(part.discard)

    async def open(self, digest: str) -> Path:
        """Where a picture lies; its bytes are those of the digest.

        Raises:
            BackupError: It is not there, or damaged.
        """
        return await in_thread(self._open, digest)

    async def has(self, digest: str) -> bool:
        """Whether there is a file for it, whole or not."""
        return await in_thread(self._path(digest).is_file)

    async def among(self, digests: Iterable[str]) -> set[str]:
        """Those of some digests for which there is a file, whole or not."""
        return await in_thread(self._among, digests)

    async def size(self) -> int:
        """Bytes of all pictures."""
        return await in_thread(self._size)

    async def check(self) -> tuple[str, ...]:
        """Read everything; return the digests of what is damaged."""
        return await in_thread(self._check)

    async def prune(self, *, keep: timedelta, needed: Container[str]) -> Pruned:
        """Take out what is older than *keep*, and not *needed*.

        Args:
            keep: Counted from when it was saved last.
            needed: See `Journal.needed`.
        """
        return await in_thread(self._prune, self._clock() - keep, needed)

    async def sweep(self) -> None:
        """Remove what a killed run was writing; only for who has the lock."""
        await in_thread(self._sweep)

    # What follows runs in threads.

    def _path(self, digest: str) -> Path:
        return place_in(self._folder, digest)

    def _open(self, digest: str) -> Path:
        path = self._path(digest)
        try:
            if _digest_of(path) == digest:
                return path
        except FileNotFoundError as exc:
            raise BackupError(
                f"The picture {digest} is not in the backup {self._folder}.",
                advice="It may be older than `--keep` says.",
            ) from exc
        except OSError as exc:
            raise BackupError(
                f"The picture {path} cannot be read from the backup: {exc.strerror}.",
                advice="Check the disk and who may read it.",
            ) from exc
        raise BackupError(
            f"The picture {path} in the backup is damaged.",
            advice="Check the disk; nothing was put back.",
        )

    def _among(self, digests: Iterable[str]) -> set[str]:
        return {digest for digest in digests if self._path(digest).is_file()}

    def _size(self) -> int:
        size = 0
        for path in self._files():
            with suppress(FileNotFoundError):
                size += path.stat().st_size
        return size

    def _files(self) -> Iterator[Path]:
        """All pictures, listed before any of them is touched."""
        for folder in sorted(self._folder.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                if not path.name.endswith(_PART):
                    yield path

    def _check(self) -> tuple[str, ...]:
        found = ((path.parent.name + path.name, path) for path in self._files())
        return tuple(digest for digest, path in found if not _whole(path, digest))

    def _prune(self, before: datetime, needed: Container[str]) -> Pruned:
        pictures = size = 0
        for path in self._files():
            told = path.stat()
            young = told.st_mtime >= before.timestamp()
            if young or path.parent.name + path.name in needed:
                continue
            with _explained(self._folder):
                path.unlink()
            pictures += 1
            size += told.st_size
        return Pruned(pictures=pictures, size=size)

    def _sweep(self) -> None:
        for path in self._folder.glob(f".*{_PART}"):
            path.unlink(missing_ok=True)


def place_in(folder: Path, digest: str) -> Path:
    """Where the picture of a digest lies."""
    return folder / digest[:2] / digest[2:]


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as exc:
        raise BackupError(
            f"The file {path} cannot be read to be put aside: {exc.strerror}.",
            advice="Nothing was replaced; check who may read it.",
        ) from exc


def _whole(path: Path, digest: str) -> bool:
    try:
        return _digest_of(path) == digest
    except OSError:
        return False


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Part:
    """A picture that is being put aside. Every method runs in a thread.

    The lock is for cancellation: a thread may still write when the file is given up.
    """

    def __init__(self, folder: Path, now: datetime) -> None:
        self._folder = folder
        self._now = now.timestamp()
        self._path = folder / f".{secrets.token_hex(8)}{_PART}"
        self._hash = hashlib.sha256()
        self._size = 0
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._done = False

    def whole(self, blocks: Iterator[bytes] | tuple[bytes, ...]) -> Saved:
        try:
            for block in blocks:
                self.write(block)
            return self.keep()
        finally:
            self.discard()

    def write(self, block: bytes) -> None:
        with self._lock, _explained(self._folder):
            if self._done:
                return
            if self._file is None:
                self._file = os.fdopen(_created(self._path), "wb", buffering=0)
            self._hash.update(block)
            self._size += len(block)
            view = memoryview(block)
            while view:
                view = view[self._file.write(view) :]

    def keep(self) -> Saved:
        digest = self._hash.hexdigest()
        with self._lock, _explained(self._folder):
            if self._file is None or not self._size:
                raise BackupError(
                    "A picture of no bytes cannot be put aside.",
                    advice="Nothing was replaced; run it again.",
                )
            place = place_in(self._folder, digest)
            os.utime(self._file.fileno(), (self._now, self._now))
            os.fsync(self._file.fileno())
            self._file.close()
            with _MAKING:
                make_private(place.parent)
            self._path.replace(place)
            flush_folder(place.parent)
            self._done = True
        return Saved(digest=digest, size=self._size)

    def discard(self) -> None:
        with self._lock:
            if self._done:
                return
            self._done = True
            if self._file is not None:
                self._file.close()
                with suppress(OSError):
                    self._path.unlink()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise BackupError(
            f"The backup {folder} cannot be written: {exc.strerror}.",
            advice="Make room there, or choose another `--state-dir`; without a backup "
            "nothing is replaced.",
        ) from exc


def _created(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o600)
