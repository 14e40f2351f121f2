"""Whatever a picture is, it becomes one that shows; one that does already stays."""

from __future__ import annotations

import asyncio
import io
import re
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import pillow_heif
import pytest
from PIL import Image, ImageChops, ImageCms, ImageOps

from bcpicture import SourceError, UnfitPictureError, UsageError
from bcpicture.core import media
from bcpicture.emulator.artwork import dot, png
from bcpicture.images import Prepare, Prepared, prepare_picture
from bcpicture.net import preparing

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def photo(size: tuple[int, int] = (60, 40), mode: str = "RGB") -> Image.Image:
    """No two corners alike, and soft, so that JPEG changes it little."""
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    both = Image.merge("RGB", (across, down, ImageOps.invert(across)))
    return both.convert(mode)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - whatever Pillow takes
    sink = io.BytesIO()
    image.save(sink, kind, **options)
    return sink.getvalue()


def heic() -> bytes:
    sink = io.BytesIO()
    pillow_heif.from_pillow(photo()).save(sink, quality=90)
    return sink.getvalue()


def turned(orientation: int) -> bytes:
    """Stored so that it is upright only once it has been turned."""
    back = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    exif = Image.Exif()
    exif[0x0112] = back.get(orientation, 1)
    stored = photo()
    stored.getexif()[0x0112] = back.get(orientation, 1)
    stored = ImageOps.exif_transpose(stored)
    exif[0x0112] = orientation
    return saved(stored, "JPEG", quality=95, subsampling=0, exif=exif)


def shown(prepared: Prepared) -> Image.Image:
    image = Image.open(io.BytesIO(prepared.data))
    image.load()
    assert (prepared.width, prepared.height) == image.size
    assert prepared.content_type == Image.MIME[image.format or ""]
    assert media.sniff(prepared.data).shown
    return image


def difference(one: Image.Image, other: Image.Image) -> int:
    """Of the two pixels that differ most, by how much of 255."""
    bands = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return max(high for _, high in bands.getextrema())


async def test_what_needs_nothing_stays_byte_for_byte():
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    for data in (
        saved(photo(), "JPEG", exif=exif, icc_profile=SRGB),
        saved(photo(), "PNG"),
        saved(photo(mode="P"), "GIF"),
        saved(photo(), "BMP"),
        dot(b"note"),
    ):
        done = await prepare_picture(data, Prepare(max_side=60, max_bytes=len(data)))
        assert done.data == data
        assert (done.changed, done.why) == (False, ())
        shown(done)


OPAQUE = [
    pytest.param(saved(photo(), "WEBP", lossless=True), "WebP", id="WebP"),
    pytest.param(saved(photo(), "AVIF", quality=95), "AVIF", id="AVIF"),
    pytest.param(saved(photo(), "TIFF"), "TIFF", id="TIFF"),
    pytest.param(heic(), "HEIC", id="HEIC"),
]


@pytest.mark.parametrize(("data", "name"), OPAQUE)
async def test_what_is_unproven_becomes_a_jpeg(data: bytes, name: str):
    done = await prepare_picture(data)
    assert done.why == (f"{name} is not proven to show",)
    assert done.content_type == "image/jpeg"
    assert difference(shown(done), photo()) < 40


