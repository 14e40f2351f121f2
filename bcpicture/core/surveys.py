"""What a plan is made of: what is remembered, what is asked, and what was answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs

from bcpicture.core.dialects import Dialect
from bcpicture.core.ledger import Agreement, Link, Rejection
from bcpicture.core.signs import ItemSigns, PictureSigns, Proof, judge_signs
from bcpicture.core.steps import LocalFile


class Memory(Protocol):
    """What a journal remembers of all records, and of one folder."""

    @property
    def agreements(self) -> Mapping[str, Agreement]:
        """Which bytes are at a record, by its id."""

    @property
    def links(self) -> Mapping[str, Link]:
        """The folder's file of a record, by the record's id."""

    @property
    def rejections(self) -> Mapping[str, Rejection]:
        """What was refused, by the record's id."""

    @property
    def last_matching(self) -> str | None:
        """Fingerprint of the options that the last run matched by; None: no run."""


@attrs.frozen(kw_only=True)
class NoMemory:
    """What is remembered where nothing is, or where all of it is set aside."""

    agreements: Mapping[str, Agreement] = attrs.field(factory=dict)
    """None."""

    links: Mapping[str, Link] = attrs.field(factory=dict)
    """None."""

    rejections: Mapping[str, Rejection] = attrs.field(factory=dict)
    """None."""

    last_matching: str | None = None
    """None."""


def known_ids(memory: Memory) -> frozenset[str]:
    """Ids of all records of which anything is remembered: a plan has to hear of them.

    They are what `Matcher` is to watch.
    """
    return frozenset([*memory.agreements, *memory.links])


@attrs.frozen(kw_only=True)
class Seen:
    """A record with its picture's metadata, as the service told them just now."""

    item: ItemSigns
    """The record's signs."""

    picture: PictureSigns
    """Its picture's."""


@attrs.frozen(kw_only=True)
class Questions:
    """What has to be found out before a plan can be made."""

    hash: tuple[LocalFile, ...] = ()
    """Files whose digests are needed: their signs prove nothing."""

    expand: tuple[str, ...] = ()
    """Ids of the records whose picture's metadata is needed."""

    read: tuple[str, ...] = ()
    """Ids of the records whose picture's bytes are needed: no metadata proves them."""

    def __bool__(self) -> bool:
        return bool(self.hash or self.expand or self.read)


@attrs.frozen(kw_only=True)
class Answers:
    """What was found out; whoever asks adds to it."""

    digests: dict[str, str] = attrs.field(factory=dict)
    """SHA-256 of files, by their names."""

    seen: dict[str, Seen | None] = attrs.field(factory=dict)
    """Records with their pictures' metadata, by their ids; None: it is gone."""

    read: dict[str, str | None] = attrs.field(factory=dict)
    """SHA-256 of pictures, by the ids of their records; None: there was none."""

    failed: dict[str, str] = attrs.field(factory=dict)
    """Why a file (by its name) or a picture (by its record's id) could not be read. The
    plan takes it for unknown, and the run tries once more."""


@attrs.frozen(kw_only=True)
class Facts:
    """What is known of the picture at one record."""

    item: ItemSigns
    """The record's signs."""

    picture: PictureSigns | None
    """Its picture's; None: nobody looked, and nothing proves them."""

    proof: Proof | None
    """What they prove; None: there is nothing to compare them with."""

    gone: bool = False
    """Whether the record turned out to be gone."""

    @property
    def exists(self) -> bool:
        """Whether there is a picture, as far as anybody looked."""
        return self.picture is not None and self.picture.exists


def facts_of(
    dialect: Dialect, id_: str, item: ItemSigns, known: Agreement | None, told: Answers
) -> Facts:
    """Put together what listing, journal and answers tell of a picture.

    Args:
        dialect: Says what signs are worth.
        id_: GUID of the record.
        item: Its signs, as it was listed.
        known: What is remembered of it.
        told: What was asked since.
    """
    seen = told.seen.get(id_)
    item, picture = (seen.item, seen.picture) if seen else (item, None)
    proof = None
    if known:
        signs = known.item, known.picture
        proof = judge_signs(dialect, known=signs, item=item, picture=picture)
        if seen is None and proof is Proof.SAME:
            picture = known.picture
    gone = seen is None and id_ in told.seen
    return Facts(item=item, picture=picture, proof=proof, gone=gone)
