"""A download is whole, or an error that says what was wrong with it."""

from __future__ import annotations

import gzip
import os
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    AnswerError,
    BcPictureError,
    CutShortError,
    RetryPolicy,
    TransportError,
)
from bcpicture.emulator import Answers, Fault
from bcpicture.resources.pictures import PictureHandle

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

SMALL = os.urandom(20_000)
LARGE = os.urandom(3_000_000)
SIZES = [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large")]

ONCE = RetryPolicy(attempts=1)


async def by_read(picture: PictureHandle, _: Path) -> bytes:
    return await picture.read()


async def by_open(picture: PictureHandle, _: Path) -> bytes:
    async with picture.open() as stream:
        return b"".join([chunk async for chunk in stream])


async def by_download(picture: PictureHandle, folder: Path) -> bytes:
    await picture.download(folder / "out.jpg")
    return (folder / "out.jpg").read_bytes()


Way: TypeAlias = Callable[[PictureHandle, Path], Awaitable[bytes]]
WAYS = [
    pytest.param(by_read, id="read"),
    pytest.param(by_open, id="open"),
    pytest.param(by_download, id="download"),
]


@pytest.mark.parametrize("data", SIZES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "answers",
    [
        Answers(),
        Answers(content_length=False),
        Answers(content_header="absent"),
        Answers(content_header="octet-stream", content_etag=True, ranges=True),
    ],
    ids=["usual", "chunked", "untyped", "typed"],
)
async def test_the_bytes_come_back_as_they_are(
    paired: Paired, tmp_path: Path, way: Way, data: bytes, answers: Answers
):
    async with paired({"answers": answers}) as pair:
        pair.stored = data
        assert await way(pair.picture, tmp_path) == data
        assert pair.governor.in_flight == 0
        assert "gzip" not in pair.server.log[-1].headers["Accept-Encoding"]


BROKEN = [
    pytest.param(Fault("truncate", at=7000), "before its announced length", id="cut"),
    pytest.param(Fault("reset_reply", at=7000), "before its", id="reset"),
    pytest.param(Fault("bad_gzip"), "packed body ended too early", id="cut-gzip"),
    pytest.param(Fault("html"), "web page", id="web-page"),
    pytest.param(Fault("malformed"), "is not HTTP", id="not-http"),
    pytest.param(
        Fault("redirect", message="https://evil.example/"), "redirects", id="redirect"
    ),
    pytest.param(
        Fault("redirect", status=307, message="/elsewhere"), "redirects", id="307"
    ),
]


@pytest.mark.parametrize(("fault", "words"), BROKEN)
@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_that_is_not_whole_is_named(
    paired: Paired, tmp_path: Path, way: Way, fault: Fault, words: str
):
    (tmp_path / "out.jpg").write_bytes(b"old")
    async with paired(retries=ONCE) as pair:
        pair.stored = SMALL
        await pair.warm_up()
        pair.server.faults.add(fault)
        with pytest.raises((TransportError, AnswerError), match=words) as caught:
            await way(pair.picture, tmp_path)
        assert caught.value.failure.method == "GET"
        assert len(pair.server.log) == 1
        assert pair.governor.in_flight == 0
    assert (tmp_path / "out.jpg").read_bytes() == b"old"


@pytest.mark.parametrize("way", [by_read, by_download], ids=["read", "download"])
@pytest.mark.parametrize("data", SIZES)
@pytest.mark.parametrize(
    "fault",
    [
        Fault("truncate", at=7000),
        Fault("reset_reply", at=7000),
        Fault("bad_gzip"),
        Fault("malformed"),
        Fault("reset_before"),
        Fault("status", status=500),
    ],
    ids=lambda fault: fault.action,
)
async def test_a_broken_answer_is_asked_for_again_from_its_beginning(
    pair: Pair, tmp_path: Path, way: Way, data: bytes, fault: Fault
):
    pair.stored = data
    pair.server.faults.add(fault)
    assert await way(pair.picture, tmp_path) == data
    assert len(pair.server.log) == 2


async def test_a_stream_that_breaks_off_is_an_error_after_the_bytes_that_came(
    pair: Pair,
):
    """It cannot be asked for again: the caller has had the first bytes."""
    pair.stored = LARGE
    pair.server.faults.add(Fault("truncate", at=2_000_000))
    received = bytearray()
    stream = await pair.picture.open()

    async def read_on() -> None:
        async for chunk in stream:
            received.extend(chunk)

    with pytest.raises(CutShortError) as caught:
        await read_on()
    assert LARGE.startswith(bytes(received))
    assert caught.value.failure.method == "GET"
    assert pair.governor.in_flight == 0


# -- packed


async def answers_with(peer: Peer, body: bytes, headers: str) -> None:
    while await peer.head():
        await peer.answer(200, body, headers=headers)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip", gzip.compress(LARGE), id="gzip"),
        pytest.param("GZIP", gzip.compress(LARGE), id="in-capitals"),
        pytest.param(
            "gzip", gzip.compress(LARGE[:9]) + gzip.compress(LARGE[9:]), id="two-parts"
        ),
        pytest.param("identity", LARGE, id="identity"),
        pytest.param("Identity", LARGE, id="Identity"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
async def test_what_was_packed_on_the_way_is_unpacked(
    raw: Raw, tmp_path: Path, way: Way, encoding: str, body: bytes
):
    headers = f"Content-Encoding: {encoding}\r\n"
    async with (
        raw(lambda peer: answers_with(peer, body, headers)) as server,
        server.picture() as picture,
    ):
        assert await way(picture, tmp_path) == LARGE


@pytest.mark.parametrize("way", WAYS)
async def test_an_unknown_packing_is_named(raw: Raw, tmp_path: Path, way: Way):
    headers = "Content-Encoding: br\r\n"
    async with (
        raw(lambda peer: answers_with(peer, b"x", headers)) as server,
        server.picture() as picture,
    ):
        with pytest.raises(AnswerError, match="packed as 'br'"):
            await way(picture, tmp_path)


async def test_a_chunked_answer_without_its_end_is_cut_short(raw: Raw):
    async def talk(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await peer.say(b"5\r\nhello\r\n")

    async with raw(talk) as server, server.picture(retries=ONCE) as picture:
        with pytest.raises(CutShortError):
            await picture.read()


# -- how long it may be


@pytest.mark.parametrize("length", [True, False], ids=["told", "chunked"])
async def test_max_bytes_guards_the_memory(paired: Paired, *, length: bool):
    async with paired({"answers": Answers(content_length=length)}) as pair:
        pair.stored = LARGE
        with pytest.raises(AnswerError, match="max_bytes=1000"):
            await pair.picture.read(max_bytes=1000)
        assert pair.governor.in_flight == 0
        assert await pair.picture.read(max_bytes=len(LARGE)) == LARGE


async def test_max_bytes_guards_against_a_body_without_end(pair: Pair):
    pair.server.faults.add(
        Fault("endless", headers=(("Content-Type", "image/jpeg"),), times=None)
    )
    with pytest.raises(BcPictureError):
        await pair.picture.read(max_bytes=1_000_000)


async def test_max_bytes_guards_against_a_small_body_that_unpacks_to_a_huge_one(
    raw: Raw,
):
    bomb = gzip.compress(bytes(200_000_000), 9)
    headers = "Content-Encoding: gzip\r\n"
    async with (
        raw(lambda peer: answers_with(peer, bomb, headers)) as server,
        server.picture() as picture,
    ):
        tracemalloc.start()
        try:
            with pytest.raises(AnswerError, match="max_bytes"):
                await picture.read(max_bytes=1000)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 20_000_000
