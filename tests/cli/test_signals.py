"""Ctrl-C and SIGTERM: first an end in order, then at once, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bcpicture.cli.app import run
from bcpicture.cli.signals import Signals, stopped_by_signals
from bcpicture.emulator import Emulator, Fault
from bcpicture.emulator.artwork import png

try:
    import pty
except ImportError:  # on Windows
    pty = None  # type: ignore[assignment]  # the test is skipped then

COMPANY = "CRONUS USA, Inc."
ENDINGS = [
    pytest.param(signal.SIGINT, 130, "bcpicture: Interrupted.\n", id="Ctrl-C"),
    pytest.param(signal.SIGTERM, 143, "bcpicture: Terminated.\n", id="SIGTERM"),
]
LONG_AGO = (1_700_000_000, 1_700_000_000)


# -- what a signal does to a task


async def test_the_first_signal_stops_and_the_second_cancels():
    stopped = asyncio.Event()

    async def work() -> None:
        with stopped_by_signals(stopped.set):
            await asyncio.Event().wait()

    task = asyncio.current_task()
    assert task
    signals = Signals(task)
    with signals.watched():
        worker = asyncio.create_task(work())
        await asyncio.sleep(0)
        signals.arrived(signal.SIGTERM)
        await stopped.wait()
        assert not task.cancelling()
        signals.arrived(signal.SIGINT)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(0)
        task.uncancel()
        worker.cancel()
    assert signals.received is signal.SIGTERM


async def test_what_does_not_end_in_time_is_cancelled():
    task = asyncio.current_task()
    assert task
    signals = Signals(task, grace=0.0)
    with signals.watched(), stopped_by_signals(lambda: None):
        signals.arrived(signal.SIGINT)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.Event().wait()
    task.uncancel()


async def test_what_ends_in_time_is_not():
    task = asyncio.current_task()
    assert task
    signals = Signals(task, grace=0.0)
    with signals.watched():
        with stopped_by_signals(lambda: None):
            signals.arrived(signal.SIGINT)
        await asyncio.sleep(0.001)
    assert not task.cancelling()


async def test_where_nothing_can_be_stopped_the_first_one_cancels():
    task = asyncio.current_task()
    assert task
    signals = Signals(task)
    with signals.watched():
        signals.arrived(signal.SIGINT)
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(0)
    task.uncancel()


async def test_without_a_program_around_it_signals_are_nobody_s_business():
    with stopped_by_signals(lambda: pytest.fail("Nobody sent any.")):
        await asyncio.sleep(0)


# -- and to a push


def await_on(screen: int, pattern: str) -> None:
    """Read a terminal until it shows something."""
    shown = ""
    while not re.search(pattern, shown):
        ready, _, _ = select.select([screen], [], [], 30)
        assert ready, shown
        assert len(shown) < 100_000, shown
        read = os.read(screen, 4096).decode(errors="replace")
        shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", read)


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal: ours, and that of a program."""
    assert pty is not None
    ends = pty.openpty()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


class Push:
    """A push in a process of its own, of twenty pictures at a slow server."""

    def __init__(
        self, server: Emulator, variables: dict[str, str], folder: Path
    ) -> None:
        self.server = server
        self.report = folder.parent / "report.json"
        self.items = server.store.company(COMPANY).table("items").records
        for item in self.items:
            path = folder / f"{item.number}.png"
            path.write_bytes(png(item.number, side=16))
            os.utime(path, LONG_AGO)
        self.folder = folder
        self.environment = {**os.environ, **variables}

    def command(self, *options: str) -> list[str]:
        told = ("push", str(self.folder), "--report", str(self.report), *options)
        return [sys.executable, "-m", "bcpicture", *told]

    def start(self, *options: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*options),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_uploading(self, process: subprocess.Popen[str]) -> None:
        """Wait until an upload is under way."""
        while self.uploads == 0:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)

    def signalled(self, number: int, *options: str) -> subprocess.Popen[str]:
        """Start it, and send a signal in the middle of uploads that do not end."""
        self.server.faults.add(
            Fault(action="apply_then_stall", method="PATCH", times=None)
        )
        process = self.start(*options)
        self.until_uploading(process)
        process.send_signal(number)
        assert process.stderr
        line = process.stderr.readline()
        assert line.startswith("Stopping: what is under way still ends."), line
        return process

    @property
    def uploads(self) -> int:
        return sum(seen.method == "PATCH" for seen in self.server.log)

    @property
    def there(self) -> int:
        return sum(item.picture_bytes() is not None for item in self.items)

    def finish(self, capsys: pytest.CaptureFixture[str]) -> str:
        """Push once more, undisturbed; everything must be in step then."""
        command = self.command()[3:]
        assert run(command) == 0
        pictures = {item.number: item.picture_bytes() for item in self.items}
        assert pictures == {number: png(number, side=16) for number in pictures}
        told = capsys.readouterr().out
        assert run([*command, "--dry-run"]) == 0
        assert f"Plan: {len(pictures)} unchanged." in capsys.readouterr().out
        return told


