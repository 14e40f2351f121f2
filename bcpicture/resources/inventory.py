"""The inventory: every record with what the service tells of its picture.

One request tells it of many records (``$expand=picture``), but the service reads each
image for it, and has a time-out. So the pages are as long as the service can make them
in time, and a page that fails is asked for again, shorter.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Self

import attrs
from yarl import URL

from bcpicture.core.decoding import Page
from bcpicture.core.dialects import ITEM, ITEM_VARIANT, Parent
from bcpicture.core.fields import F
from bcpicture.core.models import Item
from bcpicture.core.pagesize import PageSize
from bcpicture.core.queries import Query
from bcpicture.core.wire import Operation
from bcpicture.errors import (
    BcPictureError,
    MissingError,
    StalledError,
    TooLargeError,
    UnavailableError,
    UsageError,
)
from bcpicture.resources.listing import Entities, Pages, Trail, fetch_page
from bcpicture.resources.references import CompanyRef

_FIRST = 100
"""Records of the first page, from which the length of the others is found."""

_MOST = 2000
"""Records of any page, since one page is in memory; a few megabytes."""

_PATIENCE = 0.8
"""Share of the client's own time-out above which a reply counts as slow."""

Addresses = Callable[[Query], Awaitable[Sequence[URL]]]
"""Tells where a query is asked."""

_TIMED_OUT = frozenset({408, 504})

_SHORT = {ITEM: ("displayName", "gtin"), ITEM_VARIANT: ("description",)}
"""What an inventory tells of a record, beside its id and number; not its costly fields,
such as the stock, which the service adds up for each."""


def _asked(query: Query, parent: Parent) -> Query:
    """*query* with the picture of each record.

    Raises:
        UsageError: It has an order or an end, which an inventory has not.
    """
    if query.order or query.top is not None:
        raise UsageError(
            "An inventory is of all records, in the service's order.",
            advice="Leave order_by and top out; sort what comes, or stop iterating.",
        )
    usual = (*_SHORT.get(parent, ("displayName",)), "lastModifiedDateTime")
    return attrs.evolve(
        query, select=query.select or usual, expand=(*query.expand, "picture")
    )


@attrs.define
class Numbers:
    """Numbers of records that are still to be asked for."""

    _more: AsyncIterator[str]
    _back: deque[str] = attrs.field(factory=deque, init=False)

    async def take(self, count: int) -> list[str]:
        """The next *count* of them; fewer at the end."""
        taken = [self._back.popleft() for _ in range(min(count, len(self._back)))]
        while len(taken) < count:
            number = await anext(self._more, None)
            if number is None:
                break
            taken.append(number)
        return taken

    def give_back(self, numbers: Iterable[str]) -> None:
        """Let these be the next ones."""
        self._back.extendleft(reversed(list(numbers)))


async def _each(numbers: Iterable[str]) -> AsyncIterator[str]:
    for number in numbers:
        yield number


def _distinct(numbers: Iterable[str]) -> tuple[str, ...]:
    """Each of *numbers* once.

    Raises:
        UsageError: It is a single one.
    """
    if isinstance(numbers, str):
        raise UsageError(
            f"numbers={numbers!r} is a text.", advice="Give several, in a list."
        )
    return tuple(dict.fromkeys(numbers))


@attrs.frozen(kw_only=True)
class Inventory:
    """Every record with its picture: ``async for item in company.items.pictures()``.

    Like a listing, it is a query: it can be walked twice, and is asked anew then.
    """

    _company: CompanyRef = attrs.field(repr=False)
    _parent: Parent
    _query: Query = attrs.field(repr=False)
    _addresses: Addresses = attrs.field(repr=False)
    _numbers: tuple[str, ...] | None = attrs.field(repr=False)
    _first: int

    @classmethod
    def of(
        cls,
        company: CompanyRef,
        parent: Parent,
        query: Query,
        addresses: Addresses,
        *,
        numbers: Iterable[str] | None,
        first: int | None,
    ) -> Self:
        """The inventory of what *query* finds.

        Args:
            company: Where it is.
            parent: What it is.
            query: Which of it.
            addresses: Where a query is asked.
            numbers: Only what has one of these numbers.
            first: Records of the first page.
        """
        return cls(
            company=company,
            parent=parent,
            query=_asked(query, parent),
            addresses=addresses,
            numbers=None if numbers is None else _distinct(numbers),
            first=first or _FIRST,
        )

    def pages(self) -> InventoryPages:
        """It page by page; one is in memory at a time."""
        patience = _PATIENCE * self._company.session.transport.timeouts.reply
        most = max(self._first, _MOST)
        return InventoryPages(
            self._company,
            self._parent,
            self._query,
            self._addresses,
            PageSize(size=self._first, most=most, slow=patience),
            numbers=None if self._numbers is None else Numbers(_each(self._numbers)),
        )

    def __aiter__(self) -> AsyncIterator[Item]:
        return Entities(self.pages())


