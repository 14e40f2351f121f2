"""How much the service lets one user do: the numbers, and the sliding window.

Online, per user: 5 requests are processed at once, 6,000 may start in any 300 seconds
(Microsoft, "Operational limits for Business Central online"). More than 5 at once only
queue inside the service. A request may reach the server later than it was sent, so a
place in the window is free again 300 s after the *reply*: the server has counted the
request by then, whatever the network did.
"""

from __future__ import annotations

from collections import deque
from math import inf

import attrs

from bcpicture.errors import ConfigurationError


@attrs.frozen(kw_only=True)
class Quota:
    """What one user may do at one environment."""

    concurrent: int = 5
    """Requests in flight at once."""

    requests: int | None = None
    """Requests in any stretch of `seconds`; None for no such limit."""

    seconds: float = 300.0
    """Length of the sliding window."""

    body: int = 350 * 1024 * 1024
    """Bytes of one request; administrators of an own server can change it."""

    def __attrs_post_init__(self) -> None:
        requests = 1 if self.requests is None else self.requests
        if min(self.concurrent, requests, self.body) < 1 or self.seconds <= 0:
            raise ConfigurationError(
                f"Nothing could ever be sent with {self}.",
                advice="Every number of a quota must be positive.",
            )


CLOUD = Quota(concurrent=5, requests=6000, seconds=300.0)
"""The online service."""

SELF_HOSTED = Quota(concurrent=5)
"""An on-premises server with its default settings."""


@attrs.frozen(kw_only=True)
class QuotaUse:
    """How busy a client is, at one moment; that of several principals is added up."""

    in_flight: int = 0
    """Requests that are under way."""

    waiting: int = 0
    """Requests that wait for their turn."""

    used: int = 0
    """Requests that were begun in the sliding window."""

    allowed: int | None = None
    """How many may be; it falls when the service refuses some. None: any number."""

    held_back: float = 0.0
    """Seconds for which the service asked to send nothing; 0: it did not."""

    def __add__(self, other: QuotaUse) -> QuotaUse:
        limits = self.allowed, other.allowed
        return QuotaUse(
            in_flight=self.in_flight + other.in_flight,
            waiting=self.waiting + other.waiting,
            used=self.used + other.used,
            allowed=None if None in limits else sum(filter(None, limits)),
            # As long as one may send, nobody has to wait.
            held_back=min(self.held_back, other.held_back),
        )


class Window:
    """The places of a sliding window: taken at send, free again after the reply.

    Somebody else may use the same user, so the service can refuse although there is
    room by our own count. Then the limit falls to what was really admitted, though by
    no more than half, and grows again: by one percent in the first window without a
    refusal, by twice as much in each further one.
    """

    __slots__ = ("_ends", "_limit", "_most", "_open", "_quiet_since", "_seconds")

    def __init__(self, limit: int, seconds: float) -> None:
        self._most = limit
        self._limit = float(limit)
        self._seconds = seconds
        self._open = 0
        self._quiet_since = -inf
        self._ends: deque[float] = deque()

    @property
    def limit(self) -> float:
        """How many places it has at the moment."""
        return self._limit

    def used(self, now: float) -> int:
        """How many of them are taken."""
        return self._open + sum(1 for end in self._ends if end > now)

    def wait(self, now: float, keep: int = 0) -> float:
        """Seconds until a place is free; `inf` while only replies can free one.

        Args:
            now: The time.
            keep: Places to leave to others; one remains in any case.
        """
        limit = int(self._limit)
        full = len(self._ends) + self._open - limit + min(keep, limit - 1)
        if full < 0:
            return 0.0
        if full >= len(self._ends):
            return inf
        return max(0.0, self._ends[full] - now)

    def take(self, now: float, keep: int = 0) -> bool:
        """Take a place, if one is free.

        Args:
            now: The time.
            keep: Places to leave to others; one remains in any case.
        """
        ends = self._ends
        while ends and ends[0] <= now:
            ends.popleft()
        places = int(self._limit)
        if keep:
            places = max(1, places - keep)
        if len(ends) + self._open >= places:
            return False
        self._open += 1
        return True

    def give_back(self, now: float, *, counted: bool = True) -> None:
        """Note the reply: the place is free again one window after *now*.

        Args:
            now: The time.
            counted: False for a request that the server never saw.
        """
        self._open -= 1
        if counted:
            self._ends.append(now + self._seconds)
            if self._limit < self._most:
                self._grow(now)

    def _grow(self, now: float) -> None:
        windows = min((now - self._quiet_since) / self._seconds, 6.0)
        self._limit = min(self._most, self._limit + 0.01 * 2.0**windows)

    def refused(self, now: float) -> None:
        """Note that the service had no room: lower the limit to what it admitted."""
        admitted = sum(1 for end in self._ends if end > now)
        self._limit = max(1.0, self._limit / 2, min(admitted - 1.0, self._limit))
        self._quiet_since = now
