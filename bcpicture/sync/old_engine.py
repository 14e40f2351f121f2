"""A few workers on one shared list of steps, each step ending in one outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

from bcpicture.core.models import Downloaded, Uploaded
from bcpicture.core.pairing import Step
from bcpicture.errors import AuthenticationError, BcPictureError, UsageError
from bcpicture.sync.old_report import Outcome, Report, Tally

WIDTH = 5
"""Steps at once: what the online service works on for one user; more only queue."""

StepT = TypeVar("StepT", bound=Step)


class Run(Generic[StepT]):
    """Steps that are being carried out, and their outcomes as they come.

    The workers live as long as the ``async with`` block: leaving it early, by an error
    or a cancellation too, ends them, and nothing stays behind::

        async with push(company, plan) as run:
            async for outcome in run:
                ...
        print(run.report)

    A failure of one picture is an outcome and stops nothing. A rejected credential, or
    a listing that breaks off, starts no further step; what is in flight still ends in
    its outcome, and then the iteration raises the error.
    """

    def __init__(
        self,
        steps: AsyncGenerator[StepT, None],
        perform: Callable[[StepT], Awaitable[Uploaded | Downloaded | None]],
        *,
        width: int = WIDTH,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if width < 1:
            raise UsageError(
                f"No step could ever start with a width of {width}.",
                advice="Say how many may run at once: 1 or more.",
            )
        self._steps = steps
        self._perform = perform
        self._clock = clock
        self._working = width
        self._group = asyncio.TaskGroup()
        self._workers: list[asyncio.Task[None]] = []
        self._turn = asyncio.Lock()
        # Bounded, so that a slow reader slows the work down instead of piling it up.
        self._outcomes: asyncio.Queue[Outcome | None] = asyncio.Queue(width)
        self._fatal: BcPictureError | OSError | None = None
        self._tally = Tally()

    @property
    def report(self) -> Report:
        """What the outcomes that were received so far amount to."""
        return self._tally.report()

    async def finish(self) -> Report:
        """Receive all outcomes that are left, and return the report."""
        async for _ in self:
            pass
        return self.report

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._workers = [
            self._group.create_task(self._work()) for _ in range(self._working)
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.cancel()
        try:
            # The group is not told of an error in the block: it would wrap it up.
            await self._group.__aexit__(None, None, None)
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            await self._steps.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome:
        outcome = await self._outcomes.get()
        if outcome is not None:
            self._tally.add(outcome)
            return outcome
        self._outcomes.put_nowait(None)  # for whoever asks once more
        if self._fatal is not None:
            raise self._fatal
        raise StopAsyncIteration

    async def _work(self) -> None:
        while (step := await self._next()) is not None:
            await self._outcomes.put(await self._carry_out(step))
        self._working -= 1
        if not self._working:
            await self._outcomes.put(None)

    async def _next(self) -> StepT | None:
        async with self._turn:
            if self._fatal is not None:
                return None
            try:
                return await anext(self._steps, None)
            except (BcPictureError, OSError) as exc:
                self._fatal = exc
                return None

    async def _carry_out(self, step: StepT) -> Outcome:
        started = self._clock()
        result, error = None, None
        try:
            result = await self._perform(step)
        except (BcPictureError, OSError) as exc:
            error = exc
            if isinstance(exc, AuthenticationError):
                self._fatal = exc
        seconds = self._clock() - started
        return Outcome(step=step, result=result, error=error, seconds=seconds)
