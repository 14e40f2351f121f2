"""A body that came in, for visitors to read at their pace: memory, then a file."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import threading
from contextlib import suppress
from typing import IO

from bcpicture.core.media import SNIFF_BYTES
from bcpicture.errors import UnavailableError
from bcpicture.net.bodies import SMALL
from bcpicture.net.files import in_thread
from bcpicture.web.budget import Room

PIECE = 1 << 16
"""Bytes that a visitor gets at once."""


class _Scratch:
    """A temporary file. Every method runs in a thread, and takes the lock."""

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._closed = False

    def write(self, chunks: list[bytes]) -> None:
        with self._lock:
            if self._closed:
                return
            if self._file is None:
                # Closed by `close`; where systems allow it, it never has a name.
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - above
            self._file.writelines(chunks)

    def read(self, at: int, size: int) -> bytes:
        with self._lock:
            if self._closed or self._file is None:
                return b""
            self._file.seek(at)
            return self._file.read(size)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._file is not None:
                # A full disk refuses the last bytes once more; nobody wants them now.
                with suppress(OSError):
                    self._file.close()


class Keeping:
    """Bytes that are gathered in memory up to a size, and in a file from there on."""

    def __init__(self, room: Room, in_memory: int, folder: str | None = None) -> None:
        """Begin with none.

        Args:
            room: What they may take; given back by `close`.
            in_memory: Bytes that are gathered before they go to the file.
            folder: Where temporary files are made; None for the system's place.
        """
        self.room = room
        self.in_memory = in_memory
        self.size = 0
        """Bytes so far."""
        self.head = b""
        """The first of them, enough to tell what they are."""
        self.sha256: str | None = None
        """Hexadecimal digest, once all have come."""
        self._folder = folder
        self._gathered: list[bytes] = []
        self._waiting = 0
        self._data = b""
        self._scratch: _Scratch | None = None
        self._digest = hashlib.sha256()

    async def add(self, chunk: bytes) -> None:
        """Take in some more.

        Raises:
            UnavailableError: The disk is full, or the like.
        """
        if len(self.head) < SNIFF_BYTES:
            self.head += chunk[: SNIFF_BYTES - len(self.head)]
        self.size += len(chunk)
        self._waiting += len(chunk)
        self._gathered.append(chunk)
        if self._waiting > self.in_memory:
            await self._spill()

    async def _spill(self) -> None:
        if self._scratch is None:
            self._scratch = _Scratch(self._folder)
        chunks, self._gathered, self._waiting = self._gathered, [], 0
        try:
            await in_thread(self._write, self._scratch, chunks)
        except OSError as exc:
            raise UnavailableError(
                f"The temporary file cannot be written: {exc.strerror or exc}.",
                advice="Make room for it, or give web.Buffers another folder.",
            ) from exc

    def _write(self, scratch: _Scratch, chunks: list[bytes]) -> None:
        for chunk in chunks:
            self._digest.update(chunk)
        scratch.write(chunks)

    async def finish(self, *, whole: bool) -> None:
        """Nothing more comes.

        Args:
            whole: Whether this was all, so that the digest is worth having.
        """
        if self._scratch is not None:
            await self._spill()
        else:
            self._data, self._gathered = b"".join(self._gathered), []
            if len(self._data) > SMALL:
                await in_thread(self._digest.update, self._data)
            else:
                self._digest.update(self._data)
        self.sha256 = self._digest.hexdigest() if whole else None
        on_disk = self._scratch is not None
        self.room.resize(memory=len(self._data), disk=self.size if on_disk else 0)

    def restart(self) -> None:
        """Forget what came: the body begins again."""
        self._discard()
        self.size, self.head, self._waiting = 0, b"", 0
        self._gathered, self._digest = [], hashlib.sha256()

    async def read(self, at: int) -> bytes:
        """Some bytes from there on; none at the end, or if it was closed."""
        if self._scratch is not None:
            return await in_thread(self._scratch.read, at, PIECE)
        data = self._data
        return data[at : at + PIECE] if len(data) > PIECE or at else data

    def close(self) -> None:
        """Leave nothing behind; not awaited, since it must happen on the way out."""
        self._discard()
        self._data, self._gathered = b"", []
        self.room.close()

    def _discard(self) -> None:
        scratch, self._scratch = self._scratch, None
        if scratch is not None:
            # Behind the thread that may be at work on it still.
            _ = asyncio.get_running_loop().run_in_executor(None, scratch.close)
