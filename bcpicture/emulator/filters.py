"""``$filter``: a real parser for the subset that the emulator knows.

Comparisons of a field with a literal, ``startswith``, ``endswith`` and ``contains``,
``and``, parentheses, and ``or`` on one field. What it does not know is answered 501,
what does not parse 400, a field that does not exist 400: never a wrong result.
"""

import operator
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import attrs

from bcpicture.emulator.problems import (
    bad_request,
    not_supported,
    or_on_distinct_fields,
    syntax_error,
    unknown_property,
)
from bcpicture.emulator.tokens import Value, Word, literal, words

Fields = Mapping[str, type]
"""The fields of an entity, with the type of their values."""

Comparable: TypeAlias = Any
"""The value of a field: a string, a number, a moment, …; the filter knows which."""

Getter = Callable[[str], Comparable]
"""Reads one field of a row."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}
_KNOWN_TO_ODATA = {"not", "in", "has", "add", "sub", "mul", "div", "mod"}


@attrs.frozen
class Compare:
    """``number eq '1896-S'``."""

    field: str
    """Which field."""

    test: Callable[[Any, Any], bool]
    """How it is compared, field first."""

    value: Value
    """With what."""

    def accepts(self, get: Getter) -> bool:
        """Tells whether a row passes."""
        return self.test(get(self.field), self.value)


@attrs.frozen
class OneOf:
    """``number eq 'A' or number eq 'B'``, and nothing but ``eq``."""

    field: str
    """Which field."""

    values: frozenset[Value]
    """The values that it may have."""

    def accepts(self, get: Getter) -> bool:
        """Tells whether a row passes."""
        return get(self.field) in self.values


@attrs.frozen
class AllOf:
    """``a and b``."""

    parts: tuple["Condition", ...]
    """Every one of them must hold."""

    def accepts(self, get: Getter) -> bool:
        """Tells whether a row passes."""
        return all(part.accepts(get) for part in self.parts)


@attrs.frozen
class AnyOf:
    """``a or b``, on one field."""

    parts: tuple["Condition", ...]
    """One of them must hold."""

    def accepts(self, get: Getter) -> bool:
        """Tells whether a row passes."""
        return any(part.accepts(get) for part in self.parts)


Condition = Compare | OneOf | AllOf | AnyOf


def fields_of(condition: Condition) -> frozenset[str]:
    """The fields that a condition asks about."""
    match condition:
        case Compare(field) | OneOf(field):
            return frozenset({field})
        case AllOf(parts) | AnyOf(parts):
            return frozenset().union(*map(fields_of, parts))


def parse_filter(text: str, fields: Fields, kind: str) -> Condition:
    """Reads a filter.

    Args:
        text: The filter, decoded.
        fields: The fields that exist.
        kind: The entity's type, for messages.

    Raises:
        ServiceError: it does not parse, or asks for something unknown.
    """
    return _Parser(text, fields, kind).parse()


class _Parser:
    """Recursive descent: or, and, one comparison."""

    def __init__(self, text: str, fields: Fields, kind: str) -> None:
        self._text, self._fields, self._kind = text, fields, kind
        self._words = list(words(text))
        self._next = 0

    def parse(self) -> Condition:
        found = self._any()
        if self._peek().kind != "end":
            raise self._confused()
        return found

    def _peek(self) -> Word:
        return self._words[self._next]

    def _take(self) -> Word:
        self._next += 1
        return self._words[self._next - 1]

    def _confused(self) -> Exception:
        word = self._peek()
        if word.text in _KNOWN_TO_ODATA:
            return not_supported(f"'{word.text}' in $filter")
        return syntax_error(word.at, self._text)

    def _expect(self, text: str) -> None:
        if self._peek().text != text or self._peek().kind == "string":
            raise self._confused()
        self._take()

    def _joined(self, text: str) -> bool:
        word = self._peek()
        if word.kind != "name" or word.text != text:
            return False
        self._take()
        return True

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._joined("or"):
            parts.append(self._all())
        return _either(tuple(parts)) if len(parts) > 1 else parts[0]

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._joined("and"):
            parts.append(self._one())
        return AllOf(tuple(parts)) if len(parts) > 1 else parts[0]

    def _one(self) -> Condition:
        word = self._peek()
        if word.text == "(":
            self._take()
            inner = self._any()
            self._expect(")")
            return inner
        if word.kind != "name" or word.text in _KNOWN_TO_ODATA:
            raise self._confused()
        if self._words[self._next + 1].text == "(":
            return self._function()
        return self._comparison()

    def _comparison(self) -> Condition:
        name = self._field()
        test = _COMPARE.get(self._peek().text)
        if test is None:
            raise self._confused()
        self._take()
        value = self._value(name)
        if test is operator.eq:
            return OneOf(name, frozenset({value}))
        return Compare(name, test, value)

    def _function(self) -> Condition:
        test = _FUNCTIONS.get(self._peek().text)
        if test is None:
            raise not_supported(f"the function '{self._peek().text}' in $filter")
        self._take()
        self._expect("(")
        name = self._field()
        if self._fields[name] is not str:
            raise bad_request(f"'{name}' is not a string.")
        self._expect(",")
        value = self._value(name)
        self._expect(")")
        return Compare(name, test, value)

    def _field(self) -> str:
        word = self._take()
        if "/" in word.text:
            raise not_supported(f"'{word.text}' in $filter")
        if word.kind != "name" or word.text not in self._fields:
            raise unknown_property(word.text, self._kind)
        return word.text

    def _value(self, name: str) -> Value:
        value = literal(self._take(), self._text)
        wanted = self._fields[name]
        fits = isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)
        if not fits:
            raise bad_request(
                "A binary operator with incompatible types was detected: "
                f"'{_edm(wanted)}' and '{_edm(type(value))}' ('{name}')."
            )
        return value


def _either(parts: tuple[Condition, ...]) -> Condition:
    if len(frozenset().union(*map(fields_of, parts))) > 1:
        raise or_on_distinct_fields()
    values: frozenset[Value] = frozenset()
    for part in parts:
        if not isinstance(part, OneOf):
            return AnyOf(parts)
        values |= part.values
    return OneOf(next(iter(fields_of(parts[0]))), values)


def _edm(kind: type) -> str:
    names = {str: "String", uuid.UUID: "Guid", datetime: "DateTimeOffset"}
    return f"Edm.{names.get(kind, 'Decimal' if kind is float else 'Boolean')}"
