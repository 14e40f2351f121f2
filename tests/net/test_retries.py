"""What is tried again, how often, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeAlias

import attrs
import pytest

from bcpicture import (
    AccessDeniedError,
    ApiSwitchedOffError,
    BcPictureError,
    ConflictError,
    MissingError,
    RejectedError,
    RetryPolicy,
    ThrottledError,
    TooLargeError,
    TransportError,
    UnavailableError,
)
from bcpicture.emulator import Fault
from bcpicture.emulator.artwork import dot

Pair: TypeAlias = Any  # the harness is in conftest.py, which nobody can import
Paired: TypeAlias = Callable[..., Any]
Raw: TypeAlias = Callable[..., Any]
Peer: TypeAlias = Any

DATA = dot(b"some picture")


@attrs.define
class Sleeper:
    """Sleeps for no time, and notes what is held meanwhile."""

    pair: Pair
    slept: list[float] = attrs.field(factory=list)

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        assert self.pair.governor.in_flight == 0
        assert not self.pair.http.connector._acquired
        await asyncio.sleep(0)


async def do(pair: Pair, operation: str) -> None:
    picture = pair.picture
    if operation == "read":
        assert await picture.read() == DATA
    elif operation == "info":
        await picture.info()
    elif operation == "upload":
        await picture.upload(DATA)
        assert pair.stored == DATA
    elif operation == "delete":
        await picture.delete()
        assert pair.stored is None


OPERATIONS = ["info", "read", "upload", "delete"]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("status", "times"),
    [
        pytest.param(429, 4, id="429"),
        pytest.param(500, 2, id="500"),
        pytest.param(502, 4, id="502"),
        pytest.param(503, 4, id="503"),
        pytest.param(504, 1, id="504"),
        pytest.param(408, 1, id="408"),
        pytest.param(401, 1, id="401"),
    ],
)
async def test_a_status_that_passes_is_waited_for_so_many_times(
    pair: Pair, operation: str, status: int, times: int
):
    pair.stored = DATA
    trouble = Fault("status", status=status, times=times, retry_after="0", path="pict")
    pair.server.faults.add(trouble)
    await do(pair, operation)
    assert len(pair.seen(path="picture")) == times + 1


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        pytest.param(400, "BadRequest", RejectedError, id="400"),
        pytest.param(400, "Application_DialogException", RejectedError, id="logic"),
        pytest.param(403, "Authorization_RequestDenied", AccessDeniedError, id="403"),
        pytest.param(405, "BadRequest_MethodNotAllowed", RejectedError, id="405"),
        pytest.param(410, "Gone", RejectedError, id="410"),
        pytest.param(413, "TooLarge", TooLargeError, id="413"),
        pytest.param(501, "BadRequest_MethodNotImplemented", RejectedError, id="501"),
        pytest.param(409, "Request_EntityChanged", ConflictError, id="stale"),
        pytest.param(412, "Whatever", ConflictError, id="412"),
    ],
)
async def test_a_clear_no_is_final(
    pair: Pair, operation: str, status: int, code: str, kind: type[BcPictureError]
):
    pair.stored = DATA
    pair.server.faults.add(Fault("status", status=status, code=code, times=None))
    with pytest.raises(kind) as caught:
        await do(pair, operation)
    assert len(pair.server.log) == 1
    failure = caught.value.failure
    assert (failure.status, failure.attempts) == (status, 1)
    assert failure.correlation_id


@pytest.mark.parametrize("operation", ["info", "read", "upload"])
async def test_what_is_not_there_is_final_unless_its_id_was_looked_up(
    raw: Raw, operation: str
):
    async def talk(peer: Peer) -> None:
        while await peer.asked():
            await peer.answer(404, b'{"error":{"code":"BadRequest_ResourceNotFound"}}')

    async with raw(talk) as server, server.picture() as picture:
        arguments = [DATA] if operation == "upload" else []
        with pytest.raises(MissingError):
            await getattr(picture, operation)(*arguments)
        assert len(server.heads) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_busy_database_is_not_a_conflict(pair: Pair, operation: str):
    pair.stored = DATA
    pair.server.faults.add(
        Fault("status", status=409, code="Internal_DatabaseConflict", times=2)
    )
    await do(pair, operation)
    assert len(pair.server.log) == 3


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "fault",
    [
        Fault("reset_before"),
        Fault("reset_after"),
        Fault("malformed"),
        Fault("apply_then_reset"),
    ],
    ids=lambda fault: fault.action,
)
async def test_no_answer_at_all_is_asked_for_again(
    pair: Pair, operation: str, fault: Fault
):
    pair.stored = DATA
    pair.server.faults.add(fault)
    await do(pair, operation)
    assert len(pair.server.log) == 2


async def test_retries_end_and_the_error_says_how_it_went(pair: Pair):
    pair.server.faults.add(Fault("status", status=503, times=None, retry_after="0"))
    with pytest.raises(
        UnavailableError, match="5 attempts, no attempts left"
    ) as caught:
        await pair.picture.info()
    assert caught.value.attempts == 5
    assert len(pair.server.log) == 5


async def test_a_service_that_cannot_be_reached_is_a_transport_error(raw: Raw):
    async def talk(_: Peer) -> None:
        """Nobody comes."""

    async with raw(talk) as server:
        pass
    async with server.picture() as picture:
        with pytest.raises(TransportError, match="cannot be reached") as caught:
            await picture.upload(DATA)
        assert caught.value.attempts == 5
        assert not caught.value.failure.doubtful


async def test_a_server_without_the_api_is_told_apart_from_a_wrong_verb(raw: Raw):
    async def talk(peer: Peer) -> None:
        while await peer.asked():
            await peer.answer(405)

    async with raw(talk) as server, server.picture() as picture:
        with pytest.raises(ApiSwitchedOffError, match="ApiServicesEnabled"):
            await picture.info()


# -- waiting


async def test_while_it_waits_it_holds_nothing(paired: Paired):
    async with paired() as pair:
        await pair.warm_up()
        pair.session.sleep = sleeper = Sleeper(pair)
        pair.session.policy = RetryPolicy(base=1.0)
        pair.session.jitter = lambda: 0.5
        pair.server.faults.add(Fault("status", status=500, times=2))
        await pair.picture.info()
        assert sleeper.slept == [0.5, 1.0]


async def test_a_lost_connection_is_tried_again_at_once_and_then_with_back_off(
    paired: Paired,
):
    """Most often it was a pooled connection, which says nothing about the service."""
    async with paired() as pair:
        await pair.warm_up()
        pair.session.sleep = sleeper = Sleeper(pair)
        pair.session.policy = RetryPolicy(base=1.0)
        pair.session.jitter = lambda: 0.5
        pair.server.faults.add(Fault("reset_before", times=3))
        await pair.picture.info()
        assert sleeper.slept == [1.0, 2.0]


@pytest.mark.parametrize(
    "told",
    [
        pytest.param("7", id="seconds"),
        pytest.param(
            format_datetime(datetime(2030, 1, 1, 0, 0, 7, tzinfo=UTC), usegmt=True),
            id="date",
        ),
    ],
)
async def test_retry_after_is_kept_to(paired: Paired, told: str):
    async with paired() as pair:
        await pair.warm_up()
        pair.session.sleep = sleeper = Sleeper(pair)
        pair.session.wall = lambda: datetime(2030, 1, 1, tzinfo=UTC).timestamp()
        pair.server.faults.add(Fault("status", status=504, retry_after=told))
        await pair.picture.info()
        assert sleeper.slept == [7.0]


async def test_a_date_that_is_over_means_at_once(pair: Pair):
    past = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
    pair.server.faults.add(Fault("status", status=503, retry_after=past))
    await pair.picture.info()


async def test_a_wait_beyond_the_callers_patience_is_told_and_not_waited(
    paired: Paired,
):
    async with paired() as pair:
        await pair.warm_up()
        pair.session.sleep = sleeper = Sleeper(pair)
        pair.server.faults.add(Fault("status", status=429, retry_after="3600"))
        with pytest.raises(ThrottledError, match="asks to wait 3600 s") as caught:
            await pair.picture.info()
        assert caught.value.failure.retry_after == 3600.0
        assert not sleeper.slept


async def test_the_deadline_of_all_attempts_is_kept(paired: Paired):
    async with paired() as pair:
        await pair.warm_up()
        pair.session.sleep = sleeper = Sleeper(pair)
        pair.session.policy = RetryPolicy(deadline=5.0)
        pair.server.faults.add(Fault("status", status=504, retry_after="6"))
        with pytest.raises(UnavailableError, match="deadline of 5 s would pass"):
            await pair.picture.info()
        assert not sleeper.slept


async def test_one_refusal_holds_back_everybody(paired: Paired):
    """While one waits as it was told, no other request is sent."""
    async with paired() as pair:
        await pair.warm_up()
        pair.server.faults.add(Fault("status", status=429, retry_after="1"))
        first = asyncio.create_task(pair.picture.info())
        await pair.has_seen("GET")
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(pair.picture.info()) for _ in range(20)]
        await asyncio.sleep(0.05)
        assert len(pair.server.log) == 1
        await asyncio.gather(first, *others)
        assert len(pair.server.log) == 22
        assert pair.server.concurrent_peak <= 5


async def test_a_request_that_is_held_back_is_no_attempt(pair: Pair):
    pair.server.faults.add(Fault("status", status=503, retry_after="0"))
    assert (await pair.picture.upload(DATA)).attempts == 2
    assert pair.bc.statistics.retries == 1
    assert pair.bc.statistics.throttled == 1


async def test_statistics_count_requests_but_not_those_for_tokens(paired: Paired):
    async with paired() as pair:
        await pair.picture.info()
        assert len(pair.server.log) == 4
        assert pair.bc.statistics.requests == 3
        before = pair.bc.statistics
        await pair.picture.upload(DATA)
        assert pair.bc.statistics.bytes_sent - before.bytes_sent == len(DATA)
        await pair.picture.read()
        assert before.requests == 3
        assert pair.bc.statistics.bytes_received > before.bytes_received
