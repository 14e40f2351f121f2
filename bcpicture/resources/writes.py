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

from bcpicture.core.failures import request_id
from bcpicture.core.guards import clean
from bcpicture.core.models import ANY, Any_, Picture
from bcpicture.core.outcomes import Outcome, judge
from bcpicture.core.wire import DATE, ETAG
from bcpicture.errors import (
    AnswerError,
    BcPictureError,
    ConflictError,
    MissingError,
    OutcomeUnknownError,
    UsageError,
)
from bcpicture.net.bodies import HEAD, Body, HashedBody, hashed
from bcpicture.net.exchange import Exchange
from bcpicture.net.progress import MeteredBody
from bcpicture.net.session import Session

_LOOKS = 2
"""How often it is read back when it may have been cut on the way."""

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


def etag_of_nothing(info: Picture, of: str) -> str:
    """The value of ``If-Match`` for a picture that is not there.

    Raises:
        ConflictError: It is there.
    """
    if info.exists:
        raise ConflictError(
            f"There is a picture of {of} already.",
            advice="Leave only_if_absent out to replace it.",
        )
    return info.etag or "*"


@attrs.define
class Written:
    """What a write was answered with."""

    etag: str | None = None
    """The new etag, if it was told."""

    attempts: int = 1
    """How often the request was sent."""

    request_id: str = ""
    """The service's id of the request."""

    answered: str = ""
    """The header ``Date``; empty after a lost reply."""


async def read_reply(exchange: Exchange) -> Written:
    """Read what a write was answered with."""
    body = b"" if exchange.status == 204 else await exchange.read(_REPLY)
    headers = exchange.headers
    etag = headers.get(ETAG)
    if body and etag is None:
        # A page of 2018 promises the object; the service answers nothing today.
        from bcpicture.core.decoding import read_picture

        with contextlib.suppress(AnswerError):
            etag = read_picture(body).etag
    answered = headers.get(DATE, "")
    return Written(etag, exchange.number, request_id(headers), answered)


@attrs.frozen
class Look:
    """What is there after a write in doubt."""

    sha256: str | None = None
    """Digest of its bytes; None if nothing is there."""

    size: int = 0
    """How many they are."""

    head: bytes = b""
    """The first of them."""

    def may_be_cut(self, size: int, head: bytes) -> bool:
        """Whether it is the beginning of *size* bytes that begin with *head*.

        A proxy that closes a body too early, but neatly, cannot be told from the end.
        """
        return 0 < self.size < size and head.startswith(self.head)


def patient(session: Session) -> Session:
    """For a look, which may be repeated freely, whatever was wanted of the write."""
    policy = attrs.evolve(session.policy, attempts=max(3, session.policy.attempts))
    return attrs.evolve(session, policy=policy)


async def look_at(exchange: Exchange) -> Look:
    """A picture that is read to its end."""
    sha256, size, head = hashlib.sha256(), 0, b""
    while exchange.status != 204 and (chunk := await exchange.next_chunk()):
        sha256.update(chunk)
        size += len(chunk)
        head += chunk[: HEAD - len(head)]
    if size:
        return Look(sha256.hexdigest(), size, head)
    if exchange.status != 204:
        raise AnswerError(
            "A picture of no bytes came back.",
            advice="Look at what stands between you and Business Central.",
        )
    return Look()


async def _found(look: Callable[[], Awaitable[Look]], sent: HashedBody | None) -> Look:
    """What is there; nothing, if by now the record itself is gone."""
    found = Look()
    for _ in range(_LOOKS):
        try:
            found = await look()
        except MissingError:
            return Look()
        if sent is None or not found.may_be_cut(sent.size, sent.head):
            return found
    raise AnswerError(
        f"Only the first {found.size} bytes of what was sent came back.",
        advice="Look at what stands between you and Business Central.",
    )


async def settle(
    error: BcPictureError, body: Body | None, look: Callable[[], Awaitable[Look]]
) -> Written:
    """Find out what became of a write that failed in doubt.

    Args:
        error: What its session made of it.
        body: What was sent; None for a delete.
        look: Reads back what is there.

    Raises:
        ConflictError: Somebody else changed the picture before our attempt.
        OutcomeUnknownError: The reading back failed too.
        BcPictureError: Nothing was changed, for this reason.
    """
    failure = error.failure
    if failure is None:
        raise error
    try:
        body = body.inner if isinstance(body, MeteredBody) else body
        sent = None if body is None else await hashed(body)
        found = await _found(look, sent)
    except BcPictureError as second:
        raise OutcomeUnknownError(
            f"It is not known whether the {failure.method} took effect. {error.what}",
            advice=f"Reading it back failed too ({second.what}) Look before you "
            "repeat it.",
            failure=failure,
        ) from error
    outcome = judge(
        failure, sent=None if sent is None else sent.sha256, found=found.sha256
    )
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
