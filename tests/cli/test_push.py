"""Pushing from the command line, in this process."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from bcpicture import errors
from bcpicture.cli.outcomes import code_of_report
from bcpicture.cli.plans import OPEN
from bcpicture.core.report import Ending, Outcome, Tally
from bcpicture.core.steps import Keep
from bcpicture.emulator import Emulator, Fault
from bcpicture.emulator.artwork import jpeg, png

pytestmark = pytest.mark.usefixtures("online")

COMPANY = "CRONUS USA, Inc."
Bcpicture: TypeAlias = Callable[..., Any]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def of(event: str, text: str) -> list[dict[str, Any]]:
    return [one for one in lines(text) if one["event"] == event]


def stored(server: Emulator, number: str) -> bytes | None:
    return server.store.company(COMPANY).item(number).picture_bytes()


def theirs(server: Emulator, number: str) -> bytes:
    """Somebody else's picture, at an item."""
    data = png(f"theirs {number}", side=16)
    server.store.company(COMPANY).item(number).set_picture(data)
    return data


def put(path: Path, data: bytes) -> None:
    """A file that is not quite as old as the others."""
    path.write_bytes(data)
    os.utime(path, (1_700_000_001, 1_700_000_001))


def refuse(server: Emulator, number: str, times: int | None = 2) -> None:
    item = server.store.company(COMPANY).item(number)
    fault = Fault(
        action="status",
        method="PATCH",
        path=item.id,
        status=400,
        code="Application_DialogException",
        message="The item is blocked.",
        times=times,
    )
    server.faults.add(fault)


def changes(server: Emulator) -> list[str]:
    return [seen.method for seen in server.log if seen.method in {"PATCH", "DELETE"}]


# -- the whole way


