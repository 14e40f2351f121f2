"""Where the pictures of a push come from: what a folder has to be able to do for it.

Buckets, archives and lists can be sources as well, once they do the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import attrs

from bcpicture.core.matches import Unmatched
from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import LocalFile
from bcpicture.errors import SourceError


@attrs.frozen(kw_only=True)
class Listing:
    """What is at a place, told to the last file."""

    files: tuple[LocalFile, ...] = ()
    """What can be read, in the order of their names."""

    aside: tuple[Unmatched, ...] = ()
    """What is there as well and cannot be sent, whatever it is called."""


@attrs.frozen(kw_only=True)
class Loaded:
    """A file that was read, and proven to have been one and the same meanwhile."""

    file: LocalFile
    """It, with the signs that it had then."""

    digest: str = ""
    """SHA-256 of its bytes, hexadecimal; empty after an error."""

    data: bytes | None = attrs.field(default=None, repr=False)
    """Its bytes; None where only the digest was wanted, and for a large file."""

    path: Path | None = None
    """Where a large file can be read once more."""

    signs: FileSigns | None = None
    """The signs, where they can be relied on later; None while the file is young."""

    error: SourceError | None = None
    """Why it could not be read; None when it was."""


class Source(Protocol):
    """Files that are pushed."""

    @property
    def place(self) -> str:
        """What the journal calls it: the same place has one name in every run."""

    async def scan(self) -> Listing:
        """All files.

        Raises:
            SourceError: They cannot be listed to the last one.
        """

    async def has(self, name: str) -> bool:
        """Whether a file is there, hidden ones as well: a marker."""

    async def digests(self, files: Sequence[LocalFile]) -> list[Loaded]:
        """Read files for their digest alone."""

    async def load(self, files: Sequence[LocalFile]) -> list[Loaded]:
        """Read a few files that are to be sent, together."""

    async def gone(self, name: str) -> bool:
        """Whether a file is not there, although its place is.

        Raises:
            SourceError: The place itself cannot be looked at.
        """
