"""What goes over the wire when a picture goes up, from every kind of source."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tempfile
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import RetryPolicy, SourceError, UsageError
from bcpicture.emulator import Answers, Fault
from bcpicture.emulator.artwork import dot

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

SMALL = dot(b"\xff\xd8\xff\xe0 a small picture")
LARGE = dot(os.urandom(3_000_001))

SIZES = [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large")]


async def chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]
        await asyncio.sleep(0)


def pieces(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]


class AsyncFile:
    """A file object whose `read` is a coroutine and which cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    async def read(self, size: int = -1) -> bytes:
        return self._inner.read(size)


def pipe(data: bytes) -> io.BufferedReader:
    """A file object that cannot seek."""
    readable, writable = os.pipe()

    def fill() -> None:
        with os.fdopen(writable, "wb") as sink:
            sink.write(data)

    threading.Thread(target=fill).start()
    return os.fdopen(readable, "rb")


def on_disk(data: bytes) -> Path:
    """A file in the working directory."""
    descriptor, name = tempfile.mkstemp(dir=Path.cwd())
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return Path(name)


SOURCES: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "memoryview-of-words": lambda data: memoryview(data + b"x" * (-len(data) % 4)),
    "path": on_disk,
    "str": lambda data: str(on_disk(data)),
    "file": lambda data: on_disk(data).open("rb"),
    "unbuffered-file": lambda data: on_disk(data).open("rb", buffering=0),
    "bytes-io": io.BytesIO,
    "async-iterator": chunks,
    "iterator": pieces,
    "list": lambda data: list(pieces(data)),
    "async-file": AsyncFile,
    "pipe": pipe,
}


@pytest.mark.parametrize("data", SIZES)
@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("faulty", [False, True], ids=["", "sent-twice"])
@pytest.mark.usefixtures("cwd")
async def test_every_kind_of_source_arrives_byte_for_byte(
    pair: Pair, kind: str, data: bytes, *, faulty: bool
):
    """The length is always told, and a second sending begins at the beginning."""
    source = SOURCES[kind](data)
    if kind == "memoryview-of-words":
        data = bytes(source)
        source = source.cast("I")
    if faulty:
        pair.server.faults.add(Fault("reset_during", at=len(data) // 2, method="PATCH"))
    done = await pair.picture.upload(source, digest=True)
    assert pair.stored == data
    assert done.size == len(data)
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert done.attempts == 1 + faulty
    for seen in pair.seen("PATCH"):
        assert seen.headers["Content-Length"] == str(len(data))
        assert "Transfer-Encoding" not in seen.headers
        assert "Expect" not in seen.headers
        assert seen.headers["Content-Type"] == "application/octet-stream"
    if hasattr(source, "close"):
        source.close()


@pytest.mark.parametrize("data", SIZES)
async def test_a_file_object_is_read_from_where_it_stands(pair: Pair, data: bytes):
    file = io.BytesIO(b"header" + data)
    file.seek(6)
    pair.server.faults.add(Fault("reset_after", method="PATCH"))
    done = await pair.picture.upload(file)
    assert pair.stored == data
    assert done.size == len(data)
    assert not file.closed


@pytest.mark.parametrize(
    "empty",
    [
        pytest.param(lambda: b"", id="bytes"),
        pytest.param(bytearray, id="bytearray"),
        pytest.param(io.BytesIO, id="file"),
        pytest.param(lambda: on_disk(b""), id="path"),
        pytest.param(lambda: chunks(b""), id="stream"),
        pytest.param(lambda: iter([b"", b""]), id="stream-of-nothings"),
        pytest.param(lambda: AsyncFile(b""), id="async-file"),
    ],
)
@pytest.mark.usefixtures("cwd")
async def test_nothing_is_never_uploaded(pair: Pair, empty: Callable[[], Any]):
    """An empty upload blanks the picture, and says 204."""
    pair.stored = SMALL
    with pytest.raises(SourceError, match="call delete"):
        await pair.picture.upload(empty())
    assert pair.stored == SMALL
    assert not pair.server.log


async def test_a_file_object_at_its_end_is_nothing(pair: Pair):
    file = io.BytesIO(SMALL)
    file.read()
    with pytest.raises(SourceError, match="from where it stands"):
        await pair.picture.upload(file)
    assert not pair.server.log


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        pytest.param(io.StringIO("text"), "rb", id="text-file"),
        pytest.param(iter(["text"]), "binary mode", id="stream-of-text"),
        pytest.param([1, 2, 3], "not bytes", id="numbers"),
        pytest.param(iter([b"a", None, b"b"]), "not bytes", id="none-in-between"),
        pytest.param(17, "cannot be uploaded", id="number"),
        pytest.param(None, "cannot be uploaded", id="none"),
    ],
)
async def test_what_has_no_bytes_is_refused(pair: Pair, source: object, hint: str):
    with pytest.raises(UsageError, match=hint):
        await pair.picture.upload(source)
    assert not pair.server.log


