"""What an examination of a connection finds, and what each finding advises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum

import attrs

from bcpicture.errors import BcPictureError

_SKEW = 120.0
"""Seconds that clocks may differ by, the age of a date in whole seconds included."""

_SLOW = 2.0
"""Seconds of a round trip from which on it is worth a word."""


class Verdict(Enum):
    """How a check ended."""

    GOOD = "ok"
    """As it should be."""

    DOUBTFUL = "warning"
    """It works, but somebody should look at it."""

    BAD = "failed"
    """It does not work."""

    SKIPPED = "skipped"
    """Not checked, as something before it failed."""


@attrs.frozen(kw_only=True)
class Finding:
    """What one check found."""

    check: str
    """What was checked, in a word or two."""

    verdict: Verdict
    """How it ended."""

    what: str
    """What was found, one sentence."""

    remedy: str = ""
    """What to do about it; empty if there is nothing to do."""

    error: BcPictureError | None = attrs.field(default=None, repr=False)
    """What was raised; None if nothing was."""


def good(check: str, what: str) -> Finding:
    """All is well."""
    return Finding(check=check, verdict=Verdict.GOOD, what=what)


def doubtful(check: str, what: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(check=check, verdict=Verdict.DOUBTFUL, what=what, remedy=remedy)


def bad(check: str, error: BcPictureError) -> Finding:
    """It does not work; the error knows what to do."""
    told = f"{error.what} [{error.failure}]" if error.failure else error.what
    return Finding(
        check=check, verdict=Verdict.BAD, what=told, remedy=error.advice, error=error
    )


def skipped(check: str, after: str) -> Finding:
    """Not checked, since *after* failed."""
    what = f"Not checked, as {after} failed."
    return Finding(check=check, verdict=Verdict.SKIPPED, what=what)


def clock_finding(date: str | None, *, now: float) -> Finding:
    """By how much our clock and the server's differ.

    Args:
        date: The header ``Date`` of a reply.
        now: Our seconds since the epoch, when it came.
    """
    try:
        moment = parsedate_to_datetime(date or "")
    except (ValueError, TypeError):
        return doubtful(
            "clock", "The server does not tell the time.", "Nothing, most likely."
        )
    skew = now - moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if abs(skew) <= _SKEW:
        return good("clock", f"It differs from the server's by {abs(skew):.0f} s.")
    way = "ahead of" if skew > 0 else "behind"
    return doubtful(
        "clock",
        f"It is {abs(skew):,.0f} s {way} the server's.",
        "Set the machine's clock (NTP): tokens and moments in filters depend on it.",
    )


def round_trip_finding(seconds: Sequence[float]) -> Finding:
    """How long a small request takes, from a few of them."""
    median = sorted(seconds)[len(seconds) // 2]
    what = f"A small request takes {median * 1000:,.0f} ms."
    if median < _SLOW:
        return good("round trip", what)
    return doubtful(
        "round trip",
        what,
        "Look at the way to the server, and at its load: five at once is all that one "
        "user gets.",
    )
