"""The house stands as `docs/design.md` says it does."""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from types import ModuleType

import attrs
import pytest

import bcpicture
import bcpicture.emulator
import bcpicture.errors
import bcpicture.sync
import bcpicture.web

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "bcpicture"
SOURCES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 320

SUPPRESSION = re.compile(
    r"# ?(noqa|type: ?ignore|pragma)\b"
    r"(?P<codes>: [A-Z]+\d+(, [A-Z]+\d+)*|\[[\w, -]+\])?"
    r"(?P<reason> +[#-] \w)?"
)

HOMES = tuple(
    f"bcpicture.{it}"
    for it in ("cli", "cloud", "emulator", "images", "otel", "sync", "web")
)
"""What is imported by its own name."""

ON_DEMAND = {
    *("PIL", "azure", "cyclopts", "msal", "obstore", "opentelemetry", "rich"),
    *("trustme", "uvloop", "aiohttp.web"),
    *(
        "bcpicture.cli",
        "bcpicture.cloud",
        "bcpicture.emulator",
        "bcpicture.images",
        "bcpicture.sync",
        "bcpicture.web",
    ),
    *("bcpicture.core.decoding", "bcpicture.core.events", "bcpicture.core.fields"),
    *("bcpicture.net.files", "bcpicture.net.targets"),
    *("bcpicture.resources.listing", "bcpicture.resources.records"),
}
"""What `import bcpicture` leaves alone."""


