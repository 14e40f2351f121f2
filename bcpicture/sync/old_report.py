"""How it ended: one value for each picture, and one for all of them."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from bcpicture.core.models import Downloaded, Uploaded
from bcpicture.core.pairing import Step, Upload
from bcpicture.errors import BcPictureError


@attrs.frozen(kw_only=True)
class Outcome:
    """How one step ended: with a result, with an error, or with no picture to fetch."""

    step: Step
    """What was to be done."""

    result: Uploaded | Downloaded | None = None
    """What was achieved; None after an error, and where there was no picture."""

    error: BcPictureError | OSError | None = None
    """Why it failed; None when it did not."""

    seconds: float = 0.0
    """How long it took, waiting and retries included."""

    @property
    def number(self) -> str:
        """The item's number."""
        return self.step.number

    @property
    def absent(self) -> bool:
        """Whether the item turned out to have no picture."""
        return self.result is None and self.error is None

    @property
    def size(self) -> int:
        """Bytes that arrived where they belong."""
        return self.result.size if self.result else 0

    @property
    def attempts(self) -> int:
        """How often it was tried; 0 when nothing was sent."""
        if self.result:
            return self.result.attempts
        return self.error.attempts if isinstance(self.error, BcPictureError) else 0

    @property
    def file(self) -> str:
        """Path of the file that was sent or written; empty if none was written."""
        if isinstance(self.step, Upload):
            return self.step.file.path
        saved = self.result.path if isinstance(self.result, Downloaded) else None
        return str(saved or "")


@attrs.frozen(kw_only=True)
class Failed:
    """A picture that did not make it, in words: small enough to keep thousands."""

    number: str
    """The item's number."""

    file: str
    """Path of the file, as far as there is one."""

    cause: str
    """The kind of failure, the same for all pictures that failed alike."""

    reason: str
    """What happened to this one, and what to do about it."""


@attrs.frozen(kw_only=True)
class Report:
    """What a run achieved."""

    done: int = 0
    """Pictures that are where they belong."""

    absent: int = 0
    """Items without a picture to fetch."""

    failures: tuple[Failed, ...] = ()
    """Everything that failed."""

    size: int = 0
    """Bytes of the pictures that are done."""

    retries: int = 0
    """Attempts beyond the first of each."""

    def by_cause(self) -> Mapping[str, tuple[Failed, ...]]:
        """Return the failures by their cause, the most frequent first."""
        groups: dict[str, tuple[Failed, ...]] = {}
        for failed in self.failures:
            groups[failed.cause] = (*groups.get(failed.cause, ()), failed)
        return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


class Tally:
    """Counts outcomes as they come; memory grows with the failures alone."""

    def __init__(self) -> None:
        self._done = self._absent = self._size = self._retries = 0
        self._failures: list[Failed] = []

    def add(self, outcome: Outcome) -> None:
        """Count one more."""
        self._done += outcome.result is not None
        self._absent += outcome.absent
        self._size += outcome.size
        self._retries += max(0, outcome.attempts - 1)
        if outcome.error is not None:
            self._failures.append(_failed(outcome, outcome.error))

    def report(self) -> Report:
        """Return what has been counted so far."""
        return Report(
            done=self._done,
            absent=self._absent,
            failures=tuple(self._failures),
            size=self._size,
            retries=self._retries,
        )


def _failed(outcome: Outcome, error: BcPictureError | OSError) -> Failed:
    code = (
        error.failure.code
        if isinstance(error, BcPictureError) and error.failure
        else ""
    )
    return Failed(
        number=outcome.number,
        file=outcome.file,
        cause=" ".join(filter(None, (type(error).__name__, code))),
        reason=str(error),
    )


def exit_code(report: Report) -> int:
    """Return what a command should exit with: 0 in step, 1 if a picture failed."""
    return 1 if report.failures else 0
