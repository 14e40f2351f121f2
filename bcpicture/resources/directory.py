"""What a client has learned: ids of companies by name, ids of records by number."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.dialects import Parent
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.filters import equals
from bcpicture.core.models import Company, Item
from bcpicture.errors import AnswerError, CompanyNotFoundError, UsageError
from bcpicture.net.session import Session

if TYPE_CHECKING:
    from bcpicture.resources.listing import Entities

_REMEMBERED = 20_000
"""Records whose id is remembered; the one that was used longest ago is forgotten."""


@attrs.frozen(cache_hash=True)
class Key:
    """What a record is known by. An id is unique only within its company."""

    company_id: str
    """GUID of the company."""

    parent: Parent
    """Which kind of record it is."""

    number: str
    """What people know it by."""

    item_id: str = ""
    """GUID of the item that it is a variant of; empty for everything else."""

    @property
    def expression(self) -> str:
        """The filter that finds it."""
        named = equals(self.parent.key, self.number)
        return f"itemId eq {self.item_id} and {named}" if self.item_id else named


@attrs.define
class Ability:
    """Whether the service can do something, which is found out once."""

    known: bool | None = None
    """Whether it can; None before it was asked."""

    alone: asyncio.Lock = attrs.field(factory=asyncio.Lock, repr=False)
    """Held by whoever finds it out."""


@attrs.define
class Directory:
    """Resolves names and numbers on first use, and remembers them."""

    session: Session
    endpoint: Endpoint
    batch: Ability = attrs.field(factory=Ability, repr=False)
    _companies: dict[str, Company] = attrs.field(factory=dict)
    _records: OrderedDict[Key, str] = attrs.field(factory=OrderedDict)
    _locks: dict[object, asyncio.Lock] = attrs.field(factory=dict)

    def through(self, session: Session) -> Directory:
        """The same knowledge, asked for by another session."""
        return attrs.evolve(
            self,
            session=session,
            companies=self._companies,
            records=self._records,
            locks=self._locks,
        )

    @asynccontextmanager
    async def _alone(self, key: object) -> AsyncIterator[None]:
        """Let one caller look up *key*; the others wait, then find it remembered."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            if not lock.locked():
                self._locks.pop(key, None)

    async def company(self, name: str) -> Company:
        """The company of that name, or of that display name.

        Raises:
            CompanyNotFoundError: There is none; the error names those that exist.
        """
        if name not in self._companies:
            async with self._alone("companies"):
                if name not in self._companies:
                    await self._learn_companies(name)
        return self._companies[name]

    def companies(self) -> Entities[Company]:
        """All companies, asked anew."""
        # Not for everybody, and not for `import bcpicture`; likewise below.
        from bcpicture.resources.listing import Entities, Pages

        async def starts() -> Sequence[URL]:
            return [urls.companies(self.endpoint)]

        return Entities(Pages(self.session, self.endpoint, Company, starts))

    async def _learn_companies(self, name: str) -> None:
        known = [company async for company in self.companies()]
        for company in known:
            self._companies[company.name] = company
        shown = [company for company in known if company.display_name == name]
        if name not in self._companies and len(shown) == 1:
            self._companies[name] = shown[0]
        if name not in self._companies:
            raise CompanyNotFoundError(name, tuple(one.name for one in known))

    def forget_company(self, name: str) -> bool:
        """It may have another id by now; whether one was known."""
        return self._companies.pop(name, None) is not None

    async def find(self, key: Key) -> Item | None:
        """The record with that number, asked anew."""
        from bcpicture.resources.listing import fetch_page

        options = [("$filter", key.expression)]
        url = urls.records(self.endpoint, key.company_id, key.parent, options)
        page = await fetch_page(self.session, url, Item)
        return next((item for item in page.values if item.number == key.number), None)

    async def record_id(self, key: Key) -> str | None:
        """The id of the record with that number; None if there is no such record."""
        if (known := self._recall(key)) is not None:
            return known
        async with self._alone(key):
            if (known := self._recall(key)) is not None:
                return known
            item = await self.find(key)
            return None if item is None else self._remember(key, told(item.id))

    def _recall(self, key: Key) -> str | None:
        if (known := self._records.get(key)) is not None:
            self._records.move_to_end(key)
        return known

    def _remember(self, key: Key, record_id: str) -> str:
        self._records[key] = record_id
        if len(self._records) > _REMEMBERED:
            self._records.popitem(last=False)
        return record_id

    def forget(self, key: Key) -> bool:
        """It may have another id by now; whether one was known."""
        return self._records.pop(key, None) is not None


def told(record_id: str) -> str:
    """An id that the service told, fit for an address.

    Raises:
        AnswerError: It is no GUID.
    """
    try:
        return urls.guid(record_id)
    except UsageError as exc:
        raise AnswerError(
            f"The service told {record_id!r} for an id, which is no GUID.",
            advice="Check that the address is a Business Central API.",
        ) from exc
