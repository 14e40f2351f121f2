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

_ANYWAY = "or say preflight=False (--no-preflight) to send it anyway"

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

    width: int | None
    """In pixels; None if the header does not tell."""

    height: int | None
    """In pixels, like `width`."""

    misfit: Misfit | None
    """Why they should not be sent; None if nothing speaks against it."""

    @property
    def content_type(self) -> str | None:
        """By the signature."""
        return self.kind.content_type if self.kind else None


UNSEEN = Examined(None, None, None, None)
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
        return UNSEEN._replace(misfit=Misfit.UNKNOWN)
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
    width, height = size or (None, None)
    return Examined(kind, width, height, misfit)


def at_a_glance(data: bytes | None, limit: int) -> Examined | None:
    """Look at all bytes of a JPEG that is as it should be; None for everything else.

    It finds what `examine` finds, in half of the time, for what is uploaded most.
    """
    if data is None or data[-2:] != b"\xff\xd9" or len(data) > limit:
        return None
    if data[:3] != b"\xff\xd8\xff" or data[3] < 0xC0:
        return None
    size = media.measure_jpeg(data)
    if size is None:
        return None
    width, height = size
    return Examined(media.JPEG, width, height, None)


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
        f"Let prepare=Prepare() (--convert) make another of it, {_ANYWAY}.",
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
