"""What would not show is told apart from what would, before anything is sent."""

from __future__ import annotations

import io
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bcpicture.core import media
from bcpicture.core.preflight import BACK, FRONT, at_a_glance, examine, refusal
from bcpicture.emulator.artwork import dot, jpeg, png
from bcpicture.errors import Misfit

LIMIT = 350 * 1024 * 1024


def saved(kind: str, mode: str = "RGB", size: Any = (23, 17), **options: Any) -> bytes:  # noqa: ANN401 - whatever Pillow takes
    sink = io.BytesIO()
    noise = Image.effect_noise(size, 90).convert(mode)
    noise.save(sink, kind, **options)
    return sink.getvalue()


def with_preview() -> bytes:
    """A JPEG with a whole JPEG among its metadata, as cameras write them."""
    data, preview = saved("JPEG"), jpeg("preview", 16, 16)
    segment = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    return data[:2] + segment + data[2:]


def animated() -> bytes:
    frames = [Image.effect_noise((9, 9), 90).convert("P") for _ in range(3)]
    sink = io.BytesIO()
    frames[0].save(sink, "GIF", save_all=True, append_images=frames[1:], loop=0)
    return sink.getvalue()


WHOLE = {
    "JPEG": saved("JPEG"),
    "JPEG-progressive": saved("JPEG", progressive=True),
    "JPEG-grey": saved("JPEG", "L"),
    "JPEG-CMYK": saved("JPEG", "CMYK"),
    "JPEG-preview": with_preview(),
    "JPEG-drawn": jpeg("x", 24, 16),
    "PNG": saved("PNG"),
    "PNG-palette": saved("PNG", "P"),
    "PNG-drawn": png("x", side=8),
    "PNG-dot": dot(b"note"),
    "GIF": saved("GIF", "P"),
    "GIF-animated": animated(),
    "BMP": saved("BMP"),
    "BMP-palette": saved("BMP", "P"),
    "BMP-bits": saved("BMP", "1"),
}
WHOLE_JPEGS = [data for data in WHOLE.values() if media.sniff(data) is media.JPEG]
SAMPLES = [pytest.param(data, id=name) for name, data in WHOLE.items()]


def misfit(data: bytes, limit: int = LIMIT) -> Misfit | None:
    """By the two ends, which are everything if it is short."""
    return examine(data[:FRONT], len(data), data[-BACK:], limit).misfit


@pytest.mark.parametrize("data", SAMPLES)
def test_a_whole_picture_is_fit_and_measured(data: bytes):
    found = examine(data, len(data), data, LIMIT)
    assert found.misfit is None
    with Image.open(io.BytesIO(data)) as image:
        assert (found.width, found.height) == image.size
        assert found.content_type == Image.MIME[image.format or ""]


@pytest.mark.parametrize("data", SAMPLES)
def test_cut_anywhere_it_is_never_taken_for_whole(data: bytes):
    """The very first bytes are no known kind; a trailing byte may be no loss."""
    for length in range(1, len(data)):
        cut = examine(data[:length], length, data[:length], LIMIT).misfit
        assert cut is (Misfit.CUT if media.sniff(data[:length]) else Misfit.UNKNOWN)


@pytest.mark.parametrize("data", SAMPLES)
def test_a_glance_never_sees_other_than_a_look(data: bytes):
    """Cut anywhere, prefixed, of a wrong marker: either the same, or nothing."""
    cuts = [data[:length] for length in range(len(data) + 1)]
    odd = [data[:at] + b"\xff" + data[at:] for at in range(min(len(data), 300))]
    odd += [data[:2] + b"\xff\x01" + data[2:], b"\xff\xd8\xff\xd9", data[:60] + data]
    for look in [*cuts, *(one + b"\xff\xd9" for one in cuts), *odd]:
        if (glance := at_a_glance(look, LIMIT)) is not None:
            assert glance == examine(look, len(look), look, LIMIT)


def test_a_glance_is_enough_for_a_whole_jpeg_that_is_not_too_large():
    assert WHOLE_JPEGS
    for data in WHOLE_JPEGS:
        assert at_a_glance(data, LIMIT) is not None
        assert at_a_glance(data, len(data) - 1) is None
    assert at_a_glance(None, LIMIT) is None


@pytest.mark.parametrize("data", SAMPLES)
@pytest.mark.parametrize(
    "behind",
    [
        pytest.param(bytes(1000), id="zeros"),
        pytest.param(b"\r\n", id="a-line-end"),
        pytest.param(b"\0\0\0\x18ftypmp42 a film", id="a-film"),
    ],
)
def test_what_stands_behind_the_end_is_no_misfit(data: bytes, behind: bytes):
    whole = data + behind
    assert misfit(whole) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP"])
