"""The engine: bounded, honest, cancellable, and nothing stays behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from bcpicture.core.models import Uploaded
from bcpicture.core.pairing import Download
from bcpicture.errors import (
    AccessDeniedError,
    RejectedError,
    TransportError,
    UsageError,
)
from bcpicture.sync.old_engine import Run

DONE = Uploaded(size=3)


class Steps:
    """Steps on demand, and what happened to them."""

    def __init__(self, count: int, *, breaks: BaseException | None = None) -> None:
        self.count, self.breaks = count, breaks
        self.given = 0
        self.closed = False

    async def __call__(self) -> AsyncGenerator[Download, None]:
        try:
            for at in range(self.count):
                await asyncio.sleep(0)
                self.given += 1
                yield Download(number=str(at), item_id=str(at), stem=str(at))
            if self.breaks:
                raise self.breaks
        finally:
            self.closed = True


def failing(errors: dict[str, Exception]) -> Callable[[Download], Awaitable[Uploaded]]:
    async def perform(step: Download) -> Uploaded:
        await asyncio.sleep(0)
        if step.number in errors:
            raise errors[step.number]
        return DONE

    return perform


async def test_every_step_ends_in_one_outcome():
    steps = Steps(50)
    async with Run(steps(), failing({}), width=7) as run:
        numbers = [outcome.number async for outcome in run]
    assert sorted(map(int, numbers)) == list(range(50))
    assert run.report.done == 50
    assert run.report.size == 150
    assert steps.closed


async def test_no_more_steps_run_at_once_than_the_width_says():
    running = peak = 0

    async def perform(_: Download) -> Uploaded:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        for _ in range(20):
            await asyncio.sleep(0)
        running -= 1
        return DONE

    async with Run(Steps(40)(), perform, width=4) as run:
        await run.finish()
    assert peak == 4


async def test_a_slow_reader_slows_the_work_down():
    steps = Steps(1000)
    async with Run(steps(), failing({}), width=3) as run:
        await anext(run)
        for _ in range(200):
            await asyncio.sleep(0)
        assert steps.given <= 1 + 3 * 3


async def test_a_failure_is_an_outcome_and_stops_nothing():
    errors = {"3": RejectedError("No."), "5": PermissionError(13, "Denied")}
    async with Run(Steps(10)(), failing(errors)) as run:
        outcomes = {one.number: one async for one in run}
    assert outcomes["3"].error is errors["3"]
    assert outcomes["5"].error is errors["5"]
    assert run.report.done == 8
    assert {failed.reason for failed in run.report.failures} == {
        "No.",
        "[Errno 13] Denied",
    }


async def test_an_item_without_a_picture_is_no_failure():
    async def perform(_: Download) -> None:
        return None

    async with Run(Steps(2)(), perform) as run:
        report = await run.finish()
    assert (report.done, report.absent, report.failures) == (0, 2, ())


async def test_a_rejected_credential_starts_no_further_step():
    steps = Steps(1000)
    denied = AccessDeniedError("Not you.")
    async with Run(steps(), failing({"10": denied}), width=2) as run:
        with pytest.raises(AccessDeniedError):
            await run.finish()
        with pytest.raises(AccessDeniedError):
            await anext(run)
    assert steps.given <= 10 + 2
    assert [failed.number for failed in run.report.failures] == ["10"]
    assert run.report.done >= 9


async def test_a_listing_that_breaks_off_is_raised_after_the_outcomes():
    steps = Steps(5, breaks=TransportError("Gone."))
    async with Run(steps(), failing({})) as run:
        with pytest.raises(TransportError, match="Gone"):
            await run.finish()
    assert run.report.done == 5


async def test_a_bug_is_raised_as_it_is():
    async def reading() -> None:
        async with Run(Steps(50)(), failing({"7": ZeroDivisionError()})) as run:
            await run.finish()

    with pytest.raises(ZeroDivisionError):
        await reading()


async def test_no_step_makes_no_outcome():
    async with Run(Steps(0)(), failing({})) as run:
        assert [one async for one in run] == []
        assert [one async for one in run] == []


async def test_an_error_of_the_reader_is_raised_as_it_is():
    steps = Steps(50)

    async def reading() -> None:
        async with Run(steps(), failing({})) as run:
            await anext(run)
            raise KeyError

    with pytest.raises(KeyError):
        await reading()
    assert steps.closed
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_leaving_early_leaves_nothing_behind():
    steps = Steps(10_000)
    async with Run(steps(), failing({})) as run:
        async for outcome in run:
            if outcome.number == "20":
                break
    assert steps.closed
    assert steps.given < 100
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("moment", range(0, 60, 3))
async def test_it_can_be_cancelled_at_any_moment(moment: int):
    steps = Steps(30)

    async def reading() -> None:
        async with Run(steps(), failing({}), width=3) as run:
            await run.finish()

    task = asyncio.create_task(reading())
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert steps.closed or steps.given == 0


async def test_time_is_taken_from_the_clock_it_is_given():
    ticks = iter(range(100))
    async with Run(Steps(1)(), failing({}), clock=lambda: next(ticks)) as run:
        assert (await anext(run)).seconds == 1


async def test_a_width_of_nothing_is_refused():
    with pytest.raises(UsageError, match="width of 0"):
        Run(Steps(1)(), failing({}), width=0)
