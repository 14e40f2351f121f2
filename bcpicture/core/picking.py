"""One picture of several: which of ``SKU_1``, ``SKU_2`` and ``SKU_front`` is sent.

The order is the user's, then the natural one, in which 2 comes before 10; a name
without anything to tell it apart comes before all. The same files always give the same
answer, and files that nothing tells apart give none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from bcpicture.core.keys import upper

T = TypeVar("T")
_DIGITS = re.compile(r"([0-9]+)")
_Rank = tuple[int, tuple[tuple[int, int, str], ...]]


def best(candidates: Iterable[tuple[str, T]], order: Sequence[str]) -> T | None:
    """Return the first of *candidates*, or None if two come first.

    Args:
        candidates: What tells each apart, such as ``front``, and the candidate itself.
        order: What comes first, in this order; upper and lower case are the same.
    """
    places = {upper(text): place for place, text in reversed([*enumerate(order)])}
    ranked = sorted(
        ((_rank(text, places), one) for text, one in candidates),
        key=lambda pair: pair[0],
    )
    first, *others = ranked
    return None if others and others[0][0] == first[0] else first[1]


def _rank(text: str, places: dict[str, int]) -> _Rank:
    text = upper(text)
    if text in places:
        return places[text], ()
    return len(places), tuple(map(_natural, filter(None, _DIGITS.split(text))))


def _natural(part: str) -> tuple[int, int, str]:
    """Numbers before words, by their size: the longer one, without its zeros."""
    if "0" <= part[0] <= "9":
        digits = part.lstrip("0")
        return 0, len(digits), digits
    return 1, 0, part
