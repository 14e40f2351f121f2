"""Pages: which rows come next, and the opaque mark that leads to the rest."""

import base64
import json
from bisect import bisect_right
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import attrs

from bcpicture.emulator.filters import Comparable
from bcpicture.emulator.problems import bad_request
from bcpicture.emulator.query import Query


class Row(Protocol):
    """What can be listed."""

    @property
    def id(self) -> str:
        """Its GUID."""
        ...

    @property
    def place(self) -> str:
        """What its table is sorted by."""
        ...

    def get(self, field: str) -> Comparable:
        """The comparable value of a field."""
        ...


R = TypeVar("R", bound=Row)


@attrs.frozen(kw_only=True)
class Page(Generic[R]):
    """Some rows of an answer."""

    rows: Sequence[R]
    """In order."""

    total: int
    """How many rows the filter accepts, on all pages."""

    mark: str | None = None
    """``$skiptoken`` of the next page; None: this was the last."""

    left: int | None = None
    """``$top`` of the next page; None: there was none."""


def cut(rows: Sequence[R], query: Query, size: int) -> Page[R]:
    """Returns the page that a query asks for.

    Args:
        rows: Every row that may match, in the order of the table.
        query: What is asked for.
        size: How many rows a page holds at most.
    """
    found = _matching(rows, query)
    start = query.skip if query.skiptoken is None else _resume(found, query)
    end = len(found) if query.top is None else min(len(found), start + query.top)
    stop = min(end, start + size)
    chosen = found[start:stop]
    if stop >= end or not chosen:
        return Page(rows=chosen, total=len(found))
    left = None if query.top is None else query.top - len(chosen)
    mark = _mark(chosen[-1], stop)
    return Page(rows=chosen, total=len(found), mark=mark, left=left)


def _matching(rows: Sequence[R], query: Query) -> Sequence[R]:
    condition, order = query.condition, query.order
    if condition is not None:
        rows = [row for row in rows if condition.accepts(row.get)]
    if order is not None:
        rows = sorted(
            rows, key=lambda row: (row.get(order), row.id), reverse=query.descending
        )
    return rows


def _mark(last: Row, position: int) -> str:
    told = json.dumps([last.id, last.place, position])
    return base64.urlsafe_b64encode(told.encode()).decode()


def _resume(rows: Sequence[Row], query: Query) -> int:
    """Where to go on: behind the last row told, wherever that is now."""
    try:
        last, place, position = json.loads(
            base64.urlsafe_b64decode(query.skiptoken or "")
        )
    except ValueError:
        raise bad_request("The skip token is not valid.") from None
    if 0 < position <= len(rows) and rows[position - 1].id == last:
        return int(position)
    for index, row in enumerate(rows):
        if row.id == last:
            return index + 1
    # It is gone. In the table's own order its place is still known.
    if query.order is None:
        return bisect_right(rows, str(place), key=lambda row: row.place)
    return max(0, int(position) - 1)
