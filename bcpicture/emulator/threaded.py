"""The emulator on a thread with a loop of its own, for tests that have none."""

import asyncio
import threading
from concurrent.futures import Future
from types import TracebackType

import attrs

from bcpicture.emulator.options import Options
from bcpicture.emulator.server import Emulator


@attrs.define(kw_only=True, eq=False)
class ThreadedEmulator(Options):
    """The same emulator for a plain ``with``, in synchronous code.

    Example:
        >>> with ThreadedEmulator(items=5) as server:
        ...     print(server.base_urls["v2.0"])
    """

    _thread: threading.Thread = attrs.field(init=False, repr=False)
    _loop: asyncio.AbstractEventLoop = attrs.field(init=False, repr=False)
    _over: asyncio.Event = attrs.field(init=False, repr=False)

    def __enter__(self) -> Emulator:
        started: Future[Emulator] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(started)),
            name="bcpicture-emulator",
            daemon=True,
        )
        self._thread.start()
        return started.result()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    async def _run(self, started: Future[Emulator]) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        chosen = {
            field.name: getattr(self, field.name) for field in attrs.fields(Options)
        }
        try:
            async with Emulator(**chosen) as server:
                started.set_result(server)
                await self._over.wait()
        except BaseException as exc:
            if started.done():
                raise
            started.set_exception(exc)