async def test_a_file_open_in_text_mode_is_refused(pair: Pair, tmp_path: Path):
    path = tmp_path / "picture.jpg"
    path.write_bytes(SMALL)
    with path.open() as file, pytest.raises(UsageError, match='"rb"'):
        await pair.picture.upload(file)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda folder: folder / "missing.jpg", id="missing"),
        pytest.param(lambda folder: folder, id="folder"),
        pytest.param(lambda _: "/dev/zero", id="device"),
        pytest.param(lambda folder: folder / ("x" * 300), id="name-too-long"),
        pytest.param(lambda folder: f"{folder}/nul\0.jpg", id="nul"),
    ],
)
async def test_a_path_without_a_file_is_refused(
    pair: Pair, tmp_path: Path, make: Callable[[Path], Any]
):
    with pytest.raises((SourceError, UsageError)):
        await pair.picture.upload(make(tmp_path))
    assert not pair.server.log


async def test_a_named_pipe_is_refused_and_blocks_no_thread(pair: Pair, tmp_path: Path):
    """To open one waits for a writer, who may never come."""
    path = tmp_path / "pipe.jpg"
    os.mkfifo(path)
    attempt = asyncio.create_task(pair.picture.upload(path))
    await asyncio.wait([attempt], timeout=0.3)
    came = attempt.done()
    # Whoever still waits is let go, or the thread would outlive the tests.
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    with pytest.raises(SourceError, match="not a file"):
        await attempt
    assert came


async def test_a_closed_file_object_is_refused(pair: Pair):
    file = io.BytesIO(SMALL)
    file.close()
    with pytest.raises((SourceError, UsageError)):
        await pair.picture.upload(file)
    assert not pair.server.log


async def test_a_large_path_is_never_read_whole(pair: Pair, tmp_path: Path):
    path = tmp_path / "large.bmp"
    with path.open("wb") as file:
        file.truncate(60_000_000)
    await pair.picture.upload(
        path, preflight=False
    )  # so that what is made once is made
    tracemalloc.start()
    try:
        done = await pair.picture.upload(path, preflight=False)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert done.size == 60_000_000
    # The emulator, which shares the process, holds a few blocks as well.
    assert peak < 20_000_000


async def test_the_caller_may_change_a_small_buffer_meanwhile(raw: Raw):
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def talk(peer: Peer) -> None:
        head = await peer.head()
        begun.set()
        await go_on.wait()
        await peer.body(head)
        await peer.answer(204)

    buffer = bytearray(b"a" * 500_000)
    async with raw(talk) as server, server.picture() as picture:
        uploading = asyncio.create_task(picture.upload(buffer, preflight=False))
        await begun.wait()
        buffer[:] = b"b" * 500_000
        go_on.set()
        await uploading
        assert server.bodies == [b"a" * 500_000]


@pytest.mark.parametrize("reply", [204, 200])
async def test_both_known_replies_are_a_success_without_a_further_request(
    paired: Paired, reply: int
):
    async with paired({"answers": Answers(upload_reply=reply)}) as pair:
        await pair.warm_up()
        done = await pair.picture.upload(SMALL)
        assert len(pair.server.log) == 1
        assert done.request_id
        assert (done.etag is None) is (reply == 204)
        if reply == 200:
            assert done.etag == (await pair.picture.info()).etag


async def test_an_upload_can_say_nothing_more_than_it_knows(pair: Pair):
    done = await pair.picture.upload(SMALL)
    assert (done.size, done.sha256, done.etag, done.attempts) == (
        *(len(SMALL), None, None),
        1,
    )


async def test_a_success_for_bytes_that_never_left_is_an_error(raw: Raw):
    """Something in between answers before the body: nothing can be stored."""

    async def talk(peer: Peer) -> None:
        await peer.head()
        await peer.answer(204)
        await asyncio.sleep(0.2)

    async with raw(talk) as server, server.picture() as picture:
        with pytest.raises(Exception, match="before the whole body had left") as caught:
            await picture.upload(dot(os.urandom(30_000_000)))
        assert "204" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [pytest.param(413, "TooLargeError", id="413"), pytest.param(401, "", id="401")],
)
async def test_a_refusal_before_the_body_is_read_is_heard(
    paired: Paired, status: int, kind: str
):
    """A large body is still on its way when the answer comes."""
    data = dot(os.urandom(20_000_000))
    async with paired({"body_limit": 1_000_000} if status == 413 else {}) as pair:
        await pair.warm_up()
        if status == 401:
            pair.server.identity.revoke_all()
            assert (await pair.picture.upload(data)).attempts == 2
            assert pair.stored == data
        else:
            with pytest.raises(Exception, match="350 MB") as caught:
                await pair.picture.upload(data)
            assert type(caught.value).__name__ == kind
            assert pair.stored is None


async def test_without_retries_a_body_is_sent_once(paired: Paired):
    async with paired(retries=RetryPolicy(attempts=1)) as pair:
        await pair.warm_up()
        pair.server.faults.add(Fault("reset_during", at=10, method="PATCH"))
        with pytest.raises(Exception, match="retries are off"):
            await pair.picture.upload(LARGE)
        assert len(pair.seen("PATCH")) == 1
