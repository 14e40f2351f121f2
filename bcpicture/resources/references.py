"""Which company, which record: by id, or by a name that is resolved on first use."""

from __future__ import annotations

from collections.abc import Hashable
from uuid import UUID

import attrs

from bcpicture.core import urls
from bcpicture.core.dialects import Parent
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.models import Company, Item
from bcpicture.core.wire import Request
from bcpicture.errors import ItemNotFoundError, UsageError
from bcpicture.net.session import Session
from bcpicture.resources.directory import Directory, Key, told


@attrs.define
class CompanyRef:
    """A company, named by the caller."""

    directory: Directory = attrs.field(repr=False)
    """What is known about names and numbers."""

    name: str
    """The name, or the id, that it was asked for by."""

    known_id: str | None = attrs.field(default=None, repr=False)
    """Its GUID, if the caller gave it."""

    @classmethod
    def of(cls, directory: Directory, company: object) -> CompanyRef:
        """The reference for a name, an id, or a value that a query returned."""
        if isinstance(company, Company):
            return cls(directory, company.name, urls.guid(company.id))
        if isinstance(company, UUID):
            return cls(directory, str(company), str(company))
        if not isinstance(company, str) or not company:
            raise UsageError(
                f"{company!r} is no company.", advice="Give its name or its id."
            )
        if urls.is_guid(company):
            return cls(directory, company, company.lower())
        return cls(directory, company)

    session: Session = attrs.field(init=False, repr=False)
    """Sends its requests."""

    endpoint: Endpoint = attrs.field(init=False, repr=False)
    """Where it is."""

    @session.default
    def _session(self) -> Session:
        return self.directory.session

    @endpoint.default
    def _endpoint(self) -> Endpoint:
        return self.directory.endpoint

    async def id(self) -> str:
        """Its GUID, looked up once.

        Raises:
            CompanyNotFoundError: There is none of this name.
        """
        if self.known_id is not None:
            return self.known_id
        return told((await self.directory.company(self.name)).id)

    async def forget(self) -> bool:
        """Look its name up anew: somebody may have made the company a second time.

        Returns:
            Whether something had been remembered that could be wrong.
        """
        return self.known_id is None and self.directory.forget_company(self.name)


@attrs.define
class RecordRef:
    """An item, or another record that can have a picture, named by the caller."""

    company: CompanyRef
    """Where it is."""

    parent: Parent
    """Which kind of record it is."""

    key: str
    """The number, or the id, that it was asked for by."""

    known_id: str | None = attrs.field(default=None, repr=False)
    """Its GUID, if the caller gave it."""

    item: RecordRef | None = attrs.field(default=None, repr=False)
    """The item that it is a variant of; None for everything else."""

    requests: dict[object, Request] = attrs.field(
        factory=dict, init=False, eq=False, repr=False
    )
    """Requests for its picture that never change, by what they are for."""

    @classmethod
    def of(
        cls,
        company: CompanyRef,
        parent: Parent,
        record: str | UUID | Item | None,
        number: str | None,
    ) -> RecordRef:
        """The reference for an id, a value that a query returned, or a number."""
        if number is None and isinstance(record, str) and urls.is_guid(record):
            record_id = record.lower()
            return cls(company, parent, record_id, record_id)
        if (record is None) == (number is None):
            raise UsageError(
                f"A {parent.kind} is asked for by its id or by its number.",
                advice="Give one of them, such as item(number='1896-S').",
            )
        if isinstance(record, Item):
            return cls(company, parent, record.number, urls.guid(record.id))
        if record is not None:
            record_id = urls.guid(record, f"id of a {parent.kind}")
            return cls(company, parent, record_id, record_id)
        if not isinstance(number, str) or not number:
            raise UsageError(
                f"{number!r} is no number of a {parent.kind}.",
                advice="Numbers are text in Business Central, leading zeros included.",
            )
        return cls(company, parent, number)

    def __str__(self) -> str:
        return f'{self.parent.kind} "{self.key}" in company "{self.company.name}"'

    @property
    def identity(self) -> Hashable:
        """Equal for two references by which one client asks for the same record."""
        company, item = self.company, self.item
        asked = company.known_id, company.name, self.parent, self.known_id, self.key
        # By its id, since a session has no hash; it lives as long as this reference.
        return id(company.session), *asked, item and item.identity

    async def id(self) -> str:
        """Its GUID, looked up once.

        Raises:
            ItemNotFoundError: There is none of this number.
        """
        if self.known_id is not None:
            return self.known_id
        found = await self.company.directory.record_id(await self._key())
        if found is None:
            raise self.missing()
        return found

    async def _key(self) -> Key:
        item_id = "" if self.item is None else await self.item.id()
        return Key(await self.company.id(), self.parent, self.key, item_id)

    async def find(self) -> Item | None:
        """What the service tells about the record of this number, asked anew."""
        return await self.company.directory.find(await self._key())

    async def forget(self) -> bool:
        """Look names up anew: somebody may have made the record a second time.

        Returns:
            Whether something had been remembered that could be wrong.
        """
        if self.known_id is not None:
            return False
        forgotten = self.company.directory.forget(await self._key())
        return await self.company.forget() or forgotten

    def missing(self) -> ItemNotFoundError:
        """The error that it is not there."""
        return ItemNotFoundError(self.parent.kind, self.key, company=self.company.name)
