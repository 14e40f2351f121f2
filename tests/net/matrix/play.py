"""Meets every operation with every fault of the emulator, and tells how it ended.

    python tests/net/matrix/play.py [--write]

runs every cell of `expected.txt`, prints what was observed as JSON, and writes it into
`docs/reference/outcomes.md` if asked to. It is a program and no test module, so that it
counts tasks and descriptors that are its own alone.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stage import COMPANY, NEW, SMALL, Stage
from table import COLUMNS, EXPECTED, LATER, STALLING, Cells, Run

from bcpicture.emulator import Emulator

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "outcomes.md"
BEGIN, END = "<!-- the matrix -->\n", "<!-- until here -->\n"

TITLES = {
    "once": "The first request is struck",
    "always": "Every request of its kind is struck",
    "blind": "Reading back is struck as well",
}
NAME = re.compile(r"\b[A-Z]\w+")


def runs(*, stalling: bool) -> Iterator[Run]:
    for mode, fault, column in EXPECTED:
        if (fault.startswith(STALLING) or LATER in fault) is stalling:
            for operation in COLUMNS[column]:
                yield mode, fault, column, operation


async def play(todo: Iterator[Run], folder: Path, seen: dict[Run, str]) -> None:
    await asyncio.to_thread(folder.mkdir)
    async with Emulator(companies=(COMPANY,)) as server:
        stage = Stage(server, folder)
        for run in todo:
            seen[run] = await stage.play(*run)


async def play_all(folder: Path) -> dict[Run, str]:
    """Run the cells that wait for a time-out many at a time, the others a few."""
    seen: dict[Run, str] = {}
    for data in (NEW, SMALL):
        (folder / str(len(data))).write_bytes(data)
    for stalling, stages in ((False, 4), (True, 24)):
        todo = runs(stalling=stalling)
        async with asyncio.TaskGroup() as group:
            for number in range(stages):
                where = folder / f"{stalling}-{number}"
                group.create_task(play(todo, where, seen))
    return seen


def descriptors() -> int:
    """How many files and sockets are open, where the system tells."""
    told = Path("/proc/self/fd")
    return len(list(told.iterdir())) if told.exists() else 0


def observed_in(folder: Path) -> Cells:
    """Run everything; where operations of one column differ, all are told."""

    async def main() -> dict[Run, str]:
        before = descriptors()
        seen = await play_all(folder)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert descriptors() <= before
        return seen

    together: dict[tuple[str, str, str], dict[str, str]] = {}
    for (mode, fault, column, operation), said in asyncio.run(main()).items():
        together.setdefault((mode, fault, column), {})[operation] = said
    return {
        cell: " / ".join(dict.fromkeys(said.values()))
        for cell, said in together.items()
    }


def rendered(cell: str) -> str:
    """A cell of the page: errors by their full names."""
    text = cell.replace("Unknown", "OutcomeUnknown")
    return NAME.sub(lambda name: f"`{name[0]}Error`", text)


def outcomes_table(cells: Cells) -> str:
    """The cells as Markdown, in the order of the table that was written by hand."""
    lines = [BEGIN]
    for mode, title in TITLES.items():
        rows = list(dict.fromkeys(fault for it, fault, _ in EXPECTED if it == mode))
        heads = [head for head in COLUMNS if (mode, rows[0], head) in EXPECTED]
        lines += [f"### {title}\n", f"| fault | {' | '.join(heads)} |"]
        lines += ["| --- " * (len(heads) + 1) + "|"]
        for row in rows:
            told = (rendered(cells[mode, row, head]) for head in heads)
            lines.append(f"| {row} | {' | '.join(told)} |")
        lines.append("")
    return "\n".join([*lines, END])


def page_with(shown: str) -> str:
    """The page with another table between its marks."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return before + shown + rest.partition(END)[2]


def main() -> None:
    """Run everything; print it, or write the page."""
    with tempfile.TemporaryDirectory() as folder:
        observed = observed_in(Path(folder))
    page = page_with(outcomes_table(observed))
    if "--write" in sys.argv:
        PAGE.write_text(page, encoding="utf-8")
    cells = [[*cell, EXPECTED[cell], observed[cell]] for cell in EXPECTED]
    json.dump({"cells": cells, "page": page}, sys.stdout)


if __name__ == "__main__":
    main()
