"""Bytes to send, from things that can be opened again for every attempt.

Two widely used libraries re-send a stream that they have read already: the second
attempt has no bytes, the service answers 204, and the picture is gone. Here a body
knows its size before the first byte leaves, is read from its start each time, and an
attempt that meets fewer, more or other bytes ends the request instead of completing it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import ClassVar, Protocol, TypeAlias, runtime_checkable

import attrs

from bcpicture.core.preflight import BACK, FRONT
from bcpicture.errors import SourceError

BLOCK = 1 << 20
"""Bytes that one hop into a thread reads."""

HEAD = 4096
"""First bytes of a body that are kept, to know its beginning again."""

SMALL = 1 << 18
"""Bytes up to which a body is one block."""

_PIECE = 1 << 16
"""Bytes between two signs of life."""

Blocks: TypeAlias = AsyncGenerator[bytes | memoryview, None]
"""The bytes of a body, from their start, in blocks of some size."""


class Body(Protocol):
    """What a request sends."""

    @property
    def size(self) -> int:
        """Exact number of bytes."""

    @property
    def replayable(self) -> bool:
        """Whether they can be read a second time."""

    @property
    def whole(self) -> bytes | None:
        """All of them, where they are few and in memory."""

    def blocks(self) -> Blocks:
        """All of them, from their start."""

    async def aclose(self) -> None:
        """Let go of what was opened for it."""


@runtime_checkable
class TwoEnded(Body, Protocol):
    """A body whose end can be seen before its beginning is sent."""

    async def ends(self) -> tuple[bytes, bytes]:
        """The first `FRONT` bytes, and the last `BACK`."""


def pieces(block: bytes | memoryview) -> Iterator[memoryview]:
    """Cut *block* without a copy, since a slow line must not look like a dead one."""
    view = memoryview(block)
    for start in range(0, len(view), _PIECE):
        yield view[start : start + _PIECE]


def require_bytes(size: int, what: str) -> int:
    """Return *size*, or refuse a body of nothing.

    Raises:
        SourceError: What an empty upload does is documented nowhere; it may blank
            the picture.
    """
    if size == 0:
        raise SourceError(
            f"There are no bytes in {what}.",
            advice="To take a picture away, call delete().",
        )
    return size


@attrs.define(eq=False)
class BytesBody:
    """Bytes that are in memory already."""

    data: bytes | memoryview = attrs.field(repr=False)
    """All of them."""

    replayable: ClassVar[bool] = True
    """Always."""

    @property
    def size(self) -> int:
        """Exact number of bytes."""
        return len(self.data)

    @property
    def whole(self) -> bytes | None:
        """All of them, where they are few."""
        data = self.data
        return data if isinstance(data, bytes) and len(data) <= SMALL else None

    async def blocks(self) -> Blocks:
        """All of them; of many, one block after the other is copied in a thread.

        They may be a mapped file, which has to be read from the disk. And a hop a block
        lets others have their turn: a loop that has always more to send gives way to
        nobody, not to the server on the same machine either (1.4 times as slow).
        """
        view, loop = memoryview(self.data), asyncio.get_running_loop()
        if len(view) <= BLOCK:
            yield view
            return
        for start in range(0, len(view), BLOCK):
            yield await loop.run_in_executor(None, bytes, view[start : start + BLOCK])

    async def ends(self) -> tuple[bytes, bytes]:
        """The first of them, and the last."""
        return bytes(self.data[:FRONT]), bytes(self.data[-BACK:])

    async def aclose(self) -> None:
        """There is nothing to let go of."""


class HashedBody:
    """A body that is hashed while it is sent, so that it is read only once."""

    def __init__(self, inner: Body) -> None:
        self._inner = inner
        self.sha256: str | None = None
        """Hexadecimal digest of all bytes; None until they were all read."""
        self.head = b""
        """The first bytes; complete when the digest is."""
        if inner.whole is not None:
            self.sha256 = hashlib.sha256(inner.whole).hexdigest()
            self.head = inner.whole[:HEAD]

    @property
    def size(self) -> int:
        """Exact number of bytes."""
        return self._inner.size

    @property
    def replayable(self) -> bool:
        """Whether they can be read a second time."""
        return self._inner.replayable

    @property
    def whole(self) -> bytes | None:
        """All of them, where they are few and in memory."""
        return self._inner.whole

    async def blocks(self) -> Blocks:
        """All of them, from their start; long blocks are hashed in a thread."""
        loop, sha256 = asyncio.get_running_loop(), hashlib.sha256()
        self.head = b""
        async with aclosing(self._inner.blocks()) as blocks:
            async for block in blocks:
                if len(self.head) < HEAD:
                    self.head += bytes(block[: HEAD - len(self.head)])
                if len(block) > SMALL:
                    await loop.run_in_executor(None, sha256.update, block)
                else:
                    sha256.update(block)
                yield block
        self.sha256 = sha256.hexdigest()

    async def aclose(self) -> None:
        """Let go of what was opened for it."""
        await self._inner.aclose()


async def hashed(body: Body) -> HashedBody:
    """*body* with its digest; reads it unless it was hashed on its way."""
    known = body if isinstance(body, HashedBody) else HashedBody(body)
    if known.sha256 is None:
        async with aclosing(known.blocks()) as blocks:
            async for _ in blocks:
                pass
    return known
