"""Whatever an application holds becomes a picture, without a copy where it can."""

from __future__ import annotations

import asyncio
import io
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import anyio
import pytest

from bcpicture import SourceError, UnavailableError, UsageError
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot
from bcpicture.net.bodies import BLOCK
from bcpicture.net.gathering import ThreadedStream

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any
Leftovers: TypeAlias = Any

DATA = dot(os.urandom(700_000 - len(dot())))
LONG = DATA * 15  # more than what is under way between two sockets


async def chunks(data: bytes = DATA) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]
        await asyncio.sleep(0)


def pieces(data: bytes = DATA) -> Iterator[bytes]:
    for start in range(0, len(data), 100_000):
        yield data[start : start + 100_000]


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "1896-S.jpg"
    path.write_bytes(DATA)
    return path


@pytest.fixture
def no_spools(monkeypatch: pytest.MonkeyPatch) -> None:
    """To put anything into a temporary file is an error."""
    monkeypatch.delattr("bcpicture.net.spools.tempfile.TemporaryFile")


async def until_closed(files: list[Any]) -> None:
    """Return when there are files, and threads have closed them."""
    for _ in range(1000):
        if files and all(file.closed for file in files):
            return
        await asyncio.sleep(0.005)
    raise AssertionError(files)


def twice(pair: Pair) -> None:
    """Let the first attempt break in the middle, and the second one at the end."""
    pair.server.faults.add(
        Fault("reset_during", at=300_000, method="PATCH"),
        Fault("status", status=503, retry_after="0", method="PATCH"),
    )


# -- streams


@pytest.mark.parametrize("size", [1, 1000, 300_000])
async def test_an_iterator_is_read_many_chunks_a_hop(pair: Pair, size: int):
    """And never on the thread of the loop."""
    threads = []

    def photo() -> Iterator[bytes]:
        for start in range(0, len(DATA), size):
            if not start % 100_000:
                threads.append(threading.current_thread())
            yield DATA[start : start + size]

    await pair.picture.upload(photo())
    assert pair.stored == DATA
    assert threading.main_thread() not in threads
    assert threads


