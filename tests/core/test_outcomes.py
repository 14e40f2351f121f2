"""A write whose reply was lost is judged by what is there afterwards."""

from __future__ import annotations

import pytest

from bcpicture.core.outcomes import Outcome, judge
from bcpicture.errors import Failure, Trouble

STALE = Failure(method="PATCH", path="/", status=409, code="Request_EntityChanged")
OLD_STALE = Failure(method="PATCH", path="/", status=412)
BUSY = Failure(method="PATCH", path="/", status=409, code="Internal_ServerError")
TIMED_OUT = Failure(method="PATCH", path="/", status=504)
LOST = Failure(method="PATCH", path="/", trouble=Trouble.DROPPED)


@pytest.mark.parametrize("failure", [STALE, OLD_STALE, BUSY, TIMED_OUT, LOST], ids=str)
@pytest.mark.parametrize("digest", ["ab", None], ids=["upload", "delete"])
def test_what_was_sent_is_there_so_it_is_done_whatever_was_answered(
    failure: Failure, digest: str | None
):
    assert judge(failure, sent=digest, found=digest) is Outcome.DONE


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        pytest.param(STALE, Outcome.CONFLICT, id="409 stale"),
        pytest.param(OLD_STALE, Outcome.CONFLICT, id="412"),
        pytest.param(BUSY, Outcome.NOT_APPLIED, id="409 of another kind"),
        pytest.param(TIMED_OUT, Outcome.NOT_APPLIED, id="504"),
        pytest.param(LOST, Outcome.NOT_APPLIED, id="lost"),
    ],
)
@pytest.mark.parametrize(
    ("sent", "found"),
    [
        pytest.param("ab", "cd", id="another picture"),
        pytest.param("ab", None, id="no picture"),
        pytest.param(None, "cd", id="not deleted"),
    ],
)
def test_something_else_is_there(
    failure: Failure, outcome: Outcome, sent: str | None, found: str | None
):
    assert judge(failure, sent=sent, found=found) is outcome
