"""A download is whole, or an error that says what was wrong with it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import os
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    AnswerError,
    BcPictureError,
    BusinessCentral,
    CutShortError,
    Endpoint,
    NoPictureError,
    Quota,
    RetryPolicy,
    StaticToken,
    TransportError,
)
from bcpicture.emulator import Answers, Fault, ThreadedEmulator
from bcpicture.resources.pictures import PictureHandle

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Leftovers: TypeAlias = Any
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


# -- into a file


async def test_a_download_says_what_it_saved(pair: Pair, tmp_path: Path):
    data = b"\x89PNG\r\n\x1a\n" + SMALL
    pair.stored = data
    done = await pair.picture.download(tmp_path / "a.jpg", digest=True)
    assert done.path == tmp_path / "a.jpg"
    assert done.size == len(data)
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert done.content_type == "image/png"
    assert done.attempts == 1
    assert (await pair.picture.download(tmp_path / "a.jpg")).sha256 is None


async def test_a_download_says_how_often_it_asked(pair: Pair, tmp_path: Path):
    pair.stored = SMALL
    pair.server.faults.add(Fault("truncate", at=7000))
    done = await pair.picture.download(tmp_path / "a.jpg", digest=True)
    assert done.sha256 == hashlib.sha256(SMALL).hexdigest()
    assert done.attempts == 2


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_the_extension_can_follow_the_bytes(pair: Pair, tmp_path: Path):
    """The service calls every picture .jpg."""
    pair.stored = b"\x89PNG\r\n\x1a\n" + LARGE
    done = await pair.picture.download(tmp_path / "1.5.jpg", sniff_extension=True)
    assert done.path == tmp_path / "1.5.png"
    assert names(tmp_path) == ["1.5.png"]


async def test_without_a_picture_the_old_file_stays(pair: Pair, tmp_path: Path):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"old")
    with pytest.raises(NoPictureError):
        await pair.picture.download(path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize("data", SIZES)
async def test_a_download_that_fails_leaves_no_file_behind(
    paired: Paired, tmp_path: Path, leftovers: Leftovers, data: bytes
):
    async with paired(retries=ONCE) as pair:
        pair.stored = data
        await pair.warm_up()
        pair.server.faults.add(Fault("truncate", at=len(data) - 1))
        with pytest.raises(CutShortError):
            await pair.picture.download(tmp_path / "a.jpg")
        assert await leftovers.are_gone_from(tmp_path)


@pytest.mark.parametrize("data", SIZES)
@pytest.mark.parametrize(
    "hinder",
    [
        pytest.param(lambda path: path.parent.rmdir(), id="folder-gone"),
        pytest.param(lambda path: path.mkdir(), id="folder-of-that-name"),
    ],
)
async def test_a_disk_error_is_an_oserror_and_leaves_nothing_behind(
    pair: Pair,
    tmp_path: Path,
    leftovers: Leftovers,
    data: bytes,
    hinder: Callable[[Path], None],
):
    pair.stored = data
    folder = tmp_path / "out"
    folder.mkdir()
    hinder(folder / "a.jpg")
    with pytest.raises(OSError, match=r"a\.jpg|directory"):
        await pair.picture.download(folder / "a.jpg")
    assert pair.governor.in_flight == 0
    assert await leftovers.are_gone_from(folder, but={"a.jpg"})


def test_a_full_disk_is_an_oserror_and_leaves_the_old_file(tmp_path: Path):
    """In a process of its own, whose files may not grow beyond a limit."""
    program = """
        import asyncio, resource, signal, sys
        from pathlib import Path
        from bcpicture import BusinessCentral, Endpoint, StaticToken
        from bcpicture.emulator import Emulator

        target = Path(sys.argv[1])

        async def main():
            async with Emulator() as server:
                token = StaticToken(server.identity.token())
                item = server.store.company("CRONUS USA, Inc.").item("1896-S")
                await asyncio.to_thread(item.set_picture, bytes(3_000_000))
                endpoint = Endpoint.at(server.base_urls["v2.0"])
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, -1))
                async with BusinessCentral(endpoint, token) as bc:
                    item = bc.company("CRONUS USA, Inc.").item(number="1896-S")
                    try:
                        await item.picture.download(target)
                    except OSError as exc:
                        print(type(exc).__name__, exc.errno)

        asyncio.run(main())
    """
    target = tmp_path / "a.jpg"
    target.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), str(target)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "OSError 27\n", done.stderr
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


async def test_a_stream_holds_its_place_until_it_ends(pair: Pair):
    pair.stored = LARGE
    async with pair.picture.open() as stream:
        assert pair.governor.in_flight == 1
        assert stream.length == len(LARGE)
        assert stream.content_type == "image/jpeg"
        assert stream.etag is None
        async for _ in stream:
            pass
        assert pair.governor.in_flight == 0


@pytest.mark.parametrize("how", ["closed", "left", "dropped", "failed", "cancelled"])
async def test_a_stream_gives_its_place_back_however_it_ends(
    pair: Pair, leftovers: Leftovers, how: str
):
    pair.stored = LARGE

    async def use() -> None:
        stream = await pair.picture.open()
        await anext(stream)
        if how == "closed":
            await stream.aclose()
            await stream.aclose()
        if how == "left":
            async with stream:
                pass
        if how == "failed":
            async with stream:
                raise LookupError
        if how == "cancelled":
            async with stream:
                await asyncio.Event().wait()

    using = asyncio.create_task(use())
    await asyncio.wait([using], timeout=0.1)
    using.cancel()
    await asyncio.wait([using])
    del using
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
    pair.stored = SMALL
    assert await pair.picture.read() == SMALL


async def test_a_stream_that_ended_stays_ended(pair: Pair):
    """As every asynchronous iterator does."""
    pair.stored = SMALL
    stream = await pair.picture.open()
    assert b"".join([chunk async for chunk in stream]) == SMALL
    assert [chunk async for chunk in stream] == []


async def test_a_stream_that_was_closed_is_not_read_as_an_end(pair: Pair):
    pair.stored = LARGE
    stream = await pair.picture.open()
    await anext(stream)
    await stream.aclose()
    with pytest.raises(BcPictureError, match="closed"):
        await anext(stream)


def test_a_stream_that_outlives_its_loop_makes_no_noise():
    with ThreadedEmulator() as server:
        item = server.store.company("CRONUS USA, Inc.").item("1896-S")
        item.set_picture(LARGE)
        token = StaticToken(server.identity.token())

        async def main() -> object:
            async with BusinessCentral(
                Endpoint.at(server.base_urls["v2.0"]), token
            ) as bc:
                company = bc.company("CRONUS USA, Inc.")
                stream = await company.item(number="1896-S").picture.open()
                await anext(stream)
                return stream

        stream = asyncio.run(main())
        del stream


async def test_a_stream_that_a_thread_drops_gives_its_place_back(paired: Paired):
    """Garbage is collected wherever it is found: in an executor's thread, too."""
    async with paired(quota=Quota(concurrent=1, requests=1000, seconds=0.3)) as pair:
        pair.stored = LARGE
        await pair.warm_up()
        held = [await pair.picture.open()]
        await anext(held[0])
        waiting = asyncio.create_task(pair.picture.info())
        await asyncio.sleep(0.01)
        await asyncio.to_thread(held.clear)
        async with asyncio.timeout(2):
            await waiting
