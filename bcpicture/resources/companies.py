"""Companies: the listing, and the handle from which everything else is reached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NoReturn
from uuid import UUID

import attrs

from bcpicture.core import dialects
from bcpicture.core.dialects import Parent, require
from bcpicture.core.models import Company, Item
from bcpicture.errors import CompanyNotFoundError, UsageError
from bcpicture.resources.directory import Directory
from bcpicture.resources.handles import RecordHandle
from bcpicture.resources.references import CompanyRef, RecordRef

if TYPE_CHECKING:
    from bcpicture.resources.records import Records

_KEPT_HANDLES = 64
"""Handles of records that are kept for the next call: those that were used last."""


@attrs.frozen
class Companies:
    """All companies of the environment: ``async for company in bc.companies``."""

    _directory: Directory

    def __aiter__(self) -> AsyncIterator[Company]:
        return self._directory.companies()

    async def by_name(self, name: str) -> Company:
        """The company of that name.

        Raises:
            CompanyNotFoundError: There is none; the error names those that exist.
        """
        self._directory.forget_company(name)
        return await self._directory.company(name)

    async def find(self, name: str) -> Company | None:
        """The company of that name, or None."""
        try:
            return await self.by_name(name)
        except CompanyNotFoundError:
            return None

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Tell what was meant: the listing is not the way to one company."""
        raise UsageError(
            "`bc.companies` is the listing and takes nothing.",
            advice="For one company, say bc.company(...).",
        )


def _new_handle(
    company: CompanyRef,
    parent: Parent,
    record: str | UUID | Item | None,
    number: str | None = None,
) -> RecordHandle:
    if parent not in company.endpoint.dialect.parents:
        require(company.endpoint.dialect, parent)
    return RecordHandle(RecordRef.of(company, parent, record, number))


@attrs.define
class CompanyHandle:
    """One company; no request is sent before something of it is asked for."""

    _ref: CompanyRef

    # Whoever serves pictures names the same records again and again.
    _kept: Callable[[Parent, str], RecordHandle] = attrs.field(
        init=False, eq=False, repr=False
    )

    @_kept.default
    def _keeper(self) -> Callable[[Parent, str], RecordHandle]:
        return lru_cache(_KEPT_HANDLES)(partial(_new_handle, self._ref))

    @property
    def name(self) -> str:
        """The name, or the id, that it was asked for by."""
        return self._ref.name

    async def id(self) -> str:
        """Its GUID, looked up once.

        Raises:
            CompanyNotFoundError: There is none of this name.
        """
        return await self._ref.id()

    async def info(self) -> Company:
        """What the service tells about it.

        Raises:
            CompanyNotFoundError: It is not there.
        """
        ref = self._ref
        if ref.known_id is None:
            return await ref.directory.company(ref.name)
        known = []
        async for company in Companies(ref.directory):
            if company.id.lower() == ref.known_id:
                return company
            known.append(company.name)
        raise CompanyNotFoundError(ref.known_id, tuple(known))

    def _handle(
        self, parent: Parent, record: str | UUID | Item | None, number: str | None
    ) -> RecordHandle:
        if number is None and isinstance(record, str):
            return self._kept(parent, record)
        return _new_handle(self._ref, parent, record, number)

    def item(
        self, item: str | UUID | Item | None = None, *, number: str | None = None
    ) -> RecordHandle:
        """An item, by its id, by a value that a query returned, or by its number."""
        return self._handle(dialects.ITEM, item, number)

    def customer(
        self, customer: str | UUID | Item | None = None, *, number: str | None = None
    ) -> RecordHandle:
        """A customer, like `item`."""
        return self._handle(dialects.CUSTOMER, customer, number)

    def vendor(
        self, vendor: str | UUID | Item | None = None, *, number: str | None = None
    ) -> RecordHandle:
        """A vendor, like `item`."""
        return self._handle(dialects.VENDOR, vendor, number)

    def employee(
        self, employee: str | UUID | Item | None = None, *, number: str | None = None
    ) -> RecordHandle:
        """An employee, like `item`."""
        return self._handle(dialects.EMPLOYEE, employee, number)

    def contact(
        self, contact: str | UUID | Item | None = None, *, number: str | None = None
    ) -> RecordHandle:
        """A contact, like `item`; in API v2.0 only."""
        return self._handle(dialects.CONTACT, contact, number)

    def _all(self, parent: Parent) -> Records:
        # Not for everybody, and not for `import bcpicture`.
        from bcpicture.resources import records

        require(self._ref.endpoint.dialect, parent)
        return records.Records(self._ref, parent)

    @property
    def items(self) -> Records:
        """All items."""
        return self._all(dialects.ITEM)

    @property
    def customers(self) -> Records:
        """All customers."""
        return self._all(dialects.CUSTOMER)

    @property
    def vendors(self) -> Records:
        """All vendors."""
        return self._all(dialects.VENDOR)

    @property
    def employees(self) -> Records:
        """All employees."""
        return self._all(dialects.EMPLOYEE)

    @property
    def contacts(self) -> Records:
        """All contacts; in API v2.0 only."""
        return self._all(dialects.CONTACT)
