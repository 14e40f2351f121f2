"""Items, and the other records that can have a picture: the listings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
from yarl import URL

from bcpicture.core.dialects import ITEM, Parent
from bcpicture.core.expressions import Expression, Raw
from bcpicture.core.fields import F, Field  # noqa: TID253 - it is lazy itself
from bcpicture.core.models import Item
from bcpicture.core.queries import Query
from bcpicture.errors import ItemNotFoundError, MissingError, UsageError
from bcpicture.resources.listing import (  # noqa: TID253 - likewise
    Entities,
    Pages,
    fetch_page,
)
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.references import CompanyRef, RecordRef

if TYPE_CHECKING:
    from bcpicture.resources.batches import Known, PictureInfos
    from bcpicture.resources.inventory import Inventory
    from bcpicture.resources.refreshing import Refreshed

_SHOWN = 10
"""Items with one GTIN that an error names."""


@attrs.frozen
class Records:
    """All records of one kind in a company, or some: ``async for item in …``.

    It is a query: nothing is asked before it is iterated, and what narrows it returns
    a new one.
    """

    _company: CompanyRef = attrs.field(repr=False)
    _parent: Parent
    # The item that they are variants of; None for everything else.
    _item: RecordRef | None = attrs.field(default=None, repr=False, kw_only=True)
    _query: Query = attrs.field(default=Query(), kw_only=True)
    _page_size: int | None = attrs.field(default=None, kw_only=True)

    # -- what narrows it

    def _with(self, **changes: Any) -> Records:  # noqa: ANN401 - fields of any type
        return attrs.evolve(self, query=attrs.evolve(self._query, **changes))

    def filter(self, expression: str | Expression) -> Records:
        """Only those that *expression* is true for.

        Args:
            expression: Built with `F`, such as ``F.number == "1896-S"``. Or the text
                of an OData ``$filter``: texts in it stand in single quotes, and a
                quote in them is doubled.
        """
        given = Raw(expression) if isinstance(expression, str) else expression
        return attrs.evolve(self, query=self._query.narrowed(given))

    def select(self, *fields: str | Field) -> Records:
        """Only these fields, by their names in the service; the key is always there."""
        return self._with(select=(*self._query.select, *map(str, fields)))

    def order_by(self, *fields: str | Field) -> Records:
        """In this order; ``F.display_name.descending`` is from the last to the first.

        An order holds within one request: a filter that is too long for one address
        cannot be ordered.
        """
        return self._with(order=(*self._query.order, *map(str, fields)))

    def expand(self, *properties: str) -> Records:
        """Each with what belongs to it: ``picture`` is in `Item.picture`.

        The service reads a whole image for every picture that it tells of, so expand
        in small pages, or use `pictures`, which finds out how small.
        """
        return self._with(expand=(*self._query.expand, *properties))

    def top(self, records: int) -> Records:
        """So many of them at most."""
        if records < 1:
            raise UsageError(
                f"The first {records} records are none.", advice="Ask for 1 or more."
            )
        return self._with(top=records)

    def with_count(self) -> Records:
        """Each page tells how many records there are on all pages: `Page.count`."""
        return self._with(counted=True)

    def page_size(self, records: int) -> Records:
        """So many records a page, 20,000 at most; a wish that servers may ignore."""
        if not 1 <= records <= 20_000:
            raise UsageError(
                f"A page of {records} records cannot be had.",
                advice="Choose from 1 to 20,000.",
            )
        return attrs.evolve(self, page_size=records)

    # -- what it asks

    async def _addresses(self, query: Query) -> Sequence[URL]:
        company = self._company
        if self._item is not None:
            query = query.narrowed(F.itemId == await self._item.id())
        return query.addresses(company.endpoint, await company.id(), self._parent)

    def pages(self) -> Pages[Item]:
        """The listing page by page; one is in memory at a time."""
        company = self._company
        return Pages(
            company.session,
            company.endpoint,
            Item,
            partial(self._addresses, self._query),
            self._page_size,
            most=self._query.top,
            forget=company.forget,
        )

    def __aiter__(self) -> AsyncIterator[Item]:
        return Entities(self.pages())

    async def count(self) -> int:
        """How many there are: asked of the service, which sends one of them along."""
        query = self._query
        light = Query(filter=query.filter, select=("id",), top=1, counted=True)
        total = 0
        for url in await self._addresses(light):
            page = await fetch_page(self._company.session, url, Item)
            total += len(page.values) if page.count is None else page.count
        return total if query.top is None else min(total, query.top)

    def pictures(self, *, numbers: Iterable[str] | None = None) -> Inventory:
        """Each with what the service tells of its picture, in few requests.

        The pages are as long as the service can make them in time. What is told of a
        record is little, unless `select` asked for more.

        Args:
            numbers: Only those with one of these numbers. What does not exist is left
                out.
        """
        # Not for everybody, and not for `import bcpicture`; likewise below.
        from bcpicture.resources import inventory

        return inventory.Inventory.of(
            self._company,
            self._parent,
            self._query,
            self._addresses,
            numbers=numbers,
            first=self._page_size,
        )

    def picture_infos(self, known: Iterable[Known]) -> PictureInfos:
        """What the service tells of the pictures of known records, 100 a request.

        It pays for some of many records; for all of them, `pictures` asks less often.
        Each is told for itself: what is not there is an `PictureInfo.error`.

        Args:
            known: Ids, or values that a query returned.
        """
        from bcpicture.resources import batches

        return batches.PictureInfos.of(self._company, self._parent, known)

    def refreshed(self, known: Iterable[Known]) -> Refreshed:
        """Known records as they are now, each with its picture, 100 a request.

        Little is told of a record: its id and number, its signs (`Item.etag`,
        `Item.last_modified`), and `Item.picture`. What is not there is a
        `RecordInfo.error`.

        Args:
            known: Ids, or values that a query returned.
        """
        from bcpicture.resources import refreshing

        return refreshing.Refreshed.of(self._company, self._parent, known)

    # -- what it is about

    @property
    def company(self) -> CompanyRef:
        """Where they are."""
        return self._company

    @property
    def parent(self) -> Parent:
        """Which kind of record they are."""
        return self._parent

    def in_bulk(self) -> Records:
        """The same, asked for behind everybody else, who keep the client's reserve."""
        directory = self._company.directory
        session = attrs.evolve(directory.session, bulk=True)
        company = attrs.evolve(self._company, directory=directory.through(session))
        return attrs.evolve(self, company=company)

    # -- one of them

    def picture_of(self, known: Known) -> PictureHandle:
        """The picture of a record whose id is known; no request is sent for it."""
        return PictureHandle(RecordRef.of(self._company, self._parent, known, None))

    async def by_number(self, number: str) -> Item:
        """The one with that number.

        Raises:
            ItemNotFoundError: There is none.
        """
        found = await self.find(number)
        if found is None:
            raise ItemNotFoundError(
                self._parent.kind, number, company=self._company.name
            )
        return found

    async def find(self, number: str) -> Item | None:
        """The one with that number, or None."""
        ref = RecordRef.of(self._company, self._parent, None, number)
        return await attrs.evolve(ref, item=self._item).find()

    async def by_gtin(self, gtin: str) -> Item:
        """The one with that GTIN, the number in its bar code; items only have one.

        Raises:
            ItemNotFoundError: There is none.
            MissingError: There are several, which the error names.
        """
        found = await self.find_gtin(gtin)
        if found is None:
            kind = f"{self._parent.kind} with GTIN"
            raise ItemNotFoundError(kind, gtin, company=self._company.name)
        return found

    async def find_gtin(self, gtin: str) -> Item | None:
        """The one with that GTIN, or None.

        Raises:
            MissingError: There are several: Business Central does not forbid it.
        """
        if self._parent is not ITEM:
            raise UsageError(
                f"A {self._parent.kind} has no GTIN.", advice="Only an item has."
            )
        if not gtin:
            raise UsageError("The GTIN is empty.", advice="Ask for the number instead.")
        query = self.filter(F.gtin == gtin).top(_SHOWN)
        found = [item async for item in query if item.gtin == gtin]
        if len(found) > 1:
            numbers = ", ".join(item.number for item in found)
            raise MissingError(
                f"There is no single item with GTIN {gtin!r}, but {numbers}.",
                advice="Ask for one of them by its number.",
            )
        return found[0] if found else None

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Tell what was meant: the listing is not the way to one record."""
        singular = self._parent.kind.replace(" ", "_")
        raise UsageError(
            f"`company.{self._parent.segment}` is the listing and takes nothing.",
            advice=f"For one {self._parent.kind}, say company.{singular}(...).",
        )
