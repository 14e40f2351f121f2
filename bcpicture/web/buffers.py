"""Where bodies wait for their visitors, and how much of them there may be."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from weakref import WeakKeyDictionary, WeakSet

import attrs

from bcpicture.errors import UsageError
from bcpicture.resources.pictures import PictureHandle
from bcpicture.web.arrivals import Arrival, take_in
from bcpicture.web.budget import Budget
from bcpicture.web.flights import Flights
from bcpicture.web.keeping import Keeping
from bcpicture.web.served import Served

_LOOK = 0.05
"""Seconds between two looks for visitors that are asleep, at the very least."""


@attrs.define(kw_only=True, eq=False)
class Buffers:
    """Room for the bodies of all visitors together; one for an application.

    A visitor may take minutes for a picture, and the service grants a user five places.
    So a body is taken in at full speed and handed out at the visitor's pace.
    """

    memory: int = 64 << 20
    """Bytes in memory, of all bodies together."""

    disk: int = 1 << 30
    """Bytes in temporary files, of all bodies together."""

    in_memory: int = 1 << 20
    """Bytes up to which a body stays in memory; longer ones go to a file."""

    longest: int = 16 << 20
    """Bytes up to which a body is taken in; longer ones hold a place at the service
    for as long as their visitor takes."""

    wait: float = 10.0
    """Seconds that a visitor waits for room before it is sent away with 503."""

    idle: float = 30.0
    """Seconds after which a visitor that takes nothing loses its body, if others wait
    for room."""

    fresh: float = 0.0
    """Seconds for which a body that came in answers further visitors without a request.
    It makes room for others before that, if need be. 0 to ask for every one anew."""

    folder: str | os.PathLike[str] | None = None
    """Where temporary files are made; None for the system's place."""

    _budget: Budget = attrs.field(init=False, repr=False)
    _flights: Flights = attrs.field(init=False, repr=False)
    _readers: WeakSet[Served] = attrs.field(factory=WeakSet, init=False, repr=False)
    _alarm: asyncio.TimerHandle | None = attrs.field(
        default=None, init=False, repr=False
    )

    def __attrs_post_init__(self) -> None:
        if not 0 < self.in_memory <= self.memory or not 0 < self.longest <= self.disk:
            raise UsageError(
                f"No body would ever fit into {self}.",
                advice="in_memory is at most memory, and longest at most disk.",
            )
        self._budget = Budget(self.memory, self.disk, self._relieve)
        self._flights = Flights(self.fresh)

    @property
    def memory_left(self) -> int:
        """Bytes in memory that are free."""
        return self._budget.memory

    @property
    def disk_left(self) -> int:
        """Bytes in temporary files that are free."""
        return self._budget.disk

    async def arrive(self, picture: PictureHandle) -> Arrival:
        """Take a picture in, together with all who ask for it now.

        Raises:
            BcPictureError: There is no picture, or it does not come.
        """
        start = partial(self._take_in, picture)
        return await self._flights.join(picture.identity, start) or await start()

    async def _take_in(self, picture: PictureHandle) -> Arrival:
        # Room first: whoever waits for it holds no place at the service meanwhile.
        room = await self._budget.take(self.in_memory, self.longest, self.wait)
        folder = None if self.folder is None else os.fspath(self.folder)
        kept = Keeping(room, self.in_memory, folder)
        return await take_in(picture, kept, self.longest)

    def forget(self, picture: PictureHandle) -> None:
        """Ask for this one anew: call it after an upload, if `fresh` is not 0."""
        self._flights.forget(picture.identity)

    def clear(self) -> None:
        """Forget all that is kept because of `fresh`; visitors keep what they have."""
        while self._flights.drop_oldest():
            pass

    def watch(self, served: Served) -> None:
        """Know of a visitor, for the case that others wait for room."""
        self._readers.add(served)

    def _relieve(self) -> None:
        """Find room for those who wait: what nobody reads, then what is not read."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        while self._budget.waiting and self._flights.drop_oldest():
            pass
        for served in sorted(self._readers, key=lambda one: one.since):
            if self._budget.waiting and served.asleep(self.idle):
                served.abandon()
        if self._budget.waiting:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(_LOOK, self.idle / 4), self._relieve)


_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, Buffers] = WeakKeyDictionary()


def shared() -> Buffers:
    """The buffers of all on this event loop who brought none of their own."""
    loop = asyncio.get_running_loop()
    if (buffers := _SHARED.get(loop)) is None:
        buffers = _SHARED[loop] = Buffers()
    return buffers
