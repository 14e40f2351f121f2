"""Whatever takes bytes can be a target, and nothing is written twice."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import pytest

from bcpicture import (
    ALREADY_THERE,
    AnswerError,
    CutShortError,
    NoPictureError,
    RetryPolicy,
    TargetError,
    UsageError,
)
from bcpicture.emulator import Fault

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any
Make: TypeAlias = Callable[..., Any]
Data: TypeAlias = Any  # whatever has bytes: the buffer protocol has no name yet

SMALL = os.urandom(20_000)
LARGE = os.urandom(3_000_000)
SIZES = [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large")]
ONCE = RetryPolicy(attempts=1)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class Pipe:
    """An object with nothing but `write`, such as the end of a pipe has."""

    def __init__(self) -> None:
        self.got = b""

    def write(self, data: bytes) -> int:
        self.got += data
        return len(data)


class AsyncPipe(Pipe):
    """The same, to be awaited."""

    async def write(self, data: bytes) -> int:
        await asyncio.sleep(0)
        return super().write(data)


class Stingy(io.BytesIO):
    """Takes a little at a time, as unbuffered files may."""

    def write(self, data: Data) -> int:
        return super().write(data[:100_000])


# -- file objects


@pytest.mark.parametrize("data", SIZES)
async def test_a_file_object_gets_the_bytes_from_where_it_stands(
    pair: Pair, tmp_path: Path, data: bytes
):
    pair.stored = data
    with (tmp_path / "a").open("wb") as file:
        file.write(b"before")
        done = await pair.picture.download(file, digest=True)
        assert (tmp_path / "a").read_bytes() == b"before" + data  # flushed
        assert file.tell() == len(data) + 6
    assert (done.path, done.size, done.sha256) == (None, len(data), sha256(data))


@pytest.mark.parametrize("data", SIZES)
@pytest.mark.parametrize("make", [Pipe, AsyncPipe, io.BytesIO, Stingy])
async def test_what_can_write_is_enough(pair: Pair, make: Make, data: bytes):
    pair.stored = data
    target = make()
    await pair.picture.download(target)
    assert (target.got if isinstance(target, Pipe) else target.getvalue()) == data


@pytest.mark.parametrize("data", SIZES)
async def test_an_async_file_object_gets_the_bytes(
    pair: Pair, tmp_path: Path, data: bytes
):
    pair.stored = data
    async with await anyio.open_file(tmp_path / "a", "wb") as file:
        await file.write(b"before")
        done = await pair.picture.download(file)
        assert (tmp_path / "a").read_bytes() == b"before" + data
    assert done.path is None


async def test_other_wrappers_are_files_as_well(pair: Pair, tmp_path: Path):
    pair.stored = LARGE
    with gzip.open(tmp_path / "a.gz", "wb") as packed:
        await pair.picture.download(packed)
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == LARGE
    with tempfile.SpooledTemporaryFile() as spooled:
        await pair.picture.download(spooled)
        spooled.seek(0)
        assert spooled.read() == LARGE


async def test_a_pipe_of_the_system_is_fed_by_a_thread(pair: Pair):
    pair.stored = LARGE
    read, write = os.pipe()
    with os.fdopen(read, "rb") as source, os.fdopen(write, "wb", 0) as target:
        reading = asyncio.create_task(asyncio.to_thread(source.read, len(LARGE)))
        await pair.picture.download(target)
        assert await reading == LARGE


@pytest.mark.parametrize("data", SIZES)
async def test_the_writer_of_a_socket_is_not_touched_by_a_thread(
    pair: Pair, data: bytes
):
    pair.stored = data
    got = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.set_result(await reader.read(-1))
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    # In debug mode the loop refuses to be touched by a thread that is not its own.
    asyncio.get_running_loop().set_debug(True)
    pair.server.faults.add(Fault("truncate", at=len(data) - 1))
    await pair.picture.download(writer)
    writer.close()
    assert await got == data
    server.close()


# -- a second attempt


@pytest.mark.parametrize("make", [Pipe, AsyncPipe, io.BytesIO, Stingy])
async def test_nothing_is_written_twice_when_the_answer_begins_again(
    pair: Pair, make: Make
):
    pair.stored = LARGE
    for at in (2_999_999, 1_500_000):
        pair.server.faults.add(Fault("truncate", at=at))
    target = make()
    done = await pair.picture.download(target, digest=True)
    assert done.attempts == 3
    assert done.sha256 == sha256(LARGE)
    assert (target.got if isinstance(target, Pipe) else target.getvalue()) == LARGE


async def test_an_async_file_goes_back_when_the_answer_begins_again(
    pair: Pair, tmp_path: Path
):
    pair.stored = LARGE
    pair.server.faults.add(Fault("truncate", at=2_999_999))
    async with await anyio.open_file(tmp_path / "a", "wb") as file:
        await file.write(b"before")
        assert (await pair.picture.download(file)).attempts == 2
    assert (tmp_path / "a").read_bytes() == b"before" + LARGE


async def changing(peer: Peer, later: bytes) -> None:
    """Answers with the half of one picture first, then with another one."""
    await peer.asked()
    if len(peer.server.heads) == 1:
        length = f"Content-Length: {len(LARGE)}\r\n\r\n".encode()
        await peer.say(b"HTTP/1.1 200 OK\r\n" + length + LARGE[:2_500_000])
    else:
        await peer.answer(body=later)


@pytest.mark.parametrize("make", [Pipe, AsyncPipe])
@pytest.mark.parametrize(
    "later",
    [
        pytest.param(bytes([LARGE[0] ^ 1]) + LARGE[1:], id="other"),
        pytest.param(LARGE[:9000], id="small"),
        pytest.param(LARGE[:1_500_000], id="shorter"),
    ],
)
async def test_what_cannot_be_taken_back_is_never_followed_by_another_picture(
    raw: Raw, make: Make, later: bytes
):
    target = make()
    async with (
        raw(lambda peer: changing(peer, later)) as server,
        server.picture() as picture,
    ):
        with pytest.raises(TargetError, match="path"):
            await picture.download(target)
    assert LARGE.startswith(target.got)


@pytest.mark.parametrize("later", [SMALL, LARGE[:1_500_000], b"x" + LARGE])
async def test_what_can_seek_holds_the_second_picture_alone(raw: Raw, later: bytes):
    target = io.BytesIO(b"before")
    target.seek(0, io.SEEK_END)
    async with (
        raw(lambda peer: changing(peer, later)) as server,
        server.picture() as picture,
    ):
        await picture.download(target)
    assert target.getvalue() == b"before" + later


async def test_what_stands_behind_is_not_cut_off(pair: Pair):
    """It may be the rest of an archive."""
    pair.stored = LARGE
    target = io.BytesIO(bytes(4_000_000))
    target.seek(500_000)
    pair.server.faults.add(Fault("truncate", at=2_999_999))
    await pair.picture.download(target)
    expected = bytes(500_000) + LARGE + bytes(500_000)
    assert target.getvalue() == expected


# -- what fails


async def test_an_error_takes_a_file_object_back_to_where_it_stood(
    paired: Paired, tmp_path: Path
):
    async with paired(retries=ONCE) as pair:
        pair.stored = LARGE
        await pair.warm_up()
        pair.server.faults.add(Fault("truncate", at=2_999_999))
        with (tmp_path / "a").open("wb") as file:
            file.write(b"before")
            with pytest.raises(CutShortError):
                await pair.picture.download(file)
            assert file.tell() == 6
        pair.server.faults.add(Fault("truncate", at=2_999_999))
        async with await anyio.open_file(tmp_path / "b", "wb") as later:
            with pytest.raises(CutShortError):
                await pair.picture.download(later)
            assert await later.tell() == 0
    assert (tmp_path / "a").read_bytes() == b"before"
    assert (tmp_path / "b").read_bytes() == b""


async def test_without_a_picture_a_file_object_is_left_alone(pair: Pair):
    target = io.BytesIO()
    with pytest.raises(NoPictureError):
        await pair.picture.download(target)
    assert target.getvalue() == b""


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        pytest.param(lambda _: io.StringIO(), '"wb"', id="text"),
        pytest.param(lambda path: path.open("w"), '"wb"', id="text-file"),
        pytest.param(
            lambda path: tempfile.NamedTemporaryFile("w", dir=path.parent),  # noqa: SIM115 - closed below
            '"wb"',
            id="text-wrapper",
        ),
        pytest.param(lambda path: path.open("rb"), '"wb"', id="read-only"),
        pytest.param(lambda _: 5, "Give a path", id="number"),
        pytest.param(lambda _: b"a.jpg", "Give a path", id="bytes"),
        pytest.param(lambda _: None, "Give a path", id="none"),
    ],
)
async def test_what_takes_no_bytes_is_refused_before_anything_is_sent(
    pair: Pair, tmp_path: Path, make: Make, advice: str
):
    path = tmp_path / "there"
    path.touch()
    target = make(path)
    with pytest.raises(UsageError, match=advice):
        await pair.picture.download(target)
    if hasattr(target, "close"):
        target.close()
    assert pair.seen() == []


async def test_an_async_text_file_and_a_closed_file_are_refused(
    pair: Pair, tmp_path: Path
):
    async with await anyio.open_file(tmp_path / "a", "w") as file:
        with pytest.raises(UsageError, match='"wb"'):
            await pair.picture.download(file)
    with (tmp_path / "b").open("wb") as closed:
        pass
    with pytest.raises(UsageError, match="Open it again"):
        await pair.picture.download(closed)


async def test_a_file_object_has_no_extension_and_is_not_read(pair: Pair):
    with pytest.raises(UsageError, match="sniff_extension"):
        await pair.picture.download(io.BytesIO(), sniff_extension=True)
    with pytest.raises(UsageError, match="digest"):
        await pair.picture.download(io.BytesIO(), unless=ALREADY_THERE)


class Slow(io.FileIO):
    """A file on a slow disk, whose owner wants to know who is still at it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "wb")
        self.began = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.ends = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the test
        self.busy = False

    def write(self, data: Data) -> int:
        self.busy = True
        self.loop.call_soon_threadsafe(self.began.set)
        os.fsync(self.ends.fileno())
        count = super().write(data)
        self.busy = False
        return count


