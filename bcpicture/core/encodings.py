"""Unpacking what a server packed, and noticing when a part is missing.

aiohttp unpacks by itself too, but passes a stream that was cut off as a success.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

_GZIP = 31
"""zlib's number for: with gzip's header and check sum."""

_MOST = 1 << 20
"""Bytes that are unpacked at once: a few packed ones can stand for millions."""


class Unpacker(Protocol):
    """Turns packed chunks into plain ones."""

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Unpack *chunk*, in pieces of a limited size."""

    @property
    def complete(self) -> bool:
        """Whether the stream has come to its proper end."""


class _Plain:
    complete = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


PLAIN = _Plain()
"""For what is not packed."""


class _Gzip:
    """gzip; several members one after the other are one stream (RFC 1952, 2.2)."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(_GZIP)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        # A full piece may have more behind it, even when all input has gone in.
        plain = b""
        while chunk or (len(plain) == _MOST and not self._inner.eof):
            if self._inner.eof:
                self._inner = zlib.decompressobj(_GZIP)
            plain = self._inner.decompress(chunk, _MOST)
            if plain:
                yield plain
            chunk = self._inner.unconsumed_tail or self._inner.unused_data

    @property
    def complete(self) -> bool:
        return self._inner.eof


def unpacker(encoding: str) -> Unpacker | None:
    """The unpacker for a ``Content-Encoding``; None if it is not known."""
    if encoding in {"", "identity"}:
        return PLAIN
    return _Gzip() if encoding in {"gzip", "x-gzip"} else None
