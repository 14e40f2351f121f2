"""How far a run is: a bar on a terminal, now and then a line elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from bcpicture.cli.console import Console, size
from bcpicture.sync import Outcome

_EVERY = 500
"""Pictures between two lines of progress."""


class Progress(Protocol):
    """Something that shows how far a run is."""

    def advance(self, outcome: Outcome) -> None:
        """Show that one more picture is through."""


@contextmanager
def progress(console: Console, what: str, total: int | None) -> Iterator[Progress]:
    """Show how far a run is, as the console allows.

    Args:
        console: Where to.
        what: The work, such as ``Pushing``.
        total: How many pictures there are; None if nobody knows yet.
    """
    if not console.moving:
        yield _Lines(console, what, total)
        return
    # Only a terminal needs it, and it takes a while to load.
    from bcpicture.cli.bar import bar  # noqa: PLC0415 - see above

    with bar(what, total) as moving:
        yield moving


class _Lines:
    def __init__(self, console: Console, what: str, total: int | None) -> None:
        self._console = console
        self._what = what
        self._of = "" if total is None else f" of {total:,}"
        self._through = self._size = 0

    def advance(self, outcome: Outcome) -> None:
        self._through += 1
        self._size += outcome.size
        if self._through % _EVERY == 0:
            through = f"{self._through:,}{self._of} pictures"
            self._console.note(f"{self._what}: {through}, {size(self._size)}")
