"""What a sign is worth: whether something is still what it was, without reading it.

Business Central exposes neither digest nor size nor date of a picture, and a picture's
etag need not cover its bytes. What is known about the bytes at a record is what was
read or sent once, and it holds only as long as nothing shows that they may have moved.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol, Self

import attrs

from bcpicture.core.dialects import Dialect
from bcpicture.core.models import Item, Picture

YOUNG = 2_000_000_000
"""Nanoseconds within which a file may change again and keep its time stamp."""

_SECOND = timedelta(seconds=1)


class FileStatus(Protocol):
    """What a file system tells of a file, as `os.stat_result` does."""

    @property
    def st_size(self) -> int:
        """Bytes."""

    @property
    def st_mtime_ns(self) -> int:
        """When its bytes changed, in nanoseconds since the epoch."""

    @property
    def st_ino(self) -> int:
        """Which file it is, whatever its name."""


@attrs.frozen
class FileSigns:
    """By what a file is known to be the same, without reading it."""

    size: int
    """Bytes."""

    modified: int
    """When its bytes changed, in nanoseconds since the epoch."""

    inode: int
    """Which file it is, whatever its name."""

    @classmethod
    def of(cls, told: FileStatus) -> Self:
        """The signs in what the file system told."""
        return cls(told.st_size, told.st_mtime_ns, told.st_ino)

    def settled(self, now: int) -> bool:
        """Whether they can be relied on later.

        A file that is as young as the look at it may change once more within the tick
        of its time stamp; then its signs are the same, and its bytes are not.

        Args:
            now: When it was looked at, in nanoseconds since the epoch.
        """
        return self.modified + YOUNG <= now


@attrs.frozen(kw_only=True)
class ItemSigns:
    """What a listing tells of a record, by which a change shows."""

    etag: str | None = attrs.field(default=None, repr=False)
    """Opaque."""

    modified: datetime | None = None
    """By the service's clock."""

    @classmethod
    def of(cls, item: Item) -> Self:
        """The signs in what a listing told."""
        return cls(etag=item.etag, modified=item.last_modified)

    @property
    def complete(self) -> bool:
        """Whether both were told; half of them proves nothing."""
        return self.etag is not None and self.modified is not None


@attrs.frozen(kw_only=True)
class PictureSigns:
    """What the metadata of a picture tell; they do not cover its bytes."""

    exists: bool
    """Whether there is a picture."""

    etag: str | None = attrs.field(default=None, repr=False)
    """Opaque; two pictures of one size and type may share it."""

    width: int = 0
    """In pixels."""

    height: int = 0
    """In pixels."""

    content_type: str = ""
    """As told."""

    @classmethod
    def of(cls, picture: Picture) -> Self:
        """The signs in what the service told."""
        return cls(
            exists=picture.exists,
            etag=picture.etag,
            width=picture.width,
            height=picture.height,
            content_type=picture.content_type,
        )


NO_PICTURE = PictureSigns(exists=False)
"""The signs of a record without a picture, as far as they are the same everywhere."""


class Proof(Enum):
    """What the signs of a record prove about the bytes of its picture."""

    SAME = "same"
    """They are the bytes that we know."""

    UNPROVEN = "unproven"
    """The record moved, its picture's metadata did not: only reading can tell."""

    CHANGED = "changed"
    """They are others, or the picture came or went."""


def judge_signs(
    dialect: Dialect,
    *,
    known: tuple[ItemSigns, PictureSigns],
    item: ItemSigns,
    picture: PictureSigns | None = None,
) -> Proof:
    """Judge what is known of a picture by what the service tells now.

    Args:
        dialect: Says whether every modification of a record shows in its signs.
        known: The signs of record and picture at the last agreement.
        item: The record's signs now.
        picture: Its picture's signs now; None if they were not asked for.
    """
    known_item, known_picture = known
    if picture is not None and picture != known_picture:
        return Proof.CHANGED
    if dialect.vouches and known_item.complete and item == known_item:
        return Proof.SAME
    return Proof.UNPROVEN


def moved_backwards(known: ItemSigns, now: ItemSigns) -> bool:
    """Whether a record is older than it was: a restored or copied environment."""
    if known.modified is None or now.modified is None:
        return False
    return now.modified < known.modified


def within(
    modified: datetime | None, *, answered: datetime | None, seconds: float
) -> bool:
    """Whether a record was modified by our own request, and by nothing after it.

    Args:
        modified: When it was, as its listing tells.
        answered: The service's clock when it answered (the header ``Date``).
        seconds: How long the request took, all its attempts included.
    """
    if modified is None or answered is None:
        return False
    # The header counts in whole seconds.
    earliest = answered - timedelta(seconds=seconds) - _SECOND
    return earliest <= modified <= answered + _SECOND