async def test_no_thread_is_at_work_on_a_file_object_after_a_cancellation(
    pair: Pair, tmp_path: Path
):
    """Its owner closes it next, or writes something else into it."""
    pair.stored = LARGE
    with Slow(tmp_path / "a") as file:
        downloading = asyncio.create_task(pair.picture.download(file))
        await file.began.wait()
        downloading.cancel()
        await asyncio.sleep(0)
        downloading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await downloading
        assert not file.busy
        assert file.tell() == 0
        file.write(b"something else")
        file.ends.close()
    assert (tmp_path / "a").read_bytes() == b"something else"
    assert pair.governor.in_flight == 0


# -- not more than so many bytes


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("size", [SMALL, LARGE])
async def test_a_picture_that_is_too_long_is_an_error_and_leaves_nothing(
    raw: Raw, tmp_path: Path, size: bytes, *, announced: bool
):
    async def talk(peer: Peer) -> None:
        while await peer.asked():
            if announced:
                await peer.answer(body=size)
            else:
                await peer.say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + size)
                peer.writer.close()

    target = io.BytesIO()
    async with raw(talk) as server, server.picture() as picture:
        for where in (tmp_path / "a.jpg", target):
            with pytest.raises(AnswerError, match="max_bytes"):
                await picture.download(where, max_bytes=len(size) - 1)
        done = await picture.download(tmp_path / "b.jpg", max_bytes=len(size))
        assert done.size == len(size)
    assert target.getvalue() == b""
    assert names(tmp_path) == ["b.jpg"]


