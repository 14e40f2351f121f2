"""What the reply of a request that failed tells: code, message, ids, when to return."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import attrs
from multidict import MultiMapping, istr

from bcpicture.errors import Failure, quote

# Of failures alone: compiled when one comes.
_CORRELATION = r"\s*CorrelationId:\s+(?P<id>[0-9a-fA-F-]{36})\.?\s*$"
_CLAIMS = r'claims="(?P<claims>[A-Za-z0-9+/=_-]+)"'
_ID = istr("request-id")
_OTHER_ID = istr("ms-correlation-x")
_THIRD_ID = istr("x-ms-correlation-request-id")


def request_id(headers: Mapping[str, str]) -> str:
    """The service's id of a request, from the headers of its reply."""
    return headers.get(_ID) or headers.get(_OTHER_ID) or headers.get(_THIRD_ID) or ""


def parse_retry_after(text: str | None, *, now: float) -> float | None:
    """Seconds to wait, from a ``Retry-After`` header.

    Args:
        text: Seconds, or a date as HTTP writes it.
        now: Seconds since the epoch, for the date.

    Returns:
        None when there is no header, or none that makes sense.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    moment = moment_of(text)
    try:
        return None if moment is None else max(0.0, moment.timestamp() - now)
    except (ValueError, OverflowError):
        return None


def moment_of(text: str) -> datetime | None:
    """A date as HTTP writes it; None if it makes no sense."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    # HTTP knows no other zone.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _all(headers: Mapping[str, str], name: str) -> str | None:
    """All headers of one name as one; servers offer each scheme in its own."""
    if isinstance(headers, MultiMapping):
        return ", ".join(headers.getall(name, ()))
    return headers.get(name)


def _envelope(body: bytes) -> tuple[str, str]:
    """Code and message of an error body; empty ones if it is none of the service's."""
    try:
        error: Any = json.loads(body)["error"]
        return str(error.get("code") or ""), str(error.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return "", ""


def claims_challenge(header: str | None) -> str | None:
    """The claims that a ``WWW-Authenticate`` header demands, as JSON text."""
    found = re.search(_CLAIMS, header or "")
    if not found:
        return None
    padded = found["claims"] + "=" * (-len(found["claims"]) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_").decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def read_failure(
    failure: Failure, headers: Mapping[str, str], body: bytes, *, now: float
) -> Failure:
    """Complete *failure* by what the reply tells."""
    code, message = _envelope(body)
    correlation = request_id(headers)
    if found := re.search(_CORRELATION, message):
        message, correlation = message[: found.start()], found["id"]
    return attrs.evolve(
        failure,
        code=quote(code),
        message=quote(message),
        correlation_id=quote(correlation),
        retry_after=parse_retry_after(headers.get("Retry-After"), now=now),
        claims=claims_challenge(_all(headers, "WWW-Authenticate")),
    )