def in_a_fresh_interpreter(program: str) -> str:
    """Run *program* alone; return what it printed."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def public(path: Path) -> bool:
    return not any(part.startswith("_") for part in module(path).split("."))


def test_the_public_names_are_sorted_and_true() -> None:
    assert list(bcpicture.__all__) == sorted(set(bcpicture.__all__))
    assert all(hasattr(bcpicture, name) for name in bcpicture.__all__)
    found = {
        name
        for name, value in vars(bcpicture).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert found == set(bcpicture.__all__) - {"__version__"}


def test_what_is_imported_later_is_listed_and_found_like_the_rest() -> None:
    """Before anybody asks for it, too; and what is not there is told as ever."""
    told = in_a_fresh_interpreter("""
        import bcpicture
        assert set(bcpicture.__all__) <= set(dir(bcpicture))
        from bcpicture import *
        print(isinstance(F.number == "1", Expression))
        print(Records.__name__, Finished.__name__)
        print(hasattr(bcpicture, "Nothing"))
    """)
    assert told == "True\nRecords Finished\nFalse\n"


def test_the_typed_files_use_every_public_name() -> None:
    """`mypy` runs over them, so a name that is there has a type that can be used."""
    files = (ROOT / "tests" / "typing").glob("*.py")
    nodes = [node for path in files for node in ast.walk(tree(path))]
    used = {node.id for node in nodes if isinstance(node, ast.Name)}
    used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    for home in (bcpicture, bcpicture.sync, bcpicture.web, bcpicture.emulator):
        assert not set(home.__all__) - used, home.__name__


def test_every_error_is_public() -> None:
    assert {kind.__name__ for kind in errors()} <= set(bcpicture.__all__)


def imported(path: Path) -> Iterator[str]:
    """What a module of the package imports of it when it is loaded itself."""
    known = {module(it) for it in SOURCES}
    waiting: list[ast.AST] = [tree(path)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        waiting.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            yield from known & {it.name for it in node.names}
        if isinstance(node, ast.ImportFrom) and node.module in known:
            members = {f"{node.module}.{it.name}" for it in node.names}
            yield from known & members
            if members - known:
                yield node.module


def test_no_module_needs_another_one_to_be_imported_before() -> None:
    """Where imports run in no circle, each module can be the first."""
    graph = {module(path): set(imported(path)) for path in SOURCES}
    assert "bcpicture.core.media" in graph["bcpicture.core.preflight"]
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", HOMES)
def test_whatever_is_imported_by_users_can_be_the_first(name: str) -> None:
    in_a_fresh_interpreter(f"import {name}")


def test_importing_the_package_pulls_in_none_of_the_extras() -> None:
    loaded = in_a_fresh_interpreter("import bcpicture, sys; print(*sys.modules)")
    assert not ON_DEMAND & set(loaded.split())


def errors() -> Iterator[type[bcpicture.errors.BcPictureError]]:
    kinds = [bcpicture.errors.BcPictureError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
        yield kind


def drawn() -> Iterator[tuple[str, str | None, str]]:
    """Name, parent and other bases of each class in the drawing."""
    parents: dict[int, str] = {}
    for line in (bcpicture.errors.__doc__ or "").splitlines():
        found = re.match(r"( {4}[│├└─ ]*)(\w+Error)\b(?: \(([\w, ]+)\))?", line)
        if found:
            depth = len(found[1])
            parents[depth] = found[2]
            yield found[2], parents.get(depth - 4), found[3] or ""


def test_the_drawing_of_the_error_tree_is_the_tree() -> None:
    """A base that is drawn in brackets must be there; others need not be drawn."""
    kinds = {kind.__name__: kind for kind in errors()}
    seen = list(drawn())
    assert sorted(name for name, _, _ in seen) == sorted(kinds)
    for name, parent, others in seen:
        bases = [base.__name__ for base in kinds[name].__bases__]
        assert bases[0] == (parent or "Exception"), name
        assert set(filter(None, others.split(", "))) <= set(bases), name


@pytest.mark.parametrize("name", sorted(set(bcpicture.__all__) - {"__version__"}))
def test_every_public_name_and_its_members_have_a_docstring(name: str) -> None:
    value = getattr(bcpicture, name)
    if not inspect.isclass(value):
        return
    assert value.__doc__, name
    assert "Method generated by attrs" not in value.__doc__, name
    for member, it in vars(value).items():
        shown = inspect.isroutine(it) or isinstance(it, property | classmethod)
        if shown and not member.startswith("_"):
            assert inspect.getdoc(getattr(value, member)), f"{name}.{member}"


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_every_field_of_a_public_value_says_what_it_means(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef) and is_value(node):
            silent = [name for name in undocumented(node) if not name.startswith("_")]
            assert not silent, f"{node.name}: {silent}"


def is_value(node: ast.ClassDef) -> bool:
    decorators = {ast.unparse(it).partition("(")[0] for it in node.decorator_list}
    return "attrs.frozen" in decorators and not node.name.startswith("_")


def undocumented(node: ast.ClassDef) -> Iterator[str]:
    for field, below in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            told = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if not told and "ClassVar" not in ast.unparse(field.annotation):
                yield field.target.id


@pytest.mark.parametrize("home", [bcpicture, bcpicture.emulator], ids=str)
def test_a_public_value_takes_two_fields_by_position_at_most(home: ModuleType) -> None:
    """What has private fields is made by the package itself."""
    for name in home.__all__:
        value = getattr(home, name)
        if inspect.isclass(value) and attrs.has(value):
            given = [it for it in attrs.fields(value) if it.init and not it.kw_only]
            assert len([it for it in given if it.name[0] != "_"]) < 3, name


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_is_short_or_its_length_has_a_reason(path: Path) -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    excused = re.findall(r"^- `([\w/]+\.py)`: \S", design, re.MULTILINE)
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE or named(path) in excused


@pytest.mark.parametrize(
    "path", [it for it in SOURCES if it.parent.name == "core"], ids=named
)
def test_the_ground_floor_never_waits(path: Path) -> None:
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, waits)]


@pytest.mark.parametrize(
    "path",
    [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))],
    ids=named,
)
def test_a_suppression_has_a_code_and_a_reason(path: Path) -> None:
    """The reason stands behind it, or in the line above."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for above, line in zip(["", *lines], lines, strict=False):
        found = SUPPRESSION.search(line)
        if found:
            assert found["codes"], line
            assert found["reason"] or above.strip().startswith("# "), line


def test_every_extra_is_documented() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pages = "".join(
        page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md")
    )
    for extra in project["project"]["optional-dependencies"]:
        assert f"`{extra}`" in pages, extra


def test_no_drawer_of_strangers() -> None:
    strangers = {"utils", "helpers", "common", "misc"}
    assert not [named(path) for path in SOURCES if path.stem in strangers]