@attrs.define
class InventoryPages:
    """An inventory page by page; one is in memory at a time.

    When a page fails for good, the next call asks for the same one again.
    """

    _company: CompanyRef = attrs.field(repr=False)
    _parent: Parent
    _query: Query = attrs.field(repr=False)
    # Where a query is asked.
    _addresses: Addresses = attrs.field(repr=False)
    size: PageSize
    """What has been learned of the service's speed."""

    _numbers: Numbers | None = attrs.field(default=None, repr=False, kw_only=True)
    _clock: Callable[[], float] = attrs.field(
        default=time.monotonic, repr=False, kw_only=True
    )
    _trail: Trail | None = attrs.field(default=None, init=False, repr=False)
    # The numbers that the first page of the trail is about.
    _about: list[str] = attrs.field(factory=list, init=False, repr=False)
    _told: set[str] = attrs.field(factory=set, init=False, repr=False)
    _stuck: int = attrs.field(default=0, init=False, repr=False)
    # Whether the company has been looked up a second time.
    _anew: bool = attrs.field(default=False, init=False, repr=False)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page[Item]:
        while (trail := await self._current()) is not None:
            page = await self._ask(trail)
            if page is not None:
                trail.follow(page.next_link)
                self._about = []
                return self._once(page)
        raise StopAsyncIteration

    async def _current(self) -> Trail | None:
        """Where to ask next; None at the end."""
        if self._trail is not None and self._trail.waiting:
            return self._trail
        if self._numbers is not None:
            self._trail = await self._next_numbers(self._numbers)
        elif self._trail is None:
            self._trail = self._begin(await self._addresses(self._query))
        else:
            return None
        return self._trail

    def _begin(self, addresses: Iterable[URL]) -> Trail:
        return Trail(self._company.endpoint, deque(addresses))

    async def _next_numbers(self, numbers: Numbers) -> Trail | None:
        """The way to the next records by their numbers, as many as go into one."""
        self._about = await numbers.take(self.size.size)
        while self._about:
            wanted = F[self._parent.key].is_in(self._about)
            addresses = await self._addresses(self._query.narrowed(wanted))
            if len(addresses) <= 1 or len(self._about) == 1:
                self.size = attrs.evolve(self.size, size=len(self._about))
                return self._begin(addresses)
            fitting = len(self._about) // len(addresses) or 1
            numbers.give_back(self._about[fitting:])
            self._about = self._about[:fitting]
        return None

    async def _ask(self, trail: Trail) -> Page[Item] | None:
        """The page that is next; None if it has to be asked for in another way."""
        started = self._clock()
        session, size = self._company.session, self.size.size
        try:
            page = await fetch_page(
                session, trail.waiting[0], Item, size, Operation.LIST
            )
        except MissingError:
            if self._told or self._anew or not await self._company.forget():
                raise
            self._anew = True
            self._restart()
            return None
        except (UnavailableError, TooLargeError, StalledError) as error:
            self._shrink(error, self._clock() - started)
            return None
        self._stuck = 0
        records = max(len(page.values), len(self._about))
        self.size = self.size.came(records, self._clock() - started)
        return page

    def _shrink(self, error: BcPictureError, seconds: float) -> None:
        """Ask for less next time.

        Raises:
            BcPictureError: *error*, as less will not help.
        """
        status = error.failure.status if error.failure else None
        if isinstance(error, UnavailableError) and status not in _TIMED_OUT:
            raise error
        if not self.size.shrinkable:
            self._change_ways(error)
        elif isinstance(error, TooLargeError):
            self.size = self.size.refused()
        else:
            self.size = self.size.failed(seconds)
        if self._about:
            self._restart()

    def _change_ways(self, error: BcPictureError) -> None:
        """Some servers send as many records as they like: ask by number instead.

        Raises:
            BcPictureError: *error*, as even a single record takes too long.
        """
        self._stuck += 1
        if self._numbers is None and (self.size.ignored or not self._told):
            self._numbers = Numbers(self._untold())
            self._trail, self._stuck = None, 0
            most = self.size.most
            self.size = PageSize(size=_FIRST // 10, most=most, slow=self.size.slow)
        elif self._stuck > 1:
            self._stuck = 0
            raise error

    async def _untold(self) -> AsyncIterator[str]:
        plain = attrs.evolve(self._query, select=("id",), expand=())
        company = self._company
        pages = Pages(
            company.session,
            company.endpoint,
            Item,
            lambda: self._addresses(plain),
        )
        async for item in Entities(pages):
            if item.id not in self._told:
                yield item.number

    def _restart(self) -> None:
        if self._numbers is not None:
            self._numbers.give_back(self._about)
        self._trail, self._about = None, []

    def _once(self, page: Page[Item]) -> Page[Item]:
        """Without what has been told before."""
        fresh = {one.id: one for one in page.values if one.id not in self._told}
        self._told.update(fresh)
        return attrs.evolve(page, values=tuple(fresh.values()))
