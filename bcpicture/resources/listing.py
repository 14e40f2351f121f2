"""Listings, page by page. Between two pages nothing is held, and nothing to close."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Generic, Protocol, Self, TypeVar

import attrs
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.decoding import Page, T, read_page
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.wire import READ_JSON, Operation, Request
from bcpicture.errors import AnswerError, MissingError
from bcpicture.net.exchange import Exchange
from bcpicture.net.session import Session


class Identified(Protocol):
    """Something that is known by its id."""

    @property
    def id(self) -> str:
        """It."""


R = TypeVar("R", bound=Identified)

_LONG = 1 << 18
"""Bytes of a page from which on it is not read on the event loop."""

Starts = Callable[[], Awaitable[Sequence[URL]]]
"""Tells where a listing begins; in several places if one address was too long."""


async def _never() -> bool:
    return False


async def fetch_page(
    session: Session,
    url: URL,
    kind: type[T],
    page_size: int | None = None,
    operation: Operation = Operation.READ,
) -> Page[T]:
    """One page of a listing."""
    headers = READ_JSON
    if page_size is not None:
        headers = {**READ_JSON, "Prefer": f"odata.maxpagesize={page_size}"}
    request = Request(method="GET", url=url, headers=headers, operation=operation)

    # Read in here, so that an error knows which request it was.
    async def consume(exchange: Exchange) -> Page[T]:
        return read_page(await exchange.read(), kind)

    return await session.call(request, consume)


@attrs.define
class Trail:
    """Where a listing goes on, and where it has been."""

    endpoint: Endpoint
    """What its links are relative to."""

    waiting: deque[URL]
    """Addresses of the pages to come, the next one first."""

    _followed: set[URL] = attrs.field(factory=set, init=False)

    def follow(self, link: str | None) -> None:
        """The first address has been read; its page told of *link*.

        Raises:
            AnswerError: It leads back.
        """
        url = self.waiting.popleft()
        self._followed.add(url)
        if link is None:
            return
        onward = urls.follow(self.endpoint, link)
        if onward in self._followed:
            # Whoever goes on all the same finds an end here.
            self.waiting.clear()
            raise AnswerError(
                f"The listing goes round in a circle at {url.raw_path}.",
                advice="The records so far are right, but more may exist.",
            )
        self.waiting.appendleft(onward)


@attrs.define
class Pages(Generic[R]):
    """All pages of a listing, one in memory at a time.

    When a page fails, the next call asks for the same one again.
    """

    _session: Session
    _endpoint: Endpoint
    _kind: type[R]
    # Where it begins may have to be looked up: that waits for the first page too.
    _starts: Starts
    _page_size: int | None = None
    _most: int | None = attrs.field(default=None, kw_only=True)
    # Whether what was looked up is forgotten, because it may be wrong.
    _forget: Callable[[], Awaitable[bool]] = attrs.field(default=_never, kw_only=True)
    _trail: Trail | None = attrs.field(default=None, init=False)
    # Ids of what has been told, where several requests could tell a record twice.
    _told: set[str] | None = attrs.field(default=None, init=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[R]:
        trail = self._trail
        page = await (self._first() if trail is None else self._page(trail))
        if page is None:
            raise StopAsyncIteration
        return self._counted(page)

    async def _first(self) -> Page[R] | None:
        try:
            return await self._page(await self._begin())
        except MissingError:
            if not await self._forget():
                raise
        return await self._page(await self._begin())

    async def _begin(self) -> Trail:
        starts = await self._starts()
        self._told = set() if len(starts) > 1 else None
        return Trail(self._endpoint, deque(starts))

    async def _page(self, trail: Trail) -> Page[R] | None:
        if not trail.waiting or self._most == 0:
            return None
        url = trail.waiting[0]
        page = await fetch_page(self._session, url, self._kind, self._page_size)
        self._trail = trail
        trail.follow(page.next_link)
        return page

    def _counted(self, page: Page[R]) -> Page[R]:
        """Without what has been told before, and without what is too many."""
        values = page.values
        if self._told is not None:
            fresh = {one.id: one for one in values if one.id not in self._told}
            self._told.update(fresh)
            values = tuple(fresh.values())
        if self._most is not None:
            values = values[: self._most]
            self._most -= len(values)
        return page if values is page.values else attrs.evolve(page, values=values)


@attrs.define
class Entities(Generic[R]):
    """All records of a listing, one after the other."""

    _pages: AsyncIterator[Page[R]]
    _ready: deque[R] = attrs.field(factory=deque, init=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while not self._ready:
            page = await anext(self._pages)
            self._ready.extend(page.values)
        return self._ready.popleft()
