"""One user's share of the service: places at once, the window, and the shared pause.

There is one governor for each principal and environment, and every request passes
it, retries included. It is a deque and two counters because the libraries for it
were measured and do something else: pyrate-limiter costs 6 µs an acquire where this
costs a fraction of one, starts a thread and pads its sleeps; aiolimiter is a leaky
bucket and admits twice the quota of a sliding window.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from math import inf

from bcpicture.core.quota import Quota, QuotaUse, Window
from bcpicture.errors import ClosedError, ThrottledError

_LONGEST_PAUSE = 60.0


class SentAwayError(Exception):
    """This principal is held back, another one may not be. Internal."""


class Governor:
    """Who may send now: first come, first served, bulk work after everybody else."""

    def __init__(
        self,
        quota: Quota,
        *,
        reserve: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Govern by *quota*.

        Args:
            quota: What the service allows.
            reserve: Share of it, from 0 to 1, that bulk work leaves to others.
            clock: Monotonic seconds.
        """
        self._quota = quota
        self._clock = clock
        self._window = Window(quota.requests, quota.seconds) if quota.requests else None
        self._kept_places = min(int(quota.concurrent * reserve), quota.concurrent - 1)
        self._kept_window = int((quota.requests or 0) * reserve)
        self._open = 0
        self._allowed = quota.concurrent
        self._paused_until = -inf
        self._refusals = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._waiting_bulk: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_flight(self) -> int:
        """Requests that hold a place."""
        return self._open

    @property
    def waiting(self) -> int:
        """Callers that wait for a place."""
        return len(self._waiting) + len(self._waiting_bulk)

    @property
    def use(self) -> QuotaUse:
        """How busy it is."""
        now, window = self._clock(), self._window
        return QuotaUse(
            in_flight=self._open,
            waiting=self.waiting,
            used=window.used(now) if window else self._open,
            allowed=int(window.limit) if window else None,
            held_back=max(0.0, self._paused_until - now),
        )

    @property
    def has_room(self) -> bool:
        """Whether a caller could enter now."""
        return not self._waiting and self._room(self._clock(), bulk=False) <= 0

    def enter_now(self, *, bulk: bool = False) -> bool:
        """Take a place if there is one and nobody is before you."""
        if self._waiting or (bulk and self._waiting_bulk):
            return False
        # `_take` written out for the usual case: every request passes here.
        if bulk or self._open >= self._allowed:
            return bulk and self._take(bulk=True)
        now = self._clock()
        window = self._window
        if now < self._paused_until or (window is not None and not window.take(now)):
            return False
        self._open += 1
        return True

    async def enter(
        self,
        *,
        bulk: bool = False,
        patience: float | None = None,
        longest_pause: float = inf,
    ) -> None:
        """Wait for a place and take it.

        Args:
            bulk: Stand in the second queue.
            patience: Seconds to wait at most; None for as long as it takes.
            longest_pause: Seconds of a pause that the service asked for; if more of it
                is left, the caller does not wait at all.

        Raises:
            ThrottledError: No place became free in time, or none will.
            SentAwayError: There will be none soon.
        """
        pause = self._paused_until - self._clock()
        if pause > min(longest_pause, inf if patience is None else patience):
            raise ThrottledError(
                f"The service asked everybody to wait {pause:.0f} s more.",
                advice="Come back then; nothing was sent.",
            )
        queue = self._waiting_bulk if bulk else self._waiting
        ticket = asyncio.get_running_loop().create_future()
        queue.append(ticket)
        self._wake()
        try:
            # Not wait_for: in Python 3.11 it swallows a cancellation that comes in the
            # same pass of the loop as the place.
            async with asyncio.timeout(patience):
                await ticket
        except TimeoutError:
            self._withdraw(ticket, queue)
            raise ThrottledError(
                f"No place in the quota became free within {patience:g} s.",
                advice="Wait longer (queue_wait), or send less at once.",
            ) from None
        except asyncio.CancelledError:
            self._withdraw(ticket, queue)
            raise

    def _withdraw(
        self, ticket: asyncio.Future[None], queue: deque[asyncio.Future[None]]
    ) -> None:
        if ticket.done() and not ticket.cancelled() and ticket.exception() is None:
            self.leave(counted=False)  # the place came just too late
        elif ticket in queue:
            queue.remove(ticket)
        self._wake()

    def leave(self, *, counted: bool = True, well: bool = False) -> None:
        """Give the place back.

        Args:
            counted: Whether the service can have seen the request.
            well: Whether it answered as it should.
        """
        now = self._clock()
        self._open -= 1
        if self._window is not None:
            self._window.give_back(now, counted=counted)
        if well and self._allowed < self._quota.concurrent:
            self._widen(now)
        if self._waiting or self._waiting_bulk:
            self._wake()

    def _widen(self, now: float) -> None:
        # A reply from before the pause says nothing about after it.
        if now >= self._paused_until:
            self._refusals = 0
            self._allowed = min(self._quota.concurrent, self._allowed * 2)

    @property
    def held_back(self) -> bool:
        """Whether the service asked to wait, and the wait is not over."""
        return self._clock() < self._paused_until

    def send_away(self) -> None:
        """Tell whoever waits to try elsewhere: `enter` raises `SentAwayError`."""
        for queue in (self._waiting, self._waiting_bulk):
            while queue:
                if not (ticket := queue.popleft()).done():
                    ticket.set_exception(SentAwayError())

    def refused(
        self, asked: float | None, jitter: float, *, over_quota: bool = True
    ) -> None:
        """Hold everybody back: the service said 429, 502 or 503.

        Args:
            asked: Seconds that it asked for, if it did.
            jitter: A number in [0, 1).
            over_quota: Whether it was about the quota (429), and not about the
                service's own health.
        """
        now = self._clock()
        if now >= self._paused_until:
            # Five replies to one burst are one refusal, not five.
            self._refusals += 1
            if self._window is not None and over_quota:
                self._window.refused(now)
        unit = self._quota.seconds / 60 if self._window is not None else 1.0
        own = min(_LONGEST_PAUSE, unit * 2.0 ** min(self._refusals - 1, 10))
        pause = own * (0.5 + jitter / 2) if asked is None else asked
        self._paused_until = max(self._paused_until, now + pause)
        self._allowed = 1

    def _room(self, now: float, *, bulk: bool) -> float:
        """Seconds until there is a place; `inf` while only a reply can free one."""
        if self._open >= (self._bulk_places() if bulk else self._allowed):
            return inf
        wait = max(0.0, self._paused_until - now)
        if self._window is None:
            return wait
        return max(wait, self._window.wait(now, self._kept_window if bulk else 0))

    def _take(self, *, bulk: bool) -> bool:
        # What `_room` says, in the order in which most requests pass.
        if self._open >= (self._bulk_places() if bulk else self._allowed):
            return False
        now = self._clock()
        if now < self._paused_until:
            return False
        window = self._window
        if window is not None and not window.take(
            now, self._kept_window if bulk else 0
        ):
            return False
        self._open += 1
        return True

    def _bulk_places(self) -> int:
        # At least one: the probe after a pause may have to be bulk work.
        return max(1, self._allowed - self._kept_places)

    def _wake(self) -> None:
        """Let in whoever is next, or set the alarm for the moment that allows it."""
        for queue, bulk in ((self._waiting, False), (self._waiting_bulk, True)):
            while queue:
                if queue[0].done():
                    _ = queue.popleft()
                elif self._take(bulk=bulk):
                    ticket = queue.popleft()
                    ticket.set_result(None)
                else:
                    break
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock()
        waits = [
            self._room(now, bulk=bulk)
            for queue, bulk in ((self._waiting, False), (self._waiting_bulk, True))
            if queue
        ]
        soonest = min(waits, default=inf)
        if soonest < inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(soonest + 0.001, self._wake)

    def close(self) -> None:
        """Stop the alarm; whoever still waits is let go with an error."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for queue in (self._waiting, self._waiting_bulk):
            while queue:
                if not (ticket := queue.popleft()).done():
                    ticket.set_exception(
                        ClosedError("The client was closed before a place was free.")
                    )
