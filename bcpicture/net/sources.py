"""What a caller may hold, and the short ways from there to a body: bytes, paths."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import IO, Protocol, TypeAlias

from bcpicture.errors import SourceError
from bcpicture.net.bodies import BLOCK, Body, BytesBody, require_bytes


class OpensItself(Protocol):
    """What knows how it is read, such as an object in a bucket."""

    async def open_body(self) -> Body:
        """The body of it."""


class AsyncReadable(Protocol):
    """A file object whose `read` is awaited."""

    def read(self, size: int, /) -> Awaitable[bytes]:
        """Read on."""


class AsyncPart(Protocol):
    """A part of a form that is on its way in, as in aiohttp."""

    def read_chunk(self, size: int = ..., /) -> Awaitable[bytes]:
        """Read on."""


class Upload(Protocol):
    """What a web framework makes of a file in a form."""

    @property
    def file(self) -> IO[bytes]:
        """Its bytes."""


class Reply(Protocol):
    """A reply of httpx."""

    def aiter_bytes(self) -> AsyncIterable[bytes]:
        """Its bytes."""


Single: TypeAlias = (
    bytes
    | bytearray
    | memoryview
    | str
    | os.PathLike[str]
    | IO[bytes]
    | AsyncReadable
    | AsyncPart
    | Upload
    | Reply
    | OpensItself
    | AsyncIterable[bytes]
    | Iterable[bytes]
)
"""What can be read, once at least; a `str` is a path."""

Source: TypeAlias = (
    Single
    | Callable[[], Single | Awaitable[Single] | AbstractAsyncContextManager[Single]]
)
"""What can be uploaded: also a function that opens it anew for every attempt."""


async def open_source(
    source: Source, *, spool: bool = True, length: int | None = None
) -> Body:
    """Make a body of *source*.

    Args:
        source: Bytes, a path, a binary file object, a stream of bytes, an upload that
            arrives in a web handler, or a function that returns one of these.
        spool: Read a stream that cannot seek to its end first: 2 MB in memory, the
            rest in a temporary file. Without it the stream is sent once at most.
        length: Number of bytes; needed for such a stream if it is not spooled.

    Raises:
        SourceError: There are no bytes, or not *length* of them, or they cannot be
            read.
        UsageError: It is nothing that has bytes.
    """
    body: Body
    if isinstance(source, bytes | bytearray | memoryview):
        body = bytes_body(source)
    elif isinstance(source, str | os.PathLike):
        # Neither is for everybody, and not for `import bcpicture`.
        from bcpicture.net.files import file_body

        body = await file_body(Path(source))
    else:
        from bcpicture.net.opening import open_other

        body = await open_other(source, spool=spool, length=length)
    if length is not None and body.size != length:
        await body.aclose()
        raise SourceError(
            f"The source has {body.size} bytes, not {length}.",
            advice="Give the right length=, or none: it is counted.",
        )
    return body


def bytes_body(source: bytes | bytearray | memoryview) -> BytesBody:
    """The body of bytes that are in memory.

    Raises:
        SourceError: There are none.
    """
    view = memoryview(source).cast("B")
    require_bytes(len(view), "the bytes given")
    if isinstance(source, bytes):
        return BytesBody(source)
    # A copy where it is cheap: the caller may change its buffer meanwhile.
    return BytesBody(bytes(view) if len(view) <= BLOCK else view.toreadonly())
