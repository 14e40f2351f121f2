"""What is done to a picture before it is sent: a recipe, as a value, and its result."""

from __future__ import annotations

import attrs

from bcpicture.core.media import Kind
from bcpicture.errors import UsageError

_ROUND = 1
"""Goes up when the same options make other bytes, so that a journal notices."""


@attrs.frozen(kw_only=True)
class Prepare:
    """What a picture has to be; one that is so already stays byte for byte as it is.

    It always has to be of a kind that is proven to show, with the colours of a screen,
    and upright without a note in its metadata that says how to turn it.
    """

    max_side: int | None = None
    """Pixels of the longer side at most; nothing is ever enlarged. None: any."""

    max_bytes: int | None = None
    """Bytes at most, reached by a lower quality and then by fewer pixels. None: any."""

    quality: int = 85
    """Of a JPEG that is made anew, from 1 to 95."""

    strip: bool = False
    """Whether metadata alone is a reason to make a picture anew: it may tell where a
    photo was taken. What is made anew for another reason has none in any case."""

    max_pixels: int = 80_000_000
    """Width times height at most, since a file of a few KB can unpack to gigabytes.
    A pixel takes some 10 bytes of memory while it is worked on."""

    def __attrs_post_init__(self) -> None:
        numbers = (self.max_side or 1, self.max_bytes or 1, self.max_pixels)
        zero = 0 in {self.max_side, self.max_bytes}
        if zero or min(numbers) < 1 or not 1 <= self.quality <= 95:
            raise UsageError(
                f"No picture could ever be made by {self}.",
                advice="Sizes are positive, and quality is from 1 to 95.",
            )

    @property
    def recipe(self) -> str:
        """The same text for the same preparation, for a journal to remember."""
        fields = attrs.asdict(self).items()
        return " ".join([f"prepare/{_ROUND}", *(f"{name}={it}" for name, it in fields)])


@attrs.frozen(kw_only=True)
class Prepared:
    """A picture as it can be sent."""

    data: bytes = attrs.field(repr=False)
    """All of it."""

    content_type: str
    """Its media type."""

    width: int
    """In pixels."""

    height: int
    """In pixels."""

    changed: bool = False
    """Whether it is another one than was given."""

    why: tuple[str, ...] = ()
    """What it was made anew for; empty if it was not."""


@attrs.frozen(kw_only=True)
class Seen:
    """What is known of a picture before its pixels are unpacked."""

    kind: Kind
    """By its signature."""

    length: int
    """In bytes."""

    width: int
    """In pixels, as it is stored."""

    height: int
    """In pixels, as it is stored."""

    mode: str = "RGB"
    """How Pillow calls its colours."""

    orientation: int = 1
    """By EXIF: 1 is upright."""

    metadata: bool = False
    """Whether it has any that could be dropped."""


def reasons(seen: Seen, prepare: Prepare) -> tuple[str, ...]:
    """Why a picture has to be made anew; nothing if it can stay as it is."""
    side, most = max(seen.width, seen.height), prepare.max_bytes
    checks = {
        f"{seen.kind.name} is not proven to show": not seen.kind.shown,
        f"its colours are {seen.mode}, for printing": seen.mode in {"CMYK", "LAB"},
        "its EXIF says how to turn it": seen.orientation != 1,
        f"it is {seen.width} x {seen.height} pixels": bool(
            prepare.max_side and side > prepare.max_side
        ),
        f"it has {seen.length:,} bytes": most is not None and seen.length > most,
        "it has metadata": prepare.strip and seen.metadata,
    }
    return tuple(reason for reason, holds in checks.items() if holds)
