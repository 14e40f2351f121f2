"""Telling a caller how far a transfer is: seldom enough, and always in the end."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import aclosing, nullcontext
from typing import ClassVar, TypeAlias

from bcpicture.core.models import Progress
from bcpicture.net.bodies import Blocks, Body, pieces
from bcpicture.net.watchdog import Watched

OnProgress: TypeAlias = (
    Callable[[Progress], object] | Callable[[Progress], Awaitable[object]]
)
"""Is called with every `Progress`; sync, and then on the loop, or async."""

EVERY = 0.1
"""Seconds between two calls at least, but for the first and the last of an attempt."""


class Meter:
    """Counts the bytes of one call, attempt after attempt, and tells its caller."""

    def __init__(self, tell: OnProgress, clock: Callable[[], float]) -> None:
        self._tell_caller = tell
        self._clock = clock
        self._attempt = 1
        self._total: int | None = None
        self._done = 0
        self._due = 0.0

    async def begin(
        self, attempt: int, total: int | None, watched: Watched | None = None
    ) -> None:
        """An attempt begins, from no bytes."""
        self._attempt, self._total, self._done = attempt, total, 0
        await self.tell(watched)

    def add(self, size: int) -> bool:
        """Count *size* bytes more; return whether it is time to `tell` of them.

        Never when all are there: that is for `finish` to tell.
        """
        self._done += size
        return self._done != self._total and self._clock() >= self._due

    async def tell(self, watched: Watched | None = None) -> None:
        """Tell how far it is; what the caller raises comes out as it is.

        Args:
            watched: What need not move while an async caller is awaited.
        """
        answer = self._tell_caller(
            Progress(done=self._done, total=self._total, attempt=self._attempt)
        )
        if inspect.isawaitable(answer):
            with watched.aside(self._clock) if watched else nullcontext():
                await answer
        self._due = self._clock() + EVERY

    async def finish(self, attempt: int, size: int) -> None:
        """All *size* bytes are where they should be: the last call."""
        self._attempt, self._total, self._done = attempt, size, size
        await self.tell()

    async def confirm(self, attempt: int, size: int) -> None:
        """The same after an upload, which no exception can undo any more."""
        try:
            await self.finish(attempt, size)
        except BaseException as exc:
            exc.add_note("The upload was complete: the picture is stored.")
            raise


class MeteredBody:
    """A body whose sending is told of; another reading of it, to compare, is not."""

    whole: ClassVar[None] = None
    """It is sent in pieces, even if it is small, for they are counted."""

    def __init__(
        self,
        inner: Body,
        meter: Meter,
        attempt: int = 0,
        watched: Watched | None = None,
    ) -> None:
        self.inner = inner
        """The body itself."""
        self._meter = meter
        self._attempt = attempt
        self._watched = watched

    @property
    def size(self) -> int:
        """Exact number of bytes."""
        return self.inner.size

    @property
    def replayable(self) -> bool:
        """Whether they can be read a second time."""
        return self.inner.replayable

    def sending(self, attempt: int, watched: Watched) -> MeteredBody:
        """The body for one attempt, which is told of."""
        return MeteredBody(self.inner, self._meter, attempt, watched)

    def blocks(self) -> Blocks:
        """All of them, from their start."""
        return self._told() if self._watched else self.inner.blocks()

    async def _told(self) -> Blocks:
        # What the caller raises ends it before its last piece is out, so that the
        # service never has the whole body.
        await self._meter.begin(self._attempt, self.size, self._watched)
        async with aclosing(self.inner.blocks()) as blocks:
            async for block in blocks:
                for piece in pieces(block):
                    yield piece
                    await self._count(len(piece))

    async def _count(self, size: int) -> None:
        if self._meter.add(size):
            await self._meter.tell(self._watched)

    async def aclose(self) -> None:
        """Let go of what was opened for it."""
        await self.inner.aclose()
