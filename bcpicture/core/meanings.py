"""Which of our errors a failure becomes, and what its text advises: one table.

The service documents no status for its codes and words its messages in the caller's
language, so status and code decide, never the text (Microsoft, "Error codes").
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

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

_REGISTER = (
    "Register the app inside Business Central too (page 'Microsoft Entra "
    "applications': state Enabled, permission sets assigned); on premises the server "
    "must list the audience https://api.businesscentral.dynamics.com in "
    "ValidAudiences, or user and web service access key are wrong."
)
_PERMISSIONS = (
    "Give the app a permission set with read and modify on 'Picture Entity' and on "
    "the table of the record, such as D365 BUS FULL ACCESS."
)
_SWITCH_ON = (
    "Switch the API on: on premises, set ApiServicesEnabled on the server instance "
    "and restart it."
)
_IF_MATCH = "Send If-Match with the picture's etag, or with *."
_BUSINESS = (
    "Code inside Business Central refused the change: mend the record, or ask whoever "
    "maintains its extensions."
)
_MEND = "Mend the request: it would be refused again as it is."
_SMALLER = "Online the limit is 350 MB for a body and 20,000 records for a page."
_LATER = "Try again later."


@attrs.frozen
class _Meaning:
    """What a status and the beginning of a code stand for."""

    status: frozenset[int]
    code: str
    error: type[BcPictureError]
    what: str
    advice: str = ""


def _when(*status: int) -> frozenset[int]:
    return frozenset(status)


_CONFLICT = "Somebody else changed the picture since its etag was read."
_READ_AGAIN = "Read `info()` again and decide; nothing was written."

# Read from the top; the first row that fits decides.
_MEANINGS = (
    _Meaning(
        _when(401),
        "",
        AccessDeniedError,
        "Business Central does not accept the credentials.",
        _REGISTER,
    ),
    _Meaning(
        _when(403),
        "",
        AccessDeniedError,
        "Business Central does not allow this.",
        _PERMISSIONS,
    ),
    _Meaning(
        _when(400, 404),
        "Internal_CompanyNotFound",
        MissingError,
        "There is no such company.",
        "List the companies with `bc.companies`.",
    ),
    _Meaning(
        _when(400, 404),
        "Internal_RecordNotFound",
        MissingError,
        "There is no such record.",
        "Check its id, and the company.",
    ),
    _Meaning(
        _when(400, 404),
        "Internal_DataNotFoundFilter",
        MissingError,
        "There is no such record.",
        "Check its id, and the company.",
    ),
    _Meaning(
        _when(404),
        "",
        MissingError,
        "There is nothing at this address.",
        "Check the environment, the API version and the id.",
    ),
    _Meaning(
        _when(405),
        "BadRequest",
        RejectedError,
        "The service does not take this verb here.",
        "Check the API version of the endpoint.",
    ),
    _Meaning(
        _when(405),
        "",
        ApiSwitchedOffError,
        "This server does not offer the API.",
        _SWITCH_ON,
    ),
    _Meaning(
        _when(409), "Request_EntityChanged", ConflictError, _CONFLICT, _READ_AGAIN
    ),
    _Meaning(_when(412), "", ConflictError, _CONFLICT, _READ_AGAIN),
    _Meaning(
        _when(409),
        "",
        RejectedError,
        "The service reports a conflict that is not about the picture's etag.",
        "Another process may be at work on the record; try again later.",
    ),
    _Meaning(
        _when(413),
        "",
        TooLargeError,
        "The body, or the page asked for, is larger than the service takes.",
        _SMALLER,
    ),
    _Meaning(
        _when(429), "", ThrottledError, "The quota of this user is used up.", _LATER
    ),
    _Meaning(
        _when(400),
        "BadRequest_InvalidToken",
        RejectedError,
        "The service misses a usable If-Match.",
        _IF_MATCH,
    ),
    _Meaning(
        frozenset(range(400, 500)),
        "Application_",
        RejectedError,
        "Business logic refused the request.",
        _BUSINESS,
    ),
    _Meaning(
        _when(408),
        "",
        UnavailableError,
        "The service took too long for this.",
        "Ask for less at once, or try again later.",
    ),
    _Meaning(
        _when(501),
        "",
        RejectedError,
        "The service does not know how to do this.",
        _MEND,
    ),
    _Meaning(
        frozenset(range(500, 600)), "", UnavailableError, "The service is ill.", _LATER
    ),
    _Meaning(
        frozenset(range(300, 400)),
        "",
        AnswerError,
        "The service redirects, and a token follows no redirect.",
        "Give the address that it redirects to as the endpoint, if you trust it.",
    ),
    _Meaning(
        frozenset(range(1000)),
        "",
        RejectedError,
        "The service does not accept the request.",
        _MEND,
    ),
)

_TROUBLES: Mapping[Trouble, tuple[type[BcPictureError], str, str]] = {
    Trouble.CONNECT: (
        TransportError,
        "The service cannot be reached.",
        "Check the address, the network and, for https, the certificate authority.",
    ),
    Trouble.DROPPED: (
        TransportError,
        "The connection was lost before an answer came.",
        _LATER,
    ),
    Trouble.STALLED: (
        StalledError,
        "Nothing moved for longer than the time-out allows.",
        "Try again later, or raise the time-outs.",
    ),
    Trouble.CUT: (
        CutShortError,
        "The answer ended before its announced length.",
        _LATER,
    ),
    Trouble.MALFORMED: (
        TransportError,
        "The answer is not HTTP.",
        "Check the address and the port, and what stands between.",
    ),
    Trouble.HASTY: (
        AnswerError,
        "A success was answered before the whole body had left.",
        "Look at what stands between you and Business Central.",
    ),
}


def error_for(failure: Failure) -> BcPictureError:
    """The error that *failure* is raised as."""
    if failure.trouble:
        kind, what, advice = _TROUBLES[failure.trouble]
    else:
        meaning = next(
            row
            for row in _MEANINGS
            if (failure.status or 0) in row.status and failure.code.startswith(row.code)
        )
        kind, what, advice = meaning.error, meaning.what, meaning.advice
    if failure.message:
        what = f'{what} It says: "{failure.message}"'
    return kind(what, advice=advice, failure=failure)
