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
    TimeRemainingColumn,
)

from bcpicture.cli.console import size
from bcpicture.cli.progress import Through, Use, busy


@contextmanager
def bar(what: str, total: int | None, use: Use) -> Iterator[Bar]:
    """Show a bar below everything else that is printed meanwhile; then take it away."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[size]}"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[quota]}"),
    )
    terminal = Terminal(stderr=True)
    # Drawn on the event loop, by `tick`: a thread would look at what is changing.
    with Progress(
        *columns, console=terminal, transient=True, auto_refresh=False
    ) as progress:
        task = progress.add_task(what, total=total, size="", rate="", quota="")
        yield Bar(progress, task, use)


class Bar:
    """Moves by one picture at a time."""

    def __init__(self, progress: Progress, task: TaskID, use: Use) -> None:
        self._progress = progress
        self._task = task
        self._use = use
        self._size = 0

    def advance(self, outcome: Through) -> None:
        """Count one more picture."""
        self._size += outcome.size
        self._progress.advance(self._task)

    def tick(self) -> None:
        """Draw it anew."""
        speed = self._progress.tasks[self._task].speed
        self._progress.update(
            self._task,
            size=size(self._size),
            rate=f"{speed:,.1f}/s" if speed else "",
            quota=busy(self._use()),
        )
        self._progress.refresh()
