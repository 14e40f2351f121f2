"""What stops a run before its first write: more would be lost than anybody expects."""

from __future__ import annotations

import re
from collections.abc import Iterator
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

_REBASE = (
    "Say rebase=True (--rebase) once: everything is compared by its bytes, and nothing "
    "is deleted."
)
_ONCE_WITHOUT = {
    BrakeKind.OTHER_MATCHING: "Run once without delete (--delete), then with it.",
    BrakeKind.LISTING: "Mend that, or run without delete (--delete).",
    BrakeKind.EMPTY_SOURCE: "Look at it, or run without delete (--delete).",
}
_MANY = 10
"""Known pictures that must have changed or gone before they are called most."""


def too_many(
    kind: BrakeKind, count: int, allowed: Limit, of: int, done: str
) -> Iterator[Brake]:
    """The brake for more than is allowed.

    Args:
        kind: `BrakeKind.MAX_REPLACE` or `BrakeKind.MAX_DELETE`.
        count: How many there would be.
        allowed: How many there may be.
        of: How many there are.
        done: What would become of them, such as ``pictures would be replaced``.
    """
    limit = allowed.among(of)
    if limit is None or count <= limit:
        return
    flag = kind.value.replace("_", "-")
    yield Brake(
        kind=kind,
        count=count,
        limit=limit,
        of=of,
        option=kind.value,
        text=(
            f"{count} of {of} {done}, and at most {limit} may be ({allowed}). Look at "
            f"them in a dry run; if they are right, say {kind.value}={count} "
            f"(--{flag} {count})."
        ),
    )


@attrs.frozen(kw_only=True)
class Strangeness:
    """How much of what is remembered does not fit what is there."""

    backwards: int = 0
    """Records that are older than they were."""

    odd: int = 0
    """Known pictures that somebody else changed, or that are gone."""

    known: int = 0
    """Known pictures."""

    def brakes(self) -> Iterator[Brake]:
        """The brakes that follow from it."""
        if self.backwards:
            yield Brake(
                kind=BrakeKind.BACKWARDS,
                count=self.backwards,
                of=self.known,
                option="rebase",
                text=(
                    f"{self.backwards} records are older than they were in the last "
                    f"run, as in an environment that was restored. {_REBASE}"
                ),
            )
        if self.odd >= _MANY and 2 * self.odd > self.known:
            yield Brake(
                kind=BrakeKind.STRANGE,
                count=self.odd,
                limit=self.known // 2,
                of=self.known,
                option="rebase",
                text=(
                    f"{self.odd} of {self.known} known pictures were changed by others "
                    f"or are gone, as in an environment that was copied. {_REBASE}"
                ),
            )


def unsafe_deletions(
    count: int,
    *,
    clean: bool,
    same_matching: bool = True,
    empty: bool = False,
    what: str = "pictures",
) -> Iterator[Brake]:
    """The brakes for deletions that may rest on a mistake.

    Args:
        count: How many there would be.
        clean: Whether every listing ended without an error.
        same_matching: Whether files are matched as in the last run.
        empty: Whether nothing at all is in the source.
        what: What would go.
    """
    if not count:
        return
    told = f"{count} {what} would be deleted, but"
    found = (
        (
            same_matching,
            BrakeKind.OTHER_MATCHING,
            "files are matched in another way than in the last run",
        ),
        (clean, BrakeKind.LISTING, "a listing did not tell everything that is there"),
        (not empty, BrakeKind.EMPTY_SOURCE, "the source is empty, or not connected"),
    )
    for fine, kind, matter in found:
        if not fine:
            yield Brake(
                kind=kind,
                count=count,
                option="delete",
                text=f"{told} {matter}. {_ONCE_WITHOUT[kind]}",
            )


def no_marker(name: str) -> Brake:
    """The brake for a source without the file by which it is known."""
    return Brake(
        kind=BrakeKind.NO_MARKER,
        option="require_file",
        text=(
            f"The file {name} is not there, so this is not the right folder, or it is "
            "not connected. Connect it, or leave require_file (--require-file) out."
        ),
    )
