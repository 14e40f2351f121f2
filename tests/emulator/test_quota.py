"""The limits per user."""

import asyncio
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator import Answers, Fault, Quota
from bcpicture.emulator.quota import Gate, TooManyRequestsError

# What the fixtures of conftest.py hand out; a test module cannot import it.
Client: TypeAlias = Any
Start: TypeAlias = Any


class Clock:
    """A clock that stands still until it is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def use(gate: Gate, name: str = "me") -> None:
    async with gate.admit(name):
        await asyncio.sleep(0)


async def test_the_window_slides():
    clock = Clock()
    gate = Gate(Quota(requests=3, seconds=10), clock)
    for at in (0, 4, 8):
        clock.now = at
        await use(gate)
    clock.now = 9.9
    with pytest.raises(TooManyRequestsError, match=r"Actual \(4\)\. Maximum \(3\)\."):
        await use(gate)
    clock.now = 10
    await use(gate)
    with pytest.raises(TooManyRequestsError) as refused:
        await use(gate)
    assert refused.value.wait == 4
    assert gate.throttled == 2


async def test_somebody_elses_load_takes_places():
    gate = Gate(Quota(requests=6, seconds=10, background=3), Clock())
    for _ in range(3):
        await use(gate)
    with pytest.raises(TooManyRequestsError, match=r"Actual \(7\)\. Maximum \(6\)\."):
        await use(gate)


async def test_users_do_not_share_limits():
    gate = Gate(Quota(requests=1, seconds=10), Clock())
    await use(gate, "one")
    await use(gate, "two")
    with pytest.raises(TooManyRequestsError):
        await use(gate, "one")


async def test_requests_queue_in_the_order_of_their_arrival():
    gate = Gate(Quota(concurrent=1, queue=10))
    order = []

    async def one(name: int) -> None:
        async with gate.admit("me"):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(*(one(name) for name in range(5)))
    assert order == [0, 1, 2, 3, 4]
    assert gate.peak == 1
    assert gate.running == 0


async def test_a_full_queue_refuses_in_the_services_words():
    gate = Gate(Quota(concurrent=5, queue=95))
    over = asyncio.Event()

    async def hold() -> None:
        async with gate.admit("me"):
            await over.wait()

    async with asyncio.TaskGroup() as group:
        for _ in range(100):
            group.create_task(hold())
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequestsError) as refused:
            await use(gate)
        over.set()
    assert str(refused.value) == (
        "Too many requests reached. Actual (101). Maximum (100)."
    )
    assert gate.peak == 5


async def test_too_long_in_the_queue_is_a_503():
    gate = Gate(Quota(concurrent=1, queue=5, queue_seconds=0.01))
    async with gate.admit("me"):
        with pytest.raises(TooManyRequestsError) as refused:
            await use(gate)
    assert refused.value.status == 503
    await use(gate)


async def test_a_cancelled_waiter_frees_its_place():
    gate = Gate(Quota(concurrent=1, queue=1))
    async with gate.admit("me"):
        waiting = asyncio.create_task(use(gate))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        waiting = asyncio.create_task(use(gate))
        await asyncio.sleep(0)
    await waiting
    assert gate.running == 0


async def test_over_the_wire_a_breach_is_a_429(start: Start):
    async with start(quota=Quota(requests=2, seconds=60)) as client:
        for _ in range(2):
            assert (await client.get("companies")).status == 200
        told = await client.get("companies")
        assert (told.status, told.code) == (429, "Application_TooManyRequests")
        assert "Actual (3). Maximum (2)." in told.message
        assert "Retry-After" not in told.headers
        assert client.server.throttled == 1
        client.server.identity.register("another", "secret")
        other = client.server.identity.token(client_id="another")
        url = client.url("companies")
        headers = {"Authorization": f"Bearer {other}"}
        async with client.http.get(url, headers=headers) as reply:
            assert reply.status == 200


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"quota": Quota(requests=1, retry_after="7")}, id="verbatim"),
        pytest.param(
            {
                "quota": Quota(requests=1, seconds=6.5),
                "answers": Answers(retry_after_on_429=True),
            },
            id="computed",
        ),
    ],
)
async def test_a_429_may_say_how_long_to_wait(start: Start, options: dict[str, object]):
    async with start(**options) as client:
        await client.get("companies")
        told = await client.get("companies")
        assert told.headers["Retry-After"] == "7"


async def test_no_more_than_five_run_at_once(start: Start):
    async with start(quota=Quota()) as client:
        client.server.faults.add(Fault("stall_reading", at=1, seconds=0.02, times=12))
        got = await asyncio.gather(*(client.put_picture(b"x" * 10) for _ in range(12)))
        assert {one.status for one in got} == {204}
        assert client.server.concurrent_peak == 5


async def test_without_a_quota_nobody_waits(client: Client):
    client.server.faults.add(Fault("stall_reading", at=1, times=12))
    uploads = [asyncio.create_task(client.put_picture(b"x")) for _ in range(12)]
    await client.until(lambda: client.server.concurrent_peak == 12)
    client.server.faults.clear()
    await asyncio.gather(*uploads, return_exceptions=True)


async def test_jitter_is_drawn_from_a_seed():
    quota = Quota(jitter=0.002, seed=7)
    first, second = Gate(quota), Gate(quota)
    await use(first)
    await use(second)
    assert first._dice.random() == second._dice.random()
