"""Telling observers, who can neither break nor slow down a request.

Each observer has a queue and a task of its own. An async one is awaited there, any
other is run in a thread; both in the context of the call that the event is about, so
that a tracer finds the caller's span. What an observer raises is logged.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from bcpicture.core.events import Event

Observer: TypeAlias = (
    Callable[["Event"], object] | Callable[["Event"], Awaitable[object]]
)
"""Is called with every event; sync or async."""

log = logging.getLogger("bcpicture.hooks")

_MOST = 10_000
"""Events that wait for one observer; beyond that the oldest are dropped."""

_FAREWELL = 5.0
"""Seconds that observers get to hear the rest when the client closes."""


class _Listener:
    """One observer, and what it has not heard yet."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._asynchronous = inspect.iscoroutinefunction(
            observer
        ) or inspect.iscoroutinefunction(getattr(observer, "__call__", None))  # noqa: B004 - its kind is asked for, not its presence
        self._waiting: deque[tuple[Event, contextvars.Context]] = deque(maxlen=_MOST)
        self._task: asyncio.Task[None] | None = None

    def tell(self, event: Event, context: contextvars.Context) -> None:
        if len(self._waiting) == _MOST:
            log.warning("observer %r is too slow: an event is dropped", self._observer)
        self._waiting.append((event, context))
        if self._task is None:
            self._task = asyncio.create_task(self._deliver())

    async def _deliver(self) -> None:
        try:
            while self._waiting:
                await self._call(*self._waiting.popleft())
        finally:
            self._task = None

    async def _call(self, event: Event, context: contextvars.Context) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self._asynchronous:
                await loop.create_task(self._heard(event), context=context)
            else:
                await loop.run_in_executor(None, context.run, self._observer, event)
        except Exception:
            log.exception("observer %r failed", self._observer)

    async def _heard(self, event: Event) -> None:
        answer = self._observer(event)
        if inspect.isawaitable(answer):
            await answer

    async def aclose(self) -> None:
        """Let it hear the rest, but not for ever."""
        if (task := self._task) is not None:
            await asyncio.wait([task], timeout=_FAREWELL)
            if not task.done():
                task.cancel()
                await asyncio.wait([task])


class Observers:
    """All observers of a client."""

    def __init__(self, observers: Iterable[Observer]) -> None:
        self._listeners = [_Listener(observer) for observer in observers]

    def tell(self, event: Event) -> None:
        """Tell everybody, some time soon."""
        context = contextvars.copy_context()
        for listener in self._listeners:
            listener.tell(event, context.copy())

    async def aclose(self) -> None:
        """Let all of them hear the rest."""
        for listener in self._listeners:
            await listener.aclose()