@pytest.mark.parametrize("kind", ["WEBP", "TIFF"])
async def test_what_is_unproven_and_transparent_becomes_a_png(kind: str):
    image = photo(mode="RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    done = await prepare_picture(saved(image, kind, **options))
    assert done.content_type == "image/png"
    result = shown(done)
    assert result.mode == "RGBA"
    assert result.tobytes() == image.tobytes()


async def test_alpha_that_hides_nothing_is_none():
    done = await prepare_picture(saved(photo(mode="RGBA"), "WEBP", lossless=True))
    assert done.content_type == "image/jpeg"


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_a_photo_is_upright_without_a_note(orientation: int):
    data = turned(orientation)
    done = await prepare_picture(data, Prepare(quality=95))
    assert done.changed is (orientation != 1)
    result = shown(done)
    assert result.size == (60, 40)
    assert difference(result, photo()) < 40
    if done.changed:
        assert done.why == ("its EXIF says how to turn it",)
        assert not result.getexif()


async def test_colours_for_printing_become_those_of_a_screen():
    done = await prepare_picture(saved(photo(mode="CMYK"), "JPEG", quality=95))
    assert done.why == ("its colours are CMYK, for printing",)
    assert difference(shown(done), photo(mode="CMYK").convert("RGB")) < 40
    assert shown(done).mode == "RGB"


@pytest.mark.parametrize(
    "profile", [pytest.param(SRGB, id="sRGB"), pytest.param(b"damaged", id="damaged")]
)
async def test_a_profile_is_applied_and_dropped(profile: bytes):
    data = saved(photo(), "WEBP", lossless=True, icc_profile=profile)
    result = shown(await prepare_picture(data))
    assert "icc_profile" not in result.info
    assert difference(result, photo()) < 40


async def test_sixteen_bits_and_palettes_keep_their_look_when_they_are_shrunk():
    grey = photo(mode="L")
    deep = grey.convert("I").point(lambda level: level * 257).convert("I;16")
    done = await prepare_picture(saved(deep, "PNG"), Prepare(max_side=30))
    small = grey.resize((30, 20), Image.Resampling.LANCZOS)
    assert difference(shown(done), small) < 8
    holes = photo(mode="P")
    data = saved(holes, "PNG", transparency=bytes([0] * 128 + [255] * 128))
    done = await prepare_picture(data, Prepare(max_side=30))
    assert done.content_type == "image/png"
    assert shown(done).getchannel("A").getextrema() == (0, 255)


async def test_it_is_shrunk_to_a_side_and_never_enlarged():
    data = saved(photo((400, 300)), "JPEG")
    done = await prepare_picture(data, Prepare(max_side=100))
    assert (done.width, done.height) == (100, 75)
    assert done.why == ("it is 400 x 300 pixels",)
    assert not (await prepare_picture(data, Prepare(max_side=5000))).changed


@pytest.mark.parametrize(("kind", "mode"), [("JPEG", "RGB"), ("PNG", "RGBA")])
async def test_it_is_made_to_fit_into_so_many_bytes(kind: str, mode: str):
    image = Image.effect_noise((300, 200), 90).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = saved(image, kind)
    done = await prepare_picture(data, Prepare(max_bytes=9000))
    assert len(done.data) <= 9000
    shown(done)
    with pytest.raises(SourceError, match="be made to fit into 60 bytes"):
        await prepare_picture(data, Prepare(max_bytes=60))


async def test_metadata_alone_is_a_reason_only_if_asked():
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    data = saved(photo(), "JPEG", exif=exif, comment=b"hush")
    assert not (await prepare_picture(data)).changed
    done = await prepare_picture(data, Prepare(strip=True))
    assert done.why == ("it has metadata",)
    assert not {"exif", "comment"} & set(shown(done).info)
    assert not (await prepare_picture(done.data, Prepare(strip=True))).changed


async def test_of_an_animation_that_must_change_the_first_frame_remains():
    frames = [photo(mode="P"), photo(mode="P").rotate(180)]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert not (await prepare_picture(data)).changed
    done = await prepare_picture(data, Prepare(max_side=30))
    assert done.content_type == "image/png"
    shown(done)


# -- what cannot be prepared


def bomb() -> bytes:
    """A PNG of a few KB that unpacks to 2.5 GB."""
    data = bytearray(dot())
    header = struct.pack(">II", 50_000, 50_000) + bytes(data[24:29])
    data[16:33] = header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(bomb(), "50000 x 50000 pixels, more than 80,000,000", id="bomb"),
        pytest.param(
            saved(photo(), "TIFF")[:-900], "cannot be decoded", id="a-cut-tiff"
        ),
        pytest.param(saved(photo(), "WEBP")[:90], "cannot be decoded", id="a-cut-webp"),
        pytest.param(heic()[:300], "cannot be decoded", id="a-cut-heic"),
        pytest.param(b"<svg xmlns='x'/>", "Export it as PNG", id="a-drawing"),
        pytest.param(b"<!DOCTYPE html>", "is no picture but an HTML page", id="a-page"),
        pytest.param(b"text", "begins like no kind", id="text"),
    ],
)
async def test_what_cannot_be_prepared_says_why(data: bytes, text: str):
    with pytest.raises(SourceError, match=text) as caught:
        await prepare_picture(data, Prepare(max_side=30))
    assert caught.value.advice


