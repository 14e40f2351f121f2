"""What matching finds: pairs, and everything that is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import attrs

from bcpicture.core.signs import ItemSigns
from bcpicture.core.steps import LocalFile


class Record(Protocol):
    """What matching wants to know of a record; every `Item` has it."""

    @property
    def id(self) -> str:
        """GUID."""

    @property
    def number(self) -> str:
        """The number that people know it by."""

    @property
    def gtin(self) -> str:
        """Bar code number; asked for only where files are matched by it."""

    @property
    def etag(self) -> str | None:
        """Opaque."""

    @property
    def last_modified(self) -> datetime | None:
        """By the service's clock."""


@attrs.frozen(kw_only=True)
class Row:
    """A record, cut down to what a plan keeps of it."""

    id: str
    """GUID."""

    number: str
    """What people know it by."""

    item: ItemSigns
    """Its signs, as it was listed."""

    @classmethod
    def of(cls, record: Record) -> Row:
        """Cut down what a listing tells."""
        signs = ItemSigns(etag=record.etag, modified=record.last_modified)
        return cls(id=record.id, number=record.number, item=signs)


@attrs.frozen(kw_only=True)
class Pair:
    """A file and the record that it belongs to."""

    file: LocalFile
    """The file."""

    row: Row
    """The record."""


@attrs.frozen(kw_only=True)
class Unmatched:
    """A file that no record wants, or that cannot be sent."""

    name: str
    """The file, relative to its folder."""

    reason: str
    """Why not."""


@attrs.frozen(kw_only=True)
class Ambiguous:
    """Files and records of which nobody can say which belong together."""

    numbers: tuple[str, ...]
    """Numbers of the records."""

    names: tuple[str, ...]
    """The files; none of them is sent."""

    @property
    def reason(self) -> str:
        """What is unclear, in a few words."""
        if len(self.names) > 1:
            return f"{len(self.names)} files for one item"
        return f"one file for {len(self.numbers)} items"


@attrs.frozen(kw_only=True)
class PassedOver:
    """A file whose record gets another one, by `MatchOptions.pick`."""

    name: str
    """The file."""

    number: str
    """What people know the record by."""

    picked: str
    """The file that it gets."""


@attrs.frozen(kw_only=True)
class Sample:
    """How many there are, and the first of them."""

    count: int = 0
    """All of them."""

    first: tuple[str, ...] = ()
    """Some, in order."""

    def __len__(self) -> int:
        return self.count


@attrs.frozen(kw_only=True)
class Matching:
    """Everything that matching found. Every list is in order."""

    pairs: tuple[Pair, ...] = ()
    """What belongs together; no file and no record is in two of them."""

    unmatched: tuple[Unmatched, ...] = ()
    """Files that stay at home."""

    ambiguous: tuple[Ambiguous, ...] = ()
    """Files of which it is not clear where they belong; they stay at home too."""

    passed_over: tuple[PassedOver, ...] = ()
    """Files that stay at home because their record gets another one."""

    without_file: Sample = attrs.field(factory=Sample)
    """Numbers of the records that no file was found for."""

    watched: Mapping[str, Row] = attrs.field(factory=dict, repr=False)
    """Those of the watched records that were listed, by their ids."""

    unclear: frozenset[str] = frozenset()
    """Ids of the records that are in `ambiguous`."""

    names: frozenset[str] = attrs.field(default=frozenset(), repr=False)
    """Every file that is there, whatever became of it."""

    left_out: int = 0
    """Files that ``include`` and ``exclude`` leave out."""

    records: int = 0
    """Records that were offered."""

    fingerprint: str = ""
    """That of the options by which files and records were matched."""
