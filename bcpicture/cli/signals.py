"""Ctrl-C and SIGTERM: first an end in order, then an end at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

GRACE = 10.0
"""Seconds that what is in flight has to end after the first signal."""

_ENDING = (signal.SIGINT, signal.SIGTERM)

_ELSEWHERE = (NotImplementedError, RuntimeError, ValueError)
"""Where a loop takes no signals: on Windows, and on another thread than the first."""


class Signals:
    """What the signals that end a program do to one task.

    The first one stops what can be stopped in order, if there is anything like that,
    and gives it some seconds. Without it, after these seconds, and with a second
    signal, the task is cancelled. From then on signals do what they do by default.
    """

    def __init__(self, task: asyncio.Task[Any], *, grace: float = GRACE) -> None:
        self.received: signal.Signals | None = None
        """The first that came."""

        self._task = task
        self._grace = grace
        self._stop: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Listen to them until the block ends."""
        loop, token = self._task.get_loop(), _SIGNALS.set(self)
        with suppress(*_ELSEWHERE):
            for number in _ENDING:
                loop.add_signal_handler(number, self.arrived, number)
        try:
            yield
        finally:
            _SIGNALS.reset(token)
            self._listen_no_more()

    def arrived(self, number: signal.Signals) -> None:
        """One of them has come."""
        first, self.received = self.received is None, self.received or number
        if first and self._stop is not None:
            self._timer = self._task.get_loop().call_later(self._grace, self._cancel)
            self._stop()
        else:
            self._cancel()

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """Until the block ends, the first signal calls *stop*."""
        self._stop = stop
        try:
            yield
        finally:
            self._stop = None
            if self._timer is not None:
                self._timer.cancel()

    def _cancel(self) -> None:
        self._listen_no_more()
        self._task.cancel()

    def _listen_no_more(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with suppress(*_ELSEWHERE):
            for number in _ENDING:
                self._task.get_loop().remove_signal_handler(number)


_SIGNALS: ContextVar[Signals | None] = ContextVar("signals", default=None)


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Until the block ends, the first signal calls *stop*; the second one cancels."""
    signals = _SIGNALS.get()
    if signals is None:
        yield
        return
    with signals.stopping(stop):
        yield
