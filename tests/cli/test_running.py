"""Every ending has its exit code, and leaves one sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from bcpicture import errors
from bcpicture.cli.codes import code_of
from bcpicture.cli.running import run
from bcpicture.emulator import Emulator, Fault

COMPANY = "CRONUS USA, Inc."


def raising(error: BaseException) -> Callable[[], Coroutine[Any, Any, int]]:
    async def work() -> int:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigurationError("x"), 2),
        (errors.SourceError("x"), 2),
        (errors.BrakeError("x"), 4),
        (errors.LockedError("x"), 5),
        (errors.JournalError("x"), 1),
        (errors.CompanyNotFoundError("x"), 2),
        (errors.AuthenticationError("x"), 3),
        (errors.AccessDeniedError("x"), 3),
        (errors.TransportError("x"), 3),
        (errors.StalledError("x"), 3),
        (errors.AnswerError("x"), 3),
        (errors.ApiSwitchedOffError("x"), 3),
        (errors.ThrottledError("x"), 3),
        (errors.UnavailableError("x"), 3),
        (errors.ItemNotFoundError("item", "x", company="y"), 1),
        (errors.RejectedError("x"), 1),
        (OSError("x"), 1),
        (ZeroDivisionError("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_an_exit_code_and_one_sentence(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
):
    assert code_of(error) == code
    assert run(raising(error)) == code
    told = capsys.readouterr().err
    assert told.startswith("bcpicture: ")
    assert len(told.splitlines()) == 1


def test_an_error_before_the_loop_starts_is_told_the_same_way(
    capsys: pytest.CaptureFixture[str],
):
    def work() -> Coroutine[Any, Any, int]:
        raise errors.ConfigurationError("Not set.")

    assert run(work) == 2
    assert capsys.readouterr().err == "bcpicture: Not set.\n"


def test_a_traceback_is_there_for_those_who_ask(capsys: pytest.CaptureFixture[str]):
    run(raising(ZeroDivisionError("x")), debug=True)
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_it_runs_without_uvloop(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "uvloop", None)

    async def work() -> int:
        return 7

    assert run(work) == 7


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
@pytest.mark.parametrize(
    ("number", "code", "sentence"),
    [
        pytest.param(signal.SIGINT, 130, "bcpicture: Interrupted.\n", id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 143, "bcpicture: Terminated.\n", id="SIGTERM"),
    ],
)
def test_a_signal_ends_a_pull_and_leaves_no_half_written_file(
    server: Emulator,
    variables: dict[str, str],
    tmp_path: Path,
    loop: str,
    number: int,
    code: int,
    sentence: str,
):
    server.store.company(COMPANY).item("1896-S").set_picture(b"GIF89a" + bytes(5000))
    server.faults.add(
        Fault(action="stall_during", path="Content", at=999, seconds=60, times=None)
    )
    without = "import sys; sys.modules['uvloop'] = None; " if loop == "asyncio" else ""
    start = f"{without}from bcpicture.cli import main; main()"
    command = subprocess.Popen(
        [sys.executable, "-c", start, "pull", str(tmp_path / "copies"), "--json"],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not any("Content" in seen.target for seen in server.log):
        assert command.poll() is None, command.communicate()
        time.sleep(0.02)
    command.send_signal(number)
    assert command.stdout
    while '"event": "stopping"' not in command.stdout.readline():
        assert command.poll() is None, command.communicate()
    command.send_signal(number)
    out, err = command.communicate(timeout=30)
    assert (command.returncode, err) == (code, sentence)
    assert '"event": "report", "ending": "broken off"' in out
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_reader_that_has_had_enough_is_no_error(
    server: Emulator, variables: dict[str, str]
):
    assert server.url
    command = f"{sys.executable} -m bcpicture items --json | head -n 1"
    ended = subprocess.run(
        command,
        shell=True,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    assert len(ended.stdout.splitlines()) == 1


def test_a_secret_comes_from_standard_input(
    server: Emulator, variables: dict[str, str]
):
    secret = variables.pop("BCPICTURE_CLIENT_SECRET")
    command = [sys.executable, "-m", "bcpicture", "companies", "--client-secret-stdin"]
    ended = subprocess.run(
        command,
        env={**os.environ, **variables},
        input=f"{secret}\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert server.identity.tokens_issued == 1
