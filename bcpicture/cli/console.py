"""What people and machines get to see: lines, JSON lines, and a moving bar."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TextIO

from bcpicture.cli.options import Output

_LISTED = 20
"""Names that a terminal shows without being asked for all of them."""

_UNITS = ("bytes", "KB", "MB", "GB", "TB")


def shown(text: str) -> str:
    """Return *text* with everything escaped that would move a terminal's cursor."""
    return "".join(
        char if char.isprintable() or char == " " else repr(char)[1:-1] for char in text
    )


def count(number: int, singular: str, plural: str = "") -> str:
    """Return a number with its noun: ``1 picture``, ``5,000 pictures``."""
    noun = singular if number == 1 else plural or f"{singular}s"
    return f"{number:,} {noun}"


def size(number: float) -> str:
    """Return bytes as people read them: ``74.9 KB``."""
    for unit in _UNITS:
        if number < 1000 or unit == _UNITS[-1]:
            break
        number /= 1000
    return f"{number:,.0f} {unit}" if unit == "bytes" else f"{number:,.1f} {unit}"


class Console:
    """Where a command tells what happens; which of it is printed, the options say."""

    def __init__(
        self,
        output: Output,
        out: TextIO | None = None,
        err: TextIO | None = None,
        *,
        verbose: bool = False,
    ) -> None:
        self.as_json = output.as_json
        self.verbose = verbose
        self._given = out, err

    @property
    def _out(self) -> TextIO:
        return self._given[0] or sys.stdout

    @property
    def _err(self) -> TextIO:
        # Looked up each time: a moving bar puts itself in between.
        return self._given[1] or sys.stderr

    @property
    def moving(self) -> bool:
        """Whether there is a terminal that can show a bar."""
        return self._err.isatty() and not self.as_json

    def say(self, line: str = "") -> None:
        """Print a line of the result, for people."""
        if not self.as_json:
            self._out.write(f"{shown(line)}\n")

    def emit(self, **fields: object) -> None:
        """Print a line of the result, for machines."""
        if self.as_json:
            self._out.write(f"{json.dumps(fields)}\n")
            self._out.flush()

    def note(self, line: str) -> None:
        """Print something that happened on the way, for people."""
        if not self.as_json:
            self._err.write(f"{shown(line)}\n")
            self._err.flush()

    def names(self, title: str, names: Sequence[str]) -> None:
        """Print a list under its title; a long one only where there is room for it."""
        if not names:
            return
        if len(names) > _LISTED and self._out.isatty() and not self.verbose:
            self.say(f"{title} (their names with --verbose)")
            return
        self.say(f"{title}:")
        for name in names:
            self.say(f"  {name}")
