"""One alarm for all requests of a session: whoever does not move is ended.

aiohttp has a time-out for reading but none for writing, and a timer for every request
costs more than all of our other bookkeeping. So each request only notes until when it
has to move, and a single alarm looks at all of them a few times a minute.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import current_task
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

import attrs

from bcpicture.errors import ConfigurationError


@attrs.frozen(kw_only=True)
class Timeouts:
    """How long nothing may happen, in seconds. None of them limits a whole transfer.

    An overall limit is the caller's own, by `asyncio.timeout`.
    """

    connect: float = 15.0
    """Until a connection stands, TLS included."""

    reply: float = 300.0
    """From the end of the request to the beginning of the reply.

    Business Central may work for 8 minutes on one request and lets others queue for
    as long; for pictures this is generous, for expanded listings it may be short.
    """

    stall: float = 60.0
    """Between two chunks, in either direction."""

    idle: float = 60.0
    """Between two reads of a stream by whoever opened it; then it is closed.

    It holds one of the few places that the service grants, read or not.
    """

    def __attrs_post_init__(self) -> None:
        times = self.connect, self.reply, self.stall, self.idle
        if not all(time > 0 for time in times):
            raise ConfigurationError(
                f"Every request would time out with {self}.",
                advice="Every time-out must be positive.",
            )

    @property
    def every(self) -> float:
        """How often to look, in seconds: nothing is noticed later than by a quarter."""
        return min(self.reply, self.stall, self.idle) / 4


class Watched:
    """A stretch of waiting for the network, and until when it has to move."""

    until = inf
    """When it is overdue; `inf` while it does not wait."""

    expired = False
    """Whether its time is over."""

    resting = False
    """Whether it is somebody else's turn, and nobody waits."""

    _aside = False
    _task: asyncio.Task[object] | None = None
    _cancelling = 0

    def begin(self, until: float) -> None:
        """The running task waits from now on, at most until *until*."""
        task = current_task()
        self._task = task
        self.resting = False
        self._cancelling = task.cancelling() if task is not None else 0
        self.until = until

    def overdue(self, now: float) -> bool:
        """Whether it should have moved before *now*."""
        return self.until < now and not self._aside

    @contextmanager
    def aside(self, clock: Callable[[], float]) -> Iterator[None]:
        """Wait for something that is not the network, for which there is no limit."""
        began, self._aside = clock(), True
        try:
            yield
        finally:
            self._aside = False
            self.until += clock() - began

    def put_down(self, until: float) -> None:
        """Nobody waits from now on; `lapse` comes unless it goes on until *until*."""
        self.resting = True
        self.until = until

    def lapse(self) -> None:
        """Nobody came for it in time: let go of what it holds."""

    def moved(self, now: float) -> bool:
        """Whether it got on after all, unnoticed; then it waits anew from *now*."""
        del now
        return False

    def expire(self) -> None:
        """End the wait of the task, by a cancellation that is ours; or the rest."""
        self.until = inf
        self.expired = True
        if self.resting:
            self.lapse()
        elif self._task is not None:
            self._task.cancel()

    def claim(self) -> bool:
        """Whether the cancellation that just arrived is ours alone.

        The rule of `asyncio.timeout`: a cancellation by somebody else, at the same
        moment, wins.
        """
        if not self.expired or self._task is None:
            return False
        self.expired = False
        return self._task.uncancel() <= self._cancelling


class Watchdog:
    """Looks at everything watched; sleeps while there is nothing."""

    __slots__ = ("_clock", "_every", "_timer", "_watched", "discard")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._every = inf
        self._clock = clock
        self._watched: set[Watched] = set()
        self.discard: Callable[[Watched], None] = self._watched.discard
        """Looks at it no more: the set's own method, one step less a request."""
        self._timer: asyncio.TimerHandle | None = None

    def add(self, watched: Watched) -> None:
        """Begin to look at *watched*."""
        self._watched.add(watched)
        if self._timer is None:
            self._set_alarm()

    def look_every(self, seconds: float) -> None:
        """Look at least as often as that."""
        if seconds >= self._every:
            return
        self._every = seconds
        if self._timer is not None:
            self._timer.cancel()
            self._set_alarm()

    def _set_alarm(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._every, self._look)

    def _look(self) -> None:
        self._timer = None
        now = self._clock()
        for watched in [one for one in self._watched if one.overdue(now)]:
            if not watched.moved(now):
                watched.expire()
        if self._watched:
            self._set_alarm()

    def close(self) -> None:
        """Stop the alarm."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
