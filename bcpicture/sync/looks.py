"""What a run sees of records: as they were listed, or as they are now."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress

import attrs

from bcpicture.core.dialects import Dialect
from bcpicture.core.ledger import Agreement
from bcpicture.core.models import RecordInfo
from bcpicture.core.signs import NO_PICTURE, ItemSigns, PictureSigns, Proof, judge_signs
from bcpicture.core.steps import Delete, Replaces, Upload
from bcpicture.errors import BcPictureError, NoPictureError
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.records import Records
from bcpicture.sync.turns import in_turns

FRESH = 60.0
"""Seconds for which it is relied on what a record looked like."""

_PART = 500
"""Records that are looked at one batch after the other, so that the length of a batch
can fit the service."""

_AT_ONCE = 4
"""Parts that are looked at at once."""

NEVER = float("-inf")
"""When a look was that is never fresh."""


@attrs.frozen(kw_only=True)
class Look:
    """A record and its picture, as they were at one moment."""

    at: float
    """When it was asked for, in monotonic seconds."""

    number: str = ""
    """What people know the record by."""

    item: ItemSigns = attrs.field(factory=ItemSigns)
    """The record's signs."""

    picture: PictureSigns = NO_PICTURE
    """Its picture's."""

    error: BcPictureError | None = attrs.field(default=None, eq=False)
    """Why there is nothing to see, such as that the record is gone."""

    @classmethod
    def of(cls, told: RecordInfo, at: float) -> Look:
        """What the service told."""
        item = told.item
        if item is None or item.picture is None:
            return cls(at=at, error=told.error or _nothing(told))
        return cls(
            at=at,
            number=item.number,
            item=ItemSigns.of(item),
            picture=PictureSigns.of(item.picture),
        )

    @classmethod
    def planned(cls, step: Upload | Delete, at: float) -> Look:
        """What the plan of a step relied on."""
        return cls(at=at, number=step.number, item=step.item, picture=step.picture)

    def fresh(self, now: float) -> bool:
        """Whether it can still be relied on."""
        return now - self.at <= FRESH

    def agreement(self, id_: str, digest: str | None, size: int = 0) -> Agreement:
        """That the bytes of *digest* are there, under these signs."""
        return Agreement(
            id=id_,
            number=self.number,
            digest=digest,
            size=size,
            item=self.item,
            picture=self.picture,
        )

    def replaces(self, step: Upload, dialect: Dialect) -> Replaces:
        """Whose picture *step* would replace now."""
        if not self.picture.exists:
            return Replaces.NOTHING
        if step.replaces is not Replaces.OURS:
            return Replaces.FOREIGN
        proof = judge_signs(
            dialect,
            known=(step.item, step.picture),
            item=self.item,
            picture=self.picture,
        )
        return Replaces.OURS if proof is Proof.SAME else Replaces.FOREIGN


async def look_at(records: Records, ids: Sequence[str], now: float) -> dict[str, Look]:
    """Look at some records, 100 a request.

    Args:
        records: Which kind.
        ids: Which of them.
        now: Monotonic seconds.

    Raises:
        BcPictureError: None of them can be looked at.
    """

    async def part(some: Sequence[str]) -> dict[str, Look]:
        return {it.id: Look.of(it, now) async for it in records.refreshed(some)}

    parts = [ids[at : at + _PART] for at in range(0, len(ids), _PART)]
    if len(parts) == 1:
        return await part(ids)
    looks = await in_turns(part, parts, width=_AT_ONCE)
    return {id_: look for some in looks for id_, look in some.items()}


async def look_at_most(
    records: Records, ids: Sequence[str], now: float
) -> dict[str, Look]:
    """Look at most of all records: on pages of all, which are fewer than batches.

    Args:
        records: Which kind.
        ids: Which of them.
        now: Monotonic seconds.

    Raises:
        BcPictureError: None of them can be looked at.
    """
    left, looks = dict.fromkeys(ids), {}
    pages = records.select("id", records.parent.key, "lastModifiedDateTime").pictures()
    # A batch tells what is wrong with which record, where a page tells nothing.
    with suppress(BcPictureError):
        async for item in pages:
            if item.id in left:
                del left[item.id]
                told = RecordInfo(id=item.id, key=item.number, item=item)
                looks[item.id] = Look.of(told, now)
    return looks | await look_at(records, [*left], now) if left else looks


async def digest_of(picture: PictureHandle) -> tuple[str | None, int]:
    """SHA-256 and size of a picture that is read to its end; None if there is none."""
    digest, size = hashlib.sha256(), 0
    try:
        async with picture.open() as stream:
            async for chunk in stream:
                digest.update(chunk)
                size += len(chunk)
    except NoPictureError:
        return None, 0
    return digest.hexdigest(), size


def _nothing(told: RecordInfo) -> BcPictureError:
    return BcPictureError(
        f'Nothing was told of the picture of "{told.key}".',
        advice="Look whether the API has pictures of such records.",
    )
