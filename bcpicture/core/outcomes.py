"""What became of a write whose reply was lost: judged by what is there afterwards."""

from __future__ import annotations

from enum import Enum

from bcpicture.core.retries import is_stale
from bcpicture.errors import Failure


class Outcome(Enum):
    """How a write ended."""

    DONE = "done"
    """What was sent is there."""

    CONFLICT = "conflict"
    """Something else is there, and it was there before our attempt."""

    NOT_APPLIED = "not applied"
    """Something else is there, and the service refused or lost what was sent."""


def judge(failure: Failure, *, sent: str | None, found: str | None) -> Outcome:
    """Judge a write that failed in doubt, after reading back.

    An etag that turns stale between two attempts of ours was probably made stale by
    the first of them. Then the bytes are ours, and there is no conflict.

    Args:
        failure: How the last attempt failed.
        sent: Digest of what was sent; None for a delete.
        found: Digest of what is there; None if nothing is.
    """
    if found == sent:
        return Outcome.DONE
    return Outcome.CONFLICT if is_stale(failure) else Outcome.NOT_APPLIED
