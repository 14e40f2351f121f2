"""Uploads and deletes that end in the truth, even if their reply is lost.

A write that failed in doubt is read back and compared. It ends in exactly one of: done,
a real conflict, not applied, or, only if the reading back fails too,
`OutcomeUnknownError`.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs

from bcpicture.core.decoding import read_picture
from bcpicture.core.failures import request_id
from bcpicture.core.guards import clean
from bcpicture.core.models import ANY, Any_, Picture
from bcpicture.core.outcomes import Outcome, judge
from bcpicture.core.wire import ETAG, Request
from bcpicture.errors import (
    AnswerError,
    BcPictureError,
    ConflictError,
    Failure,
    MissingError,
    OutcomeUnknownError,
    UsageError,
)
from bcpicture.net.bodies import Body, digest
from bcpicture.net.exchange import Exchange
from bcpicture.net.session import Session

_REPLY = 1 << 20
"""Bytes of a write's reply that are read; it is empty, or a small object."""


IfMatch: TypeAlias = str | Picture | Any_
"""What a picture must still be, to be replaced: an etag, a value with one, or `ANY`."""


def header_for(if_match: IfMatch) -> str:
    """The value of ``If-Match``.

    Raises:
        UsageError: It is empty; what that would do is documented nowhere.
    """
    if if_match is ANY:
        return "*"
    etag = if_match.etag if isinstance(if_match, Picture) else if_match
    if not isinstance(etag, str) or not etag.strip():
        raise UsageError(
            "if_match is empty.",
            advice="Give an etag, a Picture that has one, or ANY to replace anything.",
        )
    return clean(etag, "etag")


@attrs.define
class Written:
    """What a write was answered with."""

    etag: str | None = None
    """The new etag, if it was told."""

    attempts: int = 1
    """How often the request was sent."""

    request_id: str = ""
    """The service's id of the request."""


async def _read_reply(exchange: Exchange) -> Written:
    body = b"" if exchange.status == 204 else await exchange.read(_REPLY)
    etag = exchange.headers.get(ETAG)
    if body and etag is None:
        # A page of 2018 promises the object; the service answers nothing today.
        with contextlib.suppress(AnswerError):
            etag = read_picture(body).etag
    return Written(etag, exchange.number, request_id(exchange.headers))


async def digest_of_reply(exchange: Exchange) -> str | None:
    """SHA-256 of a picture that is read to its end; None if there is no picture."""
    sha256, empty = hashlib.sha256(), True
    while exchange.status != 204 and (chunk := await exchange.next_chunk()):
        sha256.update(chunk)
        empty = False
    return None if empty else sha256.hexdigest()


async def write(
    session: Session,
    request: Request,
    body: Body | None,
    look: Callable[[], Awaitable[str | None]],
) -> Written:
    """Send a write, and settle it if it failed in doubt.

    Args:
        session: Sends it.
        request: The PATCH or DELETE.
        body: What to send; None for a delete.
        look: Reads back: the digest of what is there, None if nothing is.

    Raises:
        ConflictError: Somebody else changed the picture before our attempt.
        OutcomeUnknownError: The reading back failed too.
        BcPictureError: Nothing was changed, for this reason.
    """
    try:
        return await session.call(request, _read_reply, body)
    except BcPictureError as error:
        if error.failure is None or not error.failure.doubtful:
            raise
        return await _settle(error, error.failure, body, look)


async def _found(look: Callable[[], Awaitable[str | None]]) -> str | None:
    """What is there; nothing, if by now the record itself is gone."""
    try:
        return await look()
    except MissingError:
        return None


async def _settle(
    error: BcPictureError,
    failure: Failure,
    body: Body | None,
    look: Callable[[], Awaitable[str | None]],
) -> Written:
    try:
        sent = None if body is None else await digest(body)
        found = await _found(look)
    except BcPictureError as second:
        raise OutcomeUnknownError(
            f"It is not known whether the {failure.method} took effect. {error.what}",
            advice=f"Reading it back failed too ({second.what}) Look before you "
            "repeat it.",
            failure=failure,
        ) from error
    outcome = judge(failure, sent=sent, found=found)
    if outcome is Outcome.DONE:
        return Written(attempts=failure.attempts, request_id=failure.correlation_id)
    settled = attrs.evolve(failure, doubtful=False)
    if outcome is Outcome.CONFLICT:
        raise ConflictError(
            "Somebody else changed the picture since its etag was read.",
            advice="Read `info()` again and decide; what was sent is not there.",
            failure=settled,
        ) from error
    plain = copy.copy(error)
    plain.what = f"{error.what} Read back: what was sent is not there."
    plain.failure = settled
    raise plain from error
