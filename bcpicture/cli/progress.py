"""How far a run is: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from bcpicture import QuotaUse
from bcpicture.cli.console import Console, size

_EVERY = 10.0
"""Seconds between two lines of progress."""

_TICK = 0.2
"""Seconds between two looks at the quota."""

Use = Callable[[], QuotaUse]
"""Tells how busy the client is."""


class Through(Protocol):
    """How one step ended."""

    @property
    def size(self) -> int:
        """Bytes that were sent or written."""


class Progress(Protocol):
    """Something that shows how far a run is."""

    def advance(self, outcome: Through) -> None:
        """Show that one more step is through."""

    def tick(self) -> None:
        """Show what else has changed."""


@contextmanager
def progress(
    console: Console,
    what: str,
    total: int | None,
    use: Use = QuotaUse,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Progress]:
    """Show how far a run is, as the console allows.

    Args:
        console: Where to.
        what: The work, such as ``Pushing``.
        total: How many steps there are; None if nobody knows yet.
        use: Tells how busy the client is.
        clock: Monotonic seconds.
    """
    if not console.moving:
        yield Lines(console, what, total, use, clock)
        return
    # Only a terminal needs it, and it takes a while to load.
    from bcpicture.cli.bar import bar

    with bar(what, total, use) as moving:
        yield moving


@contextmanager
def ticking(shown: Progress, every: float = _TICK) -> Iterator[None]:
    """Have *shown* look at what has changed, until the block ends."""

    async def tick() -> None:
        while True:
            await asyncio.sleep(every)
            shown.tick()

    ticker = asyncio.create_task(tick())
    try:
        yield
    finally:
        _ = ticker.cancel()


class Lines:
    """Lines, for those who read them later or are no people."""

    def __init__(
        self,
        console: Console,
        what: str,
        total: int | None,
        use: Use,
        clock: Callable[[], float],
    ) -> None:
        self._console = console
        self._what = what
        self._total = total
        self._use = use
        self._clock = clock
        self._through = self._size = 0
        self._started = self._told = clock()

    def advance(self, outcome: Through) -> None:
        """Count one more."""
        self._through += 1
        self._size += outcome.size
        self.tick()

    def tick(self) -> None:
        """Tell how far it is, if that was long ago."""
        now = self._clock()
        if now - self._told >= _EVERY:
            self._told = now
            self._tell(now - self._started)

    def _tell(self, seconds: float) -> None:
        rate, use = self._through / seconds, self._use()
        self._console.emit(
            event="progress",
            through=self._through,
            total=self._total,
            size=self._size,
            per_second=round(rate, 1),
            quota_used=use.used,
            quota_allowed=use.allowed,
            waiting=use.waiting,
            held_back=round(use.held_back, 1),
        )
        of = "" if self._total is None else f" of {self._total:,}"
        told = f"{self._through:,}{of} pictures, {size(self._size)}, {rate:,.1f}/s"
        self._console.note(f"{self._what}: {told}, {busy(use)}")


def busy(use: QuotaUse) -> str:
    """How busy the client is, in words."""
    if use.held_back:
        return f"held back for {use.held_back:,.0f} s"
    if use.allowed is None:
        return f"{use.in_flight} under way"
    return f"quota {use.used:,}/{use.allowed:,}"
