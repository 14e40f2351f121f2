"""Bytes that are kept back until it is sure that they are wanted."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import ClassVar

from bcpicture.core.media import Kind
from bcpicture.net.bodies import BLOCK
from bcpicture.net.files import in_thread_to_end
from bcpicture.net.sinks import Sink
from bcpicture.net.writers import FileSink

HELD_MEMORY = 2_000_000
"""Bytes of a picture that are kept in memory; the rest goes to a temporary file."""


class Held:
    """Keeps everything back until it is sure that it is wanted."""

    atomic: ClassVar[bool] = True
    """Always: nothing reaches the target before the end."""

    path: ClassVar[None] = None
    """It is known by no name."""

    def __init__(self, inner: Sink) -> None:
        self._inner = inner
        # Closed by `discard`, or by `finish`.
        self._file = tempfile.SpooledTemporaryFile(HELD_MEMORY)  # noqa: SIM115
        self._kept = FileSink(self._file)
        self._kind: Kind | None = None

    async def begin(self, kind: Kind | None) -> None:
        """The answer begins, once more perhaps."""
        self._kind = kind
        await self._kept.begin(kind)

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Keep *chunks*."""
        await self._kept.write(chunks)

    async def finish(self, rest: Sequence[bytes]) -> None:
        """Hand everything on."""
        await self._kept.finish(rest)
        await in_thread_to_end(self._file.seek, 0)
        await self._inner.begin(self._kind)
        while block := await in_thread_to_end(self._file.read, BLOCK):
            await self._inner.write([block])
        await self._inner.finish([])
        await in_thread_to_end(self._file.close)

    async def holds(self, size: int, sha256: str) -> bool:
        """Unknown: it is open for writing."""
        del size, sha256
        return False

    async def discard(self) -> None:
        """Forget everything."""
        await in_thread_to_end(self._file.close)
        await self._inner.discard()
