"""What a visitor is told when there is no picture to show: one table.

Only a status and a sentence go out. What really happened names companies, addresses and
apps; it stays in the error, for the log.
"""

from __future__ import annotations

from math import ceil, isfinite

import attrs

from bcpicture.core.serving import GUARDS
from bcpicture.errors import (
    AnswerError,
    AuthenticationError,
    BcPictureError,
    ClosedError,
    ConflictError,
    MissingError,
    OutcomeUnknownError,
    ReplayError,
    ServiceError,
    SourceError,
    StalledError,
    ThrottledError,
    TooLargeError,
    TransportError,
    UnavailableError,
    UnfitPictureError,
)

_SOON = 5
"""Seconds after which to come back, if the service did not say."""

_LATEST = 3600
"""Seconds after which to come back, whatever the service said."""

_NOT_NOW = "The picture cannot be had just now."
_NOT_HAD = "The picture could not be had."

# Read from the top: the narrow classes first.
_STATUSES: tuple[tuple[type[BcPictureError], int, str], ...] = (
    (MissingError, 404, "There is no such picture."),
    (ConflictError, 409, "Somebody else changed the picture."),
    (TooLargeError, 413, "The picture is too large."),
    (ReplayError, 503, _NOT_NOW),
    (UnfitPictureError, 415, "These bytes are no picture that would show."),
    (SourceError, 400, "The picture did not arrive."),
    (ThrottledError, 503, _NOT_NOW),
    (UnavailableError, 503, _NOT_NOW),
    (ClosedError, 503, _NOT_NOW),
    (StalledError, 504, _NOT_HAD),
    (TransportError, 502, _NOT_HAD),
    (AnswerError, 502, _NOT_HAD),
    (AuthenticationError, 502, _NOT_HAD),
    (ServiceError, 502, _NOT_HAD),
    (OutcomeUnknownError, 502, "It is not known whether the picture was stored."),
    (BcPictureError, 500, _NOT_HAD),
)


@attrs.frozen(kw_only=True)
class Refusal:
    """An answer without a picture."""

    status: int
    """HTTP status."""

    text: str
    """One sentence for whoever sees it."""

    retry_after: int | None = None
    """Seconds after which it may be different; None if that is not known."""

    def headers(self) -> dict[str, str]:
        """Its headers; nobody shall keep it."""
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(self.text.encode())),
            "Cache-Control": "no-store",
            **GUARDS,
        }
        if self.retry_after is not None:
            headers["Retry-After"] = str(self.retry_after)
        return headers


UNSHOWABLE = Refusal(status=404, text="There is no picture that can be shown.")
"""For bytes that are no harmless picture."""


def refusal_for(error: BcPictureError) -> Refusal:
    """What the public is told of *error*."""
    _, status, text = next(row for row in _STATUSES if isinstance(error, row[0]))
    wait = _wait(error) if status == 503 else None
    return Refusal(status=status, text=text, retry_after=wait)


def _wait(error: BcPictureError) -> int:
    asked = error.failure.retry_after if error.failure else None
    if asked is None or not isfinite(asked):
        return _SOON
    return min(max(1, ceil(asked)), _LATEST)
