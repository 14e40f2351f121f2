"""A slow transfer is fine, a dead one is not; the caller's own limit stays theirs."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import (
    BcPictureError,
    BusinessCentral,
    ConfigurationError,
    Endpoint,
    OutcomeUnknownError,
    RetryPolicy,
    StalledError,
    StaticToken,
    Timeouts,
    TransportError,
)
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot
from bcpicture.net.watchdog import Watchdog, Watched

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any
Leftovers: TypeAlias = Any

ONCE = RetryPolicy(attempts=1)
QUICK = Timeouts(connect=0.3, reply=0.3, stall=0.3)
LARGE = dot(os.urandom(20_000_000))


async def call(pair: Pair, operation: str, folder: Path) -> object:
    picture = pair.picture
    if operation == "upload":
        return await picture.upload(b"data", preflight=False)
    if operation == "large-upload":
        return await picture.upload(LARGE)
    if operation == "download":
        return await picture.download(folder / "a.jpg")
    if operation == "open":
        async with picture.open() as stream:
            return [chunk async for chunk in stream]
    return await getattr(picture, operation)()


OPERATIONS = ["info", "read", "open", "download", "upload", "large-upload", "delete"]


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_server_that_never_answers_is_given_up(
    paired: Paired, tmp_path: Path, operation: str
):
    async with paired(timeouts=QUICK, retries=ONCE) as pair:
        pair.stored = b"data"
        await pair.warm_up()
        pair.server.faults.add(Fault("stall", times=None))
        with pytest.raises((StalledError, OutcomeUnknownError)) as caught:
            await call(pair, operation, tmp_path)
        assert isinstance(caught.value, TimeoutError | OutcomeUnknownError)
        assert pair.governor.in_flight == 0
        assert not pair.http.connector._acquired


@pytest.mark.parametrize("operation", ["info", "read", "download", "upload", "delete"])
async def test_what_stalled_once_is_tried_again(
    paired: Paired, tmp_path: Path, operation: str
):
    async with paired(timeouts=QUICK) as pair:
        pair.stored = b"data"
        await pair.warm_up()
        pair.server.faults.add(Fault("stall"))
        await call(pair, operation, tmp_path)
        assert len(pair.server.log) == 2


@pytest.mark.parametrize("operation", ["read", "open", "download"])
async def test_an_answer_that_stops_half_way_is_given_up(
    paired: Paired, tmp_path: Path, operation: str
):
    async with paired(timeouts=QUICK, retries=ONCE) as pair:
        pair.stored = LARGE
        await pair.warm_up()
        pair.server.faults.add(Fault("stall_during", at=1_000_000, times=None))
        with pytest.raises(StalledError, match="Nothing moved"):
            await call(pair, operation, tmp_path)
        assert pair.governor.in_flight == 0


async def test_an_upload_that_nobody_reads_is_given_up(paired: Paired):
    """aiohttp has no time-out for writing."""
    async with paired(timeouts=QUICK, retries=ONCE) as pair:
        await pair.warm_up()
        pair.server.faults.add(Fault("stall_reading", at=1000, times=None))
        with pytest.raises(StalledError) as caught:
            await pair.picture.upload(LARGE)
        assert not caught.value.failure.doubtful
        assert pair.stored is None


async def test_a_connection_that_never_stands_is_given_up():
    """The backlog is full: nobody accepts."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.settimeout(0)
            filler.connect_ex(("127.0.0.1", port))
            fillers.append(filler)
        endpoint = Endpoint.at(f"http://127.0.0.1:{port}/api/v2.0")
        async with BusinessCentral(
            endpoint, StaticToken("t"), timeouts=QUICK, retries=ONCE
        ) as bc:
            with pytest.raises(TransportError):
                await bc.companies.by_name("x")
        for filler in fillers:
            filler.close()


async def drip(peer: Peer, data: bytes, size: int, pause: float) -> None:
    for start in range(0, len(data), size):
        await peer.say(data[start : start + size])
        await asyncio.sleep(pause)


@pytest.mark.parametrize("operation", ["read", "open", "download"])
async def test_an_answer_that_comes_slowly_and_steadily_is_fine(
    raw: Raw, tmp_path: Path, operation: str
):
    """Altogether it takes three times as long as nothing may move."""
    data = os.urandom(1200)

    async def talk(peer: Peer) -> None:
        await peer.head()
        await peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 1200\r\n\r\n")
        await drip(peer, data, 100, 0.05)

    timeouts = Timeouts(reply=5.0, stall=0.2)
    async with (
        raw(talk) as server,
        server.picture(timeouts=timeouts, retries=ONCE) as picture,
    ):
        pair = type("Only", (), {"picture": picture})
        assert await call(pair, operation, tmp_path)