# -- unless


@pytest.mark.parametrize("data", SIZES)
async def test_a_file_of_the_same_bytes_is_left_alone(
    pair: Pair, tmp_path: Path, data: bytes
):
    pair.stored = data
    path = tmp_path / "a.jpg"
    first = await pair.picture.download(path, unless=ALREADY_THERE)
    assert (first.unchanged, first.path) == (False, path)
    os.utime(path, ns=(5, 5))
    for unless in (ALREADY_THERE, first, sha256(data), sha256(data).upper()):
        done = await pair.picture.download(path, unless=unless)
        assert done.unchanged
        assert (done.path, done.size, done.sha256) == (path, len(data), sha256(data))
        assert path.stat().st_mtime_ns == 5
    assert names(tmp_path) == ["a.jpg"]


@pytest.mark.parametrize("data", SIZES)
@pytest.mark.parametrize("old", [b"shorter", None, "same size"])
async def test_a_file_of_other_bytes_is_replaced(
    pair: Pair, tmp_path: Path, data: bytes, old: bytes | str | None
):
    pair.stored = data
    path = tmp_path / "a.jpg"
    if old is not None:
        path.write_bytes(bytes(len(data)) if old == "same size" else b"shorter")
    done = await pair.picture.download(path, unless=ALREADY_THERE)
    assert not done.unchanged
    assert path.read_bytes() == data
    path.write_bytes(b"old")
    assert not (await pair.picture.download(path, unless=sha256(b"old"))).unchanged
    assert path.read_bytes() == data


async def test_the_name_that_the_bytes_ask_for_is_the_one_that_is_compared(
    pair: Pair, tmp_path: Path
):
    pair.stored = b"\x89PNG\r\n\x1a\n" + SMALL
    for unchanged in (False, True):
        done = await pair.picture.download(
            tmp_path / "a.jpg", unless=ALREADY_THERE, sniff_extension=True
        )
        assert (done.unchanged, done.path) == (unchanged, tmp_path / "a.png")


@pytest.mark.parametrize("data", SIZES)
async def test_a_file_object_is_not_touched_unless_the_bytes_are_others(
    pair: Pair, data: bytes
):
    pair.stored = data
    plain, pipe = io.BytesIO(), AsyncPipe()
    for target in (plain, pipe):
        done = await pair.picture.download(target, unless=sha256(data))
        assert (done.unchanged, done.size) == (True, len(data))
    assert plain.getvalue() == pipe.got == b""
    pair.server.faults.add(Fault("truncate", at=len(data) - 1))
    for target in (plain, pipe):
        assert not (await pair.picture.download(target, unless="0" * 64)).unchanged
    assert plain.getvalue() == pipe.got == data
