"""What stops a run before its first write: more would be lost than anybody expects."""

from __future__ import annotations

import re
from enum import Enum

import attrs

from bcpicture.errors import UsageError

_SPOKEN = re.compile(r"(?P<number>\d{1,12}(?:\.\d{1,6})?) ?(?P<percent>%?)")


class BrakeKind(Enum):
    """Which brake it is."""

    MAX_REPLACE = "max_replace"
    """More would be replaced than is allowed."""

    MAX_DELETE = "max_delete"
    """More would be deleted than is allowed."""

    OTHER_MATCHING = "matching"
    """Files are matched in another way than in the last run, and some would go."""

    LISTING = "listing"
    """A listing did not end cleanly, and what it did not tell would go."""

    EMPTY_SOURCE = "source"
    """The source is empty, and all that came from it would go."""

    NO_MARKER = "require_file"
    """The file is not there by which the right source is known."""

    BACKWARDS = "backwards"
    """Records are older than they were: a restored or copied environment."""

    STRANGE = "strange"
    """Most of what is known has changed or is gone: another environment."""


@attrs.frozen(kw_only=True)
class Brake:
    """One reason not to begin."""

    kind: BrakeKind
    """Which one."""

    count: int = 0
    """How many it is about."""

    limit: int = 0
    """How many are allowed."""

    of: int = 0
    """How many there are."""

    option: str
    """Name of the option that lifts it."""

    text: str
    """What is the matter and which option lifts it, in words."""

    def __str__(self) -> str:
        return self.text


@attrs.frozen
class Limit:
    """How many, as a number or as a share of what there is."""

    count: int | None = None
    """That many, whatever there is; None for a share."""

    share: float | None = attrs.field(default=None, kw_only=True)
    """This part of what there is, from 0 to 1; None for a number, or for no limit."""

    least: int = attrs.field(default=0, kw_only=True)
    """So many are allowed even if the share of few is less."""

    def among(self, total: int) -> int | None:
        """How many of *total* are allowed; None: any number."""
        if self.count is not None or self.share is None:
            return self.count
        # Rounded up, and in whole millionths, since 0.05 * 20 need not be 1.
        share = -(-total * round(self.share * 1_000_000) // 1_000_000)
        return max(self.least, share)

    def __str__(self) -> str:
        if self.share is None:
            return "no limit" if self.count is None else str(self.count)
        least = f", at least {self.least}" if self.least else ""
        return f"{self.share * 100:g} %{least}"


def limit_of(given: int | str | Limit | None) -> Limit:
    """Understand what a user says: ``200``, ``"5%"``, a limit, None for none.

    Raises:
        UsageError: It is none of these.
    """
    if given is None or isinstance(given, Limit):
        return given or Limit()
    spoken = _SPOKEN.fullmatch(str(given).strip())
    if not spoken or (not spoken["percent"] and "." in spoken["number"]):
        raise UsageError(
            f"{given!r} is no limit.",
            advice="Say how many, such as 200, or how much of them, such as 5%.",
        )
    if not spoken["percent"]:
        return Limit(int(spoken["number"]))
    return Limit(share=min(1.0, float(spoken["number"]) / 100))


REPLACE = Limit(share=0.10, least=50)
"""How many pictures a run replaces unless it is told otherwise."""

DELETE = Limit(share=0.05)
"""How many pictures a run deletes unless it is told otherwise."""

_MANY = 10
"""Known pictures that must have changed or gone before they are called most."""
