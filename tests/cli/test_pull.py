"""Pulling, and undoing, from the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture.emulator import Emulator
from bcpicture.emulator.artwork import png
from bcpicture.emulator.records import Record

pytestmark = pytest.mark.usefixtures("online")

COMPANY = "CRONUS USA, Inc."
Bcpicture: TypeAlias = Callable[..., Any]


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A folder to pull into, which is not there yet."""
    return tmp_path / "copies"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def item(server: Emulator, number: str) -> Record:
    return server.store.company(COMPANY).item(number)


def give(server: Emulator, *numbers: str, seed: str = "") -> dict[str, bytes]:
    """Pictures for some items."""
    data = {number: png(f"{number} {seed}", side=16) for number in numbers}
    for number in numbers:
        item(server, number).set_picture(data[number])
    return data


def age(folder: Path) -> None:
    """Make all files of a folder so old that they can be relied on."""
    for path in folder.iterdir():
        os.utime(path, (1_700_000_000, 1_700_000_000))


# -- pull


def test_pull_writes_what_there_is_and_then_has_nothing_to_do(
    bcpicture: Bcpicture, server: Emulator, copies: Path
):
    data = give(server, "1896-S", "1900-S")
    ended = bcpicture("pull", copies, "--verbose")
    assert ended.code == 0
    assert "1896-S: downloaded (" in ended.err
    assert "Plan: 2 to fetch, 18 without a picture." in ended.out
    assert ended.out.splitlines()[-1].startswith("2 downloaded, ")
    assert {it.name for it in copies.iterdir()} == {
        "1896-S.png",
        "1900-S.png",
        "manifest.json",
    }
    assert (copies / "1896-S.png").read_bytes() == data["1896-S"]
    manifest = json.loads((copies / "manifest.json").read_text())
    assert manifest["items"]["1900-S"]["file"] == "1900-S.png"
    again = bcpicture("pull", copies)
    assert again.code == 0
    assert not [one for one in again.out.splitlines() if "to fetch" in one]


def test_a_dry_run_of_a_pull_prints_its_steps_and_writes_nothing(
    bcpicture: Bcpicture, server: Emulator, copies: Path
):
    give(server, "1896-S")
    ended = bcpicture("pull", copies, "--dry-run")
    assert ended.code == 0
    assert ended.out.splitlines()[-2:] == [
        "download 1896-S: there is no file yet",
        "Nothing was changed.",
    ]
    assert not copies.exists()
    (plan, step) = lines(bcpicture("pull", copies, "--dry-run", "--json").out)
    assert (plan["event"], plan["downloads"], plan["absent"]) == ("plan", 1, 19)
    assert (step["action"], step["number"]) == ("download", "1896-S")


def test_a_pull_reports_every_item(
    bcpicture: Bcpicture, server: Emulator, copies: Path, tmp_path: Path
):
    give(server, "1896-S")
    report = tmp_path / "out.json"
    ended = bcpicture("pull", copies, "--json", "--report", report)
    assert ended.code == 0
    told = json.loads(report.read_text())
    (entry,) = told["items"]
    assert (told["command"], told["ending"]) == ("pull", "complete")
    assert (entry["ending"], entry["file"]) == ("downloaded", "1896-S.png")
    outcome = next(it for it in lines(ended.out) if it["event"] == "outcome")
    assert {name: outcome[name] for name in entry} == entry


def test_a_pull_stops_before_it_replaces_or_removes_too_much(
    bcpicture: Bcpicture, server: Emulator, copies: Path
):
    give(server, "1896-S", "1900-S")
    copies.mkdir()
    (copies / "1896-S.png").write_bytes(b"mine")
    ended = bcpicture("pull", copies, "--max-replace", 0)
    assert ended.code == 4
    assert "--max-replace 1" in ended.err
    assert (copies / "1896-S.png").read_bytes() == b"mine"
    assert bcpicture("pull", copies, "--require-file", "marker").code == 4
    assert bcpicture("pull", copies).code == 0
    assert (copies / "1896-S.png").read_bytes() != b"mine"


