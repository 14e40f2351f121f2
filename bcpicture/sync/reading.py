"""Rows of the journal as texts, each compared with its mark."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import attrs

from bcpicture.core.rows import SEPARATOR, form, mark_of
from bcpicture.errors import JournalError
from bcpicture.sync.database import damaged
from bcpicture.sync.schema import Selection


@attrs.frozen
class Reader:
    """Reads one journal; each method raises `JournalError` for a damaged row."""

    path: Path
    """Where the journal lies, for errors."""

    def texts(
        self, connection: sqlite3.Connection, selection: Selection, *values: object
    ) -> Iterator[str]:
        """The rows of a selection."""
        with _cursor(connection, selection, values) as cursor:
            for mark, text in cursor:
                if mark_of(text) != mark:
                    raise self._damaged()
                yield text

    def numbered(
        self, connection: sqlite3.Connection, selection: Selection, *values: object
    ) -> Iterator[tuple[int, str]]:
        """The rows of a selection that has their numbers, too."""
        with _cursor(connection, selection, values) as cursor:
            for mark, text, number in cursor:
                if mark_of(text) != mark:
                    raise self._damaged()
                yield number, text

    def by_id(
        self, connection: sqlite3.Connection, selection: Selection, prefix: str = ""
    ) -> dict[str, str]:
        """The rows of a selection by the id that they begin with, behind *prefix*."""
        found, skipped = {}, len(prefix)
        with _cursor(connection, selection, ()) as cursor:
            for mark, text in cursor:  # once for each record: nothing to spare here
                if mark_of(text) != mark:
                    raise self._damaged()
                if text.startswith(prefix):
                    identity, _, rest = text[skipped:].partition(SEPARATOR)
                    found[identity] = rest
        return found

    def _damaged(self) -> JournalError:
        return damaged(self.path, "a row is not what was written")


def _cursor(
    connection: sqlite3.Connection, selection: Selection, values: tuple[object, ...]
) -> AbstractContextManager[sqlite3.Cursor]:
    values = (form(selection.columns), *values)
    return closing(connection.execute(selection.statement, values))
