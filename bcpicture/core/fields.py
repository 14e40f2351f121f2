"""Filters that cannot be written wrong: ``F.number == "O'Neil"``.

Values are quoted by their kind, and what the service would refuse, or misunderstand, is
refused here, with the reason. Operators and functions are those of Microsoft's "Using
filter expressions in OData URIs".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

import attrs

from bcpicture.core.expressions import Comparison, Expression, either
from bcpicture.core.filters import literal
from bcpicture.core.guards import clean
from bcpicture.errors import UsageError

Value: TypeAlias = str | bool | int | float | Decimal | datetime | date | UUID
"""What a field can be compared with."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_][A-Za-z0-9_]*)*")
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_OURS = {"last_modified": "lastModifiedDateTime"}
"""Names of our values' fields that are not simply the service's in another spelling."""

_TEXTS = frozenset({"number", "code", "gtin", "displayName", "description"})
"""Fields that are text, however much they look like numbers."""


@attrs.frozen(eq=False)
class Field:
    """A field of a record; comparing it makes a filter."""

    name: str
    """Its name in the service."""

    def __attrs_post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(
                f"{self.name!r} is no name of a field.",
                advice="Names are like number or displayName; see the service's own.",
            )

    def _test(self, operator: str, value: Value) -> Expression:
        return Comparison(self.name, f"{self.name} {operator} {self._literal(value)}")

    def _literal(self, value: Value) -> str:
        name = self.name
        if isinstance(value, str):
            return self._text(value)
        if name in _TEXTS:
            raise UsageError(
                f"{name} is text in Business Central; {value!r} is none.",
                advice="Give it in quotes, leading zeros included.",
            )
        return _plain(value)

    def _text(self, value: str) -> str:
        last = self.name.rpartition("/")[2]
        clean(value, self.name)
        if last == "id" or last.endswith("Id"):
            # The service refuses a GUID in quotes.
            if _GUID.fullmatch(value):
                return value.lower()
            if last == "id":
                raise UsageError(
                    f"{value!r} is no id: a GUID is expected.",
                    advice="A record's number is in F.number.",
                )
        if last.endswith("DateTime"):
            raise UsageError(
                f"{self.name} is a moment; {value!r} is text.",
                advice="Give a datetime with a time zone.",
            )
        return literal(value)

    def __eq__(self, value: Value) -> Expression:  # type: ignore[override]  # builds
        return self._test("eq", value)

    def __ne__(self, value: Value) -> Expression:  # type: ignore[override]  # builds
        return self._test("ne", value)

    __hash__ = object.__hash__

    def __lt__(self, value: Value) -> Expression:
        return self._test("lt", value)

    def __le__(self, value: Value) -> Expression:
        return self._test("le", value)

    def __gt__(self, value: Value) -> Expression:
        return self._test("gt", value)

    def __ge__(self, value: Value) -> Expression:
        return self._test("ge", value)

    def is_in(self, values: Iterable[Value]) -> Expression:
        """It is one of *values*; with none of them, nothing is.

        Any number of values will do: the listing is split into several requests.
        """
        if isinstance(values, str):
            raise UsageError(
                f"is_in takes several values, and {values!r} is one.",
                advice="Put it into a list, or compare by ==.",
            )
        return either(self._test("eq", value) for value in values)

    def starts_with(self, text: str) -> Expression:
        """It begins with *text*."""
        return self._call("startswith", text)

    def ends_with(self, text: str) -> Expression:
        """It ends with *text*."""
        return self._call("endswith", text)

    def contains(self, text: str) -> Expression:
        """*text* is somewhere in it."""
        return self._call("contains", text)

    def _call(self, function: str, text: str) -> Expression:
        quoted = literal(clean(text, self.name))
        return Comparison(self.name, f"{function}({self.name},{quoted})")

    @property
    def descending(self) -> str:
        """For `order_by`: the greatest first."""
        return f"{self.name} desc"

    def __str__(self) -> str:
        return self.name


def _plain(value: object) -> str:
    """The literal of whatever is no text."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | UUID():
            return str(value)
        case float() if math.isfinite(value):
            return format(Decimal(repr(value)), "f")
        case Decimal() if value.is_finite():
            return format(value, "f")
        case datetime():
            return _moment(value)
        case date():
            return value.isoformat()
        case _:
            raise UsageError(
                f"{value!r} is nothing that a field can be compared with.",
                advice="An empty field is '', not None.",
            )


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise UsageError(
            f"{value!r} has no time zone.",
            advice="Say which it is: datetime.now(UTC), or value.astimezone().",
        )
    return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


class Fields:
    """The type of `F`."""

    def __getattr__(self, name: str) -> Field:
        if name.startswith("_"):
            raise AttributeError(name)
        return Field(_OURS.get(name) or _camel(name))

    def __getitem__(self, name: str) -> Field:
        return Field(name)

    def __repr__(self) -> str:
        return "F"


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


F = Fields()
"""Every field: ``F.display_name``, ``F.displayName`` and ``F["displayName"]`` are one.

Example:
    >>> (F.number == "O'Neil") & F.type.is_in(["Inventory", "Service"])
    number eq 'O''Neil' and (type eq 'Inventory' or type eq 'Service')
"""
