"""Stalls that anybody can end: by clearing the faults, or by stopping the server."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import attrs


@attrs.define(eq=False)
class Patience:
    """Where stalled replies wait."""

    _loop: asyncio.AbstractEventLoop = attrs.field(
        factory=asyncio.get_running_loop, repr=False
    )
    _waiting: set[asyncio.Future[None]] = attrs.field(init=False, factory=set)

    @contextmanager
    def ticket(self) -> Iterator[asyncio.Future[None]]:
        """A future that is done as soon as all stalls are ended."""
        released = self._loop.create_future()
        self._waiting.add(released)
        try:
            yield released
        finally:
            self._waiting.discard(released)

    async def wait(self, seconds: float) -> bool:
        """Waits; False when it was ended early.

        Args:
            seconds: How long; 0: until it is ended.
        """
        with self.ticket() as released:
            try:
                async with asyncio.timeout(seconds or None):
                    await released
            except TimeoutError:
                return True
            return False

    def end(self) -> None:
        """Ends all stalls; may be called from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._release)

    def _release(self) -> None:
        for released in self._waiting:
            if not released.done():
                released.set_result(None)
