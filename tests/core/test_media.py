"""Pictures are known by their bytes."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bcpicture.core import media

SIZE = (516, 466)


def made(
    kind: str, size: tuple[int, int] = SIZE, mode: str = "RGB", **options: object
) -> bytes:
    sink = io.BytesIO()
    Image.new(mode, size, 7).save(sink, kind, **options)
    return sink.getvalue()


def ftyp(*brands: bytes) -> bytes:
    body = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", len(body) + 4) + body + b"\0\0\0\x08free"


MADE = [
    pytest.param(made("JPEG"), media.JPEG, id="JPEG"),
    pytest.param(made("JPEG", progressive=True), media.JPEG, id="progressive JPEG"),
    pytest.param(made("JPEG", exif=b"Exif\0\0" + bytes(9000)), media.JPEG, id="EXIF"),
    pytest.param(made("PNG"), media.PNG, id="PNG"),
    pytest.param(made("GIF", mode="P"), media.GIF, id="GIF"),
    pytest.param(made("BMP"), media.BMP, id="BMP"),
    pytest.param(made("WEBP"), media.WEBP, id="lossy WebP"),
    pytest.param(made("WEBP", lossless=True), media.WEBP, id="lossless WebP"),
    pytest.param(made("WEBP", icc_profile=bytes(128)), media.WEBP, id="extended WebP"),
]


@pytest.mark.parametrize(("data", "kind"), MADE)
def test_a_real_picture_is_known_by_its_first_bytes(data: bytes, kind: media.Kind):
    assert media.sniff(data[: media.SNIFF_BYTES]) is kind


@pytest.mark.parametrize(("data", "kind"), MADE)
def test_width_and_height_come_from_the_header(data: bytes, kind: media.Kind):
    assert media.dimensions(data) == SIZE, kind.name


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        pytest.param(made("TIFF"), media.TIFF, id="TIFF"),
        pytest.param(b"MM\0*\0\0\0\x08", media.TIFF, id="big-endian TIFF"),
        pytest.param(ftyp(b"avif", b"mif1", b"miaf"), media.AVIF, id="AVIF"),
        pytest.param(ftyp(b"mif1", b"avif"), media.AVIF, id="AVIF as compatible"),
        pytest.param(ftyp(b"heic", b"mif1"), media.HEIC, id="HEIC"),
        pytest.param(ftyp(b"mif1", b"heic"), media.HEIC, id="HEIC as compatible"),
        pytest.param(ftyp(b"mif1"), media.HEIF, id="plain HEIF"),
        pytest.param(ftyp(b"isom", b"mp42"), None, id="a film"),
        pytest.param(b"<svg xmlns='x'>", media.SVG, id="SVG"),
        pytest.param(
            b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- <html> -->\n"
            b'<!DOCTYPE svg PUBLIC "a" "b">\n<svg:svg>',
            media.SVG,
            id="SVG after a prologue",
        ),
        pytest.param("\ufeff<svg/>".encode("utf-16-le"), media.SVG, id="UTF-16 SVG"),
        pytest.param(b"\r\n<!DOCTYPE html>", media.HTML, id="HTML"),
        pytest.param(b"<!-- x --><HTML lang=en>", media.HTML, id="HTML after comment"),
        pytest.param(b'{"error": {}}', media.JSON, id="JSON object"),
        pytest.param(b" [1, 2]", media.JSON, id="JSON array"),
        pytest.param(b"BM, the car maker, ...........", None, id="text with BM"),
        pytest.param(b"{not json}", None, id="braces"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt ", None, id="a sound"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"\xff\xd8", None, id="two bytes of a JPEG"),
    ],
)
def test_other_kinds_are_told_apart(head: bytes, kind: media.Kind | None):
    assert media.sniff(head) is kind


def test_only_four_kinds_are_proven_to_show():
    kinds = [value for value in vars(media).values() if isinstance(value, media.Kind)]
    assert {kind.name for kind in kinds if kind.shown} == {"JPEG", "PNG", "GIF", "BMP"}
    assert {kind.name for kind in kinds if not kind.picture} == {
        *("HTML page", "JSON", "XML", "PDF", "ZIP")
    }


@pytest.mark.parametrize(("data", "kind"), MADE)
def test_a_cut_header_has_no_size(data: bytes, kind: media.Kind):
    assert media.dimensions(data[:20]) in {None, SIZE}, kind.name
    assert media.dimensions(data[:8]) is None


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"\xff\xd8\xff\xd9", id="a JPEG that ends at once"),
        pytest.param(b"\xff\xd8\xff\xda\0\x08", id="a JPEG without a frame"),
        pytest.param(b"\xff\xd8\xff\xe0\0\0\0\0", id="a segment of no length"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(60), id="a PNG without a header"),
        pytest.param(b"GIF89a" + bytes(8), id="0 x 0"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8 " + bytes(20), id="a WebP without a frame"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8?" + bytes(20), id="an unknown WebP"),
    ],
)
def test_a_header_without_a_size_has_none(head: bytes):
    assert media.dimensions(head) is None


def test_fill_bytes_and_lone_markers_of_a_jpeg_are_stepped_over():
    frame = b"\xff\xc0\0\x11\x08\0\x02\0\x03"
    assert media.dimensions(b"\xff\xd8\xff\xff\xd0\xff\x01" + frame) == (3, 2)


def test_old_and_top_down_bitmaps_are_measured_too():
    old = b"BM" + bytes(12) + struct.pack("<IHH", 12, 3, 2)
    top_down = b"BM" + bytes(12) + struct.pack("<Iii", 40, 3, -2)
    assert media.dimensions(old) == media.dimensions(top_down) == (3, 2)


SIGNATURES = st.sampled_from(
    [b"", *(param.values[0][:48] for param in MADE), b"<svg", b"<!--", b"\xff\xfe<"]
)


@given(SIGNATURES, st.binary(max_size=300))
def test_no_bytes_make_it_fail(start: bytes, rest: bytes):
    head = start + rest
    media.sniff(head)
    size = media.dimensions(head)
    assert size is None or min(size) > 0


@given(
    st.sampled_from([param.values for param in MADE]),
    st.integers(0, 31),
    st.integers(0, 255),
)
def test_one_wrong_byte_never_makes_another_kind_of_it(
    sample: tuple[bytes, media.Kind], at: int, byte: int
):
    data, kind = sample
    mutant = data[:at] + bytes([byte]) + data[at + 1 : 4096]
    assert media.sniff(mutant) in {kind, None}