async def test_an_upload_that_leaves_slowly_and_steadily_is_fine(raw: Raw):
    async def talk(peer: Peer) -> None:
        await peer.head()
        left = len(LARGE)
        while left:
            data = await peer.reader.read(2_000_000)
            left -= len(data)
            await asyncio.sleep(0.03)
        await peer.answer(204)

    timeouts = Timeouts(reply=5.0, stall=0.2)
    async with (
        raw(talk) as server,
        server.picture(timeouts=timeouts, retries=ONCE) as picture,
    ):
        assert (await picture.upload(LARGE)).attempts == 1


async def test_a_server_that_thinks_longer_than_a_stall_is_fine(raw: Raw):
    """Between the end of the request and the reply another limit holds."""

    async def talk(peer: Peer) -> None:
        while head := await peer.asked():
            await asyncio.sleep(0.6)
            await peer.answer(204 if head.startswith("PATCH") else 200, b"x")

    timeouts = Timeouts(reply=30.0, stall=0.4)
    async with (
        raw(talk) as server,
        server.picture(timeouts=timeouts, retries=ONCE) as picture,
    ):
        await picture.upload(LARGE[:2_000_000], preflight=False)
        await picture.upload(b"small", preflight=False)
        assert await picture.read() == b"x"


async def test_the_caller_of_a_stream_may_take_its_time(paired: Paired):
    """What the caller does between two chunks is none of the network's silence."""
    async with paired(timeouts=QUICK, retries=ONCE) as pair:
        pair.stored = LARGE[:2_000_000]
        await pair.warm_up()
        received = 0
        async with pair.picture.open() as stream:
            async for chunk in stream:
                if not received:
                    await asyncio.sleep(0.4)
                received += len(chunk)
        assert received == 2_000_000


# -- the caller's own limit


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_the_callers_own_timeout_stays_a_timeout(
    pair: Pair, tmp_path: Path, operation: str, leftovers: Leftovers
):
    pair.stored = b"data"
    pair.server.faults.add(Fault("stall", times=None))
    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.05):
            await call(pair, operation, tmp_path)
    assert not isinstance(caught.value, BcPictureError)
    pair.server.faults.clear()
    assert await leftovers.are_gone(lambda: pair.governor.in_flight == 0)


async def test_a_stall_inside_of_the_callers_timeout_is_still_ours(paired: Paired):
    async with paired(timeouts=QUICK, retries=ONCE) as pair:
        await pair.warm_up()
        pair.server.faults.add(Fault("stall", times=None))
        task = asyncio.current_task()
        assert task is not None
        async with asyncio.timeout(5):
            with pytest.raises(StalledError):
                await pair.picture.info()
        assert task.cancelling() == 0


async def test_a_cancellation_at_the_moment_of_a_stall_wins(paired: Paired):
    async with paired(timeouts=QUICK) as pair:
        await pair.warm_up()
        pair.server.faults.add(Fault("stall", times=None))
        calling = asyncio.create_task(pair.picture.info())
        await pair.has_seen("GET")
        (watched,) = pair.session.transport.watchdog._watched
        watched.expire()
        calling.cancel()
        await asyncio.wait([calling])
        assert calling.cancelled()
        assert len(pair.server.log) == 1


async def test_a_stalled_source_is_told_from_a_stalled_server(raw: Raw):
    """Who feeds a stream slower than the time-out is told that nothing moved."""

    async def talk(peer: Peer) -> None:
        await peer.asked()

    async def silent() -> AsyncIterator[bytes]:
        yield b"x" * 10
        yield b"x" * 10
        await asyncio.Event().wait()

    async with (
        raw(talk) as server,
        server.picture(timeouts=QUICK, retries=ONCE) as picture,
    ):
        with pytest.raises(StalledError):
            await picture.upload(silent(), spool=False, length=30, preflight=False)


# -- the watchdog itself


async def test_the_watchdog_sleeps_while_there_is_nothing_to_watch():
    watchdog = Watchdog()
    watchdog.look_every(0.01)
    watched = Watched()
    watchdog.add(watched)
    assert watchdog._timer is not None
    watchdog.discard(watched)
    await asyncio.sleep(0.03)
    assert watchdog._timer is None


async def test_after_a_calmer_start_it_looks_as_often_as_somebody_needs():
    """A second client of the same session has shorter time-outs than the first."""
    watchdog = Watchdog()
    watchdog.look_every(1000.0)
    calm = Watched()
    watchdog.add(calm)
    watchdog.look_every(0.01)

    async def wait() -> bool:
        hasty = Watched()
        watchdog.add(hasty)
        hasty.begin(0.0)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return hasty.claim()
        return False

    async with asyncio.timeout(1):
        assert await wait()
    watchdog.discard(calm)
    watchdog.close()


@pytest.mark.parametrize("name", ["connect", "reply", "stall", "idle"])
@pytest.mark.parametrize("value", [0, -1.0])
def test_a_timeout_that_lets_nothing_through_is_refused(name: str, value: float):
    with pytest.raises(ConfigurationError, match="must be positive"):
        Timeouts(**{name: value})
