"""How it ended: one value for each step, and one for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

import attrs

from bcpicture.core.models import Downloaded, Uploaded
from bcpicture.core.steps import Adopt, Download, Remove, Step, Upload
from bcpicture.errors import BcPictureError


class Ending(StrEnum):
    """What became of a step."""

    UPLOADED = "uploaded"
    """The file's picture is at the record, and was looked at there."""

    DOWNLOADED = "downloaded"
    """The record's picture is in the file."""

    DELETED = "deleted"
    """The record has no picture any more."""

    REMOVED = "removed"
    """The file is gone."""

    ADOPTED = "adopted"
    """Both sides held the same bytes: only the journal changed."""

    UNCHANGED = "unchanged"
    """What was planned was so already."""

    KEPT = "kept"
    """Nothing was touched, on purpose."""

    EQUAL = "equal"
    """File and picture hold the same bytes; `Outcome.before` tells of the file, and
    `Outcome.after` of the picture, here and for what differs."""

    DIFFERS = "differs"
    """They do not."""

    ONLY_HERE = "only here"
    """There is a file, and no picture for it."""

    ONLY_THERE = "only there"
    """There is a picture, and no file for it."""

    FAILED = "failed"
    """It was not achieved, or somebody undid it at once."""

    STOPPED = "stopped"
    """The run ended before it began."""


CHANGES = frozenset(
    {Ending.UPLOADED, Ending.DOWNLOADED, Ending.DELETED, Ending.REMOVED}
)
"""The endings of steps that changed something."""


@attrs.frozen(kw_only=True)
class Outcome:
    """How one step ended."""

    step: Step
    """What was planned, and why."""

    ending: Ending
    """What became of it."""

    note: str = ""
    """What turned out otherwise than planned, in words; empty if nothing did."""

    result: Uploaded | Downloaded | None = None
    """What was sent or written; None if nothing was."""

    before: str | None = None
    """SHA-256 of the bytes that were replaced or taken away; None if there were none,
    or nobody read them."""

    saved: bool = False
    """Whether those bytes are in the backup."""

    after: str | None = None
    """SHA-256 of the bytes that are there now; None if none are, or nobody knows."""

    error: BcPictureError | OSError | None = None
    """Why it failed; None when it did not."""

    seconds: float = 0.0
    """How long it took, waiting and retries included, without the look at the end."""

    @property
    def changed(self) -> bool:
        """Whether something is otherwise than before, on either side."""
        return self.ending in CHANGES or self.result is not None

    @property
    def number(self) -> str:
        """What people know the record by."""
        return self.step.number

    @property
    def reason(self) -> str:
        """Why the step was planned."""
        return self.step.reason

    @property
    def file(self) -> str:
        """The file, relative to its folder; empty as long as it has no name."""
        if isinstance(self.result, Downloaded) and self.result.path:
            return self.result.path.name
        if isinstance(self.step, Upload | Adopt | Remove):
            return self.step.file.name
        if isinstance(self.step, Download):
            return self.step.file.name if self.step.file else ""
        return self.step.name

    @property
    def size(self) -> int:
        """Bytes that were sent or written."""
        return self.result.size if self.result else 0

    @property
    def attempts(self) -> int:
        """How often it was tried; 0 when nothing was sent."""
        if self.result:
            return self.result.attempts
        return self.error.attempts if isinstance(self.error, BcPictureError) else 0

    @property
    def cause(self) -> str:
        """The kind of failure, the same for all that failed alike; empty without."""
        if self.error is None:
            return ""
        failure = self.error.failure if isinstance(self.error, BcPictureError) else None
        code = failure.code if failure else ""
        return " ".join(filter(None, (type(self.error).__name__, code)))


@attrs.frozen(kw_only=True)
class Failed:
    """A step that failed, in words: small enough to keep thousands."""

    number: str
    """What people know the record by."""

    file: str
    """The file, as far as there is one."""

    cause: str
    """The kind of failure, the same for all that failed alike."""

    reason: str
    """What happened to this one, and what to do about it."""


@attrs.frozen(kw_only=True)
class Report:
    """What a run achieved."""

    run: str = ""
    """What the journal calls it; empty for a run that writes nothing there."""

    counts: Mapping[Ending, int] = attrs.field(factory=dict)
    """How many steps ended in each way; what was unchanged from the start is not
    among the steps."""

    failures: tuple[Failed, ...] = ()
    """Everything that failed."""

    size: int = 0
    """Bytes that were sent or written."""

    retries: int = 0
    """Attempts beyond the first of each."""

    replaced: int = 0
    """Pictures, or files, that were others before, or are gone."""

    saved: int = 0
    """How many of those are in the backup."""

    stopped: bool = False
    """Whether it ended before it was through."""

    @property
    def done(self) -> int:
        """Steps that changed something, on either side."""
        return sum(self.counts.get(ending, 0) for ending in CHANGES)

    @property
    def summary(self) -> str:
        """It in one line: ``3 uploaded, 1 failed``."""
        parts = [
            f"{self.counts[ending]} {ending}"
            for ending in Ending
            if self.counts.get(ending)
        ]
        return ", ".join(parts) or "nothing to do"

    def by_cause(self) -> Mapping[str, tuple[Failed, ...]]:
        """Return the failures by their cause, the most frequent first."""
        groups: dict[str, tuple[Failed, ...]] = {}
        for failed in self.failures:
            groups[failed.cause] = (*groups.get(failed.cause, ()), failed)
        return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


class Tally:
    """Counts outcomes as they come; memory grows with the failures alone."""

    def __init__(self, run: str = "") -> None:
        self._run = run
        self._counts: Counter[Ending] = Counter()
        self._failures: list[Failed] = []
        self._size = self._retries = self._replaced = self._saved = 0

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self._counts[outcome.ending] += 1
        self._size += outcome.size
        self._retries += max(0, outcome.attempts - 1)
        replaced = outcome.changed and outcome.before is not None
        self._replaced += replaced
        self._saved += replaced and outcome.saved
        if outcome.error is not None:
            self._failures.append(_failed(outcome, outcome.error))

    def report(self, *, stopped: bool = False) -> Report:
        """Return what has been counted so far."""
        return Report(
            run=self._run,
            counts=dict(self._counts),
            failures=tuple(self._failures),
            size=self._size,
            retries=self._retries,
            replaced=self._replaced,
            saved=self._saved,
            stopped=stopped,
        )


def _failed(outcome: Outcome, error: BcPictureError | OSError) -> Failed:
    return Failed(
        number=outcome.number,
        file=outcome.file,
        cause=outcome.cause,
        reason=str(error),
    )


DIFFERENCES = frozenset({Ending.DIFFERS, Ending.ONLY_HERE, Ending.ONLY_THERE})
"""The endings of comparisons that tell of no step."""


def exit_code(report: Report) -> int:
    """Return what a command should exit with: 0 in step, 1 if anything is not."""
    differ = any(report.counts.get(ending) for ending in DIFFERENCES)
    return 1 if report.failures or differ else 0
