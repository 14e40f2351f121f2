"""Callers are told how far a transfer is, and can end it by an exception."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import AnswerError, Progress, RetryPolicy, StalledError, Timeouts
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot
from bcpicture.net.progress import EVERY, Meter

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any
Leftovers: TypeAlias = Any

SMALL = dot(os.urandom(20_000))
LARGE = dot(os.urandom(3_000_001))

SIZES = [pytest.param(SMALL, id="small"), pytest.param(LARGE, id="large")]


class Told(list[Progress]):
    """A caller that remembers, and raises when it is told to."""

    def __init__(self, objects: Callable[[Progress], bool] | None = None) -> None:
        self._objects = objects or (lambda _: False)

    def __call__(self, progress: Progress) -> None:
        self.append(progress)
        if self._objects(progress):
            raise LookupError("the caller has changed its mind")


def hurry(pair: Pair) -> None:
    """Let the time between two looks at the clock be long enough for a call."""
    ticks = itertools.count()
    pair.session.clock = lambda: next(ticks) * EVERY


def steps(told: list[Progress]) -> list[int]:
    return [one.done for one in told]


# -- the meter alone


@pytest.fixture
def now() -> list[float]:
    """What the clock of the meter shows."""
    return [0.0]


async def test_it_is_told_at_a_bounded_rate(now: list[float]):
    told = Told()
    meter = Meter(told, lambda: now[0])
    await meter.begin(1, 1_000_000)
    for _ in range(999):
        now[0] += EVERY / 100
        if meter.add(1000):
            await meter.tell()
    await meter.finish(1, 1_000_000)
    assert len(told) <= 12
    assert told[0] == Progress(done=0, total=1_000_000, attempt=1)
    assert told[-1] == Progress(done=1_000_000, total=1_000_000, attempt=1)
    assert steps(told) == sorted(set(steps(told)))


async def test_all_of_it_is_told_in_the_end_only(now: list[float]):
    told = Told()
    meter = Meter(told, lambda: now[0])
    await meter.begin(1, 10)
    now[0] += 1000
    assert not meter.add(10)
    await meter.finish(1, 10)
    assert steps(told) == [0, 10]


async def test_a_slow_caller_is_given_time_in_between(now: list[float]):
    async def slow(_: Progress) -> None:
        now[0] += 5.0

    meter = Meter(slow, lambda: now[0])
    await meter.begin(1, 10)
    assert not meter.add(1)
    now[0] += EVERY
    assert meter.add(1)


# -- up


@pytest.mark.parametrize("data", SIZES)
async def test_an_upload_is_told_from_nothing_to_everything(pair: Pair, data: bytes):
    told = Told()
    hurry(pair)
    await pair.picture.upload(data, progress=told)
    assert pair.stored == data
    assert {(one.total, one.attempt) for one in told} == {(len(data), 1)}
    assert steps(told) == sorted(set(steps(told)))
    assert (told[0].done, told[-1].done) == (0, len(data))
    assert (len(told) > 30) is (data is LARGE)


async def test_an_upload_of_a_stream_is_told_too(pair: Pair):
    async def stream() -> AsyncIterator[bytes]:
        yield LARGE[:1000]
        yield LARGE[1000:]

    told = Told()
    await pair.picture.upload(stream(), spool=False, length=len(LARGE), progress=told)
    assert pair.stored == LARGE
    assert told[-1] == Progress(done=len(LARGE), total=len(LARGE))


async def test_after_a_retry_it_begins_again(pair: Pair):
    told = Told()
    hurry(pair)
    pair.server.faults.add(
        Fault("reset_during", at=1_000_000, method="PATCH"),
        Fault("status", status=503, retry_after="0", method="PATCH"),
    )
    done = await pair.picture.upload(LARGE, progress=told)
    assert done.attempts == 3
    assert [one.attempt for one in told if not one.done] == [1, 2, 3]
    assert [one.attempt for one in told if one.done == one.total] == [3]
    assert [one.attempt for one in told] == sorted(one.attempt for one in told)


async def test_reading_it_again_to_compare_is_not_told(pair: Pair):
    told = Told()
    pair.server.faults.add(Fault("apply_then_reset", method="PATCH"))
    async with pair.known_as(pair.bc.credential) as picture:
        bc = picture._session
        bc.policy = RetryPolicy(attempts=1)
        done = await picture.upload(LARGE, progress=told)
    assert done.attempts == 1
    assert [one.attempt for one in told if not one.done] == [1]
    assert told[-1].done == len(LARGE)
    assert pair.stored == LARGE


@pytest.mark.parametrize(
    ("data", "since"),
    [
        pytest.param(SMALL, 0.0, id="small"),
        pytest.param(LARGE, 0.0, id="large"),
        pytest.param(LARGE, 0.95, id="large-nearly-in-the-end"),
    ],
)
async def test_an_exception_ends_an_upload_before_its_last_byte(
    pair: Pair, leftovers: Leftovers, data: bytes, since: float
):
    told = Told(lambda it: since * len(data) <= it.done < len(data))
    hurry(pair)
    pair.stored = b"old"
    with pytest.raises(LookupError, match="changed its mind") as caught:
        await pair.picture.upload(data, progress=told)
    assert not hasattr(caught.value, "__notes__")
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
    assert pair.stored == b"old"
    assert len(pair.seen("PATCH")) <= 1
    await pair.picture.upload(data)
    assert pair.stored == data


async def test_an_exception_after_the_end_comes_with_the_truth(pair: Pair):
    with pytest.raises(LookupError) as caught:
        await pair.picture.upload(LARGE, progress=Told(lambda it: it.done == it.total))
    assert pair.stored == LARGE
    assert caught.value.__notes__ == ["The upload was complete: the picture is stored."]


@pytest.mark.parametrize("kind", [asyncio.CancelledError, OSError, TimeoutError])
async def test_whatever_is_raised_is_what_comes_out(
    pair: Pair, kind: type[BaseException]
):
    """Also what would be the network's, or a cancellation, elsewhere."""
    error = kind("the caller's own")

    async def tell(_: Progress) -> None:
        raise error

    with pytest.raises(kind) as caught:
        await pair.picture.upload(LARGE, progress=tell)
    assert caught.value is error
    assert pair.stored is None


