"""Objects in buckets, written by obstore. Needs the extra ``cloud``."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import threading
from collections.abc import Sequence
from typing import ClassVar

import obstore
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError
from obstore.store import LocalStore, ObjectStore

from bcpicture.core.media import Kind
from bcpicture.net.buckets import ADVICE, FOREIGN, Reading, Seen, why
from bcpicture.net.files import in_thread, let_go
from bcpicture.net.foreign import Foreign

_PART = 5 << 20
"""Bytes of one part of a large object: the least that S3 takes, and up to 10,000."""

_AT_ONCE = 2
"""Parts on their way at the same time; each is held in memory."""

_FAREWELL = 5.0
"""Seconds that a thread gets to end what was begun; it goes on, unheard, after that."""


class _Writing:
    """One object on its way into a bucket. Every method runs in a thread."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        self._store = store
        self._path = path
        self._kind: Kind | None = None
        self._parts: Foreign = None  # obstore's WritableFile
        self._closed = False
        self._lock = threading.Lock()

    def begin(self, kind: Kind | None) -> None:
        """Forget what was written: the answer begins, once more perhaps."""
        with self._lock:
            self._abort()
            self._kind = kind

    def write(self, chunks: Sequence[bytes]) -> None:
        """Append *chunks*, in parts that nobody sees."""
        with self._lock:
            if self._closed:
                return
            if self._parts is None:
                self._parts = obstore.open_writer(
                    self._store,
                    self._path,
                    attributes=self._attributes(),
                    buffer_size=_PART,
                    max_concurrency=_AT_ONCE,
                )
            for chunk in chunks:
                self._parts.write(chunk)

    def finish(self, rest: Sequence[bytes]) -> None:
        """Append *rest*; from now on it is there."""
        if self._parts is not None:
            self.write(rest)
        with self._lock:
            if self._closed:
                return
            if self._parts is not None:
                self._parts.close()
            else:
                data = b"".join(rest)
                attributes = self._attributes()
                obstore.put(self._store, self._path, data, attributes=attributes)
            self._closed = True

    def _attributes(self) -> Foreign:
        if self._kind is None or isinstance(self._store, LocalStore):
            return None  # a folder knows of no content type
        return {"Content-Type": self._kind.content_type}

    def _abort(self) -> None:
        parts, self._parts = self._parts, None
        if parts is not None:
            # A part that arrives after the store forgot the others would stay there.
            with contextlib.suppress(*FOREIGN):
                parts.flush()
            error = RuntimeError("broken off")
            with contextlib.suppress(RuntimeError, *FOREIGN):
                parts.__exit__(RuntimeError, error, None)

    def discard(self) -> None:
        """Leave nothing behind, unless it is in its place already."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._abort()

    def holds(self, size: int, sha256: str) -> bool:
        """Whether exactly these bytes are there from before."""
        try:
            seen = Seen.of(obstore.head(self._store, self._path))
        except FileNotFoundError:
            return False
        if seen.size != size:
            return False
        found, reading = hashlib.sha256(), Reading(self._store, self._path, seen)
        while (chunk := reading.step()) is not None:
            found.update(chunk)
        return found.hexdigest() == sha256


def _unwritable(path: str, exc: Exception) -> OSError:
    kinds = FileNotFoundError, PermissionError
    kind = next((it for it in kinds if isinstance(exc, it)), OSError)
    if isinstance(exc, PermissionDeniedError | UnauthenticatedError):
        kind = PermissionError
    return kind(f"The object {path} cannot be written: {why(exc)}. {ADVICE}")


class BucketSink:
    """An object in a bucket, which appears whole at the very end.

    A picture of one block is one request; of a longer one the parts are kept by the
    store, unseen, until the last of them is there.
    """

    atomic: ClassVar[bool] = True
    """Always: the store puts it in its place."""

    path: ClassVar[None] = None
    """It is in no folder of this machine."""

    def __init__(self, store: ObjectStore, path: str) -> None:
        self._path = path
        self._writing = _Writing(store, path)

    async def begin(self, kind: Kind | None) -> None:
        """The answer begins, once more perhaps; its type is the object's."""
        await in_thread(self._writing.begin, kind)

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Append *chunks*."""
        try:
            await in_thread(self._writing.write, chunks)
        except FOREIGN as exc:
            raise _unwritable(self._path, exc) from None

    async def finish(self, rest: Sequence[bytes]) -> None:
        """Append *rest*; from now on the object is there."""
        try:
            await in_thread(self._writing.finish, rest)
        except FOREIGN as exc:
            raise _unwritable(self._path, exc) from None

    async def holds(self, size: int, sha256: str) -> bool:
        """Whether exactly these bytes are there from before."""
        try:
            return await in_thread(self._writing.holds, size, sha256)
        except FOREIGN as exc:
            raise _unwritable(self._path, exc) from None

    async def discard(self) -> None:
        """Tell the store to forget the parts; it stands behind what is under way."""
        job = asyncio.get_running_loop().run_in_executor(None, self._writing.discard)
        try:
            await asyncio.wait([job], timeout=_FAREWELL)
        finally:
            if job.done():
                let_go(job)
