"""Companies and what is in them, in tables that find a record quickly."""

import time
import uuid
from bisect import insort
from collections.abc import Iterator, Sequence

import attrs

from bcpicture.emulator import catalog
from bcpicture.emulator.catalog import Kind
from bcpicture.emulator.filters import AllOf, Comparable, Condition, OneOf
from bcpicture.emulator.records import Clock, Record

COMPANY_NAMES = ("CRONUS USA, Inc.", "O'Neil & Sons / Ltd.")


@attrs.define(eq=False)
class Table:
    """All records of a kind in a company, in the order of their numbers."""

    kind: Kind
    """What they are."""

    records: list[Record] = attrs.field(factory=list)
    """In order."""

    _by_id: dict[str, Record] = attrs.field(init=False, factory=dict)
    _by_number: dict[str, Record] = attrs.field(init=False, factory=dict)

    def add(self, record: Record) -> None:
        """Adds a record in its place."""
        insort(self.records, record, key=lambda each: each.number)
        self._by_id[record.id] = record
        self._by_number[record.number] = record

    def discard(self, record: Record) -> None:
        """Takes a record away."""
        if self._by_id.pop(record.id, None) is not None:
            self.records.remove(record)
            self._by_number.pop(record.number, None)

    def by_id(self, guid: str) -> Record | None:
        """The record with a GUID."""
        return self._by_id.get(guid.lower())

    def by_number(self, number: str) -> Record | None:
        """The record with a number."""
        return self._by_number.get(number)

    def candidates(self, condition: Condition | None) -> Sequence[Record]:
        """The records that may satisfy a condition, by index where that is possible."""
        parts = condition.parts if isinstance(condition, AllOf) else (condition,)
        for part in parts:
            if not isinstance(part, OneOf):
                continue
            if part.field == "number":
                return self._ordered(
                    self._by_number.get(str(each)) for each in part.values
                )
            if part.field == "id":
                return self._ordered(self._by_id.get(str(each)) for each in part.values)
        return self.records

    @staticmethod
    def _ordered(found: Iterator[Record | None]) -> list[Record]:
        there = [record for record in found if record is not None]
        return sorted(there, key=lambda record: record.number)


@attrs.define(eq=False)
class Company:
    """One company."""

    name: str
    """Its name."""

    id: str
    """Its GUID."""

    items_count: int
    """How many items it begins with."""

    clock: Clock = attrs.field(default=time.time, repr=False)
    """Where stamps come from."""

    numbers: tuple[str, ...] = attrs.field(default=(), repr=False)
    """The numbers of the first items; none: the demo company's."""

    removed: list[Record] = attrs.field(init=False, factory=list, repr=False)
    """What was deleted."""

    _tables: dict[str, Table] = attrs.field(init=False, factory=dict, repr=False)

    def table(self, plural: str) -> Table:
        """All records of a kind, made when they are first asked for."""
        table = self._tables.get(plural)
        if table is None:
            table = self._tables[plural] = Table(catalog.KINDS[plural])
            first = catalog.items(self.items_count, self.numbers)
            rows = first if plural == "items" else catalog.others(plural)
            for number, values in rows:
                self.add(plural, number, **values)
        return table

    def add(self, plural: str, number: str, **values: object) -> Record:
        """Adds a record."""
        table = self.table(plural)
        record = Record(
            table.kind,
            self.name,
            number,
            catalog.guid(plural, number),
            values,
            self.clock(),
            clock=self.clock,
        )
        if plural == "itemVariants":
            item = number.rpartition("/")[0]
            record.values["itemNumber"] = item
            record.values["itemId"] = uuid.UUID(catalog.guid("items", item))
        table.add(record)
        return record

    def item(self, number: str) -> Record:
        """The item with a number; KeyError when there is none."""
        return self.parent("items", number)

    def parent(self, plural: str, number: str) -> Record:
        """The record of any kind with a number; KeyError when there is none."""
        record = self.table(plural).by_number(number)
        if record is None:
            raise KeyError(number)
        return record

    def remove(self, record: Record | str) -> None:
        """Deletes a record, or the item with a number."""
        found = self.item(record) if isinstance(record, str) else record
        self.table(found.kind.plural).discard(found)
        self.removed.append(found)

    def rename(self, record: Record | str, number: str) -> Record:
        """Gives a record, or the item with a number, another number."""
        found = self.item(record) if isinstance(record, str) else record
        table = self.table(found.kind.plural)
        table.discard(found)
        found.number = number
        found.touch()
        table.add(found)
        return found

    def recreate(self, number: str) -> Record:
        """Deletes an item and makes one with the same number and another GUID."""
        old = self.item(number)
        self.remove(old)
        new = self.add("items", number, **old.values)
        table = self.table("items")
        table.discard(new)
        new.id = str(uuid.uuid4())
        table.add(new)
        return new

    @property
    def place(self) -> str:
        """Companies are in no order."""
        return ""

    def get(self, field: str) -> Comparable:
        """The comparable value of a field, for filters and orders."""
        values = {"id": uuid.UUID(self.id), "systemVersion": "29.0.0.0"}
        names = {"name": self.name, "displayName": self.name}
        return (values | names).get(field, "")

    def all_records(self) -> Iterator[Record]:
        """Every record that has been made so far."""
        for table in self._tables.values():
            yield from table.records


@attrs.define(eq=False)
class Store:
    """All companies of one emulator."""

    items: int = 20
    """How many items a company begins with."""

    clock: Clock = attrs.field(default=time.time, repr=False)
    """Where stamps come from."""

    names: tuple[str, ...] = COMPANY_NAMES
    """The companies that are there at the start."""

    numbers: tuple[str, ...] = attrs.field(default=(), repr=False)
    """The numbers of the first items; none: the demo company's."""

    companies: list[Company] = attrs.field(init=False, factory=list)
    """In order; the first is the default."""

    def __attrs_post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Returns to the state of the first moment."""
        self.companies[:] = []
        for name in self.names:
            self.add_company(name)

    def add_company(self, name: str) -> Company:
        """Adds a company."""
        guid = catalog.company_guid(name)
        company = Company(name, guid, self.items, self.clock, self.numbers)
        self.companies.append(company)
        return company

    def company(self, name: str) -> Company:
        """The company with a name or GUID; KeyError when there is none."""
        for company in self.companies:
            if name == company.name or name.lower() == company.id:
                return company
        raise KeyError(name)

    def remove_company(self, name: str) -> None:
        """Deletes a company."""
        self.companies.remove(self.company(name))
