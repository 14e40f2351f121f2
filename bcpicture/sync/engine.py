"""A few workers on one plan: each step of it ends in exactly one outcome.

What a step does is no matter of the engine. It is told by a `Job`, which prepares steps
ahead, carries each out, and looks at what was done once more before it counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Generic, Self

import attrs

from bcpicture.core.report import Ending, Outcome, Report, Tally
from bcpicture.core.steps import Step
from bcpicture.errors import (
    AuthenticationError,
    BcPictureError,
    BrakeError,
    ClosedError,
    JournalError,
    MissingError,
    OutcomeUnknownError,
    RejectedError,
    TargetError,
    TransportError,
    UnfitPictureError,
    UsageError,
)
from bcpicture.sync.jobs import Job, ReadyT, SentT

WIDTH = 5
"""Steps at once: what the online service works on for one user; more only queue."""

AHEAD = 32
"""Steps that are prepared, and wait for a worker."""

_CLOSERS = 2
"""Looks at what was done that are on their way at once, while workers go on."""

LOST = 20
"""Steps in a row that found no connection, after which no other is begun."""

_FOR_ALL = (AuthenticationError, JournalError, ClosedError, TargetError)
"""What makes no sense to go on after."""

_FOR_GOOD = (RejectedError, MissingError, BrakeError, UnfitPictureError)
"""What would end in the same way if it were tried once more."""


class Run(Generic[ReadyT, SentT]):
    """Steps that are being carried out, and their outcomes as they come.

    The work lasts as long as the ``async with`` block: leaving it early, by an error or
    a cancellation too, ends it, and nothing stays behind::

        async with box.run(plan) as run:
            async for outcome in run:
                ...
        print(run.report)

    A failure of one picture is an outcome and stops nothing; it is tried once more at
    the end. A rejected credential, or a journal that cannot be written, starts no
    further step; what is in flight still ends in its outcome, and then the iteration
    raises the error.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        job: Job[ReadyT, SentT],
        *,
        width: int = WIDTH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if width < 1:
            raise UsageError(
                f"No step could ever start with a width of {width}.",
                advice="Say how many may run at once: 1 or more.",
            )
        self._left = iter(steps)
        self._job = job
        self._width = width
        self._clock = clock
        self._group = asyncio.TaskGroup()
        self._driver: asyncio.Task[None] | None = None
        # Bounded, so that a slow reader slows the work down instead of piling it up.
        # What is looked at together fits into it: then its reader is woken once for it.
        bound = max(width, job.together)
        self._outcomes: asyncio.Queue[Outcome | None] = asyncio.Queue(bound)
        self._again: list[Outcome] = []
        self._unknown: dict[str, Outcome] = {}
        self._sent: list[SentT] = []
        self._closers = asyncio.Semaphore(_CLOSERS)
        self._lost = 0
        self.performed = 0
        """Steps that were carried out so far, those included whose outcome is to come,
        since what they wrote is looked at first: for a progress bar."""

        self._stopping = self._cut = False
        self._fatal: BcPictureError | OSError | None = None
        self._made, self._received = Tally(job.run), Tally(job.run)

    # -- what its user sees

    def stop(self) -> None:
        """Begin no further step; what is in flight ends, and is looked at."""
        self._stopping = True

    @property
    def stopping(self) -> bool:
        """Whether no further step is begun."""
        return self._stopping or self._fatal is not None

    @property
    def report(self) -> Report:
        """What the outcomes that were received so far amount to."""
        return self._received.report(stopped=self._cut)

    async def finish(self) -> Report:
        """Receive all outcomes that are left, and return the report."""
        async for _ in self:
            pass
        return self.report

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._driver = self._group.create_task(self._drive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._driver is not None:
            self._driver.cancel()
        try:
            # The group is not told of an error in the block: it would wrap it up.
            await self._group.__aexit__(None, None, None)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        outcome = await self._outcomes.get()
        if outcome is not None:
            self._received.add(outcome)
            return outcome
        self._outcomes.put_nowait(None)  # for whoever asks once more
        if self._fatal is not None:
            raise self._fatal
        raise StopAsyncIteration

    # -- what drives it

    async def _drive(self) -> None:
        try:
            await self._job.begin()
            await self._round(self._left, again=False)
            await self._once_more()
            await self._close(self._taken())
        except (BcPictureError, OSError) as exc:
            self._fatal = self._fatal or exc
        for step in self._left:
            self._cut = True
            await self._tell(Outcome(step=step, ending=Ending.STOPPED))
        try:
            await self._job.end(self._made.report(stopped=self._cut))
        except (BcPictureError, OSError) as exc:
            self._fatal = self._fatal or exc
        await self._outcomes.put(None)

    async def _once_more(self) -> None:
        """Try again what failed, unless the run is to end; then it has failed."""
        failed, self._again = self._again, []
        if self.stopping:
            for outcome in failed:
                await self._tell(outcome)
            return
        for outcome in failed:
            if isinstance(outcome.error, OutcomeUnknownError):
                self._unknown[outcome.step.id] = outcome
        await self._round((outcome.step for outcome in failed), again=True)

    async def _round(self, steps: Iterator[Step], *, again: bool) -> None:
        ready: asyncio.Queue[ReadyT | None] = asyncio.Queue(AHEAD)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._feed(steps, ready, again=again))
                for _ in range(self._width):
                    group.create_task(self._work(ready, group, again=again))
        except BaseExceptionGroup as several:
            raise several.exceptions[0] from None

    async def _feed(
        self, steps: Iterator[Step], ready: asyncio.Queue[ReadyT | None], *, again: bool
    ) -> None:
        wanted = self._wanted(steps)
        async with aclosing(self._job.feed(wanted, again=again)) as feed:
            async for one in feed:
                await ready.put(one)
        await ready.put(None)

    def _wanted(self, steps: Iterator[Step]) -> Iterator[Step]:
        while not self.stopping and (step := next(steps, None)) is not None:
            yield step

    async def _work(
        self,
        ready: asyncio.Queue[ReadyT | None],
        group: asyncio.TaskGroup,
        *,
        again: bool,
    ) -> None:
        while (one := await ready.get()) is not None:
            if self.stopping:
                self._cut = True
                self._job.skip(one)
                await self._tell(Outcome(step=one.step, ending=Ending.STOPPED))
                continue
            done = await self._job.perform(one)
            self.performed += not again
            if isinstance(done, Outcome):
                await self._ended(done, again=again)
                continue
            self._lost = 0
            self._sent.append(done)
            if len(self._sent) >= self._job.together:
                await self._close_beside(group)
        await ready.put(None)  # for the next worker

    async def _close_beside(self, group: asyncio.TaskGroup) -> None:
        """Begin to look at what was done, while this worker goes on."""
        await self._closers.acquire()
        if len(self._sent) < self._job.together:
            self._closers.release()  # another worker was quicker
            return
        looking = group.create_task(self._close(self._taken()))
        looking.add_done_callback(lambda _: self._closers.release())

    def _taken(self) -> list[SentT]:
        sent, self._sent = self._sent, []
        return sent

    async def _close(self, sent: Sequence[SentT]) -> None:
        if sent:
            for outcome in await self._job.close(sent):
                self._judge(outcome.error)
                await self._tell(outcome)

    async def _ended(self, outcome: Outcome, *, again: bool) -> None:
        error = outcome.error
        self._judge(error)
        if error is None or again or isinstance(error, (*_FOR_ALL, *_FOR_GOOD)):
            await self._tell(self._as_known(outcome))
        else:
            self._again.append(outcome)

    def _as_known(self, outcome: Outcome) -> Outcome:
        """What is known at last: a second failure does not say how the first ended."""
        first = self._unknown.get(outcome.step.id)
        if first is None or outcome.error is None:
            return outcome
        return attrs.evolve(first, note=f"tried once more: {outcome.error}")

    def _judge(self, error: BcPictureError | OSError | None) -> None:
        """Whether an error is that of all other steps, too."""
        self._lost = self._lost + 1 if isinstance(error, TransportError) else 0
        if isinstance(error, _FOR_ALL) or self._lost >= LOST:
            self._fatal = self._fatal or error

    async def _tell(self, outcome: Outcome) -> None:
        self._made.add(outcome)
        await self._outcomes.put(outcome)