@pytest.fixture
def push(
    server: Emulator, variables: dict[str, str], online: None, tmp_path: Path
) -> Push:
    assert online is None
    folder = tmp_path / "photos"
    folder.mkdir()
    return Push(server, variables, folder)


@pytest.mark.parametrize(("number", "code", "sentence"), ENDINGS)
def test_a_signal_lets_what_is_under_way_end(
    push: Push,
    number: int,
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
):
    process = push.signalled(number)
    push.server.faults.clear()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (code, sentence)
    uploaded = push.there
    assert 1 <= uploaded <= 6
    assert f"Stopped: {uploaded} uploaded, {20 - uploaded} stopped, " in out
    told = json.loads(push.report.read_text())
    assert told["ending"] == "stopped"
    endings = [item["ending"] for item in told["items"]]
    assert endings.count("uploaded") == uploaded
    assert endings.count("stopped") == 20 - uploaded
    assert f"Plan: {20 - uploaded} to send" in push.finish(capsys)
    assert push.uploads <= 25


@pytest.mark.parametrize(("number", "code", "sentence"), ENDINGS)
def test_a_second_signal_ends_it_at_once_and_the_next_push_knows_what_was_done(
    push: Push,
    number: int,
    code: int,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
):
    process = push.signalled(number)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (code, sentence)
    assert "Broken off: " in out
    told = json.loads(push.report.read_text())
    assert told["ending"] == "broken off"
    assert len(told["items"]) == 20
    push.server.faults.clear()
    there = push.there
    assert there >= 1
    assert f"Plan: {20 - there} to send" in push.finish(capsys)


def test_machines_are_told_that_it_is_stopping(push: Push):
    push.server.faults.add(Fault(action="stall", method="PATCH", times=None))
    process = push.start("--json")
    push.until_uploading(process)
    process.send_signal(signal.SIGINT)
    assert process.stdout
    events = []
    while not events or events[-1] != "stopping":
        events.append(json.loads(process.stdout.readline())["event"])
    push.server.faults.clear()
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (130, "bcpicture: Interrupted.\n")
    assert json.loads(out.splitlines()[-1])["ending"] == "stopped"


def test_a_second_push_at_the_same_time_is_told_who_has_the_lock(push: Push):
    push.server.faults.add(Fault(action="stall", method="PATCH", times=None))
    first = push.start()
    push.until_uploading(first)
    second = subprocess.run(
        push.command(),
        env=push.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 5
    assert f"process {first.pid}" in second.stderr
    assert "bcpicture push" in second.stderr
    first.kill()
    first.communicate()


@pytest.mark.skipif(pty is None, reason="needs a terminal")
def test_a_terminal_shows_a_bar_and_the_quota_until_it_is_interrupted(push: Push):
    push.server.faults.add(Fault(action="stall", method="PATCH", times=None))
    with terminal() as (screen, other_end):
        process = subprocess.Popen(
            push.command(),
            env={**push.environment, "TERM": "xterm", "COLUMNS": "100"},
            stdout=subprocess.DEVNULL,
            stderr=other_end,
        )
        await_on(screen, r"Pushing .* 0/20 .* under way")
        process.send_signal(signal.SIGINT)
        await_on(screen, "Stopping: ")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_a_killed_push_is_finished_by_the_next_one(
    push: Push, capsys: pytest.CaptureFixture[str]
):
    push.server.faults.add(Fault("apply_then_stall", method="PATCH", times=None))
    process = push.start()
    push.until_uploading(process)
    process.kill()
    process.communicate()
    push.server.faults.clear()
    push.finish(capsys)
    assert not [*push.report.parent.glob(".*")]
