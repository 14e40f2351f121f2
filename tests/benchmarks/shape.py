"""The shape of the package in numbers: files, functions, suppressions, its pure share.

A line is code, comment, docstring (below fields included) or blank. A body is what a
function has besides its signature and docstring, in lines of code. The limits are those
that the project holds itself to, see `docs/design.md`.
"""

import argparse
import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import attrs
from table import Figure, show

PACKAGE = Path(__file__).parents[2] / "bcpicture"
QUIET = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pyright:|ty:|pylint:)")
NESTING = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@attrs.frozen(kw_only=True)
class Source:
    """One file, read."""

    path: Path
    """Relative to the package."""

    lines: int
    """Of any kind."""

    code: frozenset[int]
    """Numbers of the lines that hold code."""

    tree: ast.Module
    """Parsed."""

    suppressions: int
    """Comments that silence a tool."""

    @property
    def functions(self) -> Iterator[Function]:
        """All functions and methods, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def body(self, function: Function) -> int:
        """Lines of code below the signature."""
        first, last = function.body[0].lineno, function.body[-1].end_lineno or 0
        return len(self.code & set(range(first, last + 1)))


def prose(tree: ast.Module) -> set[int]:
    """Numbers of the lines that docstrings take."""
    strings = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
    return {
        line
        for node in strings
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def read(path: Path) -> Source:
    """Sort a file's lines by kind."""
    text = path.read_text(encoding="utf-8")
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    tree = ast.parse(text)
    busy = {
        line
        for token in tokens
        if token.type not in QUIET
        for line in range(token.start[0], token.end[0] + 1)
    }
    comments = [token.string for token in tokens if token.type == tokenize.COMMENT]
    return Source(
        path=path.relative_to(PACKAGE),
        lines=len(text.splitlines()),
        code=frozenset(busy - prose(tree)),
        tree=tree,
        suppressions=sum(bool(SUPPRESSION.match(comment)) for comment in comments),
    )


def depth(node: ast.AST) -> int:
    """How deep blocks are nested below *node*; `elif` is no deeper than its `if`."""
    deepest = 0
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, Function):
                is_elif = field == "orelse" and isinstance(child, ast.If)
                step = isinstance(child, NESTING) and not is_elif
                deepest = max(deepest, step + depth(child))
    return deepest


def pure_share(sources: list[Source]) -> float:
    """Share of `core` and `errors` in the code, the emulator apart."""
    ours = [it for it in sources if it.path.parts[0] != "emulator"]
    pure = [it for it in ours if it.path.parts[0] in {"core", "errors"}]
    return sum(len(it.code) for it in pure) / sum(len(it.code) for it in ours)


def named(source: Source, function: Function) -> str:
    """Where to look."""
    return f"{source.path.as_posix()} {function.name}"


def at_most(limit: float, name: str, value: float, note: str = "") -> Figure:
    """A figure that should be small."""
    return Figure(name=name, value=value, limit=limit, sense="≤", note=note)


def of_files(sources: list[Source]) -> Iterator[Figure]:
    """What a newcomer meets first."""
    sizes = [it.lines for it in sources if it.lines > 10]
    longest = max(sources, key=lambda it: it.lines)
    yield Figure(name="files", value=len(sources))
    yield at_most(150, "file, median lines", median(sizes), "of files over 10 lines")
    yield at_most(320, "file, longest", longest.lines, longest.path.as_posix())


def of_functions(sources: list[Source]) -> Iterator[Figure]:
    """Whether they can be read in one breath."""
    every = [(it, function) for it in sources for function in it.functions]
    bodies = sorted((it.body(function), named(it, function)) for it, function in every)
    sizes = [size for size, _ in bodies]
    nesting = max((depth(function), named(it, function)) for it, function in every)
    yield Figure(name="functions", value=len(every))
    yield at_most(6, "body, median lines", median(sizes))
    yield at_most(18, "body, 90th percentile", quantiles(sizes, n=10)[-1])
    yield at_most(45, "body, longest", *bodies[-1])
    yield at_most(3, "nesting, deepest", *nesting)


def of_code(sources: list[Source]) -> Iterator[Figure]:
    """How much of it there is, how much of that is pure, and what is silenced."""
    code = sum(len(it.code) for it in sources)
    silenced = sum(it.suppressions for it in sources)
    pure = 100 * pure_share(sources)
    note = "emulator apart"
    yield Figure(name="lines of code", value=code)
    yield at_most(2, "suppressions per 1000 lines of code", 1000 * silenced / code)
    yield Figure(name="core and errors", value=pure, limit=30, unit=" %", note=note)


def main() -> int:
    """Measure, print, and say whether all is within its limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="it always is")
    parser.parse_args()
    sources = [read(path) for path in sorted(PACKAGE.rglob("*.py"))]
    figures = [*of_files(sources), *of_functions(sources), *of_code(sources)]
    return show("The shape of the package", figures)


if __name__ == "__main__":
    sys.exit(main())
