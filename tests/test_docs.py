"""Every shown line runs: the fences of README and docs, against an emulator.

The rules of a page:

- ``python`` fences run in order, in one namespace, on one loop: `await` needs no
  function around it.
- ``console`` fences are typed into one bash, each command from ``$ `` on, and from
  ``> `` on where it takes more than one line. It must succeed, unless ``[exit 1]``
  stands below it. What else stands below must be what is printed, where ``…`` stands
  for anything.
- A fence of Python, shell or TOML that starts with a comment like ``# test_photos.py``
  is a file: it is saved under that name, and a command after it must use it.
- The working directory is empty but for ``photos/``, and ``BCPICTURE_*`` tells where
  the emulator is.
"""

import ast
import asyncio
import inspect
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from sybil import Document, Example, Region, Sybil
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from bcpicture import sync
from bcpicture.emulator import ThreadedEmulator
from bcpicture.emulator.artwork import png

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [
    page
    for page in (README, *sorted((ROOT / "docs").rglob("*.md")))
    if "_build" not in page.parts
]


def read_script(source: str) -> None:
    """Have a shell understand a script, without running it."""
    subprocess.run(["sh", "-n"], input=source, text=True, check=True)


READERS: dict[str, Callable[[str], object]] = {
    "sh": read_script,
    "json": json.loads,
    "toml": tomllib.loads,
    "text": str,
    "http": str,
}
"""What is shown and not run, with what must be able to read it."""

SHOW_CODE = ("{code", "{doctest", "{testcode", "{parsed-literal", "{literalinclude")

RUN_BY_CI = {"Run it", "Test it"}
"""README's sections that install things; `.ci/run` runs these."""

END = "end-of-command"

A_DAY_IN_JUNE = 1_781_000_000
"""When the photos were taken; a file of this moment is read once more."""

lex = RawFencedCodeBlockLexer(re.compile(r"[ \t]*(?P<language>[^\n]*?)[ \t]*\n"))


@attrs.frozen
class Step:
    """A command of a console fence, and what the fence shows below it."""

    command: str
    shown: str
    code: int


def steps(fence: str) -> Iterator[Step]:
    """Split a console fence at its prompts."""
    for part in re.split(r"^\$ ", fence, flags=re.MULTILINE)[1:]:
        command, _, below = part.partition("\n")
        while below.startswith("> "):
            line, _, below = below[2:].partition("\n")
            command = f"{command}\n{line}"
        code = re.search(r"^\[exit (\d+)\]\n?", below, re.MULTILINE)
        shown = below.replace(code[0], "") if code else below
        yield Step(command, shown.strip(), int(code[1]) if code else 0)


def same(shown: str, printed: str) -> bool:
    """Whether what a fence shows is what was printed, trailing blanks apart."""
    pattern = "\n".join(re.escape(line.rstrip()) for line in shown.splitlines())
    real = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return re.fullmatch(pattern.replace("…", r"[\s\S]*?"), real) is not None


