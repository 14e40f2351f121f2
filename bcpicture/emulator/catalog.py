"""What is in a company: kinds of parents, their fields, and rows that never change.

The same index always gives the same number and the same GUID. GUIDs are equal in every
company, since a GUID is unique only within its company.
"""

import itertools
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache

import attrs

from bcpicture.emulator.filters import Fields

_SPACE = uuid.UUID("b1c2f3a4-6d5e-4f70-8a9b-0c1d2e3f4a5b")

ITEM_NAMES = {
    "1896-S": "ATHENS Desk",
    "1900-S": "PARIS Guest Chair, black",
    "1906-S": "ATHENS Mobile Pedestal",
    "1908-S": "LONDON Swivel Chair, blue",
    "1920-S": "ANTWERP Conference Table",
    "1925-W": "Conference Bundle 1-6",
    "1928-S": "AMSTERDAM Lamp",
    "1929-W": "Conference Bundle 1-8",
    "1936-S": "BERLIN Guest Chair, yellow",
    "1953-W": "Guest Section 1",
    "1960-S": "ROME Guest Chair, green",
    "1964-S": "TOKYO Guest Chair, blue",
    "1965-W": "Conference Bundle 2-8",
    "1968-S": "MEXICO Swivel Chair, black",
    "1969-W": "Conference Package 1",
    "1972-S": "MUNICH Swivel Chair, yellow",
    "1980-S": "MOSCOW Swivel Chair, red",
    "1988-S": "SEOUL Guest Chair, red",
    "1996-S": "ATLANTA Whiteboard, base",
    "2000-S": "SYDNEY Swivel Chair, green",
}

_COLOURS = ("oak", "black", "white", "walnut", "grey", "sand", "teal", "red")
_THINGS = ("Chair", "Table", "Lamp", "Shelf", "Cabinet", "Stool", "Bench", "Screen")


@attrs.frozen(kw_only=True)
class Kind:
    """A kind of record that has a picture."""

    plural: str
    """The entity set."""

    singular: str
    """The type."""

    parent_type: str
    """How the picture names it."""

    key: str
    """The field with its own number or code."""

    fields: Fields
    """Every field, with the type of its values."""

    apis: frozenset[str]
    """The API versions in which it has a picture."""


def _fields(key: str, **more: type) -> Fields:
    return {
        "id": uuid.UUID,
        key: str,
        "displayName": str,
        **more,
        "lastModifiedDateTime": datetime,
    }


_CLASSIC = frozenset({"v2.0", "v1.0", "beta", "graph"})
_NEW = frozenset({"v2.0"})
_ADDRESS: dict[str, type] = {"city": str, "country": str, "email": str, "blocked": str}
_VARIANT = {
    "id": uuid.UUID,
    "itemId": uuid.UUID,
    "itemNumber": str,
    "code": str,
    "description": str,
    "lastModifiedDateTime": datetime,
}

KINDS = {
    kind.plural: kind
    for kind in (
        Kind(
            plural="items",
            singular="item",
            parent_type="Item",
            key="number",
            fields=_fields(
                "number",
                type=str,
                itemCategoryCode=str,
                blocked=bool,
                gtin=str,
                inventory=float,
                unitPrice=float,
                baseUnitOfMeasureCode=str,
            ),
            apis=_CLASSIC,
        ),
        Kind(
            plural="customers",
            singular="customer",
            parent_type="Customer",
            key="number",
            fields=_fields("number", **_ADDRESS),
            apis=_CLASSIC,
        ),
        Kind(
            plural="vendors",
            singular="vendor",
            parent_type="Vendor",
            key="number",
            fields=_fields("number", **_ADDRESS),
            apis=_CLASSIC,
        ),
        Kind(
            plural="employees",
            singular="employee",
            parent_type="Employee",
            key="number",
            fields=_fields("number", givenName=str, surname=str, jobTitle=str),
            apis=_CLASSIC,
        ),
        Kind(
            plural="contacts",
            singular="contact",
            parent_type="Contact",
            key="number",
            fields=_fields("number", type=str, city=str, email=str),
            apis=_NEW,
        ),
        Kind(
            plural="itemVariants",
            singular="itemVariant",
            parent_type="Item Variant",
            key="code",
            fields=_VARIANT,
            apis=_NEW,
        ),
    )
}
"""By the name of their entity set."""

