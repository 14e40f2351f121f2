"""Filters that cannot be written wrong: ``F.number == "O'Neil"``.

Values are quoted by their kind, and what the service would refuse, or misunderstand, is
refused here, with the reason. Operators and functions are those of Microsoft's "Using
filter expressions in OData URIs"; that ``or`` works on one field only is in its "OData
known limitations".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NoReturn, TypeAlias
from uuid import UUID

import attrs

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


class Expression:
    """Something that is true of a record or not. Join them by ``&`` and ``|``."""

    __slots__ = ()

    @property
    def fields(self) -> frozenset[str]:
        """The fields that it asks about."""
        raise NotImplementedError

    @property
    def never(self) -> bool:
        """Whether it can be true of no record."""
        return False

    def __and__(self, other: Expression) -> Expression:
        if not isinstance(other, Expression):
            return NotImplemented
        return every((self, other))

    def __or__(self, other: Expression) -> Expression:
        if not isinstance(other, Expression):
            return NotImplemented
        return either((self, other))

    def __bool__(self) -> NoReturn:
        raise UsageError(
            "A filter is neither true nor false before the service has seen it.",
            advice="Join filters by & and |, each in parentheses, not by and, or, not.",
        )


@attrs.frozen(repr=False)
class Comparison(Expression):
    """One field is compared with one value."""

    field: str
    """Its name in the service."""

    text: str
    """The whole expression."""

    @property
    def fields(self) -> frozenset[str]:
        """The one field."""
        return frozenset({self.field})

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


@attrs.frozen(repr=False)
class Raw(Expression):
    """An expression that somebody else has written."""

    text: str
    """The whole of it."""

    @property
    def fields(self) -> NoReturn:
        """Nobody knows."""
        raise UsageError(
            f"The service joins by `or` on one field only; which has {self.text!r}?",
            advice="Write the `or` inside the text, or build all of it with F.",
        )

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


@attrs.frozen(repr=False)
class AllOf(Expression):
    """Every one of its parts is true."""

    parts: tuple[Expression, ...]
    """At least two, and none of them is of this class."""

    @property
    def fields(self) -> frozenset[str]:
        """The fields of all parts."""
        return frozenset().union(*(part.fields for part in self.parts))

    @property
    def never(self) -> bool:
        """Whether one of the parts can never be true."""
        return any(part.never for part in self.parts)

    def __str__(self) -> str:
        return " and ".join(map(_inner, self.parts))

    __repr__ = __str__


@attrs.frozen(repr=False)
class AnyOf(Expression):
    """At least one of its parts is true; without any parts, nothing is."""

    parts: tuple[Expression, ...]
    """AllOf on one field, and none of them is of this class."""

    @property
    def fields(self) -> frozenset[str]:
        """The one field."""
        return frozenset().union(*(part.fields for part in self.parts))

    @property
    def never(self) -> bool:
        """Whether there is nothing that could be true."""
        return not self.parts

    def __str__(self) -> str:
        return " or ".join(map(_inner, self.parts))

    __repr__ = __str__


def _inner(part: Expression) -> str:
    return str(part) if isinstance(part, Comparison) else f"({part})"


def every(parts: Iterable[Expression]) -> Expression:
    """The expression that all of *parts* are true."""
    flat: dict[Expression, None] = {}
    for part in parts:
        flat.update(dict.fromkeys(part.parts if isinstance(part, AllOf) else (part,)))
    return AllOf(tuple(flat)) if len(flat) > 1 else next(iter(flat))


def either(parts: Iterable[Expression]) -> Expression:
    """The expression that at least one of *parts* is true.

    Raises:
        UsageError: They ask about different fields.
    """
    flat: dict[Expression, None] = {}
    for part in parts:
        flat.update(dict.fromkeys(part.parts if isinstance(part, AnyOf) else (part,)))
    flat = {part: None for part in flat if not part.never}
    fields = frozenset[str]().union(*(part.fields for part in flat))
    if len(fields) > 1:
        raise UsageError(
            f"`or` between {' and '.join(sorted(fields))}: the service supports it on "
            "one field only.",
            advice="Ask once for each field, and join the answers by their ids.",
        )
    return next(iter(flat)) if len(flat) == 1 else AnyOf(tuple(flat))


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
