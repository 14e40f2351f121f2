"""The report: what happened, counted and grouped by cause."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from bcpicture.core.models import Downloaded, Uploaded
from bcpicture.core.pairing import Download, LocalFile, Upload
from bcpicture.errors import BcPictureError, Failure, RejectedError, TransportError
from bcpicture.sync.old_report import Outcome, Report, Tally, exit_code

FILE = LocalFile(path="photos/A.jpg", name="A.jpg", size=3)
UP = Upload(number="A", item_id="1", file=FILE)
DOWN = Download(number="B", item_id="2", stem="B")


def rejected(code: str, attempts: int = 1) -> RejectedError:
    failure = Failure(
        method="PATCH", path="/x", status=400, code=code, attempts=attempts
    )
    return RejectedError("No.", failure=failure)


def report_of(*outcomes: Outcome) -> Report:
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome)
    return tally.report()


def failed(number: str, error: BcPictureError | OSError) -> Outcome:
    return Outcome(step=Upload(number=number, item_id="1", file=FILE), error=error)


def test_outcomes_are_counted():
    done = Downloaded(path=PurePath("out/B.png"), size=5, attempts=3)
    report = report_of(
        Outcome(step=UP, result=Uploaded(size=3)),
        Outcome(step=DOWN, result=done),
        Outcome(step=DOWN),
        failed("A", rejected("X", attempts=2)),
    )
    assert (report.done, report.absent, report.size, report.retries) == (2, 1, 8, 3)
    assert len(report.failures) == 1


def test_failures_are_grouped_by_their_cause_the_most_frequent_first():
    report = report_of(
        failed("A", TransportError("Gone.")),
        failed("B", rejected("Application_DialogException")),
        failed("C", rejected("Application_DialogException")),
        failed("D", FileNotFoundError(2, "No such file", "D.jpg")),
    )
    groups = {
        cause: [one.number for one in failures]
        for cause, failures in report.by_cause().items()
    }
    assert list(groups.items()) == [
        ("RejectedError Application_DialogException", ["B", "C"]),
        ("TransportError", ["A"]),
        ("FileNotFoundError", ["D"]),
    ]


def test_a_failure_says_what_and_why_in_words():
    (one,) = report_of(failed("A", rejected("X"))).failures
    assert (one.number, one.file) == ("A", "photos/A.jpg")
    assert one.reason == "No. [PATCH /x: 400 X]"


@pytest.mark.parametrize(
    ("outcome", "file", "attempts"),
    [
        pytest.param(Outcome(step=UP), "photos/A.jpg", 0, id="to be sent"),
        pytest.param(Outcome(step=DOWN), "", 0, id="nothing to fetch"),
        pytest.param(
            Outcome(step=DOWN, result=Downloaded(path=PurePath("B.png"), size=1)),
            "B.png",
            1,
            id="fetched",
        ),
        pytest.param(
            Outcome(step=DOWN, error=rejected("X", attempts=4)), "", 4, id="refused"
        ),
        pytest.param(Outcome(step=DOWN, error=OSError()), "", 0, id="disk full"),
    ],
)
def test_an_outcome_names_its_file_and_its_attempts(
    outcome: Outcome, file: str, attempts: int
):
    assert (outcome.file, outcome.attempts) == (file, attempts)


def test_the_exit_code_says_whether_a_picture_failed():
    assert exit_code(report_of(Outcome(step=UP, result=Uploaded(size=3)))) == 0
    assert exit_code(report_of(Outcome(step=DOWN))) == 0
    assert exit_code(report_of(failed("A", OSError()))) == 1
