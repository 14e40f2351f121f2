"""Listings, page by page. Between two pages nothing is held, and nothing to close."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, Self

import attrs
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.decoding import Page, T, read_page
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.wire import READ_JSON, Request
from bcpicture.errors import AnswerError
from bcpicture.net.exchange import read_all
from bcpicture.net.session import Session


async def fetch_page(
    session: Session, url: URL, kind: type[T], page_size: int | None = None
) -> Page[T]:
    """One page of a listing."""
    headers = READ_JSON
    if page_size is not None:
        headers = {**READ_JSON, "Prefer": f"odata.maxpagesize={page_size}"}
    body = await session.call(Request(method="GET", url=url, headers=headers), read_all)
    return read_page(body, kind)


@attrs.define
class Pages(Generic[T]):
    """All pages of a listing, one in memory at a time."""

    _session: Session
    _endpoint: Endpoint
    _kind: type[T]
    # Where it begins may have to be looked up: that waits for the first page too.
    _first: Callable[[], Awaitable[URL]]
    _page_size: int | None = None
    _next: URL | None = attrs.field(default=None, init=False)
    _followed: set[URL] = attrs.field(factory=set, init=False)
    _ended: bool = attrs.field(default=False, init=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[T]:
        if self._ended:
            raise StopAsyncIteration
        url = await self._first() if self._next is None else self._next
        page = await fetch_page(self._session, url, self._kind, self._page_size)
        self._followed.add(url)
        self._go_on(url, page.next_link)
        return page

    def _go_on(self, url: URL, link: str | None) -> None:
        if link is None:
            self._ended = True
            return
        self._next = urls.follow(self._endpoint, link)
        if self._next in self._followed:
            raise AnswerError(
                f"The listing goes round in a circle at {url.raw_path}.",
                advice="The records so far are right, but more may exist.",
            )


@attrs.define
class Entities(Generic[T]):
    """All records of a listing, one after the other."""

    _pages: Pages[T]
    _ready: deque[T] = attrs.field(factory=deque, init=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            page = await anext(self._pages)
            self._ready.extend(page.values)
        return self._ready.popleft()
