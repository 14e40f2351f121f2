"""Many visitors of one picture at once, or within a few seconds, are one request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable

import attrs

from bcpicture.web.arrivals import Arrival

_MOST = 10_000
"""Pictures that are kept: each costs some memory beside its bytes."""

Start = Callable[[], Coroutine[object, object, Arrival]]
"""Takes a picture in."""


@attrs.define(eq=False)
class _Flight:
    """A picture that is being taken in, or has been, and how many wait for it."""

    task: asyncio.Task[Arrival]
    start: Start
    """Keeps the client alive, by whose identity the flight is known."""
    waiters: int = 0
    alarm: asyncio.TimerHandle | None = None
    """Ends the keeping; None while it is not kept."""

    def keep_no_more(self) -> None:
        """Let go of it, unless somebody waits, who does so when leaving."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None
        if not self.waiters:
            _end(self.task)


class Flights:
    """What is being taken in now, and what has been lately.

    The task belongs to all who wait: a visitor that leaves, the first one included,
    disturbs no other, and the last one ends it.
    """

    def __init__(self, fresh: float = 0.0) -> None:
        """Keep what was taken in for *fresh* seconds."""
        self._fresh = fresh
        self._flights: dict[Hashable, _Flight] = {}

    async def join(self, key: Hashable, start: Start) -> Arrival | None:
        """What *start* takes in, shared with everybody who asks for *key* meanwhile.

        Returns:
            None if it is too long to be shared, and belongs to somebody else.
        """
        flight = self._flights.get(key) or self._depart(key, start)
        flight.waiters += 1
        try:
            if not flight.task.done():
                _ = await asyncio.wait([flight.task])
            return flight.task.result().share()
        finally:
            flight.waiters -= 1
            if not flight.waiters and flight.alarm is None:
                self._remove(key, flight)
                _end(flight.task)

    def _depart(self, key: Hashable, start: Start) -> _Flight:
        flight = self._flights[key] = _Flight(asyncio.create_task(start()), start)
        flight.task.add_done_callback(lambda _: self._landed(key, flight))
        return flight

    def _landed(self, key: Hashable, flight: _Flight) -> None:
        if self._flights.get(key) is not flight:
            return  # all have left, or it was forgotten
        if not self._fresh or not _is_whole(flight.task):
            # Who comes from now on wants to see what is there by then.
            self._remove(key, flight)
            return
        loop = asyncio.get_running_loop()
        flight.alarm = loop.call_later(self._fresh, self.forget, key)
        if len(self._flights) > _MOST:
            _ = self.drop_oldest()

    def _remove(self, key: Hashable, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def forget(self, key: Hashable) -> None:
        """Whoever asks for *key* from now on gets what is there by then."""
        flight = self._flights.pop(key, None)
        if flight is not None and flight.alarm is not None:
            flight.keep_no_more()

    def drop_oldest(self) -> bool:
        """Forget what was kept longest; False if nothing is."""
        kept = (key for key, one in self._flights.items() if one.alarm is not None)
        oldest = next(kept, None)
        if oldest is None:
            return False
        self.forget(oldest)
        return True


def _is_whole(task: asyncio.Task[Arrival]) -> bool:
    return not task.cancelled() and not task.exception() and task.result().whole


def _end(task: asyncio.Task[Arrival]) -> None:
    if task.done():
        _release(task)
    else:
        _ = task.cancel()
        task.add_done_callback(_release)  # it may be too late to cancel it


def _release(task: asyncio.Task[Arrival]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().release()
