"""Streams that can be read once: spooled so that they can be sent again, or not."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    OutcomeUnknownError,
    ReplayError,
    SourceError,
    UsageError,
)
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Leftovers: TypeAlias = Any
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

DATA = dot(os.urandom(700_000 - len(dot())))


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
        await asyncio.sleep(0)


def halves(data: bytes = DATA) -> AsyncIterator[bytes]:
    return chunks(data[: len(data) // 2], data[len(data) // 2 :])


@pytest.fixture
def spools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    folder = tmp_path / "spools"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def open_files(folder: Path) -> list[str]:
    """Files in *folder* that this process has open; their names may be gone."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = str(link.readlink())
        except OSError:
            continue
        if target.startswith(str(folder)):
            found.append(target)
    return found


@pytest.mark.parametrize("size", [1_999_999, 2_000_001, 6_000_000])
async def test_a_stream_is_spooled_and_can_be_sent_again(
    pair: Pair, spools: Path, size: int
):
    data = dot(os.urandom(size - len(dot())))
    pair.server.faults.add(
        Fault("reset_during", at=10, method="PATCH"),
        Fault("status", status=500, method="PATCH"),
    )
    done = await pair.picture.upload(halves(data))
    assert (done.attempts, done.size) == (3, size)
    assert pair.stored == data
    assert not open_files(spools)


async def test_a_spool_is_let_go_when_the_upload_fails(pair: Pair, spools: Path):
    pair.server.faults.add(Fault("status", status=400, method="PATCH"))
    with pytest.raises(Exception, match="does not accept"):
        await pair.picture.upload(halves(dot(os.urandom(5_000_000))))
    gc.collect()
    assert not open_files(spools)


async def test_a_stream_that_fails_uploads_nothing(pair: Pair, spools: Path):
    async def failing() -> AsyncIterator[bytes]:
        yield DATA
        raise LookupError("the source broke")

    with pytest.raises(LookupError, match="the source broke"):
        await pair.picture.upload(failing())
    assert not pair.server.log
    assert not open_files(spools)


async def test_a_length_that_the_spooled_stream_does_not_have_is_refused(pair: Pair):
    with pytest.raises(SourceError, match="has 700000 bytes, not 3"):
        await pair.picture.upload(halves(), length=3)
    assert not pair.server.log


async def test_without_spooling_a_length_is_needed(pair: Pair):
    with pytest.raises(UsageError, match="Give length="):
        await pair.picture.upload(halves(), spool=False)
    assert not pair.server.log


async def test_without_spooling_it_is_sent_as_it_comes(raw: Raw):
    """The first half arrives before the second half is made."""
    arrived = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.head()
        await peer.reader.readexactly(100_000)
        arrived.set()
        await peer.reader.readexactly(600_000)
        await peer.answer(204)

    async def waiting() -> AsyncIterator[bytes]:
        yield DATA[:350_000]
        yield DATA[350_000:400_000]
        await arrived.wait()
        yield DATA[400_000:]

    async with raw(talk) as server, server.picture() as picture:
        done = await picture.upload(waiting(), spool=False, length=700_000)
        assert done.size == 700_000
        assert "Content-Length: 700000" in server.heads[0]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((DATA, b"more"), id="more"),
        pytest.param((DATA + b"more",), id="more-in-one"),
        pytest.param((DATA, b"", b"more"), id="more-after-an-empty-chunk"),
        pytest.param((DATA[:-1],), id="fewer"),
        pytest.param((DATA[:-1], b""), id="fewer-and-an-empty-chunk"),
    ],
)
async def test_a_stream_that_is_not_as_long_as_it_says_is_never_stored(
    pair: Pair, parts: tuple[bytes, ...]
):
    pair.stored = b"old"
    with pytest.raises(SourceError, match=r"(more|fewer) bytes than its length"):
        await pair.picture.upload(chunks(*parts), spool=False, length=len(DATA))
    await asyncio.sleep(0.02)
    assert pair.stored == b"old"


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault("reset_during", at=10, method="PATCH"), id="reset"),
        pytest.param(
            Fault("status", status=503, retry_after="0", method="PATCH"), id="503"
        ),
        pytest.param(Fault("status", status=401, method="PATCH"), id="401"),
    ],
)
async def test_an_unspooled_stream_is_never_sent_twice(pair: Pair, fault: Fault):
    pair.stored = b"old"
    pair.server.faults.add(fault)
    with pytest.raises((ReplayError, OutcomeUnknownError)) as caught:
        await pair.picture.upload(halves(), spool=False, length=len(DATA))
    assert len(pair.seen("PATCH")) == 1
    assert pair.stored == b"old"
    if fault.status == 401:  # the others leave a doubt
        assert isinstance(caught.value, ReplayError)
        assert "spool=True" in str(caught.value)


async def test_a_stream_sent_once_whose_reply_was_lost_is_found_to_be_there(pair: Pair):
    """To compare, it takes the digest that is made while the bytes pass by."""
    pair.server.faults.add(Fault("apply_then_reset", method="PATCH"))
    done = await pair.picture.upload(
        halves(), spool=False, length=len(DATA), digest=True
    )
    assert done.sha256 == hashlib.sha256(DATA).hexdigest()
    assert pair.stored == DATA


async def test_a_stream_sent_once_is_settled_even_if_no_digest_was_asked_for(
    pair: Pair,
):
    """Only if the reading back fails may the outcome stay unknown."""
    pair.server.faults.add(Fault("apply_then_reset", method="PATCH"))
    assert await pair.picture.upload(halves(), spool=False, length=len(DATA))
    assert pair.stored == DATA


@pytest.mark.parametrize("spool", [True, False])
async def test_cancelling_while_the_stream_waits_cancels(
    pair: Pair, leftovers: Leftovers, *, spool: bool
):
    """The stream is closed, and no other error takes the cancellation's place."""
    began, closed = asyncio.Event(), asyncio.Event()

    async def hesitating() -> AsyncIterator[bytes]:
        try:
            yield DATA[:1000]
            yield DATA[1000:2000]
            began.set()
            await asyncio.Event().wait()
        finally:
            closed.set()

    uploading = asyncio.create_task(
        pair.picture.upload(hesitating(), spool=spool, length=len(DATA))
    )
    await began.wait()
    await asyncio.sleep(0.02)
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    async with asyncio.timeout(1):
        await closed.wait()
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
    assert pair.stored is None


async def test_a_reset_while_the_stream_waits_is_what_is_told(raw: Raw):
    """The server is gone while the source makes its next chunk."""
    closed = asyncio.Event()

    async def talk(peer: Peer) -> None:
        await peer.head()
        peer.reset()

    async def hesitating() -> AsyncIterator[bytes]:
        try:
            yield DATA[:1000]
            yield DATA[1000:2000]
            await asyncio.Event().wait()
        finally:
            closed.set()

    async with raw(talk) as server, server.picture() as picture:
        with pytest.raises(ReplayError, match="connection was lost"):
            await picture.upload(hesitating(), spool=False, length=len(DATA))
        async with asyncio.timeout(1):
            await closed.wait()


async def test_a_source_that_fails_on_its_way_is_not_a_lost_connection(pair: Pair):
    async def failing() -> AsyncIterator[bytes]:
        yield DATA[:1000]
        yield DATA[1000:2000]
        raise LookupError("the source broke")

    pair.stored = b"old"
    with pytest.raises(LookupError, match="the source broke"):
        await pair.picture.upload(failing(), spool=False, length=len(DATA))
    assert len(pair.seen("PATCH")) <= 1
    assert pair.stored == b"old"
