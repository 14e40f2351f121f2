"""Which error a failure is raised as, and what each of them advises."""

from __future__ import annotations

import pytest

from bcpicture.core.meanings import error_for
from bcpicture.errors import (
    AccessDeniedError,
    AnswerError,
    ApiSwitchedOffError,
    BcPictureError,
    ConflictError,
    CutShortError,
    Failure,
    MissingError,
    RejectedError,
    StalledError,
    ThrottledError,
    TooLargeError,
    TransportError,
    Trouble,
    UnavailableError,
)


def sent(status: int | None = None, code: str = "", **more: object) -> Failure:
    return Failure(method="GET", path="/x", status=status, code=code, **more)


REGISTER = (
    "Register the app inside Business Central too (page 'Microsoft Entra "
    "applications': state Enabled, permission sets assigned); on premises the server "
    "must list the audience https://api.businesscentral.dynamics.com in "
    "ValidAudiences, or user and web service access key are wrong."
)
PERMISSIONS = (
    "Give the app a permission set with read and modify on 'Picture Entity' and on "
    "the table of the record, such as D365 BUS FULL ACCESS."
)
REFUSED = "Business Central does not accept the credentials."
FORBIDDEN = "Business Central does not allow this."
NO_COMPANY = "There is no such company."
NOTHING = "There is nothing at this address."
OFF = "This server does not offer the API."
CHANGED = "Somebody else changed the picture since its etag was read."
CLASH = "The service reports a conflict that is not about the picture's etag."
LARGE = "The body, or the page asked for, is larger than the service takes."
BUSINESS = "Business logic refused the request."

MEANINGS = [
    (401, "", AccessDeniedError, REFUSED, REGISTER),
    (401, "Unauthorized", AccessDeniedError, REFUSED, REGISTER),
    (401, "Authentication_InvalidCredentials", AccessDeniedError, REFUSED, REGISTER),
    (401, "Authorization_Failed", AccessDeniedError, REFUSED, REGISTER),
    (403, "", AccessDeniedError, FORBIDDEN, PERMISSIONS),
    (403, "Authorization_Failed", AccessDeniedError, FORBIDDEN, PERMISSIONS),
    (
        404,
        "Internal_CompanyNotFound",
        MissingError,
        NO_COMPANY,
        "List the companies with `bc.companies`.",
    ),
    (
        400,
        "Internal_CompanyNotFound",
        MissingError,
        NO_COMPANY,
        "List the companies with `bc.companies`.",
    ),
    *(
        (
            404,
            code,
            MissingError,
            NOTHING,
            "Check the environment, the API version and the id.",
        )
        for code in (
            "",
            "BadRequest_ResourceNotFound",
            "BadRequest_NotFound",
        )
    ),
    *(
        (
            status,
            code,
            MissingError,
            "There is no such record.",
            "Check its id, and the company.",
        )
        for status in (400, 404)
        for code in ("Internal_RecordNotFound", "Internal_DataNotFoundFilter")
    ),
    (
        405,
        "",
        ApiSwitchedOffError,
        OFF,
        (
            "Switch the API on: on premises, set ApiServicesEnabled on the server "
            "instance and restart it."
        ),
    ),
    (
        409,
        "Request_EntityChanged",
        ConflictError,
        CHANGED,
        "Read `info()` again and decide; nothing was written.",
    ),
    (
        412,
        "",
        ConflictError,
        CHANGED,
        "Read `info()` again and decide; nothing was written.",
    ),
    *(
        (
            409,
            code,
            RejectedError,
            CLASH,
            "Another process may be at work on the record; try again later.",
        )
        for code in ("", "Internal_EntityWithSameKeyExists", "Application_LockTimeout")
    ),
    (
        413,
        "",
        TooLargeError,
        LARGE,
        "Online the limit is 350 MB for a body and 20,000 records for a page.",
    ),
    *(
        (
            429,
            code,
            ThrottledError,
            "The quota of this user is used up.",
            "Try again later.",
        )
        for code in ("", "Application_TooManyRequests")
    ),
    (
        400,
        "BadRequest_InvalidToken",
        RejectedError,
        "The service misses a usable If-Match.",
        "Send If-Match with the picture's etag, or with *.",
    ),
    *(
        (
            400,
            f"Application_{code}",
            RejectedError,
            BUSINESS,
            (
                "Code inside Business Central refused the change: mend the record, or "
                "ask whoever maintains its extensions."
            ),
        )
        for code in (
            "DialogException",
            "EvaluateException",
            "StringExceededLength",
            "InvalidGUID",
            "CallbackNotAllowed",
            "FilterErrorException",
            "FieldValidationException",
        )
    ),
    (
        408,
        "",
        UnavailableError,
        "The service took too long for this.",
        "Ask for less at once, or try again later.",
    ),
    *(
        (status, code, UnavailableError, "The service is ill.", "Try again later.")
        for status, code in (
            (500, "Internal_ServerError"),
            (502, ""),
            (503, ""),
            (503, "Internal_TenantUnavailable"),
            (504, ""),
            (599, ""),
        )
    ),
    *(
        (
            status,
            "",
            AnswerError,
            "The service redirects, and a token follows no redirect.",
            "Give the address that it redirects to as the endpoint, if you trust it.",
        )
        for status in (301, 302, 307, 308)
    ),
]