COMPANY_FIELDS: Fields = {
    "id": uuid.UUID,
    "systemVersion": str,
    "name": str,
    "displayName": str,
    "businessProfileId": str,
}
"""The fields of a company."""

PICTURE_FIELDS: Fields = {
    "id": uuid.UUID,
    "parentType": str,
    "width": float,
    "height": float,
    "contentType": str,
    "pictureContent": bytes,
    "content": bytes,
}
"""The fields of a picture, of every API version."""

_PEOPLE = {
    "customers": (
        ("10000", {"displayName": "Adatum Corporation", "city": "Atlanta"}),
        ("20000", {"displayName": "Trey Research", "city": "Chicago"}),
        ("30000", {"displayName": "School of Fine Art", "city": "Miami"}),
    ),
    "vendors": (
        ("10000", {"displayName": "Fabrikam, Inc.", "city": "Atlanta"}),
        ("20000", {"displayName": "First Up Consultants", "city": "Chicago"}),
        ("30000", {"displayName": "Graphic Design Institute", "city": "Miami"}),
    ),
    "employees": (
        ("EH", {"displayName": "Ester Henderson", "jobTitle": "Production Manager"}),
        ("MH", {"displayName": "Marty Horst", "jobTitle": "Designer"}),
        ("OF", {"displayName": "Otis Falls", "jobTitle": "Salesperson"}),
    ),
    "contacts": (
        ("CT000001", {"displayName": "Adatum Corporation", "type": "Company"}),
        ("CT000007", {"displayName": "Robert Townes", "type": "Person"}),
        ("CT000012", {"displayName": "Helen Ray", "type": "Person"}),
    ),
    "itemVariants": (
        ("1900-S/BLACK", {"description": "PARIS Guest Chair, black leather"}),
        ("1900-S/RED", {"description": "PARIS Guest Chair, red leather"}),
        ("1908-S/BLACK", {"description": "LONDON Swivel Chair, black"}),
    ),
}


def guid(plural: str, number: str) -> str:
    """The id of a record; the same in every company."""
    return str(uuid.uuid5(_SPACE, f"{plural}/{number}"))


@cache
def company_guid(name: str) -> str:
    """The id of a company."""
    return str(uuid.uuid5(_SPACE, f"companies/{name}"))


def items(
    count: int, numbers: Sequence[str] = ()
) -> Iterator[tuple[str, dict[str, object]]]:
    """Numbers and fields of the first items.

    Args:
        count: How many there are at least.
        numbers: The numbers of the first; none: the demo company's are the first.
    """
    given = {number: ITEM_NAMES.get(number) for number in numbers}
    known = given or dict(list(ITEM_NAMES.items())[:count])
    for number, name in known.items():
        shown = name or f"Item {number}"
        yield number, {"displayName": shown, "gtin": _gtin(number)}
    # Made-up numbers sort behind the demo company's own.
    fresh = (at for at in itertools.count(len(known)) if f"B{at:06d}" not in known)
    for index in itertools.islice(fresh, max(0, count - len(known))):
        number = f"B{index:06d}"
        colour, thing = _COLOURS[index % 8], _THINGS[index // 8 % 8]
        name = f"{thing} {index}, {colour}"
        yield number, {"displayName": name, "gtin": _gtin(number)}


def others(plural: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Numbers and fields of the few records of another kind."""
    for number, fields in _PEOPLE[plural]:
        yield number, dict(fields)


def _gtin(number: str) -> str:
    """A 13-digit number with a valid check digit."""
    digits = "".join(filter(str.isdigit, number)).rjust(12, "4")[-12:]
    weighted = sum(int(d) * (3 if at % 2 else 1) for at, d in enumerate(digits))
    return digits + str(-weighted % 10)


def default(kind: type) -> object:
    """What a field holds when nobody filled it."""
    return "" if kind is str else kind()
