"""Where the pictures of a pull go: what a folder has to be able to do for it.

Buckets and archives can be targets as well, once they do the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import attrs

from bcpicture.core.ledger import Action, Agreement
from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import LocalFile
from bcpicture.errors import BcPictureError
from bcpicture.sync.sources import Listing, Loaded


@attrs.frozen(kw_only=True)
class Staged:
    """Bytes that lie beside the place where they are to be."""

    path: Path
    """Where they lie for now."""

    digest: str
    """SHA-256, hexadecimal."""

    size: int
    """How many they are."""

    signs: FileSigns
    """By which the file is known, under this name and its next one."""


@attrs.define(kw_only=True, eq=False)
class Change:
    """One file that is about to be written, replaced or taken away."""

    id: str
    """GUID of the record that it belongs to."""

    number: str
    """What people know that by."""

    name: str
    """The file, relative to its place."""

    reason: str = ""
    """Why."""

    after: str | None = None
    """SHA-256 of what is to be there; None: nothing, or it is not computed yet."""

    content: bytes | Path | Staged | None = attrs.field(default=None, repr=False)
    """That itself, or a file that holds it; None: the file is taken away."""

    before: str | None = None
    """SHA-256 of what is thought to be there; None: nothing, or nobody knows."""

    signs: FileSigns | None = None
    """The signs under which that is known; None: it has to be read."""

    strict: bool = False
    """Whether nothing is done if something else is there."""

    fresh: bool = False
    """Whether nothing is thought to be there, and `after` is known: it need not be
    examined, and its bytes are written and get their name in one go."""

    agreed: Agreement | None = None
    """What its bytes tell of the record, but for their digest: it is noted before they
    are a file, so that they need not be fetched again after a kill."""

    lasting: bool = False
    """Whether the bytes have to be on the disk before they have their name."""

    # What turns out.

    examined: bool = False
    """Whether somebody has looked what is there."""

    found: str | None = None
    """SHA-256 of what is there."""

    seen: FileSigns | None = None
    """The signs under which it was found; None: nothing is there."""

    staged: Staged | None = None
    """The bytes, beside their place."""

    refused: bool = False
    """Whether something else is there, and nothing is done about it."""

    moved: bool = False
    """Whether something else was there at the last moment."""

    done: bool = False
    """Whether it has happened."""

    error: BcPictureError | OSError | None = None
    """Why it has not."""

    @property
    def action(self) -> Action:
        """What happens to the file."""
        return Action.REMOVE if self.content is None else Action.DOWNLOAD

    @property
    def beside(self) -> Staged | None:
        """The bytes that are left beside their place."""
        if self.done:
            return None
        return self.content if isinstance(self.content, Staged) else self.staged

    @property
    def same(self) -> bool:
        """Whether what is to be there was found there."""
        known = self.examined and self.error is None
        return known and self.found == self.after

    @property
    def waiting(self) -> bool:
        """Whether it is still to be done."""
        ended = self.error is not None or self.refused or self.moved or self.done
        return not ended and not self.same

    def begin_again(self) -> None:
        """Forget what turned out, but for the bytes that lie there already."""
        self.found, self.seen = None, None
        self.moved = self.examined = self.fresh = False


class Spool(Protocol):
    """Bytes that are written beside their place as they arrive."""

    async def write(self, chunks: Sequence[bytes]) -> None:
        """Append some."""

    async def keep(self) -> Staged:
        """That were all; they are on the disk when this returns."""

    async def discard(self) -> None:
        """Leave nothing behind; who has been handed what was kept does not ask."""


class Target(Protocol):
    """Files that are written by a pull, and put back when it is undone.

    Whatever concerns the whole place is a `TargetError`, after which nothing more can
    be done there; what concerns one file is its `Change.error`.
    """

    @property
    def place(self) -> str:
        """What the journal calls it: the same place has one name in every run."""

    async def scan(self) -> Listing:
        """All files; none, if the place is not there yet.

        Raises:
            SourceError: They cannot be listed to the last one.
        """

    async def exists(self) -> bool:
        """Whether the place is there."""

    async def has(self, name: str) -> bool:
        """Whether a file is there, hidden ones as well: a marker."""

    async def digests(self, files: Sequence[LocalFile]) -> list[Loaded]:
        """Read files for their digest alone."""

    async def begin(self) -> None:
        """Make the place if it is not there, and clear away what a killed run left."""

    def spool(self) -> Spool:
        """What takes in the bytes of a large picture, beside where they are to be."""

    async def examine(self, changes: Sequence[Change]) -> None:
        """See what is there, and put beside it what is to be there instead."""

    def apply(self, changes: Sequence[Change]) -> None:
        """Do it, each in one step, if there is still what was found.

        Where a change is `Change.fresh`, that is nothing. It is called in a thread.
        """

    async def discard(self, changes: Sequence[Change]) -> None:
        """Clear away what is beside its place still."""

    def path_of(self, change: Change) -> Path:
        """Where the file is that goes into the backup."""

    async def flush(self, names: Sequence[str]) -> None:
        """Have the disk hold these files."""

    async def text(self, name: str) -> str:
        """The text of a file; empty if there is none."""

    async def heads(self, names: Sequence[str]) -> list[bytes]:
        """The first bytes of files; none of what cannot be read."""

    async def put(self, name: str, text: str) -> None:
        """Write a text in one step."""
