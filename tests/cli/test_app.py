"""The command line itself: help, usage, versions, and what it does not load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bcpicture import __version__
from bcpicture.cli.app import COMMANDS

Bcpicture = Callable[..., Any]


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_command(bcpicture: Bcpicture):
    ended = bcpicture("--help")
    assert ended.code == 0
    assert all(name in ended.out for name in COMMANDS)


def test_no_command_at_all_is_answered_with_help(bcpicture: Bcpicture):
    assert bcpicture() == bcpicture("--help")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_of_its_own(bcpicture: Bcpicture, name: str):
    ended = bcpicture(name, "--help")
    assert ended.code == 0
    assert f"Usage: bcpicture {name}" in ended.out


def test_no_flag_takes_a_secret(bcpicture: Bcpicture):
    told = bcpicture("push", "--help").out.split()
    assert "--client-secret-file" in told
    assert "--client-secret-stdin" in told
    assert not {"--client-secret", "--token", "--key", "--password"} & set(told)


def test_the_version_is_the_package_s(bcpicture: Bcpicture):
    assert bcpicture("--version").out == f"{__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param(("push",), "requires an argument.", id="a folder is missing"),
        pytest.param(("frobnicate",), "Unknown command", id="no such command"),
        pytest.param(("pull", "x", "--nope"), "Unknown option: --nope.", id="no flag"),
        pytest.param(("items", "--port", "x"), "--port", id="not a number"),
        pytest.param(
            ("items", "--client-secret", "hush"),
            "Unknown option: --client-secret.",
            id="a secret as a flag",
        ),
        pytest.param(
            ("items", "--client-secret-stdin", "--client-secret-file", "x"),
            "The client secret comes from a file, and from standard input.",
            id="one secret twice",
        ),
        pytest.param(("items",), "No Business Central is named.", id="no settings"),
        pytest.param(
            ("items", "--url", "x", "--host", "y"), "contradict", id="two places"
        ),
    ],
)
def test_wrong_usage_is_one_sentence_and_its_own_exit_code(
    bcpicture: Bcpicture, arguments: tuple[str, ...], sentence: str
):
    ended = bcpicture(*arguments)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("bcpicture: ")
    assert len(ended.err.splitlines()) == 1
    assert sentence in ended.err
    assert "hush" not in ended.err


def test_help_loads_no_command_and_no_emulator():
    code = """
import sys
from bcpicture.cli.app import run
assert run(["--help"]) == 0
loaded = [name for name in sys.modules if name.startswith("bcpicture.")]
unwanted = ("bcpicture.emulator", "bcpicture.sync", "bcpicture.cli.push", "uvloop")
assert not [name for name in loaded if name.startswith(unwanted)], loaded
"""
    ended = python(code)
    assert ended.returncode == 0, ended.stderr


def test_without_the_extra_it_says_what_to_install():
    code = """
import sys
sys.modules["cyclopts"] = None
from bcpicture.cli import main
main()
"""
    ended = python(code)
    assert ended.returncode == 2
    assert ended.stderr == (
        "bcpicture: The command line needs cyclopts, which is not installed. "
        'Install it with: pip install "bcpicture[cli]"\n'
    )


def test_another_missing_module_is_not_blamed_on_the_extra():
    code = """
import sys
sys.modules["bcpicture.cli.app"] = None
from bcpicture.cli import main
main()
"""
    assert "ModuleNotFoundError" in python(code).stderr


def test_the_package_can_be_run_as_a_module():
    command = [sys.executable, "-m", "bcpicture", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told == f"{__version__}\n"
