"""Writes the reference pages from the code: `python docs/generate.py [--check]`.

With `--check` nothing is written; the exit code tells whether all is up to date.
"""

import ast
import importlib
import inspect
import itertools
import os
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import bcpicture
from bcpicture.cli.app import COMMANDS

ERRORS = "bcpicture.errors"
PROGRAM = "from bcpicture.cli import main; main()"
REFERENCE = Path(__file__).parent / "reference"
HANDLES = (
    "Companies",
    "CompanyHandle",
    "Records",
    "RecordHandle",
    "resources.listing.Pages",
    "resources.inventory.Inventory",
    "resources.batches.PictureInfos",
    "resources.refreshing.Refreshed",
    "PictureHandle",
    "resources.streams.Opening",
    "PictureStream",
)
"""What a user gets from the client and never makes; some of them are never named."""

FLOORS = ("resources", "core", "net", "sync", "cli")


def tree(module: ModuleType) -> ast.Module:
    """A module's source."""
    return ast.parse(inspect.getsource(module))


HOMES = {
    alias.name: node.module
    for node in ast.walk(tree(bcpicture))
    if isinstance(node, ast.ImportFrom) and node.module
    for alias in node.names
}
"""The module that each public name comes from."""


def described(name: str) -> str:
    """The docstring below a public name that is neither a class nor a function."""
    body = tree(importlib.import_module(HOMES[name])).body
    for node, below in itertools.pairwise(body):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name:
            told = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            return inspect.cleandoc(str(below.value.value)) if told else ""
    return ""


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
    text = textwrap.indent(described(name), "   ")
    return f".. py:data:: {name}\n   :module: bcpicture\n\n{text}"


def fenced(*lines: str) -> str:
    """A block of reStructuredText, which autodoc speaks, in Markdown."""
    return "\n\n".join(("```{eval-rst}", *lines)) + "\n```\n"


def api() -> Iterator[str]:
    """The page of all public names but the errors, grouped by their module."""
    yield "# Everything public\n"
    yield "All of it, and [every error](errors.md), is importable from `bcpicture`.\n"
    groups = defaultdict(list)
    for name in bcpicture.__all__:
        if HOMES[name] != ERRORS and name not in HANDLES:
            groups[HOMES[name]].append(name)
    for module in sorted(groups, key=by_floor):
        summary = (inspect.getdoc(importlib.import_module(module)) or "").split("\n")[0]
        yield f"## {summary.rstrip('.')}\n"
        yield fenced(*map(directive, groups[module]))
        if "BusinessCentral" in groups[module]:
            yield "## What it hands out\n"
            given = (f".. autoclass:: bcpicture.{it}()" for it in HANDLES)
            yield fenced(*given)


def errors() -> Iterator[str]:
    """The page of the errors: the tree as `bcpicture.errors` draws it, then each."""
    yield "# Errors\n"
    yield fenced(".. automodule:: bcpicture.errors\n   :no-members:")
    names = [name for name in bcpicture.__all__ if HOMES[name] == ERRORS]
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
