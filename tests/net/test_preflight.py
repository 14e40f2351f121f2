"""Whatever the source, what would not show is refused before a request is sent."""

from __future__ import annotations

import io
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import Misfit, Quota, SourceError, UnfitPictureError
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot, jpeg, png

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]

HTML = b"<!DOCTYPE html><title>Sign in</title>" + b" " * 400_000
LONG = dot(bytes(400_000))


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def pieces(data: bytes) -> Iterator[bytes]:
    yield from (data[start : start + 50_000] for start in range(0, len(data), 50_000))


def on_disk(data: bytes) -> Path:
    path = Path("picture.jpg")
    path.write_bytes(data)
    return path


def at_a_place(data: bytes) -> io.BytesIO:
    """A file object that does not stand at its beginning."""
    file = io.BytesIO(b"before" + data)
    file.seek(6)
    return file


@contextmanager
def opened(make: Callable[[bytes], Any], data: bytes) -> Iterator[Any]:
    source = make(data)
    yield source
    if isinstance(source, io.IOBase):
        source.close()


SOURCES: list[Any] = [
    pytest.param(bytes, id="bytes"),
    pytest.param(bytearray, id="bytearray"),
    pytest.param(on_disk, id="path"),
    pytest.param(lambda data: on_disk(data).open("rb"), id="file"),
    pytest.param(at_a_place, id="file-object"),
    pytest.param(chunks, id="async-stream"),
    pytest.param(pieces, id="stream"),
    pytest.param(lambda data: lambda: io.BytesIO(data), id="factory-of-files"),
    pytest.param(lambda data: lambda: on_disk(data), id="factory-of-paths"),
    pytest.param(lambda data: lambda: pieces(data), id="factory-that-is-counted"),
]
STREAMS: list[Any] = [
    pytest.param(lambda data: lambda: chunks(data), id="factory"),
    pytest.param(chunks, id="stream-that-is-sent-once"),
]
WRONG = [
    pytest.param(HTML[:200], Misfit.NO_PICTURE, id="short-page"),
    pytest.param(HTML, Misfit.NO_PICTURE, id="long-page"),
    pytest.param(dot()[:-1], Misfit.CUT, id="short-and-cut"),
    pytest.param(LONG[:-1], Misfit.CUT, id="long-and-cut"),
    pytest.param(bytes(3_000_000), Misfit.UNKNOWN, id="zeros"),
]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("data", "misfit"), WRONG)
@pytest.mark.parametrize("make", SOURCES)
async def test_what_would_not_show_is_never_sent(
    pair: Pair, make: Callable[[bytes], Any], data: bytes, misfit: Misfit
):
    with opened(make, data) as source, pytest.raises(UnfitPictureError) as caught:
        await pair.picture.upload(source)
    assert caught.value.misfit is misfit
    assert not pair.server.log


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(dot(), id="dot"),
        pytest.param(LONG, id="long"),
        pytest.param(png("x"), id="drawn"),
        pytest.param(png("x", size_hint=3_000_000), id="longer"),
    ],
)
@pytest.mark.parametrize("make", SOURCES)
async def test_what_shows_is_sent_and_told(
    pair: Pair, make: Callable[[bytes], Any], data: bytes
):
    with opened(make, data) as source:
        done = await pair.picture.upload(source)
    assert pair.stored == data
    width, height = struct.unpack_from(">II", data, 16)
    assert (done.content_type, done.width, done.height) == (
        *("image/png", width),
        height,
    )


@pytest.mark.parametrize("make", SOURCES)
async def test_a_misfit_is_sent_if_it_must_be(pair: Pair, make: Callable[[bytes], Any]):
    with opened(make, HTML) as source:
        done = await pair.picture.upload(source, preflight=False)
    assert pair.stored == HTML
    assert (done.content_type, done.width, done.height) == (None, None, None)


async def test_zero_bytes_are_refused_whatever_is_said(pair: Pair):
    with pytest.raises(SourceError, match="There are no bytes"):
        await pair.picture.upload(b"", preflight=False)
    assert not pair.server.log


@pytest.mark.parametrize("make", [on_disk, lambda data: str(on_disk(data))])
async def test_a_file_is_called_by_its_name(pair: Pair, make: Callable[[bytes], Any]):
    with pytest.raises(UnfitPictureError, match=r"The file picture\.jpg is no picture"):
        await pair.picture.upload(make(HTML))


@pytest.mark.parametrize("make", STREAMS)
async def test_where_the_end_is_not_to_be_had_the_beginning_is_judged(
    pair: Pair, make: Callable[[bytes], Any]
):
    """What was read for the look is sent all the same, and not read twice for it."""
    options: dict[str, Any] = {"spool": False, "length": len(HTML)}
    with pytest.raises(UnfitPictureError, match="What was given is no picture"):
        await pair.picture.upload(make(HTML), **options)
    assert not pair.server.log
    cut = LONG[:-1]
    options["length"] = len(cut)
    done = await pair.picture.upload(make(cut), **options)
    assert pair.stored == cut
    assert done.width == 1


async def test_a_factory_is_called_once_an_attempt_all_the_same(pair: Pair):
    calls = []

    def factory() -> AsyncIterator[bytes]:
        calls.append(1)
        return chunks(LONG)

    pair.server.faults.add(Fault("reset_during", at=10, method="PATCH"))
    done = await pair.picture.upload(factory, length=len(LONG))
    assert done.attempts == len(calls) == 2
    assert pair.stored == LONG


@pytest.mark.parametrize("make", SOURCES)
async def test_a_picture_may_end_long_before_its_file(
    pair: Pair, make: Callable[[bytes], Any]
):
    """Telephones append the film of a moment; a preview's end does not count."""
    still, preview = jpeg("still", 64, 64), jpeg("preview", 16, 16)
    segment = b"\xff\xe1" + struct.pack(">H", len(preview) + 2) + preview
    whole = still[:2] + segment + still[2:]
    film = b"\0\0\0\x18ftypmp42" + bytes(2_500_000)
    with opened(make, whole + film) as source:
        await pair.picture.upload(source)
    assert pair.stored == whole + film
    error = pytest.raises(UnfitPictureError, match="a JPEG without its end")
    with opened(make, whole[:-2] + film) as source, error:
        await pair.picture.upload(source)


async def test_the_limit_is_the_quotas(paired: Paired):
    async with paired(quota=Quota(requests=1_000_000, seconds=0.06, body=1000)) as pair:
        with pytest.raises(UnfitPictureError, match="the service takes 1,000 at most"):
            await pair.picture.upload(LONG)
        await pair.picture.upload(dot())
    assert pair.stored == dot()