@pytest.mark.parametrize(
    ("status", "code", "kind", "what", "advice"),
    [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in MEANINGS],
)
def test_every_status_and_code_becomes_one_error(
    status: int, code: str, kind: type[BcPictureError], what: str, advice: str
):
    failure = sent(status, code)
    error = error_for(failure)
    assert type(error) is kind
    assert error.failure is failure
    shown = f"[GET /x: {status} {code}".rstrip()
    assert str(error) == f"{what} {advice} {shown}]"


OTHERS = [
    (405, "BadRequest_MethodNotAllowed"),
    (501, "BadRequest_MethodNotImplemented"),
    (410, ""),
    (415, ""),
    *(
        (400, code)
        for code in (
            "",
            "BadRequest",
            "BadRequest_InvalidRequestUrl",
            "BadRequest_InvalidOperation",
            "BadRequest_RequiredParamNotProvided",
            "BadRequest_NotFound",
            "Internal_EntityWithSameKeyExists",
            "Internal_InvalidTableRelation",
            "Unknown",
        )
    ),
]


@pytest.mark.parametrize(
    ("status", "code"),
    [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in OTHERS],
)
def test_what_the_service_does_not_take_is_rejected_and_says_what_to_do(
    status: int, code: str
):
    error = error_for(sent(status, code))
    assert type(error) is RejectedError
    assert error.advice


def test_every_status_is_some_error_with_a_next_step():
    errors = [error_for(sent(status)) for status in [*range(300, 600), 600, 999]]
    assert all(error.what.endswith(".") for error in errors)
    assert not [error for error in errors if not error.advice.endswith(".")]


def test_a_failure_that_tells_nothing_is_still_an_error_of_ours():
    error = error_for(sent())
    assert isinstance(error, BcPictureError)
    assert error.advice


TROUBLES = {
    Trouble.CONNECT: (
        TransportError,
        (
            "The service cannot be reached. Check the address, the network and, for "
            "https, the certificate authority. [GET /x: no connection]"
        ),
    ),
    Trouble.DROPPED: (
        TransportError,
        (
            "The connection was lost before an answer came. Try again later. "
            "[GET /x: connection lost]"
        ),
    ),
    Trouble.STALLED: (
        StalledError,
        (
            "Nothing moved for longer than the time-out allows. "
            "Try again later, or raise the time-outs. [GET /x: nothing moved]"
        ),
    ),
    Trouble.CUT: (
        CutShortError,
        (
            "The answer ended before its announced length. Try again later. "
            "[GET /x: answer cut short]"
        ),
    ),
    Trouble.MALFORMED: (
        TransportError,
        (
            "The answer is not HTTP. Check the address and the port, and what stands "
            "between. [GET /x: not HTTP]"
        ),
    ),
    Trouble.HASTY: (
        AnswerError,
        (
            "A success was answered before the whole body had left. Look at what "
            "stands between you and Business Central. "
            "[GET /x: answered before the body had left]"
        ),
    ),
}


@pytest.mark.parametrize("trouble", Trouble, ids=lambda it: it.name.lower())
def test_every_trouble_becomes_one_error(trouble: Trouble):
    kind, text = TROUBLES[trouble]
    # A status may have come before the trouble; the trouble is what counts.
    for failure in (sent(trouble=trouble), sent(200, trouble=trouble)):
        error = error_for(failure)
        assert type(error) is kind
        assert str(error) == text


def test_the_words_of_the_service_are_repeated_between_what_and_advice():
    error = error_for(sent(400, "Application_DialogException", message="Blocked."))
    assert str(error) == (
        'Business logic refused the request. It says: "Blocked." Code inside '
        "Business Central refused the change: mend the record, or ask whoever "
        "maintains its extensions. [GET /x: 400 Application_DialogException]"
    )
