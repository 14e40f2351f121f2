"""Where the bytes of a download go: what every target can do, whatever it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Protocol

from bcpicture.core.media import Kind


class Sink(Protocol):
    """Takes the bytes of one picture, attempt after attempt.

    For each attempt `begin` is called before its first bytes, and none of it if there
    are none; after the last one `finish`, if all went well. Whatever happens, `discard`
    comes at the very end, unless there was a `finish` that succeeded.
    """

    @property
    def atomic(self) -> bool:
        """Whether nobody sees anything of the bytes before `finish`."""

    @property
    def path(self) -> PurePath | None:
        """Where it is, or will be; None for what has no path. Asked after `begin`."""

    async def begin(self, kind: Kind | None) -> None:
        """The answer begins, once more perhaps: what came before does not count.

        Args:
            kind: What it is by its first bytes; None if that is unknown.
        """

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Append *chunks*, a megabyte or so: worth a hop into a thread."""

    async def finish(self, rest: Sequence[bytes]) -> None:
        """Append *rest*; from now on the picture is there."""

    async def holds(self, size: int, sha256: str) -> bool:
        """Whether exactly these bytes are there from before; asked after `begin`.

        Raises:
            UsageError: It is nothing that could be read.
        """

    async def discard(self) -> None:
        """Leave what was there before; more than once is fine.

        It is called while the task is being cancelled, too.
        """