def test_push_sends_what_matches_and_reports_the_rest(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    ended = bcpicture("push", photos)
    assert (ended.code, ended.err) == (0, "")
    assert stored(server, "1896-S") == (photos / "1896-S.jpg").read_bytes()
    assert stored(server, "1900-S") == (photos / "1900-s.PNG").read_bytes()
    assert stored(server, "1908-S") is None
    told = ended.out.splitlines()
    assert told[:4] == [
        "2 files without an item:",
        "  4711.jpg: no such item",
        "  notes.txt: not a picture, by its extension",
        "17 items without a file:",
    ]
    assert "  2000-S" in told
    assert told[-2:-1] == ["Plan: 3 to send (5.1 KB)."]
    assert told[-1].startswith("3 uploaded, 5.1 KB, ")


def test_the_second_push_has_nothing_to_do(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    bcpicture("push", photos)
    server.log.clear()
    ended = bcpicture("push", photos)
    assert ended.code == 0
    assert "Plan: 3 unchanged." in ended.out
    assert ended.out.splitlines()[-1].startswith("Nothing to do, ")
    assert changes(server) == []


def test_push_tells_machines_everything(bcpicture: Bcpicture, photos: Path):
    ended = bcpicture("push", photos, "--json")
    plan, *outcomes, report = lines(ended.out)
    assert (plan["event"], plan["uploads"], plan["foreign"]) == ("plan", 3, 0)
    assert [one["reason"] for one in plan["unmatched"]] == [
        "no such item",
        "not a picture, by its extension",
    ]
    assert plan["without_file"] == 17
    assert {one["number"]: one["ending"] for one in outcomes} == {
        "1896-S": "uploaded",
        "1900-S": "uploaded",
        "1906-S": "uploaded",
    }
    assert report.pop("seconds") >= 0
    assert report.pop("run")
    assert report == {
        "event": "report",
        "ending": "complete",
        "done": 3,
        "failed": 0,
        "counts": {"uploaded": 3},
        "size": plan["size"],
        "retries": 0,
        "replaced": 0,
        "saved": 0,
    }


def test_other_records_have_pictures_too(
    bcpicture: Bcpicture, server: Emulator, tmp_path: Path
):
    (customer, *_) = server.store.company(COMPANY).table("customers").records
    (tmp_path / f"{customer.number}.png").write_bytes(png("logo", side=16))
    ended = bcpicture("push", tmp_path, "--parent", "customer")
    assert ended.code == 0
    assert customer.picture_bytes() == png("logo", side=16)


def test_files_are_found_by_a_template_and_one_is_picked(
    bcpicture: Bcpicture, server: Emulator, tmp_path: Path
):
    for name in ("1896-S_1", "1896-S_front"):
        (tmp_path / f"{name}.png").write_bytes(png(name, side=16))
    ended = bcpicture(
        *("push", tmp_path, "--by", "{number}_{pick}", "--pick", "front", "--verbose")
    )
    assert ended.code == 0
    assert stored(server, "1896-S") == png("1896-S_front", side=16)
    assert "1 file passed over:\n  1896-S_1.png: 1896-S_front.png is sent" in ended.out
    assert "1896-S: uploaded (" in ended.err


def test_what_is_unclear_is_not_sent_and_a_failure_only_if_one_is_strict(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    (photos / "1896-S.png").write_bytes(b"x")
    ended = bcpicture("push", photos, "--dry-run")
    assert ended.code == 0
    assert (
        "1 unclear match:\n  1896-S: 2 files for one item (1896-S.jpg, 1896-S.png)\n"
    ) in ended.out
    (plan, *_) = lines(bcpicture("push", photos, "--json", "--dry-run").out)
    assert plan["ambiguous"][0]["numbers"] == ["1896-S"]
    assert bcpicture("push", photos, "--dry-run", "--strict").code == 1
    assert bcpicture("push", photos, "--strict").code == 1
    assert stored(server, "1896-S") is None
    assert stored(server, "1906-S") is not None


def test_pictures_are_prepared(bcpicture: Bcpicture, tmp_path: Path):
    (tmp_path / "1896-S.jpg").write_bytes(jpeg("large", 400, 300))
    assert bcpicture("push", tmp_path, "--max-side", 100).code == 0
    info = json.loads(bcpicture("info", "1896-S", "--json").out)
    assert (info["width"], info["height"]) == (100, 75)


def test_what_would_not_show_is_refused_unless_one_insists(
    bcpicture: Bcpicture, server: Emulator, tmp_path: Path
):
    (tmp_path / "1896-S.jpg").write_bytes(b"<html>Please sign in.")
    ended = bcpicture("push", tmp_path)
    assert ended.code == 1
    assert "is no picture but an HTML page" in ended.err
    assert bcpicture("push", tmp_path, "--no-preflight").code == 0
    assert stored(server, "1896-S") == b"<html>Please sign in."


# -- a dry run


def test_a_dry_run_prints_the_very_steps_that_a_run_performs(
    bcpicture: Bcpicture, server: Emulator, photos: Path, tmp_path: Path
):
    theirs(server, "1896-S")
    bcpicture("push", photos)
    put(photos / "1900-s.PNG", png("changed", side=32))
    (photos / "1906-S.gif").unlink()
    put(photos / "1908-S.png", png("new", side=32))
    theirs(server, "1908-S")
    options = ("--delete", "--max-delete", 5, "--concurrency", 1)
    server.log.clear()
    dry = of("step", bcpicture("push", photos, *options, "--dry-run", "--json").out)
    assert changes(server) == []
    assert [(one["action"], one["number"], one["replaces"]) for one in dry] == [
        ("upload", "1900-S", "ours"),
        ("upload", "1908-S", "foreign"),
        ("delete", "1906-S", ""),
    ]
    assert [one["reason"] for one in dry] == [
        "the file changed",
        "there is a picture that nothing is known of",
        "the file is gone",
    ]
    text = bcpicture("push", photos, *options, "--dry-run")
    assert text.code == 0
    assert text.out.splitlines()[-4:] == [
        "replace  1900-s.PNG to 1900-S, 1.7 KB: the file changed",
        f"replace  1908-S.png to 1908-S, 1.7 KB: {dry[1]['reason']}",
        "delete   1906-S.gif of 1906-S: the file is gone",
        "Nothing was changed.",
    ]
    report = tmp_path / "report.json"
    ended = bcpicture("push", photos, *options, "--report", report)
    assert ended.code == 0
    told = json.loads(report.read_text())
    same = ("action", "number", "id", "file", "reason", "replaces", "planned_size")
    real = [one for one in told["items"] if one["action"] != "none"]
    assert [[one[name] for name in same] for one in real] == [
        [one[name] for name in same] for one in dry
    ]
    assert [one["ending"] for one in real] == ["uploaded", "uploaded", "deleted"]
    assert changes(server) == ["PATCH", "PATCH", "DELETE"]


def test_a_dry_run_with_nothing_to_do_says_so(bcpicture: Bcpicture, tmp_path: Path):
    assert "Nothing would be done." in bcpicture("push", tmp_path, "--dry-run").out


def test_what_remains_open_is_said_before_a_picture_of_others_is_replaced(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    assert OPEN not in bcpicture("push", photos, "--dry-run").out
    theirs(server, "1896-S")
    ended = bcpicture("push", photos, "--dry-run")
    assert f"1 picture of others would be replaced. {OPEN}\n" in ended.out
    told = lines(bcpicture("push", photos, "--json").out)
    events = [one["event"] for one in told]
    assert events.index("caution") < events.index("outcome")
    assert told[-1]["saved"] == 1


# -- brakes, locks, failures


def test_a_brake_stops_it_before_anything_changes(
    bcpicture: Bcpicture, server: Emulator, photos: Path, tmp_path: Path
):
    theirs(server, "1896-S")
    report = tmp_path / "report.csv"
    limited = ("push", photos, "--max-replace", 0)
    ended = bcpicture(*limited, "--report", report)
    assert ended.code == 4
    assert "say max_replace=1 (--max-replace 1)" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert changes(server) == []
    with report.open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert [row["number"] for row in rows[:3]] == ["1896-S", "1900-S", "1906-S"]
    assert {row["ending"] for row in rows[:3]} == {""}
    assert bcpicture(*limited, "--dry-run").code == 4
    assert bcpicture("push", photos, "--max-replace", "100%").code == 0


def test_a_missing_marker_is_a_brake(bcpicture: Bcpicture, photos: Path):
    ended = bcpicture("push", photos, "--require-file", "marker")
    assert ended.code == 4
    assert "The file marker is not there" in ended.err
    (photos / "marker").touch()
    assert bcpicture("push", photos, "--require-file", "marker").code == 0


def test_a_picture_that_fails_is_named_and_the_others_go_on(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    refuse(server, "1896-S")
    ended = bcpicture("push", photos)
    assert ended.code == 1
    assert ended.err.startswith("1896-S: failed. ")
    assert "The item is blocked." in ended.err
    assert "  1 x RejectedError Application_DialogException\n" in ended.out
    again = bcpicture("push", photos)
    assert again.code == 0
    assert "1 left alone:\n  1896-S: the service refused this picture" in again.out


def test_no_access_in_the_middle_breaks_it_off_and_the_report_is_there(
    bcpicture: Bcpicture, server: Emulator, photos: Path, tmp_path: Path
):
    server.faults.add(
        Fault(
            action="status",
            method="PATCH",
            status=403,
            code="Authentication_InvalidCredentials",
            times=None,
        )
    )
    report = tmp_path / "report.json"
    ended = bcpicture(
        *("push", photos, "--json", "--concurrency", 1, "--report", report)
    )
    assert ended.code == 3
    told = lines(ended.out)[-1]
    assert (told["ending"], told["done"], told["failed"]) == ("broken off", 0, 1)
    written = json.loads(report.read_text())
    assert written["ending"] == "broken off"
    endings = [one["ending"] for one in written["items"][:3]]
    assert endings == ["failed", "stopped", "stopped"]


def test_an_app_that_business_central_does_not_know_is_no_access(
    bcpicture: Bcpicture, server: Emulator, photos: Path
):
    server.identity.unregister_app(server.client_id)
    assert bcpicture("push", photos).code == 3


def test_a_report_that_cannot_be_written_in_the_end_is_an_error(
    bcpicture: Bcpicture, photos: Path, tmp_path: Path
):
    report = tmp_path / f"{'x' * 250}.json"  # no name for its neighbour is left
    ended = bcpicture("push", photos, "--report", report)
    assert ended.code == 1
    assert "The report" in ended.err
    assert "cannot be written: File name too long." in ended.err
    assert "3 uploaded" in ended.out
    assert not report.exists()


def test_the_state_directory_can_be_chosen(
    bcpicture: Bcpicture, photos: Path, tmp_path: Path, state: Path
):
    assert bcpicture("push", photos, "--state-dir", tmp_path / "mine").code == 0
    assert [*tmp_path.glob("mine/*/journal.sqlite")]
    assert not state.exists()
    ended = bcpicture("push", photos, "--state-dir", photos)
    assert ended.code == 2
    assert "lie one in the other" in ended.err


def outcome(error: errors.BcPictureError) -> Outcome:
    step = Keep(number="1", id="1", name="1.jpg", reason="")
    return Outcome(step=step, ending=Ending.FAILED, error=error)


LOST = errors.TransportError(
    "Lost.",
    failure=errors.Failure(method="PATCH", path="/", trouble=errors.Trouble.CONNECT),
)
SLOW = errors.StalledError(
    "Slow.",
    failure=errors.Failure(method="PATCH", path="/", trouble=errors.Trouble.STALLED),
)
REFUSED = errors.RejectedError("No.")


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        pytest.param([], 0, id="nothing"),
        pytest.param([REFUSED], 1, id="refused"),
        pytest.param([LOST, REFUSED], 1, id="there again"),
        pytest.param([REFUSED, LOST], 3, id="lost and gone"),
        pytest.param([SLOW], 1, id="one that is slow"),
        pytest.param([errors.BrakeError("!"), LOST], 4, id="a brake in the middle"),
    ],
)
def test_what_failed_decides_the_exit_code(
    ended: list[errors.BcPictureError], code: int
):
    tally, last = Tally(), None
    for error in ended:
        tally.add(last := outcome(error))
    assert code_of_report(tally.report(), last) == code