async def test_a_hop_gathers_a_block_and_no_more():
    taken = 0

    def step() -> bytes:
        nonlocal taken
        taken += 1
        return b"x" * (BLOCK // 4)

    stream = ThreadedStream(step)
    blocks = stream.blocks()
    first = await anext(blocks)
    await asyncio.sleep(0.02)
    assert len(first) == BLOCK
    assert taken == 8  # one block more is read ahead
    await blocks.aclose()


async def test_what_a_slow_iterator_has_yielded_is_on_its_way():
    """It does not wait for the next chunk, which may never come."""
    go_on = threading.Event()

    def photo() -> Iterator[bytes]:
        yield b"first"
        go_on.wait(5)
        yield b"second"

    steps = photo()
    stream = ThreadedStream(lambda: next(steps, None))
    blocks = stream.blocks()
    assert await anext(blocks) == b"first"
    assert not go_on.is_set()
    go_on.set()
    assert [block async for block in blocks] == [b"second"]


async def test_cancelling_leaves_an_iterator_alone_soon(
    pair: Pair, leftovers: Leftovers
):
    """The thread that is at work takes no further step."""
    began, steps = threading.Event(), []

    def photo() -> Iterator[bytes]:
        while True:
            began.set()
            steps.append(1)
            time.sleep(0.005)
            yield b"x"

    uploading = asyncio.create_task(pair.picture.upload(photo()))
    await asyncio.to_thread(began.wait)
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    await asyncio.sleep(0.05)
    seen = len(steps)
    await asyncio.sleep(0.05)
    assert len(steps) == seen
    assert await leftovers.are_gone()


async def test_an_error_of_an_iterator_comes_out_as_it_is(pair: Pair):
    def photo() -> Iterator[bytes]:
        yield DATA
        raise LookupError("the source broke")

    with pytest.raises(LookupError, match="the source broke"):
        await pair.picture.upload(photo())
    assert not pair.server.log


async def test_a_file_object_without_bytes_at_the_moment_is_no_end(pair: Pair):
    """A non-blocking pipe says None, and goes on later: half a picture is none."""
    readable, writable = os.pipe()
    os.write(writable, DATA[:1000])
    os.set_blocking(readable, False)
    with (
        os.fdopen(readable, "rb", buffering=0) as file,
        pytest.raises(SourceError, match="blocking mode"),
    ):
        await pair.picture.upload(file)
    os.close(writable)
    assert not pair.server.log


@pytest.mark.parametrize("spool", [True, False])
async def test_views_are_bytes_too(pair: Pair, *, spool: bool):
    async def views() -> AsyncIterator[memoryview]:
        changing = bytearray(len(DATA) // 2)
        for start in (0, len(DATA) // 2):
            changing[:] = DATA[start : start + len(changing)]
            yield memoryview(changing)

    await pair.picture.upload(views(), spool=spool, length=len(DATA))
    assert pair.stored == DATA


@pytest.mark.usefixtures("no_spools")
async def test_a_small_stream_stays_in_memory(pair: Pair):
    await pair.picture.upload(chunks())
    assert pair.stored == DATA


async def test_a_length_that_is_wrong_is_told_of_any_source(pair: Pair, path: Path):
    for source in (DATA, path, io.BytesIO(DATA), lambda: DATA, lambda: path):
        with pytest.raises(SourceError, match="has 700000 bytes, not 3"):
            await pair.picture.upload(source, length=3)
    assert not pair.server.log


# -- async file objects


@pytest.mark.usefixtures("no_spools")
async def test_an_async_file_object_that_seeks_is_read_again(pair: Pair, path: Path):
    """From where it stood, and without a copy of it."""
    write(path, b"header" + DATA)
    twice(pair)
    async with await anyio.open_file(path, "rb") as file:
        await file.seek(6)
        done = await pair.picture.upload(file)
        assert done.attempts == 3
        assert not file.wrapped.closed
    assert pair.stored == DATA


async def test_an_async_file_object_that_grows_is_never_completed(
    pair: Pair, path: Path
):
    pair.stored = b"old"

    async def grow(_: object) -> None:
        async with await anyio.open_file(path, "ab") as more:
            await more.write(b"x")

    write(path, DATA * 10)
    async with await anyio.open_file(path, "rb") as file:
        with pytest.raises(SourceError, match="changed while"):
            await pair.picture.upload(file, progress=grow)
    assert pair.stored == b"old"


async def test_an_async_file_object_at_its_end_is_nothing(pair: Pair, path: Path):
    async with await anyio.open_file(path, "rb") as file:
        await file.read()
        with pytest.raises(SourceError, match="from where it stands"):
            await pair.picture.upload(file)


# -- factories


class Closing:
    """Counts what it hands out, and what was closed of it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.made: list[Any] = []

    def __call__(self) -> object:
        self.made.append(self._make())
        return self.made[-1]


async def wait_for(it: object) -> object:
    await asyncio.sleep(0)
    return it


FACTORIES: dict[str, Callable[[Path], Callable[[], Any]]] = {
    "bytes": lambda _: lambda: DATA,
    "path": lambda path: lambda: path,
    "file": lambda path: lambda: path.open("rb"),
    "unbuffered-file": lambda path: lambda: path.open("rb", buffering=0),
    "bytes-io": lambda _: lambda: io.BytesIO(DATA),
    "iterator": lambda _: pieces,
    "list": lambda _: lambda: list(pieces()),
    "async-iterator": lambda _: chunks,
    "coroutine": lambda path: lambda: wait_for(path),
    "async-file": lambda path: lambda: anyio.open_file(path, "rb"),
}


@pytest.mark.parametrize("kind", FACTORIES)
@pytest.mark.parametrize("length", [None, len(DATA)])
@pytest.mark.usefixtures("no_spools")
async def test_a_factory_is_called_for_every_attempt(
    pair: Pair, path: Path, kind: str, length: int | None
):
    """Nothing is copied to be sent again, and what it opens is closed."""
    factory = Closing(FACTORIES[kind](path))
    twice(pair)
    done = await pair.picture.upload(factory, length=length)
    assert done.attempts == 3
    assert pair.stored == DATA
    counted = length is None and kind in {"iterator", "list", "async-iterator"}
    assert len(factory.made) == 3 + counted
    if isinstance(factory.made[0], io.IOBase):
        await until_closed(factory.made)


async def test_a_factory_that_is_not_needed_again_is_called_once(pair: Pair):
    factory = Closing(lambda: io.BytesIO(DATA))
    await pair.picture.upload(factory)
    assert len(factory.made) == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_a_factory_may_return_a_context_manager(pair: Pair, *, fails: bool):
    """Such as another client's reply; it is left, however the upload ends."""
    entered, left = [], []

    @asynccontextmanager
    async def photo() -> AsyncIterator[AsyncIterator[bytes]]:
        entered.append(1)
        try:
            yield chunks()
        finally:
            left.append(1)

    twice(pair)
    if fails:
        pair.server.faults.add(Fault("status", status=400, method="PATCH"))
        with pytest.raises(Exception, match="does not accept"):
            await pair.picture.upload(photo, length=len(DATA))
    else:
        await pair.picture.upload(photo, length=len(DATA))
        assert pair.stored == DATA
    assert len(left) == len(entered) >= 3


async def test_an_async_generator_of_a_factory_is_closed(pair: Pair):
    closed = []

    async def photo() -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks():
                yield chunk
        finally:
            closed.append(1)

    twice(pair)
    await pair.picture.upload(photo, length=len(DATA))
    assert len(closed) == 3


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(LONG[:-1], id="shorter"),
        pytest.param(LONG + b"x", id="longer"),
        pytest.param(bytes([LONG[0] ^ 1]) + LONG[1:], id="another-beginning"),
    ],
)
@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda data: data, id="bytes"),
        pytest.param(io.BytesIO, id="file"),
        pytest.param(pieces, id="iterator"),
        pytest.param(chunks, id="async-iterator"),
    ],
)
async def test_a_factory_that_opens_something_else_completes_nothing(
    pair: Pair, second: bytes, wrap: Callable[[bytes], Any]
):
    openings = [LONG, second]
    pair.stored = b"old"
    pair.server.faults.add(Fault("reset_during", at=300_000, method="PATCH"))
    with pytest.raises(SourceError):
        await pair.picture.upload(lambda: wrap(openings.pop(0)), length=len(LONG))
    assert pair.stored == b"old"


