"""Who may send when: places, the window, the shared pause, and fairness."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from bcpicture.core.quota import CLOUD, Quota, QuotaUse
from bcpicture.errors import ThrottledError
from bcpicture.net.governor import Governor


@attrs.define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def governor_of(clock: Clock, **numbers: float) -> Governor:
    reserve = numbers.pop("reserve", 0.0)
    return Governor(Quota(**numbers), reserve=reserve, clock=clock)  # type: ignore[arg-type]  # whole numbers are floats too


def entered(governor: Governor, times: int, *, bulk: bool = False) -> int:
    """How many of so many callers get in at once."""
    return sum(governor.enter_now(bulk=bulk) for _ in range(times))


# -- places


async def test_no_more_than_the_quota_are_let_in_at_once(clock: Clock):
    governor = governor_of(clock, concurrent=5)
    assert entered(governor, 8) == 5
    assert governor.in_flight == 5
    governor.leave()
    assert entered(governor, 2) == 1


async def test_first_come_first_served(clock: Clock):
    governor = governor_of(clock, concurrent=1)
    governor.enter_now()
    order: list[int] = []

    async def caller(number: int) -> None:
        await governor.enter()
        order.append(number)
        governor.leave()

    callers = [asyncio.create_task(caller(number)) for number in range(20)]
    await settle()
    assert governor.waiting == 20
    governor.leave()
    await asyncio.gather(*callers)
    assert order == list(range(20))
    assert governor.in_flight == 0


async def test_nobody_gets_past_those_who_wait(clock: Clock):
    governor = governor_of(clock, concurrent=1)
    governor.enter_now()
    waiting = asyncio.create_task(governor.enter())
    await settle()
    governor.leave()
    assert not governor.enter_now()
    await waiting
    assert governor.in_flight == 1


@pytest.mark.parametrize("patience", [None, 60.0], ids=["", "limited"])
async def test_a_cancelled_waiter_frees_its_place_in_the_line(
    clock: Clock, patience: float | None
):
    governor = governor_of(clock, concurrent=1)
    governor.enter_now()
    callers = [asyncio.create_task(governor.enter(patience=patience)) for _ in range(3)]
    await settle()
    callers[0].cancel()
    await asyncio.wait([callers[0]])
    assert governor.waiting == 2
    governor.leave()
    await callers[1]
    assert not callers[2].done()
    callers[2].cancel()
    await asyncio.wait([callers[2]])
    assert governor.in_flight == 1


@pytest.mark.parametrize("patience", [None, 60.0], ids=["", "limited"])
@pytest.mark.parametrize("steps", range(4))
async def test_a_waiter_that_is_cancelled_as_its_place_comes_gives_it_on(
    clock: Clock, patience: float | None, steps: int
):
    """And it stays cancelled: asyncio.wait_for forgets that on Python 3.11."""
    governor = governor_of(clock, concurrent=1)
    governor.enter_now()
    first = asyncio.create_task(governor.enter(patience=patience))
    second = asyncio.create_task(governor.enter(patience=patience))
    await settle()
    governor.leave()
    for _ in range(steps):
        await asyncio.sleep(0)
    unaware = first.done()
    first.cancel()
    await asyncio.wait([first])
    if unaware:
        governor.leave()
    else:
        assert first.cancelled()
    await second
    assert governor.in_flight == 1
    assert governor.waiting == 0


async def test_who_waits_too_long_is_told_so_and_leaves_the_line(clock: Clock):
    governor = governor_of(clock, concurrent=1)
    governor.enter_now()
    with pytest.raises(ThrottledError, match=r"within 0\.01 s.*queue_wait"):
        await governor.enter(patience=0.01)
    assert governor.waiting == 0
    governor.leave()
    assert governor.enter_now()


async def test_no_patience_at_all_still_takes_a_place_that_is_free(clock: Clock):
    governor = governor_of(clock, concurrent=1)
    await governor.enter(patience=0.0)
    with pytest.raises(ThrottledError):
        await governor.enter(patience=0.0)
    assert governor.in_flight == 1


# -- the window


async def test_a_place_in_the_window_is_free_again_that_long_after_the_reply(
    clock: Clock,
):
    governor = governor_of(clock, concurrent=10, requests=3, seconds=300.0)
    assert entered(governor, 5) == 3
    clock.now = 20.0  # the replies come late
    for _ in range(3):
        governor.leave()
    clock.now = 319.9
    assert entered(governor, 1) == 0
    clock.now = 320.0
    assert entered(governor, 5) == 3


async def test_a_request_that_never_reached_the_service_takes_no_place(clock: Clock):
    governor = governor_of(clock, concurrent=10, requests=3, seconds=300.0)
    for _ in range(50):
        assert governor.enter_now()
        governor.leave(counted=False)


async def test_who_waits_for_the_window_is_let_in_when_it_moves():
    """By an alarm: no reply comes that could wake anybody."""
    governor = Governor(Quota(concurrent=5, requests=2, seconds=0.05))
    order = []
    async with asyncio.timeout(2):
        for number in range(6):
            if not governor.enter_now():
                await governor.enter()
            order.append(number)
            governor.leave()
    assert order == list(range(6))


async def test_when_nobody_waits_no_alarm_is_set():
    governor = Governor(Quota(concurrent=5, requests=1, seconds=60.0))
    governor.enter_now()
    governor.leave()
    waiting = asyncio.create_task(governor.enter())
    await settle()
    assert governor._timer is not None
    waiting.cancel()
    await asyncio.wait([waiting])
    assert governor._timer is None


# -- the shared pause


async def test_after_a_refusal_nobody_sends_until_the_pause_is_over(clock: Clock):
    governor = governor_of(clock, concurrent=5)
    governor.enter_now()
    governor.leave()
    governor.refused(10.0, 0.5)
    clock.now = 9.99
    assert entered(governor, 5) == 0
    clock.now = 10.0
    assert entered(governor, 5) == 1


async def test_then_one_probe_and_with_every_success_twice_as_many(clock: Clock):
    governor = governor_of(clock, concurrent=5)
    governor.enter_now()
    governor.leave()
    governor.refused(10.0, 0.5)
    clock.now = 10.0
    seen = []
    for _ in range(5):
        seen.append(entered(governor, 9))
        governor.leave(well=True)
        for _ in range(seen[-1] - 1):
            governor.leave()
    assert seen == [1, 2, 4, 5, 5]


async def test_a_reply_from_before_the_pause_says_nothing_about_after_it(clock: Clock):
    governor = governor_of(clock, concurrent=5)
    assert entered(governor, 5) == 5
    governor.leave()
    governor.refused(10.0, 0.5)
    for _ in range(4):
        governor.leave(well=True)
    clock.now = 10.0
    assert entered(governor, 5) == 1


async def test_a_probe_that_is_refused_doubles_the_pause(clock: Clock):
    governor = governor_of(clock, concurrent=5)
    pauses = []
    for _ in range(4):
        governor.enter_now()
        governor.leave()
        governor.refused(None, 0.0)
        start = clock.now
        while not governor.has_room:
            clock.now += 0.25
        pauses.append(clock.now - start)
    assert pauses == [0.5, 1.0, 2.0, 4.0]


async def test_five_refusals_of_one_burst_are_one(clock: Clock):
    governor = governor_of(clock, concurrent=5)
    assert entered(governor, 5) == 5
    for _ in range(5):
        governor.leave()
        governor.refused(None, 1.0)
    clock.now = 1.0
    assert governor.has_room


async def test_the_longest_pause_of_all_that_were_asked_for_holds(clock: Clock):
    governor = governor_of(clock, concurrent=5)
    governor.refused(30.0, 0.5)
    governor.refused(10.0, 0.5)
    clock.now = 29.0
    assert not governor.has_room
    clock.now = 30.0
    assert governor.has_room


async def test_after_a_pause_those_who_wait_are_let_in_by_the_alarm():
    governor = Governor(Quota(concurrent=5))
    governor.refused(0.02, 0.0)
    order: list[int] = []

    async def caller(number: int) -> None:
        await governor.enter()
        order.append(number)
        await asyncio.sleep(0)
        governor.leave(well=True)

    async with asyncio.timeout(2):
        await asyncio.gather(*(caller(number) for number in range(12)))
    assert order == list(range(12))


async def test_a_probe_that_gets_no_reply_still_lets_the_next_one_in(clock: Clock):
    governor = governor_of(clock, concurrent=5)
    governor.refused(1.0, 0.0)
    clock.now = 1.0
    assert entered(governor, 5) == 1
    governor.leave(counted=False)
    assert entered(governor, 5) == 1


async def test_an_ill_service_is_no_word_about_the_window(clock: Clock):
    """A single 503 to the first request of all must not stop the work for minutes."""
    governor = Governor(CLOUD, clock=clock)
    governor.enter_now()
    governor.leave()
    governor.refused(2.0, 0.5)
    clock.now = 2.0
    assert governor.enter_now()


async def test_a_refusal_of_an_almost_empty_window_does_not_close_it(clock: Clock):
    """A 429 for too many at once comes long before the window can be full."""
    governor = Governor(CLOUD, clock=clock)
    for _ in range(20):
        governor.enter_now()
        governor.leave()
    governor.refused(None, 0.0)
    clock.now = 60.0
    sent = 0
    while governor.enter_now() and sent < 100:
        governor.leave(well=True)
        sent += 1
    assert sent == 100


# -- how busy it is


async def test_it_tells_how_busy_it_is(clock: Clock):
    governor = governor_of(clock, concurrent=2, requests=10, seconds=300.0)
    assert governor.use == QuotaUse(allowed=10)
    entered(governor, 2)
    waiter = asyncio.create_task(governor.enter())
    await settle()
    assert governor.use == QuotaUse(in_flight=2, waiting=1, used=2, allowed=10)
    governor.leave()
    await waiter
    assert governor.use == QuotaUse(in_flight=2, used=3, allowed=10)
    governor.refused(30.0, 0.0)
    assert governor.use.held_back == 30.0
    assert governor.use.allowed == 5
    clock.now = 301.0
    assert (governor.use.used, governor.use.held_back) == (2, 0.0)
    governor.close()


def test_without_a_window_all_that_is_known_is_what_is_under_way(clock: Clock):
    governor = governor_of(clock, concurrent=2)
    entered(governor, 2)
    assert governor.use == QuotaUse(in_flight=2, used=2)


def test_what_several_principals_do_is_added_up():
    one = QuotaUse(in_flight=1, waiting=2, used=3, allowed=4, held_back=5.0)
    assert one + one == QuotaUse(
        in_flight=2, waiting=4, used=6, allowed=8, held_back=5.0
    )
    other = QuotaUse(in_flight=1, used=1)
    assert one + other == QuotaUse(in_flight=2, waiting=2, used=4)
