"""Objects in buckets, read by obstore. Needs the extra ``cloud``.

obstore's calls that block are used, in threads. Those that are awaited may abort the
whole process if it ends right after the last of them: a thread of theirs still holds
Python objects by then.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import attrs
import obstore
from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import MemoryStore, ObjectStore

from bcpicture.core.preflight import BACK, FRONT
from bcpicture.errors import SourceError, quote
from bcpicture.net.bodies import BLOCK, Blocks, require_bytes
from bcpicture.net.files import in_thread
from bcpicture.net.gathering import ThreadedStream

if TYPE_CHECKING:
    from obstore import ObjectMeta

FOREIGN = (BaseError, OSError, NotImplementedError, ValueError)
"""Everything that obstore raises on account of the store."""

_STATUS = re.compile(r"status code: (\d{3}(?: [A-Z]\w+)*)")


def why(exc: Exception) -> str:
    """What obstore says, in few words and without what must not be shown.

    Its own text has the request's address, which may be signed, and the whole answer.
    """
    if isinstance(exc, FileNotFoundError):
        return "it is not there, or its bucket is not"
    if isinstance(exc, PermissionDeniedError | UnauthenticatedError | PermissionError):
        return "the store does not let you"
    line = str(exc).partition("\n")[0]
    if status := _STATUS.search(line):
        return f"the store answers {status[1]}"
    line = re.sub(r"\?\S*|//\S*@|<.*", "…", line)
    return quote(line) or type(exc).__name__


ADVICE = (
    "Check the bucket and the path, and the credentials and options of the store; "
    "obstore takes them from the environment if none are given."
)
"""What to do about a store that does not play along."""


@attrs.frozen
class Seen:
    """What tells that an object is still the same."""

    size: int
    """In bytes."""

    etag: str | None
    """Changes with the bytes; None where the store has none."""

    version: str | None
    """Which of many, where the store keeps them."""

    @classmethod
    def of(cls, meta: ObjectMeta) -> Seen:
        """The signs in what the store told."""
        return cls(meta["size"], meta["e_tag"], meta["version"])


class Reading:
    """One reading of an object; every step of it runs in a thread."""

    def __init__(self, store: ObjectStore, path: str, seen: Seen) -> None:
        self._store = store
        self._path = path
        self._seen = seen
        self._chunks = self._ranges() if isinstance(store, MemoryStore) else None

    def _ranges(self) -> Iterator[Any]:
        # A store in memory would hand over a copy of all of it.
        for start in range(0, self._seen.size, BLOCK):
            end = min(start + BLOCK, self._seen.size)
            yield obstore.get_range(self._store, self._path, start=start, end=end)

    def _opened(self) -> Iterator[Any]:
        options: Any = {}
        if self._seen.etag is not None:
            options["if_match"] = self._seen.etag
        if self._seen.version is not None:
            options["version"] = self._seen.version
        got = obstore.get(self._store, self._path, options=options)
        return iter(got.stream(min_chunk_size=BLOCK))

    def step(self) -> memoryview | None:
        """The next bytes; None at the end."""
        try:
            if self._chunks is None:
                self._chunks = self._opened()
            chunk = next(self._chunks, None)
        except FOREIGN as exc:
            raise _unreadable(self._path, exc) from None
        return None if chunk is None else memoryview(chunk)


def _unreadable(path: str, exc: Exception) -> SourceError:
    # Not chained: obstore's own text is not for everybody.
    if isinstance(exc, PreconditionError):
        return _changed(path)
    return SourceError(f"The object {path} cannot be read: {why(exc)}.", advice=ADVICE)


def _changed(path: str) -> SourceError:
    return SourceError(
        f"The object {path} changed while it was being sent.",
        advice="The upload was broken off; send it again.",
    )


def _look(store: ObjectStore, path: str) -> Seen:
    try:
        return Seen.of(obstore.head(store, path))
    except FOREIGN as exc:
        raise _unreadable(path, exc) from None


@attrs.frozen
class BucketBody:
    """An object in a bucket, as it was when it was looked at."""

    _store: ObjectStore = attrs.field(repr=False)
    path: str
    """Its name in the store."""

    _seen: Seen = attrs.field(repr=False)

    replayable: bool = attrs.field(default=True, init=False)
    """Always: it is opened anew."""

    whole: None = attrs.field(default=None, init=False, repr=False)
    """It is never read whole."""

    @property
    def size(self) -> int:
        """Exact number of bytes."""
        return self._seen.size

    async def blocks(self) -> Blocks:
        """All of them; the last one is held back until nothing proved changed."""
        stream = ThreadedStream(Reading(self._store, self.path, self._seen).step)
        left = self.size
        async with aclosing(stream), aclosing(stream.blocks()) as blocks:
            async for block in blocks:
                left -= len(block)
                if not left:
                    await self._verify()
                if left < 0:
                    break
                yield block
        if left:
            raise _changed(self.path)

    async def ends(self) -> tuple[bytes, bytes]:
        """The first of them, and the last: two small requests at most."""
        return await in_thread(self._ends)

    def _ends(self) -> tuple[bytes, bytes]:
        front = self._range(0, min(FRONT, self.size))
        if len(front) == self.size:
            return front, front[-BACK:]
        return front, self._range(max(0, self.size - BACK), self.size)

    def _range(self, start: int, end: int) -> bytes:
        try:
            found = obstore.get_range(self._store, self.path, start=start, end=end)
        except FOREIGN as exc:
            raise _unreadable(self.path, exc) from None
        return bytes(found)

    async def _verify(self) -> None:
        if await in_thread(_look, self._store, self.path) != self._seen:
            raise _changed(self.path)

    async def aclose(self) -> None:
        """There is nothing to let go of: each reading ends by itself."""


async def bucket_body(store: ObjectStore, path: str) -> BucketBody:
    """The body for the object at *path*.

    Raises:
        SourceError: It is not there, not readable, or empty.
    """
    seen = await in_thread(_look, store, path)
    require_bytes(seen.size, f"the object {path}")
    return BucketBody(store, path, seen)
