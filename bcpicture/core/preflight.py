"""Whether some bytes will show as a picture, judged before the first one leaves.

The service takes whatever it is sent and answers 204: a sign-in page that was saved
under the name of a picture, half a picture, or a kind that its clients cannot show.
"""

from __future__ import annotations

from typing import NamedTuple

from bcpicture.core import media
from bcpicture.core.endings import is_cut
from bcpicture.errors import Misfit, UnfitPictureError

FRONT = 1 << 18
"""First bytes that are looked at: metadata may stand before a picture's size."""

BACK = 1 << 16
"""Last bytes that are looked at: something may stand behind a picture's end."""

_ANYWAY = "or say preflight=False to send it anyway"

_CALLED = {
    media.HTML: "an HTML page",
    media.JSON: "JSON",
    media.XML: "XML",
    media.PDF: "a PDF document",
    media.ZIP: "a ZIP archive",
}


class Examined(NamedTuple):
    """What is known of some bytes from their beginning and their end."""

    kind: media.Kind | None
    """By their signature; None if it is none that is known."""

    size: tuple[int, int] | None
    """Width and height in pixels; None if the header does not tell."""

    misfit: Misfit | None
    """Why they should not be sent; None if nothing speaks against it."""

    @property
    def content_type(self) -> str | None:
        """By the signature."""
        return self.kind.content_type if self.kind else None

    @property
    def width(self) -> int | None:
        """In pixels."""
        return self.size[0] if self.size else None

    @property
    def height(self) -> int | None:
        """In pixels."""
        return self.size[1] if self.size else None


UNSEEN = Examined(None, None, None)
"""What is known of bytes that nobody looked at."""


def examine(head: bytes, length: int, tail: bytes | None, limit: int) -> Examined:
    """Look at bytes that are to be sent.

    Args:
        head: The first `FRONT` bytes, or fewer; all of them, if there are few.
        length: How many there are.
        tail: The last `BACK` bytes; all of them, if there are few; None if they are
            not to be had.
        limit: Bytes that the service takes.
    """
    kind = media.sniff(head)
    if kind is None:
        return Examined(None, None, Misfit.UNKNOWN)
    size = media.measure(kind, head)
    misfit = None
    if not kind.shown:
        misfit = Misfit.UNPROVEN if kind.picture else Misfit.NO_PICTURE
    elif length > limit:
        misfit = Misfit.TOO_LARGE
    elif tail is not None and is_cut(
        kind, head, length, tail, measured=size is not None
    ):
        misfit = Misfit.CUT
    return Examined(kind, size, misfit)


def refusal(
    misfit: Misfit, kind: media.Kind | None, what: str, length: int, limit: int
) -> UnfitPictureError:
    """The error for bytes that are not sent.

    Args:
        misfit: Why not.
        kind: What they are.
        what: What the caller calls them, such as ``The file a.jpg``.
        length: How many there are.
        limit: Bytes that the service takes.
    """
    sentence, advice = _TEXTS[misfit]
    if kind is media.SVG:
        advice = f"Export it as PNG, {_ANYWAY}."
    text = sentence.format(
        what=what,
        kind=kind and _CALLED.get(kind, kind.name),
        length=f"{length:,}",
        limit=f"{limit:,}",
    )
    name = kind.name if kind else ""
    return UnfitPictureError(text, advice=advice, misfit=misfit, kind=name)


_TEXTS = {
    Misfit.TOO_LARGE: (
        "{what} has {length} bytes, and the service takes {limit} at most.",
        "Shrink it by prepare=Prepare(max_side=2000), or give another Quota(body=...).",
    ),
    Misfit.NO_PICTURE: (
        "{what} is no picture but {kind}.",
        f"Was an error or sign-in page saved in its place? Fetch it again, {_ANYWAY}.",
    ),
    Misfit.UNPROVEN: (
        "{what} is {kind}, which is not proven to show in Business Central.",
        f"Let prepare=Prepare() convert it, {_ANYWAY}.",
    ),
    Misfit.UNKNOWN: (
        "{what} begins like no kind of picture that is known.",
        f"Open it in a viewer and save it as JPEG or PNG, {_ANYWAY}.",
    ),
    Misfit.CUT: (
        "{what} is a {kind} without its end: it was cut short.",
        f"Fetch or copy it again, {_ANYWAY}.",
    ),
}
