"""From a stream, a file object or a factory, of whatever make, to a body."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeGuard

from bcpicture.errors import SourceError, UsageError
from bcpicture.net.bodies import Body, require_bytes
from bcpicture.net.factories import factory_body
from bcpicture.net.files import file_body, in_thread
from bcpicture.net.foreign import Foreign
from bcpicture.net.gathering import Stream, is_async_file, stream_of
from bcpicture.net.objects import async_object_body, object_body
from bcpicture.net.sources import bytes_body
from bcpicture.net.spools import OnceBody, spooled


async def open_other(source: object, *, spool: bool, length: int | None) -> Body:
    """Make a body of what is neither bytes nor a path; `open_source` tells the rest."""
    if _is_factory(source):
        return await factory_body(source, _open_owned, length)
    found = await _open(source, owned=False)
    if isinstance(found, Stream):
        return await _stream_body(found, spool=spool, length=length)
    return found


async def _stream_body(stream: Stream, *, spool: bool, length: int | None) -> Body:
    if spool:
        return await spooled(stream)
    if length is None:
        raise UsageError(
            "A stream that is not spooled needs its length.",
            advice="Give length=, or leave spooling on.",
        )
    return OnceBody(stream, require_bytes(length, "the stream"))


async def _open_owned(source: Foreign) -> Body | Stream:
    return await _open(source, owned=True)


async def _open(source: Foreign, *, owned: bool) -> Body | Stream:
    """What *source* is: a body, or a stream that has to become one."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes_body(source)
    if isinstance(source, str | os.PathLike):
        return await file_body(Path(source))
    if hasattr(source, "open_body"):  # an object in a bucket
        opened: Body = await source.open_body()
        return opened
    source = _unwrapped(source)
    if _seekable(source):
        return await in_thread(lambda: object_body(source, owned=owned))
    if is_async_file(source) and _has(source, "seek", "tell"):
        body = await async_object_body(source, owned=owned)
        if body is not None:
            return body
    return stream_of(source, owned=owned)


# -- what kind it is


def _has(source: object, *names: str) -> bool:
    return all(hasattr(source, name) for name in names)


def _is_stream(source: object) -> bool:
    kinds = ("read", "read_chunk", "__aiter__", "__iter__")
    return any(hasattr(source, name) for name in kinds)


def _is_factory(source: object) -> TypeGuard[Callable[[], Foreign]]:
    return isinstance(source, type) or (callable(source) and not _is_stream(source))


def _unwrapped(source: Foreign) -> Foreign:
    """The bytes themselves, of what a framework or another client wraps around them.

    Raises:
        UsageError: It is nothing that has bytes.
    """
    if hasattr(source, "aiter_bytes"):
        return source.aiter_bytes()  # a reply of httpx
    for name, needed in (("file", "read"), ("content", "iter_any")):
        # An upload of Starlette or aiohttp; a request or a reply of aiohttp.
        if hasattr(inner := getattr(source, name, None), needed):
            source = inner
    # Wrappers of text files are no TextIOBase, but have its `encoding`.
    if isinstance(source, io.TextIOBase) or hasattr(source, "encoding"):
        raise UsageError(
            "The file is open in text mode.", advice='Open it with mode "rb".'
        )
    if not _is_stream(source):
        raise UsageError(
            f"A {type(source).__name__} cannot be uploaded.",
            advice="Give bytes, a path, a binary file, a stream of bytes, or a "
            "function that returns one of these.",
        )
    return source


def _seekable(source: Foreign) -> bool:
    seekable = getattr(source, "seekable", None)
    if not callable(seekable) or is_async_file(source):
        return False
    try:
        return hasattr(source, "read") and bool(seekable())
    except ValueError as exc:
        raise SourceError(
            f"The file object cannot be read: {exc}.", advice="Open it again."
        ) from exc
