"""How far a run is: lines for files and machines, a bar for a terminal."""

from __future__ import annotations

import asyncio
import io
import json
import re

import attrs
import pytest

from bcpicture import QuotaUse
from bcpicture.cli.bar import bar
from bcpicture.cli.console import Console
from bcpicture.cli.options import Output
from bcpicture.cli.progress import Lines, busy, progress, ticking

BUSY = QuotaUse(in_flight=5, waiting=2, used=300, allowed=6000)


@attrs.frozen
class Done:
    size: int = 1500


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@attrs.define
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("total", "told"),
    [
        (2000, "Pushing: 500 of 2,000 pictures, 750.0 KB, 50.0/s, quota 300/6,000\n"),
        (None, "Pushing: 500 pictures, 750.0 KB, 50.0/s, quota 300/6,000\n"),
    ],
)
def test_a_file_gets_a_line_now_and_then(total: int | None, told: str):
    err, clock = io.StringIO(), Clock()
    console = Console(Output(), err=err)
    with progress(console, "Pushing", total, lambda: BUSY, clock=clock) as lines:
        for _ in range(499):
            lines.advance(Done())
        assert err.getvalue() == ""
        clock.now = 10.0
        lines.advance(Done())
        clock.now = 19.0
        lines.tick()
    assert err.getvalue() == told


def test_a_run_that_is_held_back_says_so_though_nothing_happens():
    err, clock = io.StringIO(), Clock()
    use = attrs.evolve(BUSY, held_back=29.6)
    lines = Lines(Console(Output(), err=err), "Pushing", 2, lambda: use, clock)
    clock.now = 10.0
    lines.tick()
    assert err.getvalue() == (
        "Pushing: 0 of 2 pictures, 0 bytes, 0.0/s, held back for 30 s\n"
    )


def test_machines_get_a_line_of_json():
    out, clock = io.StringIO(), Clock()
    console = Console(Output(as_json=True), out)
    lines = Lines(console, "Pushing", 2, lambda: BUSY, clock)
    clock.now = 10.0
    lines.advance(Done())
    assert json.loads(out.getvalue()) == {
        "event": "progress",
        "through": 1,
        "total": 2,
        "size": 1500,
        "per_second": 0.1,
        "quota_used": 300,
        "quota_allowed": 6000,
        "waiting": 2,
        "held_back": 0.0,
    }


def test_a_server_without_a_quota_tells_what_is_under_way():
    assert busy(QuotaUse(in_flight=3)) == "3 under way"


def test_a_terminal_gets_a_bar(capsys: pytest.CaptureFixture[str]):
    with progress(Console(Output(), err=Terminal()), "Pushing", 3) as moving:
        moving.advance(Done())
        assert type(moving).__name__ == "Bar"
    capsys.readouterr()


def test_the_bar_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch):
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with bar("Pushing", 3, lambda: BUSY) as moving:
        moving.advance(Done())
        moving.tick()
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    assert "Pushing" in plain
    assert "1/3" in plain
    assert "1.5 KB" in plain
    assert "quota 300/6,000" in plain


async def test_ticks_come_until_the_end_and_no_longer():
    class Ticks:
        count = 0
        three = asyncio.Event()

        def advance(self, outcome: object) -> None:
            raise AssertionError(outcome)

        def tick(self) -> None:
            self.count += 1
            if self.count == 3:
                self.three.set()

    ticks = Ticks()
    with ticking(ticks, every=0.0):
        await ticks.three.wait()
    seen = ticks.count
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ticks.count == seen
