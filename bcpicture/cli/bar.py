"""The moving bar, on terminals only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console as Terminal
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bcpicture.cli.console import size
from bcpicture.sync import Outcome


@contextmanager
def bar(what: str, total: int | None) -> Iterator[Bar]:
    """Show a bar below everything else that is printed meanwhile; then take it away."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[size]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    terminal = Terminal(stderr=True)
    with Progress(*columns, console=terminal, transient=True) as progress:
        yield Bar(progress, progress.add_task(what, total=total, size=""))


class Bar:
    """Moves by one picture at a time."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task
        self._size = 0

    def advance(self, outcome: Outcome) -> None:
        """Show that one more picture is through."""
        self._size += outcome.size
        self._progress.update(self._task, advance=1, size=size(self._size))
