"""A report says what was planned and what happened, whatever opens it."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import attrs
import pytest

from bcpicture.core.brakes import no_marker
from bcpicture.core.matches import Ambiguous, PassedOver, Unmatched
from bcpicture.core.models import Uploaded
from bcpicture.core.plans import PushPlan
from bcpicture.core.report import Ending, Outcome, Tally
from bcpicture.core.signs import NO_PICTURE, FileSigns, ItemSigns, PictureSigns
from bcpicture.core.steps import Delete, Keep, LocalFile, Replaces, Upload, Why
from bcpicture.errors import RejectedError, TargetError, UsageError
from bcpicture.sync.report_files import ReportFile, planned, require_report

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SIGNS = FileSigns(size=9, modified=1, inode=1)
SHOWN = PictureSigns(exists=True)
FACTS = {"command": "push", "folder": "photos"}


def upload(number: str, name: str = "", **changes: object) -> Upload:
    file = LocalFile(name=name or f"{number}.jpg", signs=SIGNS)
    step = Upload(
        number=number,
        id=f"id-{number}",
        file=file,
        reason=Why.FIRST,
        replaces=Replaces.NOTHING,
        item=ItemSigns(),
        picture=NO_PICTURE,
    )
    return attrs.evolve(step, **changes)


PLAN = PushPlan(
    uploads=(
        upload("A", replaces=Replaces.FOREIGN, reason=Why.NEVER_SEEN),
        upload("B"),
        upload("C"),
    ),
    deletions=(
        Delete(
            number="D",
            id="id-D",
            name="D.jpg",
            reason=Why.FILE_GONE,
            before="of D",
            item=ItemSigns(),
            picture=SHOWN,
        ),
    ),
    kept=(Keep(number="K", id="id-K", name="K.jpg", reason=Why.EMPTY),),
    unmatched=(Unmatched(name="X.jpg", reason="no such item"),),
    ambiguous=(Ambiguous(numbers=("Y",), names=("Y.jpg", "Y.png")),),
    passed_over=(PassedOver(name="A_2.jpg", number="A", picked="A_1.jpg"),),
)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def ended() -> ReportFile:
    """A run that was stopped after two of its steps, in another order."""
    tally, file = Tally("R1"), ReportFile(PLAN, FACTS)
    refused = RejectedError("The item is blocked.")
    outcomes = (
        Outcome(step=PLAN.kept[0], ending=Ending.KEPT),
        Outcome(step=PLAN.uploads[1], ending=Ending.FAILED, error=refused, seconds=0.5),
        Outcome(
            step=PLAN.uploads[0],
            ending=Ending.UPLOADED,
            result=Uploaded(size=9, attempts=2),
            before="theirs",
            saved=True,
            after="ours",
        ),
        Outcome(step=PLAN.uploads[2], ending=Ending.STOPPED),
    )
    for one in outcomes:
        tally.add(one)
        file.add(one)
    file.end(tally.report(stopped=True), "stopped")
    return file


def test_everything_is_in_the_order_of_the_plan():
    told = json.loads(ended().as_json(NOW))
    assert told["version"] == 1
    assert (told["command"], told["folder"]) == ("push", "photos")
    assert told["written"] == "2026-05-01T12:00:00+00:00"
    assert (told["ending"], told["run"]) == ("stopped", "R1")
    assert told["counts"] == {"kept": 1, "failed": 1, "uploaded": 1, "stopped": 1}
    assert [(it["action"], it["number"], it["ending"]) for it in told["items"]] == [
        ("keep", "K", "kept"),
        ("upload", "A", "uploaded"),
        ("upload", "B", "failed"),
        ("upload", "C", "stopped"),
        ("delete", "D", ""),
        ("none", "", "unmatched"),
        ("none", "Y", "ambiguous"),
        ("none", "Y", "ambiguous"),
        ("none", "A", "passed over"),
    ]
    first, second = told["items"][1:3]
    assert (first["before"], first["saved"], first["after"]) == ("theirs", True, "ours")
    assert (first["size"], first["attempts"]) == (9, 2)
    assert (first["replaces"], first["reason"]) == ("foreign", Why.NEVER_SEEN)
    assert (second["cause"], second["seconds"]) == ("RejectedError", 0.5)
    assert second["error"].startswith("The item is blocked.")


def test_a_table_tells_the_same():
    rows = [*csv.DictReader(io.StringIO(ended().as_csv(), newline=""))]
    told = json.loads(ended().as_json(NOW))["items"]
    assert [*rows[0]] == [*told[0]]
    assert [row["ending"] for row in rows] == [item["ending"] for item in told]
    assert (rows[1]["saved"], rows[1]["size"], rows[4]["after"]) == ("yes", "9", "")


def test_a_plan_that_is_not_run_tells_why():
    plan = attrs.evolve(PLAN, brakes=(no_marker("here.txt"),))
    told = json.loads(ReportFile(plan, FACTS).as_json(NOW))
    assert told["ending"] == "planned"
    assert told["brakes"][0].startswith("The file here.txt is not there")
    assert {item["ending"] for item in told["items"][:5]} == {""}


@pytest.mark.parametrize(
    "name",
    [
        "=HYPERLINK(1)",
        "+1",
        "-1",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\uff1d1",
        "'=1",
    ],
)
def test_no_cell_is_a_formula(name: str):
    plan = PushPlan(uploads=(upload(name, name, reason=name),))
    [head, *rows] = csv.reader(io.StringIO(ReportFile(plan, {}).as_csv(), newline=""))
    assert len(rows) == 1
    cells = dict(zip(head, rows[0], strict=True))
    for column in ("number", "file", "reason"):
        assert cells[column].lstrip()[0] not in "=+-@\uff1d"
        assert cells[column].endswith(name)


def test_numbers_of_items_stay_as_they_are():
    plan = PushPlan(uploads=(upload("1896-S"), upload("0042")))
    rows = [*csv.DictReader(io.StringIO(ReportFile(plan, {}).as_csv(), newline=""))]
    assert [row["number"] for row in rows] == ["1896-S", "0042"]


def test_a_dry_run_says_what_is_planned():
    entry = planned(PLAN.deletions[0])
    assert (entry.action, entry.file, entry.before) == ("delete", "D.jpg", "of D")
    assert (entry.planned_size, planned(PLAN.uploads[0]).planned_size) == (None, 9)


async def test_it_takes_the_place_of_the_last_one_in_one_step(tmp_path: Path):
    path = tmp_path / "report.json"
    path.write_text("old")
    await ended().write(path, NOW)
    assert json.loads(path.read_text())["ending"] == "stopped"
    assert names(tmp_path) == [path.name]


async def test_a_name_that_is_no_text_can_be_reported(tmp_path: Path):
    plan = PushPlan(uploads=(upload("A", "a\udc80.jpg"),))
    for path in (tmp_path / "report.json", tmp_path / "report.csv"):
        await ReportFile(plan, {}).write(path, NOW)
        assert "udc80" in path.read_text(encoding="utf-8")


async def test_what_cannot_be_written_leaves_the_old_one(tmp_path: Path):
    path = tmp_path / "report.csv"
    path.mkdir()
    with pytest.raises(TargetError, match="cannot be written"):
        await ended().write(path, NOW)
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["report.txt", "report", "no/report.csv", "dir.json"])
def test_a_place_for_no_report_is_refused_at_once(tmp_path: Path, name: str):
    (tmp_path / "dir.json").mkdir()
    with pytest.raises(UsageError):
        require_report(tmp_path / name)
    require_report(tmp_path / "report.csv")
