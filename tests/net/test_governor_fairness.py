"""Bulk work and others, and what becomes of who waits in the end."""

from __future__ import annotations

import asyncio

import attrs
import pytest

from bcpicture.core.quota import Quota
from bcpicture.errors import ClosedError
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


# -- interactive callers and bulk work


async def test_bulk_work_leaves_the_reserve_to_others(clock: Clock):
    governor = governor_of(clock, concurrent=10, reserve=0.3)
    assert entered(governor, 20, bulk=True) == 7
    assert entered(governor, 20) == 3


async def test_bulk_work_leaves_its_share_of_the_window_too(clock: Clock):
    governor = governor_of(
        clock, concurrent=100, requests=10, seconds=300.0, reserve=0.3
    )
    assert entered(governor, 20, bulk=True) == 7
    assert entered(governor, 20) == 3


@pytest.mark.parametrize("reserve", [0.3, 0.9, 1.0])
@pytest.mark.parametrize("concurrent", [1, 2, 5])
async def test_whatever_the_reserve_bulk_work_goes_on(
    clock: Clock, reserve: float, concurrent: int
):
    governor = governor_of(
        clock, concurrent=concurrent, requests=4, seconds=300.0, reserve=reserve
    )
    assert governor.enter_now(bulk=True)


async def test_others_are_let_in_before_bulk_work_that_came_first(clock: Clock):
    governor = governor_of(clock, concurrent=1)
    governor.enter_now()
    order: list[str] = []

    async def caller(name: str, *, bulk: bool) -> None:
        await governor.enter(bulk=bulk)
        order.append(name)
        governor.leave()

    callers = [
        asyncio.create_task(caller("bulk 1", bulk=True)),
        asyncio.create_task(caller("bulk 2", bulk=True)),
    ]
    await settle()
    callers.append(asyncio.create_task(caller("other", bulk=False)))
    await settle()
    governor.leave()
    await asyncio.gather(*callers)
    assert order == ["other", "bulk 1", "bulk 2"]


async def test_the_probe_after_a_pause_may_be_bulk_work(clock: Clock):
    governor = governor_of(clock, concurrent=5, reserve=0.6)
    governor.refused(1.0, 0.0)
    clock.now = 1.0
    assert entered(governor, 5, bulk=True) == 1


# -- the end


async def test_closing_lets_everybody_go_with_an_error(clock: Clock):
    governor = governor_of(clock, concurrent=1)
    governor.enter_now()
    callers = [asyncio.create_task(governor.enter(bulk=bulk)) for bulk in (False, True)]
    await settle()
    governor.close()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert {type(one) for one in results} == {ClosedError}


async def test_who_is_cancelled_while_it_closes_gives_back_no_place_it_never_had(
    clock: Clock,
):
    governor = governor_of(clock, concurrent=1)
    governor.enter_now()
    waiting = asyncio.create_task(governor.enter())
    await settle()
    governor.close()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert governor.in_flight == 1
