"""What is worth a word about the picture of an item."""

from __future__ import annotations

from enum import Enum

import attrs

from bcpicture.core.media import Kind
from bcpicture.core.models import Item


class Remark(Enum):
    """Why somebody may want to look at an item."""

    MISSING = "missing"
    """It has no picture."""

    LARGE = "large"
    """The picture has more pixels than is of use."""

    SMALL = "small"
    """The picture has few pixels."""

    WRONG = "wrong"
    """The bytes are not what the service says that they are."""

    FAILED = "failed"
    """The bytes could not be had."""


@attrs.frozen(kw_only=True)
class Bounds:
    """Which pictures are remarkable for their size."""

    large: int = 2000
    """Pixels of the longer side above which a picture is large."""

    small: int = 200
    """Pixels of the longer side below which a picture is small."""


@attrs.frozen(kw_only=True)
class Sniffed:
    """What the first bytes of a picture told."""

    kind: Kind | None = None
    """What they are; None if it is unknown."""

    size: int | None = None
    """Bytes of the whole picture, if that was told."""

    error: str = ""
    """Why there are none; empty if there are."""


@attrs.frozen(kw_only=True)
class Inspection:
    """One item, its picture, and what is to be said about it."""

    item: Item
    """The item, with its picture's metadata."""

    sniffed: Sniffed | None = None
    """What the first bytes told; None if they were not asked for."""

    remarks: tuple[Remark, ...] = ()
    """What is worth a word."""

    @property
    def told(self) -> str:
        """The content type that the service tells; empty without a picture."""
        return self.item.picture.content_type if self.item.picture else ""

    @property
    def comment(self) -> str:
        """The remarks in words."""
        return ", ".join(map(self._in_words, self.remarks))

    def _in_words(self, remark: Remark) -> str:
        match remark:
            case Remark.MISSING:
                return "no picture"
            case Remark.WRONG if self.sniffed and self.sniffed.kind:
                return f"is {self.sniffed.kind.content_type}"
            case Remark.WRONG:
                return "is no known kind of picture"
            case Remark.FAILED if self.sniffed:
                return self.sniffed.error
            case _:
                return str(remark.value)


def inspect(
    item: Item, sniffed: Sniffed | None = None, bounds: Bounds | None = None
) -> Inspection:
    """Say what is worth a word about *item*.

    Args:
        item: As an inventory tells of it.
        sniffed: What the first bytes of its picture told.
        bounds: Which pictures are remarkable for their size.
    """
    found = tuple(_remarks(item, sniffed, bounds or Bounds()))
    return Inspection(item=item, sniffed=sniffed, remarks=found)


def _remarks(item: Item, sniffed: Sniffed | None, bounds: Bounds) -> list[Remark]:
    picture = item.picture
    if picture is None or not picture.exists:
        return [Remark.MISSING]
    longer = max(picture.width, picture.height)
    size = (
        *([Remark.LARGE] if longer > bounds.large else []),
        *([Remark.SMALL] if 0 < longer < bounds.small else []),
    )
    if sniffed is None:
        return [*size]
    if sniffed.error:
        return [*size, Remark.FAILED]
    told = picture.content_type.partition(";")[0].strip().lower()
    same = sniffed.kind is not None and sniffed.kind.content_type == told
    return [*size] if same else [*size, Remark.WRONG]
