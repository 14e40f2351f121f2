"""What is made of measured clocks and round trips."""

from __future__ import annotations

import pytest

from bcpicture import AccessDeniedError, Failure
from bcpicture.core.findings import (
    Verdict,
    bad,
    clock_finding,
    round_trip_finding,
    skipped,
)

NOON = "Sat, 01 Aug 2026 12:00:00 GMT"
AT_NOON = 1785585600.0


@pytest.mark.parametrize(
    ("date", "now", "verdict", "words"),
    [
        pytest.param(NOON, AT_NOON + 1, Verdict.GOOD, "by 1 s", id="equal"),
        pytest.param(
            "Sat, 01 Aug 2026 12:00:00", AT_NOON, Verdict.GOOD, "by 0 s", id="no zone"
        ),
        pytest.param(
            NOON, AT_NOON + 7200, Verdict.DOUBTFUL, "7,200 s ahead", id="ahead"
        ),
        pytest.param(
            NOON, AT_NOON - 600, Verdict.DOUBTFUL, "600 s behind", id="behind"
        ),
        pytest.param(None, AT_NOON, Verdict.DOUBTFUL, "does not tell", id="none"),
        pytest.param("noon", AT_NOON, Verdict.DOUBTFUL, "does not tell", id="no date"),
    ],
)
def test_clocks_are_compared(
    date: str | None, now: float, verdict: Verdict, words: str
):
    finding = clock_finding(date, now=now)
    assert finding.verdict is verdict
    assert words in finding.what
    assert bool(finding.remedy) is (verdict is not Verdict.GOOD)


def test_a_round_trip_is_the_middle_of_a_few():
    assert "20 ms" in round_trip_finding([0.01, 3.0, 0.02]).what
    slow = round_trip_finding([2.5, 2.5, 0.1])
    assert slow.verdict is Verdict.DOUBTFUL
    assert slow.remedy


def test_a_failure_keeps_its_remedy_apart():
    failure = Failure(method="GET", path="/x", status=403)
    error = AccessDeniedError("It does not allow this.", advice="Ask.", failure=failure)
    finding = bad("reading", error)
    assert finding.what == "It does not allow this. [GET /x: 403]"
    assert finding.remedy == "Ask."
    assert finding.error is error
    assert skipped("writing", "reading").verdict is Verdict.SKIPPED