def test_a_pull_removes_only_if_it_is_told_to(
    bcpicture: Bcpicture, server: Emulator, copies: Path
):
    give(server, "1896-S", "1900-S")
    bcpicture("pull", copies)
    item(server, "1896-S").set_picture(None)
    ended = bcpicture("pull", copies)
    assert "1 left alone:\n  1896-S: the picture is gone, and deleting" in ended.out
    assert (copies / "1896-S.png").exists()
    ended = bcpicture("pull", copies, "--delete", "--max-delete", "100%")
    assert ended.code == 0
    assert not (copies / "1896-S.png").exists()
    assert (copies / "1900-S.png").exists()


def test_customers_are_pulled_as_well(
    bcpicture: Bcpicture, server: Emulator, copies: Path
):
    (customer, *_) = server.store.company(COMPANY).table("customers").records
    customer.set_picture(png("logo", side=16))
    assert bcpicture("pull", copies, "--parent", "customer").code == 0
    assert (copies / f"{customer.number}.png").read_bytes() == png("logo", side=16)


# -- undo


def test_an_undo_puts_back_what_a_push_replaced(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    theirs = give(server, "1896-S", seed="theirs")
    bcpicture("push", photos)
    dry = bcpicture("undo", "--dry-run")
    assert dry.code == 0
    assert "upload   1896-S.jpg of 1896-S: what was there before is put back" in dry.out
    assert "delete   1906-S.gif of 1906-S: there was nothing before" in dry.out
    assert item(server, "1906-S").picture_bytes() is not None
    ended = bcpicture("undo")
    assert ended.code == 0
    assert "Plan: 3 to put back." in ended.out
    assert item(server, "1896-S").picture_bytes() == theirs["1896-S"]
    assert item(server, "1906-S").picture_bytes() is None


def test_an_undo_of_a_pull_puts_back_the_file(
    bcpicture: Bcpicture, server: Emulator, copies: Path
):
    copies.mkdir()
    (copies / "1896-S.png").write_bytes(b"mine")
    give(server, "1896-S")
    bcpicture("pull", copies)
    assert bcpicture("undo").code == 0
    assert (copies / "1896-S.png").read_bytes() == b"mine"


def test_what_somebody_has_changed_since_is_not_undone_and_that_is_a_failure(
    bcpicture: Bcpicture, server: Emulator, photos: Path, tmp_path: Path
):
    bcpicture("push", photos)
    others = give(server, "1896-S", seed="others")
    ended = bcpicture("undo", "--report", tmp_path / "out.csv")
    assert ended.code == 1
    assert "1896-S: failed. " in ended.err
    assert item(server, "1896-S").picture_bytes() == others["1896-S"]
    assert item(server, "1900-S").picture_bytes() is None
    assert "1896-S" in (tmp_path / "out.csv").read_text()


def test_what_was_not_saved_cannot_be_put_back_and_that_is_a_failure(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    bcpicture("push", photos)
    path = photos / "1896-S.jpg"
    path.write_bytes(png("changed", side=16))
    os.utime(path, (1_700_000_001, 1_700_000_001))
    bcpicture("push", photos, "--backup", "foreign")
    ended = bcpicture("undo")
    assert ended.code == 1
    assert "1896-S: what was there before was not saved" in ended.out
    assert item(server, "1896-S").picture_bytes() == png("changed", side=16)


def test_a_run_that_is_not_there_is_wrong_usage(bcpicture: Bcpicture):
    ended = bcpicture("undo", "yesterday")
    assert ended.code == 2
    assert "There is no run yesterday" in ended.err


def test_a_run_is_undone_by_its_name(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    first = lines(bcpicture("push", photos, "--json").out)[-1]["run"]
    path = photos / "1908-S.png"
    path.write_bytes(png("more", side=16))
    bcpicture("push", photos)
    assert bcpicture("undo", first).code == 0
    assert item(server, "1896-S").picture_bytes() is None
    assert item(server, "1908-S").picture_bytes() is not None
