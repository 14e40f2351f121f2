"""Filters as values: what is asked about which field, and how it is joined.

That ``or`` works on one field only is in Microsoft's "OData known limitations".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

import attrs

from bcpicture.errors import UsageError


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
    """All on one field, and none of them is of this class."""

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
