"""An answer for a visitor: status, headers, and a body at the visitor's pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

from bcpicture.core.refusals import Refusal
from bcpicture.errors import BcPictureError, ClosedError
from bcpicture.web.arrivals import Arrival


class Served:
    """What goes to the visitor; every framework has something that takes it.

    It holds memory or a temporary file, and for a long picture a connection, until it
    has been read, failed, was closed, or was dropped.
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
        self._arrival = arrival
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
        if (arrival := self._arrival) is None:
            text, self._text = self._text, b""
            return text
        piece = await arrival.read(self._at)
        self._at += len(piece)
        if not piece or (arrival.whole and self._at == arrival.length):
            # Now, and not when the visitor has taken the last bytes.
            self._arrival = None
            await arrival.aclose()
        return piece

    def _now(self) -> float:
        return 0.0 if self._loop is None else self._loop.time()

    def asleep(self, seconds: float) -> bool:
        """Whether nothing has been asked of it for so long."""
        return not self._reading and self._now() - self.since >= seconds

    def abandon(self) -> None:
        """Take the body away from a visitor that does not read it."""
        why = "The visitor took nothing for too long, and others waited for room."
        if (arrival := self._let_go(why)) is not None:
            arrival.release()

    def _let_go(self, why: str) -> Arrival | None:
        arrival, self._arrival = self._arrival, None
        if arrival is not None:
            # A visitor that gets fewer bytes than were announced must see an error.
            self._gone = ClosedError(why)
        return arrival

    async def aclose(self) -> None:
        """Give back what it holds; more than once is fine."""
        why = "The answer was closed before its body had been read."
        if (arrival := self._let_go(why)) is not None:
            await arrival.aclose()

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
        arrival, self._arrival = self._arrival, None
        loop = self._loop
        if arrival is not None and loop is not None and not loop.is_closed():
            _ = loop.call_soon_threadsafe(arrival.release)
