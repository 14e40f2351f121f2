"""An answer for a visitor: status, headers, and a body at the visitor's pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from bcpicture.core.refusals import Refusal
from bcpicture.errors import BcPictureError, ClosedError
from bcpicture.resources.streams import Hold
from bcpicture.web.arrivals import Arrival


class _Claim:
    """One visitor's part in an arrival, let go of once."""

    def __init__(self, arrival: Arrival) -> None:
        self.arrival: Arrival | None = arrival

    @property
    def closed(self) -> bool:
        return self.arrival is None

    def take(self) -> Arrival | None:
        arrival, self.arrival = self.arrival, None
        return arrival

    def close(self) -> None:
        if (arrival := self.take()) is not None:
            arrival.release()


class Served:
    """What goes to the visitor; every framework has something that takes it.

    It holds memory or a temporary file, and for a long picture a connection, until it
    has been read, failed, was closed, or was dropped, or until the task that has it, by
    asking for it or reading it, was cancelled.
    """

    def __init__(
        self,
        status: int,
        headers: dict[str, str],
        *,
        text: bytes = b"",
        arrival: Arrival | None = None,
        error: BcPictureError | None = None,
    ) -> None:
        self.status: int = status
        """HTTP status."""
        self.headers: dict[str, str] = headers
        """Header fields, Content-Length among them where it is known."""
        self.error: BcPictureError | None = error
        """What really happened, if there is no picture; not for visitors."""
        self._text = text
        self._claim = None if arrival is None else _Claim(arrival)
        self._hold = None if self._claim is None else Hold(self._claim)
        self._at = 0
        self._gone: BcPictureError | None = None
        self._loop = None if arrival is None else asyncio.get_running_loop()
        self._reading = False
        self.since = self._now()
        """When it was last asked for something, by the clock of the event loop."""

    @classmethod
    def refusal(
        cls,
        refusal: Refusal,
        *,
        error: BcPictureError | None = None,
        bodiless: bool = False,
    ) -> Served:
        """An answer without a picture."""
        text = b"" if bodiless else refusal.text.encode()
        return cls(refusal.status, refusal.headers(), text=text, error=error)

    def __repr__(self) -> str:
        return f"<Served {self.status} {self.headers.get('Content-Type', '')}>"

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._gone is not None:
            raise self._gone
        if self._hold is not None and self._claim is not None:
            self._hold.hand_to(asyncio.current_task())
        self._reading = True
        try:
            piece = await self._next()
        except BaseException:
            await self.aclose()
            raise
        finally:
            self._reading, self.since = False, self._now()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def _next(self) -> bytes:
        if (claim := self._claim) is None:
            text, self._text = self._text, b""
            return text
        if (arrival := claim.arrival) is None:
            raise ClosedError("The task that had the answer was cancelled.")
        piece = await arrival.read(self._at)
        self._at += len(piece)
        if not piece or (arrival.whole and self._at == arrival.length):
            # Now, and not when the visitor has taken the last bytes.
            await self._let_go()
            self._claim = None
        return piece

    def _now(self) -> float:
        return 0.0 if self._loop is None else self._loop.time()

    def asleep(self, seconds: float) -> bool:
        """Whether nothing has been asked of it for so long."""
        return not self._reading and self._now() - self.since >= seconds

    def abandon(self) -> None:
        """Take the body away from a visitor that does not read it."""
        self._cut("The visitor took nothing for too long, and others waited for room.")
        if self._hold is not None:
            self._hold.end()

    def _cut(self, why: str) -> None:
        """A visitor that gets fewer bytes than were announced must see an error."""
        if self._claim is not None and not self._claim.closed:
            self._gone = ClosedError(why)

    async def _let_go(self) -> None:
        arrival = None if self._claim is None else self._claim.take()
        if self._hold is not None:
            self._hold.end()
        if arrival is not None:
            await arrival.aclose()

    async def aclose(self) -> None:
        """Give back what it holds; more than once is fine."""
        self._cut("The answer was closed before its body had been read.")
        await self._let_go()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # Whoever collects the garbage may be another thread than the loop's.
        hold, loop = self._hold, self._loop
        if hold is None or hold.task is None or loop is None or loop.is_closed():
            return
        _ = loop.call_soon_threadsafe(hold.end)