def test_the_ends_of_a_long_file_are_enough(kind: str):
    mode = "P" if kind == "GIF" else "RGB"
    data = saved(kind, mode, (900, 700), **({"quality": 100} if kind == "JPEG" else {}))
    assert len(data) > FRONT
    assert misfit(data) is None
    assert misfit(data[:-BACK]) is Misfit.CUT


HTML = b"<!DOCTYPE html>\n<html><title>Sign in to your account</title>"
WRONG = [
    (HTML, "is no picture but an HTML page. Was an error or sign-in page"),
    (b'{"error": {"code": "x"}}', "is no picture but JSON. Was an error"),
    (b"<?xml version='1.0'?><Error/>", "is no picture but XML. Was an error"),
    (b"%PDF-1.7 ...", "is no picture but a PDF document."),
    (b"PK\3\4 ...", "is no picture but a ZIP archive."),
    (
        saved("WEBP"),
        "is WebP, which is not proven to show in Business Central. Let ",
    ),
    (
        saved("AVIF"),
        "is AVIF, which is not proven to show in Business Central. Let ",
    ),
    (
        saved("TIFF"),
        "is TIFF, which is not proven to show in Business Central. Let ",
    ),
    (b"\0\0\0\x14ftypheic\0\0\0\0mif1", "is HEIC, which is not proven to show"),
    (
        b"<svg xmlns='x'/>",
        "is SVG, which is not proven to show in Business Central. E",
    ),
    (b"some text", "begins like no kind of picture that is known. Open it in a view"),
    (bytes(1000), "begins like no kind of picture that is known. Open it in a view"),
    (WHOLE["JPEG"][:-2], "is a JPEG without its end: it was cut short. Fetch or copy"),
    (WHOLE["PNG"][:-9], "is a PNG without its end: it was cut short. Fetch or copy it"),
    (WHOLE["GIF"][:-1], "is a GIF without its end: it was cut short. Fetch or copy it"),
    (WHOLE["BMP"][:-1], "is a BMP without its end: it was cut short. Fetch or copy it"),
]


@pytest.mark.parametrize(("data", "text"), WRONG)
def test_each_misfit_has_its_sentence_and_a_way_out(data: bytes, text: str):
    found = examine(data, len(data), data, LIMIT)
    assert found.misfit
    error = refusal(found.misfit, found.kind, "The file a.jpg", len(data), LIMIT)
    assert str(error).startswith(f"The file a.jpg {text}")
    assert str(error).endswith(
        "or say preflight=False (--no-preflight) to send it anyway."
    )
    assert error.misfit is found.misfit
    assert error.kind == (found.kind.name if found.kind else "")


def test_too_many_bytes_are_told_with_both_numbers():
    data = WHOLE["JPEG"]
    assert misfit(data, limit=len(data)) is None
    assert misfit(data, limit=len(data) - 1) is Misfit.TOO_LARGE
    error = refusal(Misfit.TOO_LARGE, media.JPEG, "The file a.jpg", 2000, 1000)
    assert str(error) == (
        "The file a.jpg has 2,000 bytes, and the service takes 1,000 at most. "
        "Shrink it by prepare=Prepare(max_side=2000), or give another Quota(body=...)."
    )


def test_a_stream_is_judged_by_its_beginning_alone():
    head = WHOLE["PNG"][:100]
    assert examine(head, 5000, None, LIMIT).misfit is None
    assert examine(HTML, 5000, None, LIMIT).misfit is Misfit.NO_PICTURE


HEADS = {
    **{name: data[:64] for name, data in WHOLE.items()},
    "WebP": saved("WEBP")[:64],
    "AVIF": saved("AVIF")[:64],
    "TIFF": saved("TIFF")[:64],
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
    "PDF": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    "ZIP": b"PK\3\4\x14\0\0\0\x08\0" + bytes(40),
}
BRANDS = {media.HEIC, media.HEIF, media.AVIF}
"""Of one container, and a byte apart: no wonder if one becomes another."""

TEXTS = {media.HTML, media.JSON, media.SVG, media.XML}
"""JSON's whole signature is two brackets, which chance may write."""


@settings(max_examples=1000)
@given(st.sampled_from(sorted(HEADS)), st.data())
def test_no_mutated_header_is_taken_for_another_kind(name: str, data: st.DataObject):
    """Up to three bytes, anywhere: what is left is its kind still, or none.

    A kind of text is right where the mutation has written its beginning, for real.
    """
    head = bytearray(HEADS[name])
    kind = media.sniff(bytes(head))
    places = st.lists(st.integers(0, len(head) - 1), min_size=1, max_size=3)
    for place in data.draw(places):
        head[place] = data.draw(st.integers(0, 255))
    found = media.sniff(bytes(head))
    written = TEXTS if bytes(head).lstrip()[:1] in {b"<", b"{", b"["} else set()
    assert found in {kind, None} | written or {found, kind} <= BRANDS
