"""What is asked of a picture: the request for it, and what if the record is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import attrs
from yarl import URL

from bcpicture.core import urls
from bcpicture.core.dialects import Parent
from bcpicture.core.endpoints import Endpoint
from bcpicture.core.models import Picture
from bcpicture.core.wire import (
    READ_BYTES,
    READ_JSON,
    WRITE_BYTES,
    WRITE_BYTES_ANY,
    Operation,
    Request,
)
from bcpicture.errors import BcPictureError, CompanyNotFoundError, MissingError
from bcpicture.net.bodies import Body
from bcpicture.net.exchange import Exchange
from bcpicture.net.session import Consume
from bcpicture.resources.references import RecordRef

T = TypeVar("T")

Settle = Callable[[BcPictureError, Body | None], Awaitable[T]]
"""Finds out what became of a write: its result, or the error that it ends in."""


@attrs.frozen(eq=False)
class Errand:
    """What is asked, of whichever picture."""

    method: str
    """HTTP verb."""

    address: Callable[[Endpoint, str, Parent, str], URL]
    """Builds the address from endpoint, company, kind and record."""

    headers: Mapping[str, str]
    """All but those that a session adds."""

    operation: Operation = Operation.READ
    """What it is for."""


INFO = Errand("GET", urls.picture, READ_JSON)
"""What the service tells about the picture."""

CONTENT = Errand("GET", urls.picture_content, READ_BYTES)
"""Its bytes."""

REPLACE = Errand("PATCH", urls.picture_content, WRITE_BYTES_ANY, Operation.WRITE)
"""Other bytes, whatever was there before."""


def replacing(etag: str) -> Errand:
    """Other bytes, if the picture still has that etag."""
    headers = {**WRITE_BYTES, "If-Match": etag}
    return Errand("PATCH", urls.picture_content, headers, Operation.WRITE)


def deleting(etag: str) -> Errand:
    """No picture any more, if it still has that etag."""
    headers = {**READ_JSON, "If-Match": etag}
    return Errand("DELETE", urls.picture_entity, headers, Operation.WRITE)


_RECURRING = frozenset({INFO, CONTENT, REPLACE})


def known_request(of: RecordRef, errand: Errand) -> Request | None:
    """The request for *errand*, if no name has to be looked up for it."""
    company_id, record_id = of.company.known_id, of.known_id
    if company_id is None or record_id is None:
        return None
    request = _request(of, errand, company_id, record_id)
    if errand in _RECURRING:
        of.requests[errand] = request  # what the caller said does not change
    return request


async def request_for(of: RecordRef, errand: Errand, earlier: int = 0) -> Request:
    """The request for *errand*.

    Args:
        of: Whose picture.
        errand: What is asked.
        earlier: How often it was sent already, to an address that was not right.
    """
    company_id, record_id = await of.company.id(), await of.id()
    return _request(of, errand, company_id, record_id, earlier)


def _request(
    of: RecordRef, errand: Errand, company_id: str, record_id: str, earlier: int = 0
) -> Request:
    return Request(
        method=errand.method,
        url=errand.address(of.company.endpoint, company_id, of.parent, record_id),
        headers=errand.headers,
        operation=errand.operation,
        earlier=earlier,
    )


async def ask(
    of: RecordRef,
    errand: Errand,
    consume: Consume[T],
    body: Body | None = None,
    settle: Settle[T] | None = None,
    *,
    earlier: int | None = None,
) -> T:
    """Send a request; once more, if what was remembered turns out to be gone.

    Args:
        of: Whose picture.
        errand: What is asked.
        consume: Reads the reply.
        body: What to send with it.
        settle: Finds out what became of a request that failed in doubt.
        earlier: How often it was sent already; None unless this is once more.

    Raises:
        MissingError: The record or its company is not there.
    """
    request = None
    if earlier is None:
        request = of.requests.get(errand) or known_request(of, errand)
    if request is None:
        request = await request_for(of, errand, earlier or 0)
    try:
        try:
            return await of.company.session.call(request, consume, body)
        except BcPictureError as error:
            # Here, since one more coroutine would cost every upload a microsecond.
            if settle is None or error.failure is None or not error.failure.doubtful:
                raise
            return await settle(error, body)
    except MissingError as error:
        again = earlier is None and (body is None or body.replayable)
        if not again or not await of.forget():
            raise _named(of, error) from error
        sent = 0 if error.failure is None else error.failure.attempts
    return await ask(of, errand, consume, body, settle, earlier=sent)


def _named(of: RecordRef, error: MissingError) -> MissingError:
    """Say what is missing, rather than that something is."""
    failure = error.failure
    if type(error) is not MissingError or failure is None:
        return error
    if failure.code == "Internal_CompanyNotFound":
        return CompanyNotFoundError(of.company.name, failure=failure)
    missing = of.missing()
    missing.failure = failure
    return missing


async def read_info(exchange: Exchange) -> Picture:
    """Read what the service tells about the picture."""
    from bcpicture.core.decoding import read_picture

    return read_picture(await exchange.read())
