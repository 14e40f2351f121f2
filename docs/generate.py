"""Writes the reference pages from the code: `python docs/generate.py [--check]`.

With `--check` nothing is written; the exit code tells whether all is up to date.
"""

import importlib
import inspect
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import bcpicture
from bcpicture.cli.app import COMMANDS

ERRORS = "bcpicture.errors"
PROGRAM = "from bcpicture.cli import main; main()"
REFERENCE = Path(__file__).parent / "reference"
HANDLES = (
    "companies.Companies",
    "companies.CompanyHandle",
    "listing.Pages",
    "records.Records",
    "records.RecordHandle",
    "pictures.PictureHandle",
    "streams.Opening",
    "streams.PictureStream",
)
"""What a user gets from the client and never makes, so it is not exported."""

FLOORS = ("resources", "core", "net", "sync", "cli")


def home(name: str) -> str:
    """The module that defines a public name."""
    value = getattr(bcpicture, name)
    return str(getattr(value, "__module__", type(value).__module__))


def by_floor(module: str) -> tuple[int, str]:
    """Sort key of a module: what a user says first, comes first."""
    floor = module.split(".")[1]
    return (FLOORS.index(floor) if floor in FLOORS else len(FLOORS), module)


def place(name: str) -> int:
    """Line at which a public class begins in its module."""
    return inspect.getsourcelines(getattr(bcpicture, name))[1]


def directive(name: str) -> str:
    """Autodoc's directive for a public name."""
    value = getattr(bcpicture, name)
    if inspect.isclass(value) and issubclass(value, BaseException):
        return f".. autoexception:: bcpicture.{name}\n   :show-inheritance:"
    if inspect.isclass(value):
        return f".. autoclass:: bcpicture.{name}"
    if inspect.isfunction(value):
        return f".. autofunction:: bcpicture.{name}"
    return f".. autodata:: bcpicture.{name}\n   :no-value:"


def fenced(*lines: str) -> str:
    """A block of reStructuredText, which autodoc speaks, in Markdown."""
    return "\n\n".join(("```{eval-rst}", *lines)) + "\n```\n"


def api() -> Iterator[str]:
    """The page of all public names but the errors, grouped by their module."""
    yield "# Everything public\n"
    yield "All of it, and [every error](errors.md), is importable from `bcpicture`.\n"
    groups = defaultdict(list)
    for name in bcpicture.__all__:
        if name != "__version__" and home(name) != ERRORS:
            groups[home(name)].append(name)
    for module in sorted(groups, key=by_floor):
        summary = (inspect.getdoc(importlib.import_module(module)) or "").split("\n")[0]
        yield f"## {summary.rstrip('.')}\n"
        yield fenced(*map(directive, groups[module]))
        if "BusinessCentral" in groups[module]:
            yield "## What it hands out\n"
            given = (f".. autoclass:: bcpicture.resources.{it}()" for it in HANDLES)
            yield fenced(*given)


def errors() -> Iterator[str]:
    """The page of the errors: the tree as `bcpicture.errors` draws it, then each."""
    yield "# Errors\n"
    yield fenced(".. automodule:: bcpicture.errors\n   :no-members:")
    names = [name for name in bcpicture.__all__ if home(name) == ERRORS]
    yield "## One by one\n"
    yield fenced(*map(directive, sorted(names, key=place)))


def helped(*command: str) -> str:
    """What `bcpicture … --help` prints on a terminal of 80 columns."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", PROGRAM, *command, "--help"],
        env=os.environ | {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def cli() -> Iterator[str]:
    """The page of the command line."""
    yield "# The command line\n"
    yield f"```text\n{helped()}\n```\n"
    for name in COMMANDS:
        yield f"## bcpicture {name}\n"
        yield f"```text\n{helped(name)}\n```\n"


def main(*arguments: str) -> int:
    """Write the pages, or compare them."""
    stale = []
    for write in (api, errors, cli):
        page = REFERENCE / f"{write.__name__}.md"
        text = "\n".join(write())
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            stale.append(page.name)
            if "--check" not in arguments:
                page.write_text(text, encoding="utf-8")
    verb = "out of date" if "--check" in arguments else "written"
    print(f"{verb}: {', '.join(stale) or 'nothing'}")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
