"""The engine: bounded, honest, cancellable, and nothing stays behind."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from functools import partial

import attrs
import pytest

from bcpicture.core.models import Uploaded
from bcpicture.core.report import Ending, Outcome, Report
from bcpicture.core.steps import Keep, Step
from bcpicture.errors import (
    AccessDeniedError,
    BackupError,
    JournalError,
    OutcomeUnknownError,
    RejectedError,
    SourceError,
    TransportError,
    UsageError,
)
from bcpicture.sync.closing import CLOSING
from bcpicture.sync.engine import AHEAD, LOST, Run


@attrs.frozen
class Prepared:
    step: Step


@attrs.frozen
class Sent:
    step: Step


def steps(count: int) -> list[Step]:
    return [
        Keep(number=str(at), id=str(at), name=f"{at}.jpg", reason="")
        for at in range(count)
    ]


class Job:
    """A job on demand, and what was asked of it."""

    run = "R1"
    together = CLOSING

    def __init__(
        self,
        errors: dict[str, list[Exception]] | None = None,
        *,
        closes: bool = False,
        breaks: dict[str, Exception] | None = None,
    ) -> None:
        self.errors, self.closes, self.breaks = errors or {}, closes, breaks or {}
        self.begun = False
        self.prepared: list[str] = []
        self.performed: list[str] = []
        self.skipped: list[str] = []
        self.closed: list[int] = []
        self.feeds = 0
        self.reports: list[Report] = []

    async def until(self, count: int) -> None:
        """Wait until so many steps were begun."""
        for _ in range(10_000):
            if len(self.performed) >= count:
                return
            await asyncio.sleep(0)
        raise AssertionError

    async def begin(self) -> None:
        await asyncio.sleep(0)
        if error := self.breaks.get("begin"):
            raise error
        self.begun = True

    async def feed(
        self, steps: Iterator[Step], *, again: bool
    ) -> AsyncGenerator[Prepared, None]:
        del again
        self.feeds += 1
        try:
            for step in steps:
                await asyncio.sleep(0)
                self.prepared.append(step.number)
                yield Prepared(step)
        finally:
            self.feeds -= 1

    def skip(self, ready: Prepared) -> None:
        self.skipped.append(ready.step.number)

    async def perform(self, ready: Prepared) -> Outcome | Sent:
        self.performed.append(ready.step.number)
        await asyncio.sleep(0)
        errors = self.errors.get(ready.step.number)
        if errors:
            error = errors.pop(0)
            if isinstance(error, ArithmeticError):
                raise error
            return Outcome(step=ready.step, ending=Ending.FAILED, error=error)
        return Sent(ready.step) if self.closes else done(ready.step)

    async def close(self, sent: Sequence[Sent]) -> Iterable[Outcome]:
        await asyncio.sleep(0)
        self.closed.append(len(sent))
        error = self.breaks.get("close")
        if error is None:
            return [done(one.step) for one in sent]
        return [
            Outcome(step=one.step, ending=Ending.FAILED, error=error) for one in sent
        ]

    async def end(self, report: Report) -> None:
        await asyncio.sleep(0)
        self.reports.append(report)
        if error := self.breaks.get("end"):
            raise error


def done(step: Step) -> Outcome:
    return Outcome(step=step, ending=Ending.UPLOADED, result=Uploaded(size=3))


def always(error: Exception) -> list[Exception]:
    return [error] * 9


async def test_every_step_ends_in_one_outcome():
    job = Job()
    async with Run(steps(50), job, width=7) as run:
        numbers = [outcome.number async for outcome in run]
    assert sorted(map(int, numbers)) == list(range(50))
    assert run.report.counts == {Ending.UPLOADED: 50}
    assert run.report.size == 150
    assert run.report.run == "R1"
    assert job.reports == [run.report]
    assert job.feeds == 0


async def test_no_more_steps_run_at_once_than_the_width_says():
    running = peak = 0

    class Slow(Job):
        async def perform(self, ready: Prepared) -> Outcome | Sent:
            nonlocal running, peak
            running += 1
            peak = max(peak, running)
            for _ in range(20):
                await asyncio.sleep(0)
            running -= 1
            return done(ready.step)

    async with Run(steps(40), Slow(), width=4) as run:
        await run.finish()
    assert peak == 4


async def test_a_slow_reader_slows_the_work_down():
    job = Job()
    job.together = 3
    async with Run(steps(1000), job, width=3) as run:
        await anext(run)
        for _ in range(2000):
            await asyncio.sleep(0)
        assert len(job.performed) <= 1 + 3 * 3
        assert len(job.prepared) <= 1 + 3 * 3 + AHEAD + 1


async def test_a_failure_is_tried_once_more_at_the_end():
    lost = TransportError("Lost.")
    job = Job({"3": [lost], "5": always(PermissionError(13, "Denied"))})
    async with Run(steps(10), job) as run:
        outcomes = {one.number: one async for one in run}
    assert job.performed[:10] == [str(at) for at in range(10)]
    assert sorted(job.performed[10:]) == ["3", "5"]
    assert outcomes["3"].error is None
    assert run.report.done == 9
    assert [failed.reason for failed in run.report.failures] == ["[Errno 13] Denied"]


async def test_a_second_failure_does_not_hide_that_nobody_knows():
    unknown, lost = OutcomeUnknownError("Nobody knows."), TransportError("Lost.")
    job = Job({"3": [unknown, lost], "4": [unknown]})
    async with Run(steps(10), job) as run:
        outcomes = {one.number: one async for one in run}
    assert outcomes["3"].error is unknown
    assert outcomes["3"].note == "tried once more: Lost."
    assert outcomes["4"].error is None


@pytest.mark.parametrize("kind", [RejectedError, SourceError])
async def test_what_would_end_in_the_same_way_is_not_tried_again(
    kind: type[Exception],
):
    job = Job({"3": always(kind("No.", advice="Mend it."))})
    async with Run(steps(10), job) as run:
        await run.finish()
    assert job.performed.count("3") == (1 if kind is RejectedError else 2)
    assert len(run.report.failures) == 1


async def test_work_goes_on_while_what_was_done_is_looked_at():
    """But not much: what nobody has looked at yet is lost by a kill."""
    job = Job(closes=True)
    looking, look = asyncio.Event(), job.close

    async def slow(sent: Sequence[Sent]) -> Iterable[Outcome]:
        await looking.wait()
        return await look(sent)

    job.close, job.together = slow, 10  # type: ignore[method-assign]  # slow on purpose
    async with Run(steps(100), job, width=5) as run:
        await job.until(20 + 10)
        for _ in range(100):
            await asyncio.sleep(0)
        assert len(job.performed) < 20 + 10 + 5
        looking.set()
        assert (await run.finish()).counts == {Ending.UPLOADED: 100}
    assert sum(job.closed) == 100
    assert sorted(job.closed)[1] >= 10  # but for the rest


async def test_what_was_done_is_looked_at_many_at_a_time():
    job = Job(closes=True)
    async with Run(steps(2 * CLOSING + 7), job) as run:
        await run.finish()
    assert job.closed == [CLOSING, CLOSING, 7]
    assert run.report.done == 2 * CLOSING + 7


@pytest.mark.parametrize(
    "error",
    [AccessDeniedError("Not you."), JournalError("Full."), BackupError("Full.")],
)
async def test_what_concerns_all_starts_no_further_step(error: Exception):
    job = Job({"10": [error]}, closes=True)
    async with Run(steps(1000), job, width=2) as run:
        with pytest.raises(type(error)):
            await run.finish()
        with pytest.raises(type(error)):
            await anext(run)
    assert len(job.performed) <= 10 + 2
    assert [failed.number for failed in run.report.failures] == ["10"]
    counts = run.report.counts
    assert sum(counts.values()) == 1000
    assert counts[Ending.STOPPED] >= 980
    assert sum(job.closed) == counts[Ending.UPLOADED] == len(job.performed) - 1
    assert run.report.stopped
    assert job.reports == [run.report]


async def test_without_a_connection_it_ends_soon():
    lost = TransportError("Gone.")
    job = Job({str(at): always(lost) for at in range(1000)})
    async with Run(steps(1000), job) as run:
        with pytest.raises(TransportError, match="Gone"):
            await run.finish()
    assert LOST <= len(job.performed) <= LOST + 5
    assert len(run.report.failures) == len(job.performed)
    assert run.report.counts[Ending.STOPPED] == 1000 - len(job.performed)


async def test_a_connection_that_comes_back_is_not_lost():
    lost = TransportError("Gone.")
    job = Job({str(at): [lost] for at in range(0, 1000, 2)})
    async with Run(steps(1000), job) as run:
        await run.finish()
    assert run.report.done == 1000


async def test_stop_begins_nothing_and_ends_what_is_in_flight():
    job = Job({"4": [TransportError("Lost.")]}, closes=True)
    async with Run(steps(1000), job, width=2) as run:
        await job.until(10)
        run.stop()
        performed = len(job.performed)
        outcomes = {one.number: one async for one in run}
    assert len(job.performed) == performed
    assert len(outcomes) == 1000
    assert outcomes["4"].ending is Ending.FAILED
    assert run.report.counts == {
        Ending.UPLOADED: performed - 1,
        Ending.FAILED: 1,
        Ending.STOPPED: 1000 - performed,
    }
    assert run.report.stopped
    assert job.reports == [run.report]
    assert sorted(job.performed + job.skipped) == sorted(job.prepared)


async def test_stop_after_the_last_step_stops_nothing():
    async with Run(steps(3), Job()) as run:
        await run.finish()
        run.stop()
        await run.finish()
    assert not run.report.stopped
    assert run.report.done == 3


async def test_a_run_that_cannot_begin_does_nothing():
    job = Job(breaks={"begin": JournalError("Full.")})
    async with Run(steps(3), job) as run:
        with pytest.raises(JournalError):
            await run.finish()
    assert job.performed == []
    assert run.report.counts == {Ending.STOPPED: 3}


async def test_a_run_that_cannot_note_its_end_says_so():
    job = Job(breaks={"end": JournalError("Full.")})
    async with Run(steps(3), job) as run:
        with pytest.raises(JournalError):
            await run.finish()
    assert run.report.done == 3


async def test_what_could_not_be_looked_at_has_failed():
    job = Job(closes=True, breaks={"close": TransportError("Gone.")})
    async with Run(steps(3), job) as run:
        await run.finish()
    assert run.report.counts == {Ending.FAILED: 3}


async def test_a_bug_is_raised_as_it_is():
    async def reading() -> None:
        async with Run(steps(50), Job({"7": [ZeroDivisionError()]})) as run:
            await run.finish()

    with pytest.raises(ZeroDivisionError):
        await reading()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_no_step_makes_no_outcome():
    job = Job()
    async with Run([], job) as run:
        assert [one async for one in run] == []
        assert [one async for one in run] == []
    assert job.begun
    assert run.report.summary == "nothing to do"


async def test_an_error_of_the_reader_is_raised_as_it_is():
    job = Job()

    async def reading() -> None:
        async with Run(steps(50), job) as run:
            await anext(run)
            raise KeyError

    with pytest.raises(KeyError):
        await reading()
    assert job.feeds == 0
    assert job.reports == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_leaving_early_leaves_nothing_behind():
    job = Job()
    async with Run(steps(10_000), job) as run:
        async for outcome in run:
            if outcome.number == "20":
                break
    assert job.feeds == 0
    assert len(job.performed) < 100
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("moment", range(0, 90, 7))
@pytest.mark.parametrize("job", [Job, partial(Job, closes=True)], ids=["", "closes"])
async def test_it_can_be_cancelled_at_any_moment(moment: int, job: Callable[..., Job]):
    job = job({"2": [TransportError("Lost.")]})

    async def reading() -> None:
        async with Run(steps(300), job, width=3) as run:
            await run.finish()

    task = asyncio.create_task(reading())
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert job.feeds == 0


async def test_a_width_of_nothing_is_refused():
    with pytest.raises(UsageError, match="width of 0"):
        Run(steps(1), Job(), width=0)