async def test_a_change_deep_inside_is_noticed_when_both_were_read(pair: Pair):
    """After a whole first sending, or after its bytes were counted."""
    openings = [DATA, DATA[:600_000] + b"x" + DATA[600_001:]]
    pair.stored = b"old"
    with pytest.raises(SourceError, match="bytes that it had before"):
        await pair.picture.upload(lambda: pieces(openings.pop(0)))
    assert pair.stored == b"old"


async def test_an_error_of_a_factory_comes_out_as_it_is(pair: Pair):
    openings = [DATA]
    twice(pair)
    with pytest.raises(IndexError):
        await pair.picture.upload(openings.pop)


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        pytest.param(b"", SourceError, id="nothing"),
        pytest.param([], SourceError, id="an-empty-list"),
        pytest.param(17, UsageError, id="a-number"),
        pytest.param(io.StringIO("text"), UsageError, id="text"),
    ],
)
async def test_what_a_factory_returns_is_checked(
    pair: Pair, made: object, kind: type[Exception]
):
    with pytest.raises(kind):
        await pair.picture.upload(lambda: made)
    assert not pair.server.log


async def test_cancelling_while_a_factory_opens_a_file(pair: Pair, path: Path):
    """The file comes when nobody waits for it any more, and is closed."""
    began, go_on, files = threading.Event(), threading.Event(), []

    def photo() -> object:
        began.set()
        go_on.wait(5)
        files.append(path.open("rb"))
        return files[0]

    uploading = asyncio.create_task(pair.picture.upload(photo))
    await asyncio.to_thread(began.wait)
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    go_on.set()
    await until_closed(files)


async def test_a_failed_closing_is_no_failed_upload(
    pair: Pair, caplog: pytest.LogCaptureFixture
):
    class Stuck:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return chunks()

        def close(self) -> None:
            raise OSError("stuck")

    await pair.picture.upload(Stuck, length=len(DATA))
    assert pair.stored == DATA
    assert "cannot be closed" in caplog.text


async def test_a_disk_that_cannot_take_the_copy_is_told(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(
        UnavailableError, match=r"temporary file .* Make room in .*gone"
    ):
        await pair.picture.upload(iter([bytes(3_000_000)]))
    assert not pair.server.log
