"""Server time: what a request costs, and how long one may take at most.

Reading a picture's metadata loads the whole picture on the server. A page of many
expanded items is a small reply that takes long, and may take too long. Tests scale the
seconds down, or pass a `sleep` that does not wait at all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import attrs

from bcpicture.emulator.problems import ServiceError

Sleep = Callable[[float], Awaitable[object]]
"""Waits for some seconds."""


class TookTooLongError(ServiceError):
    """The operation time-out; it ends a whole batch, not only one of its requests."""


@attrs.define(kw_only=True, eq=False)
class Work:
    """The server time of one request, of all its inner requests together."""

    limit: float | None = None
    """Seconds that it may take; None: as long as it likes."""

    status: Literal[408, 504] = 408
    """What it is answered when it takes longer."""

    sleep: Sleep = asyncio.sleep
    """How time passes."""

    spent: float = attrs.field(init=False, default=0.0)
    """Seconds so far."""

    async def take(self, seconds: float) -> None:
        """Works for some seconds.

        Raises:
            TookTooLongError: that would be longer than the request may take; the time
                that it had is over then.
        """
        left = float("inf") if self.limit is None else self.limit - self.spent
        taken = min(seconds, left)
        self.spent += taken
        if taken > 0:
            await self.sleep(taken)
        if seconds > left:
            raise self._too_long()

    def _too_long(self) -> TookTooLongError:
        if self.status == 504:
            # That is a gateway in front of the service, which knows no envelope.
            return TookTooLongError(504, "", "", bare=True)
        return TookTooLongError(
            408, "Unknown", "The operation was canceled because it took too long."
        )