async def test_cancelling_while_the_caller_is_awaited(pair: Pair, leftovers: Leftovers):
    began, ended = asyncio.Event(), asyncio.Event()

    async def tell(_: Progress) -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    uploading = asyncio.create_task(pair.picture.upload(LARGE, progress=tell))
    await began.wait()
    uploading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
    assert ended.is_set()
    assert pair.stored is None


async def test_a_caller_that_takes_its_time_is_no_dead_line(paired: Paired):
    """The time-out is for the network, and goes on when the caller has returned."""
    timeouts = Timeouts(stall=0.1)

    async def tell(progress: Progress) -> None:
        if not progress.done:
            await asyncio.sleep(0.4)

    async with paired(timeouts=timeouts) as pair:
        await pair.warm_up()
        assert (await pair.picture.upload(LARGE, progress=tell)).attempts == 1


async def test_a_dead_line_is_noticed_whoever_is_told(raw: Raw):
    async def deaf(peer: Peer) -> None:
        await peer.head()
        await asyncio.Event().wait()

    async def tell(_: Progress) -> None:
        await asyncio.sleep(0)

    options = {"timeouts": Timeouts(stall=0.1), "retries": RetryPolicy(attempts=1)}
    async with raw(deaf) as server, server.picture(**options) as picture:
        with pytest.raises(StalledError):
            await picture.upload(dot(b"x" * 40_000_000), progress=tell)


# -- down


@pytest.mark.parametrize("data", SIZES)
async def test_a_download_is_told_from_nothing_to_everything(
    pair: Pair, tmp_path: Path, data: bytes
):
    told = Told()
    hurry(pair)
    pair.stored = data
    await pair.picture.download(tmp_path / "a.jpg", progress=told)
    assert {(one.total, one.attempt) for one in told} == {(len(data), 1)}
    assert steps(told) == sorted(set(steps(told)))
    assert (told[0].done, told[-1].done) == (0, len(data))


async def test_a_download_that_is_cut_begins_again(pair: Pair, tmp_path: Path):
    told = Told()
    hurry(pair)
    pair.stored = LARGE
    pair.server.faults.add(Fault("truncate", at=2_000_000))
    await pair.picture.download(tmp_path / "a.jpg", progress=told)
    assert [one.attempt for one in told if not one.done] == [1, 2]
    assert told[-1] == Progress(done=len(LARGE), total=len(LARGE), attempt=2)


async def _object(_: Progress) -> None:
    await asyncio.sleep(0)
    raise LookupError("the caller has changed its mind")


@pytest.mark.parametrize(
    "tell",
    [
        pytest.param(_object, id="at-the-beginning"),
        pytest.param(Told(lambda it: it.done == it.total), id="in-the-end"),
    ],
)
async def test_an_exception_leaves_the_old_file_alone(
    pair: Pair,
    leftovers: Leftovers,
    tmp_path: Path,
    tell: Callable[[Progress], Awaitable[None]],
):
    pair.stored = LARGE
    target = tmp_path / "a.jpg"
    target.write_bytes(b"old")
    with pytest.raises(LookupError, match="changed its mind"):
        await pair.picture.download(target, progress=tell)
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
    assert await leftovers.are_gone_from(tmp_path, but=frozenset({"a.jpg"}))
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("data", SIZES)
async def test_reading_is_told_from_nothing_to_everything(pair: Pair, data: bytes):
    told = Told()
    hurry(pair)
    pair.stored = data
    pair.server.faults.add(Fault("truncate", at=len(data) - 1))
    assert await pair.picture.read(progress=told) == data
    assert [one.attempt for one in told if not one.done] == [1, 2]
    assert told[-1] == Progress(done=len(data), total=len(data), attempt=2)
    assert {one.total for one in told} == {len(data)}


async def test_where_there_is_nothing_to_read_nothing_is_told(pair: Pair):
    told = Told()
    pair.stored = None
    assert await pair.picture.read(default=None, progress=told) is None
    assert not told


async def test_an_exception_ends_the_reading_as_does_a_picture_that_is_too_long(
    pair: Pair, leftovers: Leftovers
):
    pair.stored = LARGE
    with pytest.raises(LookupError, match="changed its mind"):
        await pair.picture.read(progress=Told(lambda it: it.done == it.total))
    with pytest.raises(AnswerError, match="max_bytes"):
        await pair.picture.read(progress=Told(), max_bytes=len(LARGE) - 1)
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)