async def test_yes_is_no_way_to_prepare(pair: Pair):
    with pytest.raises(
        UsageError, match=r"prepare=True does not say how\. Say prepare="
    ):
        await pair.picture.upload(dot(), prepare=True)
    assert not pair.server.log


@pytest.mark.parametrize(
    "options",
    [{"max_side": 0}, {"max_bytes": -1}, {"quality": 96}, {"max_pixels": 0}],
)
def test_a_recipe_that_could_make_nothing_is_refused(options: dict[str, int]):
    with pytest.raises(UsageError, match="No picture could ever be made"):
        Prepare(**options)


def test_a_recipe_is_a_text_that_stays_the_same():
    assert Prepare(max_side=1200).recipe == (
        "prepare/1 max_side=1200 max_bytes=None quality=85 strip=False "
        "max_pixels=80000000"
    )


# -- on the way up


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


@pytest.mark.parametrize("spool", [True, False])
async def test_an_upload_sends_what_was_prepared(pair: Pair, *, spool: bool):
    data = saved(photo((400, 300)), "WEBP", lossless=True)
    with pytest.raises(UnfitPictureError, match="Let prepare=Prepare"):
        await pair.picture.upload(data)
    options: dict[str, Any] = {"spool": spool, "length": len(data)}
    recipe = Prepare(max_side=100)
    done = await pair.picture.upload(chunks(data), prepare=recipe, **options)
    assert (done.content_type, done.width, done.height) == ("image/jpeg", 100, 75)
    assert pair.stored == (await prepare_picture(data, recipe)).data


async def test_what_needs_nothing_is_sent_as_it_is(pair: Pair):
    for data in (png("x"), png("x", size_hint=3_000_000)):
        await pair.picture.upload(chunks(data), prepare=Prepare(max_side=1200))
        assert pair.stored == data


async def test_few_are_worked_on_at_once_and_a_cancelled_one_counts_until_its_end(
    monkeypatch: pytest.MonkeyPatch,
):
    """A thread cannot be stopped, so its memory is in use until it has ended."""
    go_on, running, most = threading.Event(), [0], [0]
    lock = threading.Lock()

    def make(*_: object) -> Prepared:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        go_on.wait(5)
        with lock:
            running[0] -= 1
        return Prepared(data=dot(), content_type="image/png", width=1, height=1)

    monkeypatch.setattr(preparing, "_make", make)
    tasks = [asyncio.create_task(prepare_picture(dot())) for _ in range(6)]
    while running[0] < preparing.AT_ONCE:  # noqa: ASYNC110 - told by a thread
        await asyncio.sleep(0.001)
    tasks[0].cancel()
    tasks[5].cancel()
    await asyncio.sleep(0.02)
    go_on.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(it, Prepared) for it in results] == [False, *[True] * 4, False]
    assert most[0] == preparing.AT_ONCE


# -- what is not installed

WITHOUT = """
import asyncio, sys
sys.modules[{module!r}] = None  # what an import of it finds then is nothing
from bcpicture.images import prepare_picture
try:
    asyncio.run(prepare_picture(bytes.fromhex({data!r})))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(
    ("module", "data", "text"),
    [
        ("PIL", dot(), 'ConfigurationError.*pip install "bcpicture\\[images\\]"'),
        ("pillow_heif", heic(), "SourceError HEIC needs.*pip install pillow-heif"),
    ],
)
def test_what_is_missing_is_named_with_the_way_to_get_it(
    module: str, data: bytes, text: str
):
    program = WITHOUT.format(module=module, data=data.hex())
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.search(text, done.stdout)
