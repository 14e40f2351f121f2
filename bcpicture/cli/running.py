"""Runs what a command does on an event loop, and makes an exit code of any ending."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from bcpicture.cli.codes import Exit, code_of
from bcpicture.cli.console import shown
from bcpicture.errors import BcPictureError

Work = Callable[[], Coroutine[Any, Any, int]]
"""Prepares a command outside of the loop, and returns what is to run on it."""


class _TerminatedError(Exception):
    """SIGTERM arrived, and everything has been put away."""


def run(work: Work, *, debug: bool = False) -> int:
    """Carry out a command, and return its exit code; an error becomes one sentence."""
    try:
        return _on_loop(work())
    except KeyboardInterrupt:
        return _ended("Interrupted.", Exit.INTERRUPTED)
    except _TerminatedError:
        return _ended("Terminated.", Exit.TERMINATED)
    except BrokenPipeError:
        return _broken_pipe()
    except (BcPictureError, OSError) as exc:
        return _failed(exc, str(exc), debug=debug)
    except Exception as exc:  # noqa: BLE001 - the last resort of a whole program
        sentence = f"Unexpectedly, {type(exc).__name__}: {exc}. See it with --debug."
        return _failed(exc, sentence, debug=debug)


def _on_loop(work: Coroutine[Any, Any, int]) -> int:
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_until_terminated(work))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    with suppress(ImportError):
        # The extra `fast` need not be there.
        from uvloop import new_event_loop  # noqa: PLC0415 - see above

        return new_event_loop
    return None


async def _until_terminated(work: Coroutine[Any, Any, int]) -> int:
    """Let SIGTERM cancel the work as Ctrl-C does, so that it can put things away."""
    task = asyncio.current_task()
    loop = asyncio.get_running_loop()
    terminated = False

    def terminate() -> None:
        nonlocal terminated
        terminated = True
        if task is not None:
            task.cancel()

    with suppress(NotImplementedError):  # on Windows
        loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await work
    except asyncio.CancelledError:
        if terminated:
            raise _TerminatedError from None
        raise


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
