"""Pictures: measured by their headers, and made up out of seeds."""

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bcpicture.emulator.artwork import jpeg, png
from bcpicture.emulator.images import UNKNOWN, Measured, measure


def drawn(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (123, 45), "teal").save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("kind", "options", "told"),
    [
        pytest.param("JPEG", {}, "image/jpeg", id="jpeg"),
        pytest.param("JPEG", {"progressive": True}, "image/jpeg", id="progressive"),
        pytest.param(
            "JPEG", {"exif": b"Exif\0\0" + bytes(60_000)}, "image/jpeg", id="exif"
        ),
        pytest.param("PNG", {}, "image/png", id="png"),
        pytest.param("GIF", {}, "image/gif", id="gif"),
        pytest.param("BMP", {}, "image/bmp", id="bmp"),
    ],
)
def test_sizes_are_read_from_headers(kind: str, options: dict[str, object], told: str):
    assert measure(drawn(kind, **options)) == Measured(told, 123, 45)


def test_what_is_not_known_has_no_size():
    assert measure(drawn("WEBP")) == UNKNOWN
    assert measure(b"<svg/>") == UNKNOWN
    assert measure(b"") == UNKNOWN


@given(st.binary(), st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"]))
def test_no_bytes_make_it_crash(data: bytes, start: bytes):
    assert measure(data).width >= 0
    assert measure(start + data).height >= 0


@pytest.mark.parametrize("side", [1, 16, 256, 400])
def test_a_made_up_png_can_be_decoded(side: int):
    data = png("a seed", side=side)
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert picture.size == (side, side)
    assert measure(data) == Measured("image/png", side, side)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (8, 8), (65, 33), (512, 384)])
def test_a_made_up_jpeg_can_be_decoded(width: int, height: int):
    data = jpeg("a seed", width, height)
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert picture.size == (width, height)
    assert measure(data) == Measured("image/jpeg", width, height)


def test_a_made_up_jpeg_is_soft_and_not_one_colour():
    picture = Image.open(io.BytesIO(jpeg("soft", 256, 256))).convert("L")
    low, high = picture.getextrema()
    assert high - low > 30
    row = [picture.getpixel((x, 100)) for x in range(256)]
    steps = [abs(a - b) for a, b in pairwise(row)]
    assert max(steps) < 12


def test_the_same_seed_makes_the_same_picture_and_another_another():
    assert png("a") == png("a") != png("b")
    assert jpeg("a", 64, 64) == jpeg("a", 64, 64) != jpeg("b", 64, 64)
    assert len({png(f"{index}") for index in range(50)}) == 50


@pytest.mark.parametrize("size", [50_000, 60_000, 300_000])
def test_a_png_can_be_as_large_as_one_likes(size: int):
    data = png("large", size_hint=size)
    assert len(data) == size
    Image.open(io.BytesIO(data)).load()


def test_pngs_have_the_size_of_small_photographs():
    sizes = [len(png(f"{index}")) for index in range(20)]
    assert min(sizes) > 3000
    assert max(sizes) < 60_000
