"""SQL statements that leave no cursor behind, and as few of them as will do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing

from bcpicture.sync.schema import Insertion

_MOST_ROWS = 32
"""Rows that one statement writes; some SQLites take less than a thousand parameters."""


def run(
    connection: sqlite3.Connection, statement: str, values: Sequence[object] = ()
) -> list[tuple[object, ...]]:
    """Execute one statement, and leave no cursor behind."""
    with closing(connection.execute(statement, values)) as cursor:
        return cursor.fetchall()


def run_many(
    connection: sqlite3.Connection,
    statement: str,
    rows: Iterable[Sequence[object]],
) -> None:
    """Execute one statement for each of many rows."""
    with closing(connection.executemany(statement, rows)):
        pass


def put(
    connection: sqlite3.Connection,
    insertion: Insertion,
    rows: Iterable[Sequence[object]],
) -> None:
    """Write many rows, with few statements."""
    left = [*rows]
    while left:
        # Powers of two: there are few of them, so that each is prepared only once.
        count = min(_MOST_ROWS, 1 << (len(left).bit_length() - 1))
        some, left = left[:count], left[count:]
        run(connection, insertion.of(count), [cell for row in some for cell in row])
