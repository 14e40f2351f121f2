"""Stored bytes: small ones in memory while there is room, large ones in files.

A body arrives in a file of its own, or in memory as long as it is small, and becomes a
stored picture only when it is complete. Whatever touches a file runs in a thread.
"""

import asyncio
import hashlib
import shutil
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import attrs

from bcpicture.emulator.images import HEAD_BYTES, Measured, measure, measured_as

SMALL = 256 * 1024
"""Up to here a picture may live in memory."""

CHUNK = 256 * 1024
"""How much is read from a file at a time."""


@attrs.define(eq=False)
class Blob:
    """The bytes of one picture; they never change."""

    size: int
    """In bytes."""

    sha256: str
    """Digest, in hexadecimal."""

    measured: Measured
    """What kind of picture they are."""

    data: bytes | None = attrs.field(default=None, repr=False)
    """The bytes, when they are in memory."""

    path: Path | None = None
    """The file, when they are in one."""

    readers: int = 0
    """How many replies refer to it, though a record may not any more."""

    dropped: bool = False
    """Whether the file goes as soon as nobody reads it."""

    pinned: bool = False
    """Whether it stays, though no record refers to it: a reset brings it back."""

    def read(self) -> bytes:
        """All bytes at once."""
        if self.data is None and self.path is not None:
            return self.path.read_bytes()
        return self.data or b""

    async def chunks(self, start: int = 0) -> AsyncGenerator[bytes, None]:
        """The bytes from a position on, piece by piece."""
        if self.path is None or self.data is not None:
            if self.data:
                yield self.data[start:]
            return
        file = await asyncio.to_thread(self.path.open, "rb")
        try:
            await asyncio.to_thread(file.seek, start)
            while piece := await asyncio.to_thread(file.read, CHUNK):
                yield piece
        finally:
            await asyncio.to_thread(file.close)


def blob_of(data: bytes) -> Blob:
    """Makes a blob in memory."""
    digest = hashlib.sha256(data).hexdigest()
    return Blob(len(data), digest, measure(data), data=data)


@attrs.define(eq=False)
class Blobs:
    """All stored bytes of one emulator."""

    folder: Path
    """Where files go; it exists."""

    on_disk: bool = False
    """Whether small pictures are written to files, too, so as to be found again."""

    memory: int = 64 * 1024 * 1024
    """How many bytes may still be held in memory."""

    def admit(self, size: int) -> bool:
        """Takes room in memory for a small picture, if there is some."""
        if size > min(SMALL, self.memory):
            return False
        self.memory -= size
        return True

    async def keep(self, data: bytes) -> Blob:
        """Stores bytes that arrived in memory."""
        blob = blob_of(data)
        held = self.admit(blob.size)
        if self.on_disk or not held:
            blob.path = self.new_path()
            await asyncio.to_thread(blob.path.write_bytes, data)
        if not held:
            blob.data = None
        return blob

    def new_path(self) -> Path:
        """The name of a file that is not there yet."""
        return self.folder / uuid4().hex

    async def drop(self, blob: Blob | None) -> None:
        """Removes bytes that nobody refers to any more."""
        if blob is None or blob.dropped or blob.pinned:
            return
        blob.dropped = True
        if blob.data is not None:
            self.memory += blob.size
        await self._unlink(blob)

    async def _unlink(self, blob: Blob) -> None:
        if blob.path is not None and blob.dropped and not blob.readers:
            await asyncio.to_thread(_remove, blob.path)

    async def let_go(self, blob: Blob) -> None:
        """Counts one reader less."""
        blob.readers -= 1
        await self._unlink(blob)


@attrs.define(eq=False)
class Incoming:
    """A body on its way in."""

    blobs: Blobs
    """Where it goes when it is complete."""

    size: int = 0
    """Bytes so far."""

    _digest: "hashlib._Hash" = attrs.field(init=False, factory=hashlib.sha256)
    _head: bytearray = attrs.field(init=False, factory=bytearray)
    _pending: bytearray = attrs.field(init=False, factory=bytearray)
    _part: Path | None = attrs.field(init=False, default=None)
    _finished: bool = attrs.field(init=False, default=False)

    @property
    def sha256(self) -> str | None:
        """Digest of the bytes so far; None before the first."""
        return self._digest.hexdigest() if self.size else None

    def peek(self) -> bytes:
        """The whole of a small body."""
        return bytes(self._pending)

    async def write(self, piece: bytes) -> None:
        """Takes a piece; may write to the disk."""
        self.size += len(piece)
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]
        self._pending += piece
        if self.size > SMALL and len(self._pending) >= 4 * CHUNK:
            await self._flush()
        elif self.size <= SMALL:
            self._digest.update(piece)

    async def _flush(self) -> None:
        # What was small is hashed already: begin behind it.
        if self._part is None:
            self._part = self.blobs.new_path().with_suffix(".part")
            self._digest = hashlib.sha256()
        pending, self._pending = bytes(self._pending), bytearray()
        await asyncio.to_thread(self._append, self._part, pending)

    def _append(self, part: Path, data: bytes) -> None:
        self._digest.update(data)
        with part.open("ab") as file:
            file.write(data)

    async def finish(self) -> Blob:
        """Makes the body a blob: from here on it is complete."""
        self._finished = True
        if self._part is None and self.size <= SMALL:
            return await self.blobs.keep(bytes(self._pending))
        await self._flush()
        part, path = self._part, self.blobs.new_path()
        if part is not None:
            await asyncio.to_thread(part.replace, path)
            self._part = None
        return Blob(self.size, self.sha256 or "", measure(bytes(self._head)), path=path)

    async def settle(self) -> None:
        """Brings the digest up to date when the body ends early."""
        if not self._finished and self._pending and self.size > SMALL:
            await self._flush()

    async def discard(self) -> None:
        """Removes what arrived."""
        if self._part is not None:
            part, self._part = self._part, None
            await asyncio.to_thread(_remove, part)


def adopt(path: Path, blobs: Blobs) -> Blob:
    """Copies a file into the store; for a thread."""
    with path.open("rb") as file:
        measured = measure(file.read(HEAD_BYTES))
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    blob = Blob(path.stat().st_size, digest, measured)
    if blobs.admit(blob.size):
        blob.data = path.read_bytes()
    if blobs.on_disk or blob.data is None:
        blob.path = blobs.new_path()
        shutil.copyfile(path, blob.path)
    return blob


def recover(record: dict[str, object], blobs: Blobs) -> Blob | None:
    """Finds the bytes that an earlier run stored; for a thread."""
    path = blobs.folder / str(record.get("file"))
    if not record.get("file") or not path.exists():
        return None
    measured = measured_as(record.get("measured"))
    blob = Blob(path.stat().st_size, str(record["sha256"]), measured, path=path)
    if blobs.admit(blob.size):
        blob.data = path.read_bytes()
    return blob


def _remove(path: Path) -> None:
    # Somebody who still reads it keeps it on some systems; it goes at the end then.
    with suppress(OSError):
        path.unlink()
