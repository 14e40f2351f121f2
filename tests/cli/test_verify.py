"""Comparing, and telling what is known, from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator import Emulator
from bcpicture.emulator.artwork import png

pytestmark = pytest.mark.usefixtures("online")

COMPANY = "CRONUS USA, Inc."
Bcpicture: TypeAlias = Callable[..., Any]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def pushed(bcpicture: Bcpicture, photos: Path) -> Path:
    """Three photos that are in step; nothing else is in their folder."""
    (photos / "4711.jpg").unlink()
    (photos / "notes.txt").unlink()
    assert bcpicture("push", photos).code == 0
    return photos


def test_what_was_pushed_is_equal(bcpicture: Bcpicture, server: Emulator, pushed: Path):
    server.log.clear()
    ended = bcpicture("verify", pushed)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("3 equal, ")
    assert {seen.method for seen in server.log} <= {"GET", "POST"}


def test_what_was_pulled_is_equal(bcpicture: Bcpicture, pushed: Path):
    copies = pushed.parent / "copies"
    assert bcpicture("pull", copies).code == 0
    ended = bcpicture("verify", copies)
    assert ended.code == 0
    assert ended.out.startswith("3 equal, ")


def test_what_differs_is_named_and_an_exit_code(
    bcpicture: Bcpicture, server: Emulator, pushed: Path, tmp_path: Path
):
    company = server.store.company(COMPANY)
    company.item("1896-S").set_picture(png("other", side=16))
    company.item("1900-S").set_picture(None)
    company.item("1908-S").set_picture(png("alone", side=16))
    report = tmp_path / "out.json"
    ended = bcpicture("verify", pushed, "--report", report)
    assert ended.code == 1
    assert sorted(ended.err.splitlines()) == [
        "1896-S: differs",
        "1900-S: only here: the record has no picture",
        "1908-S: only there",
    ]
    assert ended.out.startswith("1 equal, 1 differs, 1 only here, 1 only there, ")
    items = json.loads(report.read_text())["items"]
    told = {item["number"]: (item["action"], item["ending"]) for item in items}
    assert told == {
        "1896-S": ("compare", "differs"),
        "1900-S": ("compare", "only here"),
        "1906-S": ("compare", "equal"),
        "1908-S": ("compare", "only there"),
    }
    outcomes = lines(bcpicture("verify", pushed, "--json").out)
    assert outcomes[-1]["event"] == "report"
    assert len(outcomes) == 5


def test_a_file_that_belongs_to_nobody_is_only_here(bcpicture: Bcpicture, pushed: Path):
    (pushed / "4711.jpg").write_bytes(png("x", side=16))
    ended = bcpicture("verify", pushed)
    assert ended.code == 1
    assert ended.err == "4711.jpg: only here: no such item\n"
    assert bcpicture("verify", pushed, "--exclude", "4711*").code == 0


def test_status_before_the_first_run(bcpicture: Bcpicture, state: Path):
    ended = bcpicture("status")
    assert ended.code == 0
    assert "Known:   0 pictures\n" in ended.out
    assert not state.exists()


def test_status_tells_what_is_known_and_which_runs_there_were(
    bcpicture: Bcpicture, pushed: Path, state: Path
):
    ended = bcpicture("status")
    assert ended.code == 0
    assert f"State:   {state}" in ended.out
    assert "Known:   3 pictures\n" in ended.out
    assert ended.out.splitlines()[-1].endswith(f"  push  {pushed}: 3 uploaded")
    bcpicture("undo")
    told, *runs = lines(bcpicture("status", "--json", "--runs", 1).out)
    assert (told["event"], told["pictures"], told["held_by"]) == ("status", 0, None)
    assert [(run["command"], run["summary"]) for run in runs] == [("undo", "3 deleted")]
    assert bcpicture("status", "--state-dir", pushed.parent / "other").code == 0


def test_status_is_about_one_kind_of_record(bcpicture: Bcpicture, pushed: Path):
    assert pushed.exists()
    ended = bcpicture("status", "--parent", "customer")
    assert ended.out.startswith(f"The customer pictures of {COMPANY}\n")
    assert "Known:   0 pictures\n" in ended.out
