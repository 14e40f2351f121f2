"""How much all bodies together may take, in memory and on the disk."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from bcpicture.errors import ThrottledError


class Room:
    """What one body may take of a `Budget`; given back by `close`."""

    def __init__(self, budget: Budget, memory: int, disk: int) -> None:
        self._budget = budget
        self.memory = memory
        self.disk = disk

    def resize(self, *, memory: int, disk: int) -> None:
        """Keep only so many bytes of it."""
        more = memory - self.memory, disk - self.disk
        self.memory, self.disk = memory, disk
        self._budget.change(*more)

    def close(self) -> None:
        """Give all of it back; more than once is fine."""
        self.resize(memory=0, disk=0)


class Budget:
    """Bytes that are left; whoever finds too few waits, first come, first served."""

    def __init__(self, memory: int, disk: int, pressed: Callable[[], None]) -> None:
        """Start with everything.

        Args:
            memory: Bytes in memory.
            disk: Bytes on the disk.
            pressed: Is told that somebody has begun to wait.
        """
        self.memory = memory
        self.disk = disk
        self._pressed = pressed
        self._waiting: deque[tuple[asyncio.Future[None], Room]] = deque()

    @property
    def waiting(self) -> int:
        """Callers that wait for room."""
        return len(self._waiting)

    async def take(self, memory: int, disk: int, patience: float) -> Room:
        """Room for one body.

        Raises:
            ThrottledError: There was none for *patience* seconds.
        """
        room = Room(self, memory, disk)
        if not self._waiting and self._grant(room):
            return room
        ticket = asyncio.get_running_loop().create_future()
        self._waiting.append((ticket, room))
        self._pressed()
        try:
            async with asyncio.timeout(patience):
                await ticket
        except TimeoutError:
            self._withdraw(ticket, room)
            raise ThrottledError(
                f"No room for another picture became free within {patience:g} s.",
                advice="Give web.Buffers more memory and disk, or wait longer.",
            ) from None
        except asyncio.CancelledError:
            self._withdraw(ticket, room)
            raise
        return room

    def _grant(self, room: Room) -> bool:
        if room.memory > self.memory or room.disk > self.disk:
            return False
        self.memory -= room.memory
        self.disk -= room.disk
        return True

    def _withdraw(self, ticket: asyncio.Future[None], room: Room) -> None:
        if ticket.done() and not ticket.cancelled():
            room.close()  # it came just too late
        elif (ticket, room) in self._waiting:
            self._waiting.remove((ticket, room))
        self._wake()

    def change(self, memory: int, disk: int) -> None:
        """A body takes so many bytes more, or fewer."""
        self.memory -= memory
        self.disk -= disk
        self._wake()

    def _wake(self) -> None:
        while self._waiting:
            ticket, room = self._waiting[0]
            if not ticket.done() and not self._grant(room):
                break
            _ = self._waiting.popleft()
            if not ticket.done():
                ticket.set_result(None)
