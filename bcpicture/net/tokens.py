"""Tokens: fetched once for everybody, renewed before they end, rejected one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from bcpicture.core.oauth import Token
from bcpicture.errors import ClosedError

_RENEWAL_PAUSE = 30.0
"""Seconds between two renewals in the background, when the first one failed."""

Fetch = Callable[[str | None], Awaitable[Token]]
"""Gets a new token; its argument is what a claims challenge demanded, as JSON."""


class Signer(Protocol):
    """Gives the Authorization header of a request."""

    @property
    def renewable(self) -> bool:
        """Whether a rejected header can be replaced by another."""

    def header_now(self) -> str | None:
        """The header, if it is at hand."""

    async def header(self) -> str:
        """The header, fetched if need be."""

    def reject(self, header: str, claims: str | None) -> bool:
        """The service refused *header*; whether that was the current one.

        Args:
            header: What was refused.
            claims: What a claims challenge demanded of the next one, as JSON.
        """

    async def aclose(self) -> None:
        """End what works in the background."""


class FixedSigner:
    """A header that never changes: Basic, or a token that somebody else renews."""

    renewable = False

    def __init__(self, header: str) -> None:
        self._header = header

    def header_now(self) -> str:
        """The header."""
        return self._header

    async def header(self) -> str:
        """The header."""
        return self._header

    def reject(self, header: str, claims: str | None) -> bool:
        """There is no other one."""
        del claims
        return header == self._header

    async def aclose(self) -> None:
        """Nothing works in the background."""


class TokenKeeper:
    """A cache of one token.

    Any number of callers costs one fetch. The fetch is a task of the keeper's own, so
    a caller that is cancelled, the first one included, disturbs no other. A token is
    renewed in the background while it still works, and waited for only when it ended
    or was rejected.
    """

    renewable = True

    def __init__(
        self,
        fetch: Fetch,
        *,
        clock: Callable[[], float],
        jitter: Callable[[], float],
        renewed: Callable[[Token], None] = lambda _token: None,
    ) -> None:
        self._fetch = fetch
        self._renewed = renewed
        self._clock = clock
        self._jitter = jitter
        self._task: asyncio.Task[None] | None = None
        self._header: str | None = None
        self._ends = 0.0
        self._renew_at = 0.0
        self._claims: str | None = None
        self._closed = False

    def header_now(self) -> str | None:
        """The header, if there is a token that still works."""
        now = self._clock()
        if now >= self._ends:
            return None
        if now >= self._renew_at:
            # Whatever becomes of it, the next one does not start at once.
            self._renew_at = now + _RENEWAL_PAUSE
            _ = self._start()
        return self._header

    async def header(self) -> str:
        """The header, waiting for a token if there is none.

        Raises:
            AuthenticationError: The identity provider gives none.
            ClosedError: The client was closed meanwhile.
        """
        header = self.header_now()
        while header is None:
            task = self._start()
            try:
                # Shielded: the task belongs to all who wait, not to who came first.
                await asyncio.shield(task)
            except asyncio.CancelledError:
                current = asyncio.current_task()
                wanted = current is not None and current.cancelling() > 0
                if self._closed and task.done() and not wanted:
                    raise ClosedError("The client was closed.") from None
                raise
            # Whatever came is used, however short its life; if it was refused in this
            # very moment, another is fetched.
            header = self._header
        return header

    def _start(self) -> asyncio.Task[None]:
        if self._closed:
            raise ClosedError("The client is closed.", advice="Open another one.")
        if self._task is None:
            self._task = asyncio.create_task(self._renew())
            self._task.add_done_callback(self._finished)
        return self._task

    async def _renew(self) -> None:
        while True:
            claims = self._claims
            token = await self._fetch(claims)
            # A challenge that came meanwhile is not met by this token.
            if claims is self._claims:
                break
        self._claims = None
        self._header = f"Bearer {token.secret}"
        self._ends = token.ends_at()
        self._renew_at = token.renew_at(self._jitter())
        self._renewed(token)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # seen: a renewal in the background may have no waiter

    def reject(self, header: str, claims: str | None) -> bool:
        """Throw the token away, unless another has taken its place already."""
        if header != self._header:
            return False
        self._header = None
        self._ends = 0.0
        self._claims = claims or self._claims
        return True

    async def aclose(self) -> None:
        """End a fetch that is under way."""
        self._closed = True
        if (task := self._task) is not None:
            task.cancel()
            await asyncio.wait([task])
