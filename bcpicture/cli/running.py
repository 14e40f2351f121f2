"""Runs what a command does on an event loop, and makes an exit code of any ending."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from bcpicture.cli.codes import Exit, code_of
from bcpicture.cli.console import shown
from bcpicture.cli.signals import Signals
from bcpicture.errors import BcPictureError

Work = Callable[[], Coroutine[Any, Any, int]]
"""Prepares a command outside of the loop, and returns what is to run on it."""


class _SignalledError(Exception):
    """A signal arrived, and everything has been put away."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number)
        self.number = number


def run(work: Work, *, debug: bool = False) -> int:
    """Carry out a command, and return its exit code; an error becomes one sentence."""
    try:
        return _on_loop(work())
    except (KeyboardInterrupt, _SignalledError) as ending:
        return _signalled(ending)
    except BrokenPipeError:
        return _broken_pipe()
    except (BcPictureError, OSError) as exc:
        return _failed(exc, str(exc), debug=debug)
    except Exception as exc:  # noqa: BLE001 - the last resort of a whole program
        sentence = f"Unexpectedly, {type(exc).__name__}: {exc}. See it with --debug."
        return _failed(exc, sentence, debug=debug)


def spare_collector() -> None:
    """Have the garbage collector look less often: a third of a large plan is spared.

    It looks through everything that is there, and a plan of 100,000 records is a
    million objects, none of which is garbage.
    """
    gc.set_threshold(100_000, 50, 100)


def _on_loop(work: Coroutine[Any, Any, int]) -> int:
    spare_collector()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_until_signalled(work))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    with suppress(ImportError):
        # The extra `fast` need not be there.
        from uvloop import new_event_loop

        return new_event_loop
    return None


async def _until_signalled(work: Coroutine[Any, Any, int]) -> int:
    """Let signals end the work, so that it can put things away, and say so."""
    task = asyncio.current_task()
    if task is None:
        return await work
    signals = Signals(task)
    with signals.watched():
        try:
            return await work
        finally:
            if signals.received is not None:
                raise _SignalledError(signals.received) from None


def _signalled(ending: BaseException) -> int:
    if isinstance(ending, _SignalledError) and ending.number is signal.SIGTERM:
        return _ended("Terminated.", Exit.TERMINATED)
    return _ended("Interrupted.", Exit.INTERRUPTED)


def _failed(error: Exception, sentence: str, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    return _ended(sentence, code_of(error))


def _ended(sentence: str, code: Exit) -> int:
    sys.stderr.write(f"bcpicture: {shown(sentence)}\n")
    return code


def _broken_pipe() -> int:
    # Whoever read our output has had enough; Python would complain at exit, too.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.FAILED
