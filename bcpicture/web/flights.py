"""Many visitors of one picture at once are one request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable

import attrs

from bcpicture.web.arrivals import Arrival

Start = Callable[[], Coroutine[object, object, Arrival]]
"""Takes a picture in."""


@attrs.define(eq=False)
class _Flight:
    """A picture that is being taken in, and how many wait for it."""

    task: asyncio.Task[Arrival]
    waiters: int = 0


class Flights:
    """What is being taken in now.

    The task belongs to all who wait: a visitor that leaves, the first one included,
    disturbs no other, and the last one ends it.
    """

    def __init__(self) -> None:
        self._under_way: dict[Hashable, _Flight] = {}

    async def join(self, key: Hashable, start: Start) -> Arrival | None:
        """What *start* takes in, shared with everybody who asks for *key* meanwhile.

        Returns:
            None if it is too long to be shared, and belongs to somebody else.
        """
        flight = self._under_way.get(key) or self._depart(key, start)
        flight.waiters += 1
        try:
            _ = await asyncio.wait([flight.task])
            return flight.task.result().share()
        finally:
            flight.waiters -= 1
            if not flight.waiters:
                self._forget(key, flight)
                _end(flight.task)

    def _depart(self, key: Hashable, start: Start) -> _Flight:
        flight = self._under_way[key] = _Flight(asyncio.create_task(start()))
        # Who comes after it has landed wants to see what is there by then.
        flight.task.add_done_callback(lambda _: self._forget(key, flight))
        return flight

    def _forget(self, key: Hashable, flight: _Flight) -> None:
        if self._under_way.get(key) is flight:
            del self._under_way[key]


def _end(task: asyncio.Task[Arrival]) -> None:
    if task.done():
        _release(task)
    else:
        _ = task.cancel()
        task.add_done_callback(_release)  # it may be too late to cancel it


def _release(task: asyncio.Task[Arrival]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().release()
