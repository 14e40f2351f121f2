"""``bcpicture inventory``: which items have which pictures, and what is odd."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Annotated

import attrs
from cyclopts import Parameter
from cyclopts.validators import Number as Limits

from bcpicture.cli.codes import Exit
from bcpicture.cli.connecting import company_of, connect, settings_of
from bcpicture.cli.console import Console, count, size
from bcpicture.cli.options import NO_FLAGS, PLAIN, Company, Connection, Output
from bcpicture.cli.running import run
from bcpicture.cli.sniffing import sniff_all
from bcpicture.core.inspections import Bounds, Inspection, Remark, Sniffed, inspect
from bcpicture.core.models import Item
from bcpicture.core.settings import Settings
from bcpicture.errors import UsageError
from bcpicture.resources.companies import CompanyHandle

_NUMBER_WIDTH = 20
_SIZE_WIDTH = 13
_TYPE_WIDTH = 12

COLUMNS = (
    *("number", "display_name", "exists", "width", "height", "content_type"),
    *("sniffed", "size", "remarks"),
)
"""Columns of the CSV, and fields of the JSON beside the id."""

_IN_WORDS: Mapping[Remark, str] = {
    Remark.MISSING: "without a picture",
    Remark.LARGE: "large",
    Remark.SMALL: "small",
    Remark.WRONG: "not what their content type says",
    Remark.FAILED: "that could not be read",
}


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Looks:
    """What is looked at, and what is remarkable."""

    number: tuple[str, ...] = ()
    """Only this item; may be given more than once."""

    only: tuple[Remark, ...] = ()
    """Only items with this remark; may be given more than once."""

    sniff: Annotated[bool, Parameter(show_default=False)] = False
    """Read the first bytes of each picture: one request for each."""

    large: Annotated[int, Parameter(validator=Limits(gt=0))] = Bounds().large
    """Pixels of the longer side above which a picture is large."""

    small: Annotated[int, Parameter(validator=Limits(gte=0))] = Bounds().small
    """Pixels of the longer side below which a picture is small."""


def inventory(
    *,
    company: Company = None,
    looks: Looks = Looks(),
    as_csv: Annotated[
        bool, Parameter(name="--csv", help="Print CSV.", show_default=False)
    ] = False,
    connection: Connection = NO_FLAGS,
    output: Output = PLAIN,
) -> int:
    """List the items with what Business Central says about their pictures.

    Which have none, which are large or small, and, with --sniff, which are not what
    their content type says.
    """
    if as_csv and output.as_json:
        return run(_refuse)
    listing = _Listing(Console(output), looks.only, as_csv=as_csv)
    bounds = Bounds(large=looks.large, small=looks.small)

    async def work(settings: Settings) -> int:
        async with connect(settings) as bc:
            handle = await company_of(bc, settings)
            pictures = handle.items.pictures(numbers=looks.number or None)
            async for page in pictures.pages():
                pairs = _looked_at(handle, page.values, deep=looks.sniff)
                async for item, sniffed in pairs:
                    listing.add(inspect(item, sniffed, bounds))
        return listing.sum_up()

    return run(lambda: work(settings_of(connection, company)), debug=output.debug)


async def _refuse() -> int:
    raise UsageError("--csv and --json exclude each other.", advice="Take one of them.")


async def _looked_at(
    company: CompanyHandle, items: Sequence[Item], *, deep: bool
) -> AsyncIterator[tuple[Item, Sniffed | None]]:
    if deep:
        async for pair in sniff_all(company, items):
            yield pair
        return
    for item in items:
        yield item, None


class _Listing:
    """Prints one item after the other, and counts."""

    def __init__(
        self, console: Console, only: Iterable[Remark], *, as_csv: bool
    ) -> None:
        self._console = console
        self._table = csv.writer(sys.stdout, lineterminator="\n") if as_csv else None
        self._only = frozenset(only)
        self._items = 0
        self._remarks: Counter[Remark] = Counter()

    def _head(self) -> None:
        if self._table is not None and not self._items:
            self._table.writerow(COLUMNS)

    def add(self, one: Inspection) -> None:
        """Count it, and print it if it is wanted."""
        self._head()
        self._items += 1
        self._remarks.update(one.remarks)
        if self._only and self._only.isdisjoint(one.remarks):
            return
        if self._table is not None:
            self._table.writerow(_cells(one))
            return
        self._console.emit(id=one.item.id, **_fields(one))
        self._console.say(_line(one))

    def sum_up(self) -> Exit:
        """Print the counts, for people; return whether all could be looked at."""
        self._head()
        parts = [
            f"{self._remarks[remark]:,} {words}"
            for remark, words in _IN_WORDS.items()
            if self._remarks[remark]
        ]
        self._console.note(", ".join([count(self._items, "item"), *parts]) + ".")
        return Exit.FAILED if self._remarks[Remark.FAILED] else Exit.DONE


def _fields(one: Inspection) -> dict[str, object]:
    item, picture, sniffed = one.item, one.item.picture, one.sniffed
    kind = sniffed.kind if sniffed else None
    values = (
        item.number,
        item.display_name,
        picture.exists if picture else None,
        picture.width if picture else None,
        picture.height if picture else None,
        one.told or None,
        kind.content_type if kind else None,
        sniffed.size if sniffed else None,
        [remark.value for remark in one.remarks],
    )
    return dict(zip(COLUMNS, values, strict=True))


def _cells(one: Inspection) -> list[object]:
    cells = _fields(one) | {"remarks": one.comment}
    return ["" if value is None else value for value in cells.values()]


def _line(one: Inspection) -> str:
    picture, sniffed = one.item.picture, one.sniffed
    pixels = ""
    if picture is not None and picture.exists:
        pixels = f"{picture.width} \N{MULTIPLICATION SIGN} {picture.height}"
    length = sniffed.size if sniffed else None
    cells = (
        f"{one.item.number:<{_NUMBER_WIDTH}}",
        f"{pixels:<{_SIZE_WIDTH}}",
        f"{one.told:<{_TYPE_WIDTH}}",
        "" if length is None else f"{size(length):>9}",
        one.comment,
    )
    return "  ".join(filter(None, cells)).rstrip()
