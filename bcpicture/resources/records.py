"""Items, and the other records that can have a picture: listings and handles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NoReturn
from uuid import UUID

import attrs
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.dialects import DIALECTS, ITEM, ITEM_VARIANT, Dialect, Parent
from bcpicture.core.models import Item
from bcpicture.errors import ItemNotFoundError, UsageError
from bcpicture.resources.listing import Entities, Pages
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.references import CompanyRef, RecordRef


def require(dialect: Dialect, parent: Parent) -> None:
    """Refuse what an API version does not have, before anything is sent.

    Raises:
        UsageError: It has no pictures of such records; the error says which has.
    """
    if parent not in dialect.parents:
        able = [one.name for one in DIALECTS.values() if parent in one.parents]
        raise UsageError(
            f"API {dialect.name} has no picture of a {parent.kind}.",
            advice=f"It is there in {', '.join(able)}.",
        )


@attrs.frozen
class Records:
    """All records of one kind in a company, or some: ``async for item in …``.

    It is a query: nothing is asked before it is iterated, and what narrows it returns
    a new one.
    """

    _company: CompanyRef = attrs.field(repr=False)
    _parent: Parent
    _filter: str = ""
    _select: tuple[str, ...] = ()
    _page_size: int | None = None

    def filter(self, expression: str) -> Records:
        """Only those that *expression* is true for, an OData ``$filter``.

        Texts in it stand in single quotes, and a quote in them is doubled.
        """
        both = f"({self._filter}) and ({expression})" if self._filter else expression
        return attrs.evolve(self, filter=both)

    def select(self, *fields: str) -> Records:
        """Only these fields, by their names in the service; the key is always there."""
        return attrs.evolve(self, select=(*self._select, *fields))

    def page_size(self, records: int) -> Records:
        """So many records a page, 20,000 at most; a wish that servers may ignore."""
        if not 1 <= records <= 20_000:
            raise UsageError(
                f"A page of {records} records cannot be had.",
                advice="Choose from 1 to 20,000.",
            )
        return attrs.evolve(self, page_size=records)

    def _options(self) -> list[tuple[str, str]]:
        options = []
        if self._filter:
            options.append(("$filter", self._filter))
        if self._select:
            fields = dict.fromkeys(("id", self._parent.key, *self._select))
            options.append(("$select", ",".join(fields)))
        return options

    def pages(self) -> Pages[Item]:
        """The listing page by page; one is in memory at a time."""
        company = self._company

        async def first() -> URL:
            company_id = await company.id()
            return urls.records(
                company.endpoint, company_id, self._parent, self._options()
            )

        return Pages(company.session, company.endpoint, Item, first, self._page_size)

    def __aiter__(self) -> AsyncIterator[Item]:
        return Entities(self.pages())

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
        return await RecordRef.of(self._company, self._parent, None, number).find()

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Tell what was meant: the listing is not the way to one record."""
        singular = self._parent.kind.replace(" ", "_")
        raise UsageError(
            f"`company.{self._parent.segment}` is the listing and takes nothing.",
            advice=f"For one {self._parent.kind}, say company.{singular}(...).",
        )


@attrs.define
class RecordHandle:
    """One item, or other record; no request is sent before something is asked for."""

    _ref: RecordRef

    @property
    def key(self) -> str:
        """The number, or the id, that it was asked for by."""
        return self._ref.key

    async def id(self) -> str:
        """Its GUID, looked up once.

        Raises:
            ItemNotFoundError: There is none of this number.
        """
        return await self._ref.id()

    async def info(self) -> Item:
        """What the service tells about it now.

        Raises:
            ItemNotFoundError: It is not there.
        """
        ref = self._ref
        if ref.known_id is None:
            found = await ref.find()
        else:
            query = Records(ref.company, ref.parent).filter(f"id eq {ref.known_id}")
            found = await anext(aiter(query), None)
        if found is None:
            raise ref.missing()
        return found

    def variant(
        self, variant: str | UUID | Item | None = None, *, number: str | None = None
    ) -> RecordHandle:
        """A variant of this item, by its id, by a value, or by its code.

        Raises:
            UsageError: This is no item, or the API version has no pictures of variants.
        """
        ref = self._ref
        if ref.parent is not ITEM:
            raise UsageError(
                f"A {ref.parent.kind} has no variants.", advice="Only an item has."
            )
        require(ref.company.endpoint.dialect, ITEM_VARIANT)
        found = RecordRef.of(ref.company, ITEM_VARIANT, variant, number)
        return RecordHandle(attrs.evolve(found, item=ref))

    @property
    def picture(self) -> PictureHandle:
        """Its picture."""
        return PictureHandle(self._ref)
