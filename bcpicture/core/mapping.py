"""A table that says which file belongs to which record: CSV text to rows.

The first line names the columns: ``file`` and ``item``, and ``company`` if the table is
about several. Commas or semicolons part them. Cells are text: leading zeros stay.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator

import attrs

from bcpicture.core.keys import nfc
from bcpicture.errors import UsageError

_COLUMNS = ("file", "item", "company")
_NEEDED = {"file", "item"}


@attrs.frozen(kw_only=True)
class MapRow:
    """One line of a map."""

    file: str
    """The file, relative to its folder, with ``/`` between folders."""

    item: str
    """Number of the record, or its GTIN or id where files are matched by these."""

    company: str = ""
    """Name or id of its company; empty: of whichever company."""


def parse_map(text: str, *, name: str = "The map") -> tuple[MapRow, ...]:
    """Read a map.

    Args:
        text: All of it; a byte order mark at its start is ignored.
        name: What an error calls it, such as the name of its file.

    Raises:
        UsageError: It names the line that is wrong.
    """
    text = text.removeprefix("\ufeff")
    head = text.lstrip("\r\n").partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: _Rows = {}
    try:
        columns = _columns(lines, name)
        for cells in lines:
            place = f"{name}, line {lines.line_num}"
            if any(cell.strip() for cell in cells):
                _add(rows, _row(cells, columns, place), place)
    except csv.Error as exc:
        raise UsageError(
            f"{name}, line {lines.line_num}: {exc}.",
            advice="Close every quotation mark; double one that is part of a cell.",
        ) from exc
    return tuple(row for row, _ in rows.values())


def rows_for(rows: Iterable[MapRow], company: Collection[str]) -> Iterator[MapRow]:
    """The rows about one company; a row that names it comes after one for all.

    Args:
        rows: About any.
        company: Its name and its id, as far as they are known.
    """
    mine = [row for row in rows if not row.company or row.company in company]
    return iter(sorted(mine, key=lambda row: bool(row.company)))


_Rows = dict[tuple[str, str], tuple[MapRow, str]]
"""By file and company, each with the place where it is."""


def _columns(lines: Iterator[list[str]], name: str) -> dict[str, int]:
    head = next((cells for cells in lines if any(map(str.strip, cells))), [])
    found = [cell.strip().lower() for cell in head]
    strange = [cell for cell in found if cell not in _COLUMNS]
    if strange or len(set(found)) < len(found) or not set(found) >= _NEEDED:
        told = ", ".join(map(repr, head)) or "nothing"
        raise UsageError(
            f"{name} begins with the columns {told}.",
            advice="Its first line names them: file, item and, if needed, company.",
        )
    return {column: at for at, column in enumerate(found)}


def _row(cells: list[str], columns: dict[str, int], place: str) -> MapRow:
    if len(cells) != len(columns):
        raise UsageError(
            f"{place}: {len(cells)} cells, {len(columns)} columns.",
            advice="Put a cell that has a comma or semicolon in quotation marks.",
        )
    told = {column: cells[at].strip() for column, at in columns.items()}
    if not told["file"] or not told["item"]:
        raise UsageError(
            f"{place}: the file or the item is missing.",
            advice="Complete the line, or take it out.",
        )
    told["file"] = told["file"].replace("\\", "/").removeprefix("./")
    return MapRow(**told)


def _add(rows: _Rows, row: MapRow, place: str) -> None:
    key = (nfc(row.file), row.company)
    if key in rows:
        raise UsageError(
            f"{place}: the file {row.file!r} is there already ({rows[key][1]}).",
            advice="Leave one of the two lines.",
        )
    rows[key] = (row, place)
