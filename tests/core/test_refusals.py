"""A visitor is told a status and a sentence, and nothing of what happened inside."""

from __future__ import annotations

import pytest

import bcpicture
from bcpicture import (
    AccessDeniedError,
    AnswerError,
    ApiSwitchedOffError,
    BcPictureError,
    ClosedError,
    CompanyNotFoundError,
    ConflictError,
    CutShortError,
    Failure,
    ItemNotFoundError,
    Misfit,
    NoPictureError,
    OutcomeUnknownError,
    RejectedError,
    ReplayError,
    SourceError,
    StalledError,
    ThrottledError,
    TooLargeError,
    TransportError,
    UnavailableError,
    UnfitPictureError,
    UsageError,
)
from bcpicture.core.refusals import UNSHOWABLE, refusal_for

SECRETS = Failure(
    method="GET",
    path="/contoso.com/Production/api/v2.0/companies",
    message="inside",
    correlation_id="1234",
)

STATUSES = [
    (NoPictureError("a chair", failure=SECRETS), 404),
    (ItemNotFoundError("item", "1896-S", company="CRONUS", failure=SECRETS), 404),
    (CompanyNotFoundError("CRONUS", ("Secret Ltd.",), failure=SECRETS), 404),
    (ConflictError("inside", failure=SECRETS), 409),
    (TooLargeError("inside", failure=SECRETS), 413),
    (SourceError("inside"), 400),
    (UnfitPictureError("inside", advice="", misfit=Misfit.NO_PICTURE), 415),
    (ReplayError("inside"), 503),
    (ThrottledError("inside", failure=SECRETS), 503),
    (UnavailableError("inside", failure=SECRETS), 503),
    (ClosedError("inside"), 503),
    (StalledError("inside", failure=SECRETS), 504),
    (TransportError("inside", failure=SECRETS), 502),
    (CutShortError("inside", failure=SECRETS), 502),
    (AnswerError("inside", failure=SECRETS), 502),
    (AccessDeniedError("inside", failure=SECRETS), 502),
    (RejectedError("inside", failure=SECRETS), 502),
    (ApiSwitchedOffError("inside", failure=SECRETS), 502),
    (OutcomeUnknownError("inside", failure=SECRETS), 502),
    (UsageError("inside"), 500),
    (BcPictureError("inside"), 500),
]


@pytest.mark.parametrize(("error", "status"), STATUSES, ids=lambda it: repr(it)[:20])
def test_every_error_has_a_public_status(error: BcPictureError, status: int):
    refusal = refusal_for(error)
    assert refusal.status == status
    told = refusal.text + str(refusal.headers())
    for secret in ("inside", "CRONUS", "Secret", "contoso", "1896-S", "1234", "chair"):
        assert secret not in told
    assert ("Retry-After" in refusal.headers()) is (status == 503)


def test_an_error_that_nobody_thought_of_has_a_status_too():
    for name in bcpicture.__all__:
        if name.endswith("Error"):
            kind = getattr(bcpicture, name)
            error = kind.__new__(kind)
            error.failure = None
            assert 400 <= refusal_for(error).status < 600, name


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [(None, "5"), (0.0, "1"), (2.1, "3"), (1e9, "3600"), (float("inf"), "5")],
)
def test_the_visitor_is_asked_to_come_back_when_the_service_says(
    asked: float | None, seconds: str
):
    failure = Failure(method="GET", path="/", status=429, retry_after=asked)
    headers = refusal_for(ThrottledError("x", failure=failure)).headers()
    assert headers["Retry-After"] == seconds


def test_nobody_keeps_a_refusal():
    headers = UNSHOWABLE.headers()
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Length"] == str(len(UNSHOWABLE.text))
