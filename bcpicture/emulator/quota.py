"""The service's limits per user: at once, in the queue, and in any five minutes.

A request is counted in the window when the server begins with it. Above ``concurrent``
it queues, first come, first served; above ``queue`` it is refused, and so is whatever
exceeds the window. The numbers of the service are the defaults; tests scale them down.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import ceil

import attrs


@attrs.frozen(kw_only=True)
class Quota:
    """How much one user may ask for."""

    concurrent: int = 5
    """Requests handled at once."""

    queue: int = 95
    """Requests that may wait for their turn."""

    requests: int = 6000
    """Requests in any ``seconds``."""

    seconds: float = 300.0
    """Length of the sliding window."""

    queue_seconds: float = 480.0
    """How long a request may wait in the queue before it is answered 503."""

    retry_after: str | None = None
    """Sent verbatim as ``Retry-After`` with each 429."""

    jitter: float = 0.0
    """Up to this many seconds, drawn evenly, pass before a request is counted."""

    seed: int = 0
    """Of the dice that draw the jitter."""

    background: int = 0
    """Places of the window that somebody else uses, spread evenly."""


@attrs.frozen
class TooManyRequestsError(Exception):
    """A limit was hit."""

    status: int
    """429, or 503 after too long in the queue."""

    actual: int
    """How many there were."""

    maximum: int
    """How many there may be."""

    wait: float = 0.0
    """Seconds until there is room, as far as known."""

    def __str__(self) -> str:
        counts = f"Actual ({self.actual}). Maximum ({self.maximum})."
        return f"Too many requests reached. {counts}"

    @property
    def seconds(self) -> str:
        """What an honest ``Retry-After`` says."""
        return str(max(1, ceil(self.wait)))


@attrs.define
class Principal:
    """One user's requests."""

    running: int = 0
    """Handled just now."""

    waiting: deque[asyncio.Future[None]] = attrs.field(factory=deque)
    """In the queue, oldest first."""

    counted: deque[float] = attrs.field(factory=deque)
    """When the requests of the window were counted."""


@attrs.define
class Gate:
    """Lets requests in, principal by principal."""

    quota: Quota | None = None
    """The limits; None: everybody is let in at once."""

    clock: Callable[[], float] = time.monotonic
    """Monotonic seconds."""

    running: int = attrs.field(init=False, default=0)
    """Requests handled just now."""

    peak: int = attrs.field(init=False, default=0)
    """Most requests handled at once."""

    throttled: int = attrs.field(init=False, default=0)
    """How many were refused with 429."""

    _principals: dict[str, Principal] = attrs.field(init=False, factory=dict)
    _dice: random.Random = attrs.field(init=False)

    @_dice.default
    def _make_dice(self) -> random.Random:
        return random.Random(self.quota.seed if self.quota else 0)  # noqa: S311 - network delay, not cryptography

    def reset(self) -> None:
        """Forgets all counts."""
        self._principals = {}
        self.peak = self.running
        self.throttled = 0

    @asynccontextmanager
    async def admit(self, name: str) -> AsyncIterator[None]:
        """Holds a place while one request is handled.

        Raises:
            TooManyRequestsError: the queue or the window is full.
        """
        quota = self.quota
        principal = None
        if quota is not None:
            principal = self._principals.setdefault(name, Principal())
            if quota.jitter:
                await asyncio.sleep(self._dice.uniform(0, quota.jitter))
            self._count(principal, quota)
            await self._take_turn(principal, quota)
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            yield
        finally:
            self.running -= 1
            if principal is not None:
                _hand_over(principal)

    def _count(self, principal: Principal, quota: Quota) -> None:
        now = self.clock()
        counted = principal.counted
        while counted and counted[0] <= now - quota.seconds:
            counted.popleft()
        room = quota.requests - quota.background
        held = principal.running + len(principal.waiting)
        if len(counted) >= room:
            self.throttled += 1
            wait = counted[0] + quota.seconds - now if counted else quota.seconds
            raise TooManyRequestsError(
                429, len(counted) + quota.background + 1, quota.requests, wait
            )
        if held >= quota.concurrent + quota.queue:
            self.throttled += 1
            raise TooManyRequestsError(429, held + 1, quota.concurrent + quota.queue)
        counted.append(now)

    async def _take_turn(self, principal: Principal, quota: Quota) -> None:
        if principal.running < quota.concurrent:
            principal.running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        principal.waiting.append(turn)
        try:
            async with asyncio.timeout(quota.queue_seconds):
                await turn
        except BaseException as exc:
            if turn.done() and not turn.cancelled():
                _hand_over(principal)
            elif turn in principal.waiting:
                principal.waiting.remove(turn)
            if isinstance(exc, TimeoutError):
                raise TooManyRequestsError(
                    503, quota.concurrent + 1, quota.concurrent
                ) from exc
            raise


def _hand_over(principal: Principal) -> None:
    """Gives a free place to whoever waits longest."""
    while principal.waiting:
        turn = principal.waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return
    principal.running -= 1
