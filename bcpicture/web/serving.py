"""From a picture and a visitor's request to the answer."""

from __future__ import annotations

import logging

from bcpicture.core.media import sniff
from bcpicture.core.refusals import UNSHOWABLE, refusal_for
from bcpicture.core.revalidation import not_modified, strong_etag
from bcpicture.core.serving import Rules, headers_for, standing_headers
from bcpicture.errors import BcPictureError, MissingError, UsageError
from bcpicture.resources.pictures import PictureHandle
from bcpicture.web.arrivals import Arrival
from bcpicture.web.buffers import Buffers, shared
from bcpicture.web.served import Served

_RULES = Rules()

_log = logging.getLogger(__name__)


async def serve(
    picture: PictureHandle,
    *,
    method: str = "GET",
    if_none_match: str | None = None,
    name: str = "",
    rules: Rules = _RULES,
    buffers: Buffers | None = None,
) -> Served:
    """The answer to a visitor who asks for *picture*.

    What goes wrong becomes an answer, too, which tells the visitor nothing that is not
    meant for the public; the log has the rest, and so has `Served.error`.

    Args:
        picture: Of which record.
        method: Of the visitor's request, GET or HEAD. The service has no HEAD, so it
            costs the same.
        if_none_match: The visitor's ``If-None-Match``.
        name: What the file is called if the visitor saves it; the extension is found.
        rules: How pictures appear on the site.
        buffers: Where bodies wait; None for those that all on this event loop share.

    Raises:
        UsageError: The method is another one.
    """
    if method not in {"GET", "HEAD"}:
        raise UsageError(
            f"A picture is not served in answer to {method!r}.",
            advice="Route GET and HEAD here, and call upload() or delete() for others.",
        )
    buffers = shared() if buffers is None else buffers
    bodiless = method == "HEAD"
    try:
        arrival = await buffers.arrive(picture)
    except BcPictureError as error:
        return _refuse(error, bodiless=bodiless)
    status, headers = _decide(arrival, if_none_match, name, rules)
    if status == 200 and not bodiless:
        served = Served(status, headers, arrival=arrival)
        buffers.watch(served)
        return served
    await arrival.aclose()
    if status == 404:
        return Served.refusal(UNSHOWABLE, bodiless=bodiless)
    return Served(status, headers)


def _decide(
    arrival: Arrival, if_none_match: str | None, name: str, rules: Rules
) -> tuple[int, dict[str, str]]:
    kept = arrival.kept
    kind = sniff(kept.head)
    etag = None if kept.sha256 is None else strong_etag(kept.sha256)
    if not rules.shows(kind):
        return UNSHOWABLE.status, {}
    if not_modified(if_none_match, etag):
        return 304, standing_headers(rules, etag=etag)
    length = arrival.length
    return 200, headers_for(kind, rules, length=length, etag=etag, name=name)


def refuse(error: BcPictureError) -> Served:
    """The answer to a visitor whose upload or deletion ended in *error*."""
    return _refuse(error, bodiless=False)


def _refuse(error: BcPictureError, *, bodiless: bool) -> Served:
    refusal = refusal_for(error)
    level = logging.DEBUG if isinstance(error, MissingError) else logging.WARNING
    _log.log(level, "a visitor gets %d: %s", refusal.status, error)
    return Served.refusal(refusal, error=error, bodiless=bodiless)