class Shell:
    """One bash for all the console fences of a page: `cd` and `&` mean something."""

    def __init__(self) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """Run one command; return what it printed and its exit code."""
        assert self._bash.stdin
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null\necho {END} $?\n")
        self._bash.stdin.flush()
        patience = threading.Timer(300, self._signal, [signal.SIGKILL])
        patience.start()
        try:
            return self._read()
        finally:
            patience.cancel()

    def _read(self) -> tuple[str, int]:
        assert self._bash.stdout
        printed = ""
        for line in self._bash.stdout:
            head, mark, code = line.partition(f"{END} ")
            printed += head
            if mark:
                return printed, int(code)
        return pytest.fail(f"bash ended, or took too long; it had printed:\n{printed}")

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self._bash.pid, number)

    def close(self) -> None:
        """End bash and whatever it left in the background."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGKILL)
        self._bash.communicate()


class Page:
    """Runs one page's fences, in order."""

    def __init__(self, path: Path, runner: asyncio.Runner, shell: Shell) -> None:
        self._runner = runner
        self._shell = shell
        self._document = Sybil([self._parse]).parse(path)

    def run(self) -> None:
        for example in self._document.examples():
            example.evaluate()

    def _parse(self, document: Document) -> Iterator[Region]:
        evaluators = {
            "python": self._python,
            "console": self._console,
            "sh": self._file,
            "toml": self._file,
        }
        for region in lex(document):
            evaluator = evaluators.get(region.lexemes["language"])
            if evaluator and not left_to_ci(document, region):
                region.parsed = region.lexemes["source"]
                region.evaluator = evaluator
                yield region

    def _file(self, example: Example) -> None:
        if name := file_name(example.parsed):
            Path(name).write_text(example.parsed, encoding="utf-8")

    def _python(self, example: Example) -> None:
        if file_name(example.parsed):
            self._file(example)
            return
        source = "\n" * example.line + example.parsed
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        code = compile(source, example.path, "exec", flags, dont_inherit=True)
        result = eval(code, example.namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            self._runner.run(result)

    def _console(self, example: Example) -> None:
        for step in steps(example.parsed):
            printed, code = self._shell.run(step.command)
            told = f"{example.path}:{example.line}: $ {step.command}\n{printed}"
            assert code == step.code, told
            assert not step.shown or same(step.shown, printed), told


def left_to_ci(document: Document, region: Region) -> bool:
    """Whether a fence is one of README's two that install things."""
    section = heading(document.text, region.start)
    return Path(document.path) == README and section in RUN_BY_CI


def heading(text: str, position: int) -> str:
    """The title of the section that *position* is in."""
    titles = re.findall(r"^#+ +(.+?) *$", text[:position], re.MULTILINE)
    return titles[-1] if titles else ""


def file_name(fence: str) -> str | None:
    """The name that a fence is saved under, if its first line tells one."""
    found = re.match(r"# ([\w-]+\.\w+)\n", fence)
    return found[1] if found else None


def fences(page: Path) -> list[tuple[str, str]]:
    """Language and source of each fence."""
    document = Document(page.read_text(encoding="utf-8"), str(page))
    found = sorted(lex(document), key=lambda region: region.start)
    return [(it.lexemes["language"], it.lexemes["source"]) for it in found]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def served(cwd: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedEmulator]:
    """An emulator that the environment points to, and `photos/` beside it."""
    photos = cwd / "photos"
    photos.mkdir()
    for number in ("1896-S", "1900-S", "1925-W", "2000-S"):
        path = photos / f"{number}.jpg"
        path.write_bytes(png(number))
        os.utime(path, (A_DAY_IN_JUNE, A_DAY_IN_JUNE))
    with ThreadedEmulator() as server:
        for name, value in {
            "BCPICTURE_URL": server.base_urls["v2.0"],
            "BCPICTURE_CLIENT_ID": server.client_id,
            "BCPICTURE_CLIENT_SECRET": server.client_secret,
            "BCPICTURE_TOKEN_URL": server.token_url,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "BCPICTURE_STATE_DIR": str(cwd.with_name(f"{cwd.name}-state")),
            "NO_COLOR": "1",
            "COLUMNS": "80",
        }.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture(autouse=True)
def levels_stay() -> Iterator[None]:
    """What a page does to the log ends with the page."""
    log = logging.getLogger("bcpicture")
    level = log.level
    yield
    log.setLevel(level)


@pytest.fixture
def shell(served: ThreadedEmulator) -> Iterator[Shell]:
    """A shell that can see the emulator."""
    assert served.url
    bash = Shell()
    yield bash
    bash.close()


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_the_fences_of_a_page_run(path: Path, shell: Shell) -> None:
    with asyncio.Runner() as runner:
        Page(path, runner, shell).run()


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_nothing_that_looks_runnable_stays_unrun(path: Path) -> None:
    for language, source in fences(path):
        if language in READERS:
            READERS[language](source)
        else:
            shown = language.startswith("{") and not language.startswith(SHOW_CODE)
            assert shown or language in {"python", "console"}, (language, source)


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_a_console_fence_starts_with_a_prompt(path: Path) -> None:
    for language, source in fences(path):
        assert language != "console" or source.startswith("$ "), source


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_a_fence_that_is_a_file_is_followed_by_a_command(path: Path) -> None:
    shown = fences(path)
    files = [number for number, (_, source) in enumerate(shown) if file_name(source)]
    for number in files[-1:]:
        assert "console" in [language for language, _ in shown[number:]]


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_a_test_that_a_page_names_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for module, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        source = (ROOT / module).read_text(encoding="utf-8")
        assert f"def {name}(" in source, f"{module}::{name}"


def test_the_reference_pages_are_what_the_code_says() -> None:
    """If not, `python docs/generate.py` rewrites them."""
    command = [sys.executable, ROOT / "docs" / "generate.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_reference_of_bulk_work_has_every_name() -> None:
    page = (ROOT / "docs" / "reference" / "sync.md").read_text(encoding="utf-8")
    told = set(re.findall(r"(?:bcpicture\.sync\.|py:data:: )(\w+)", page))
    assert not set(sync.__all__) - told


def test_only_the_readme_leaves_fences_to_continuous_integration() -> None:
    text = "## Run it\n\n```console\n$ true\n```\n"
    skipped = []
    for path in (README, ROOT / "docs" / "index.md"):
        document = Document(text, str(path))
        skipped.append([left_to_ci(document, region) for region in lex(document)])
    assert skipped == [[True], [False]]


@pytest.mark.parametrize("title", sorted(RUN_BY_CI))
def test_readme_says_in_one_line_how_to(title: str) -> None:
    readme = README.read_text(encoding="utf-8")
    section = readme.split(f"\n## {title}\n", 1)[1]
    assert re.match(r"\n```console\n\$ [^\n]+\n```\n", section)


def test_the_first_program_is_at_most_twelve_lines_and_needs_no_comment() -> None:
    program = next(code for kind, code in fences(README) if kind == "python")
    assert len(program.splitlines()) <= 12
    assert "#" not in program


@pytest.mark.parametrize(
    ("shown", "printed", "equal"),
    [
        pytest.param("a\nb", "a  \nb\n", True, id="blanks-at-the-end"),
        pytest.param("a … c\n…", "a b\n c\nd\ne", True, id="wildcards"),
        pytest.param("a", "a\nb", False, id="more-printed-than-shown"),
        pytest.param("a.c", "abc", False, id="no-other-wildcard"),
    ],
)
def test_shown_output_is_compared(shown: str, printed: str, *, equal: bool) -> None:
    assert same(shown, printed) is equal
