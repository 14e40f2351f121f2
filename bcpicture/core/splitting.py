"""One long filter as several short ones: the service takes no long address.

Measured by others on a real server: 400 from about 15.8 KB on, 500 from 18 KB on.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from bcpicture.core.expressions import (
    AllOf,
    AnyOf,
    Comparison,
    Expression,
    either,
    every,
)
from bcpicture.core.filters import encoded
from bcpicture.errors import UsageError

_OR = len(encoded(" or "))
_PARENTHESES = 2


def length(expression: Expression) -> int:
    """Characters that *expression* takes in an address."""
    return len(encoded(str(expression)))


def split(expression: Expression, room: int) -> list[Expression]:
    """Expressions that are true, taken together, of what *expression* is true of.

    Each of them is at most *room* characters long in an address. None at all means
    that nothing is asked for.

    Raises:
        UsageError: A single value is too long already.
    """
    if expression.never:
        return []
    whole = length(expression)
    if whole <= room:
        return [expression]
    longest, rest = _longest(expression, room)
    size = length(longest)
    left = max(room - (whole - size), min(room // 2, size // 2))
    return [
        short
        for members in pack(longest.parts, left)
        for short in split(every((*rest, either(members))), room)
    ]


def _longest(expression: Expression, room: int) -> tuple[AnyOf, tuple[Expression, ...]]:
    """What can be taken apart, and what stays with every piece of it."""
    parts = expression.parts if isinstance(expression, AllOf) else (expression,)
    able = [part for part in parts if isinstance(part, AnyOf) and len(part.parts) > 1]
    if not able:
        raise UsageError(
            f"The filter takes {length(expression):,} characters in the address, "
            f"where {room:,} are free, and cannot be split.",
            advice="Shorten it; what is_in() is given can be split.",
        )
    longest = max(able, key=length)
    return longest, tuple(part for part in parts if part is not longest)


def pack(parts: Sequence[Expression], room: int) -> Iterator[tuple[Expression, ...]]:
    """Put *parts* together, each group as long as *room* allows; none is lost.

    Spellings of one value that the service may take for the same (it compares many
    fields without regard to case) stay together, so that no record is in two answers.
    """
    group: list[Expression] = []
    used = 0
    for alike in _alike(parts):
        size = sum(map(_cost, alike))
        if group and used + size > room:
            yield tuple(group)
            group, used = [], 0
        group += alike
        used += size
        if used > room and len(group) > 1:
            # Spellings of one value that are too long together.
            yield from ((part,) for part in group)
            group, used = [], 0
    if group:
        yield tuple(group)


def _cost(part: Expression) -> int:
    return length(part) + _OR + (0 if isinstance(part, Comparison) else _PARENTHESES)


def _alike(parts: Iterable[Expression]) -> Iterable[list[Expression]]:
    groups: dict[str, list[Expression]] = {}
    for part in parts:
        spelling = unicodedata.normalize("NFKC", str(part)).casefold()
        groups.setdefault(spelling, []).append(part)
    return groups.values()
