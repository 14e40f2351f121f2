"""A report as a file: every item, what was planned, what happened to it, and why.

A file that ends in ``.json`` has everything; one that ends in ``.csv`` has a line for
each item, for a spreadsheet. It appears in one step, whole, however a run ended.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import attrs

from bcpicture.core.brakes import Brake
from bcpicture.core.matches import Ambiguous, PassedOver, Unmatched
from bcpicture.core.report import Ending, Outcome, Report
from bcpicture.core.steps import Compare, Download, Remove, Restore, Step, Upload
from bcpicture.errors import TargetError, UsageError

VERSION = 1
"""Of the format."""

_WITH_FILE = Upload | Download | Remove | Compare

_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What a spreadsheet takes for the beginning of a formula, also in full width and
behind blanks."""


@attrs.frozen(kw_only=True)
class Entry:
    """One item in a report: what was planned, and what happened."""

    action: str
    """What was planned: ``upload``, ``adopt``, ``delete``, ``keep``, ``download``,
    ``remove``, ``compare``; or ``none`` for a file that stays at home."""

    number: str = ""
    """What people know the record by; several are parted by a space."""

    id: str = ""
    """GUID of the record."""

    file: str = ""
    """The file, relative to its folder."""

    reason: str = ""
    """Why that was planned."""

    replaces: str = ""
    """Whose picture or file was there: ``nothing``, ``ours`` or ``foreign``."""

    planned_size: int | None = None
    """Bytes of the file, as it was listed."""

    ending: str = ""
    """What became of it, see `Ending`; empty while nothing did."""

    note: str = ""
    """What turned out otherwise than planned."""

    before: str | None = None
    """SHA-256 of the bytes that were there; None if there were none, or nobody read
    them."""

    saved: bool = False
    """Whether these are in the backup."""

    after: str | None = None
    """SHA-256 of the bytes that are there now; None if none are, or nobody knows."""

    size: int = 0
    """Bytes that were sent or written."""

    attempts: int = 0
    """How often it was tried."""

    seconds: float = 0.0
    """How long it took."""

    cause: str = ""
    """The kind of failure, the same for all that failed alike."""

    error: str = ""
    """Why it failed, and what to do about it."""

    def after_outcome(self, outcome: Outcome) -> Entry:
        """It, once the step has ended."""
        return attrs.evolve(
            self,
            file=outcome.file or self.file,
            ending=str(outcome.ending),
            note=outcome.note,
            before=outcome.before or self.before,
            saved=outcome.saved and outcome.before is not None,
            after=outcome.after,
            size=outcome.size,
            attempts=outcome.attempts,
            seconds=round(outcome.seconds, 3),
            cause=outcome.cause,
            error=str(outcome.error or ""),
        )


def planned(step: Step) -> Entry:
    """What a plan says about one record."""
    file = step.file if isinstance(step, _WITH_FILE) else None
    replaces = getattr(step, "replaces", None)
    name = type(step).__name__.lower()
    return Entry(
        action=step.action.value if isinstance(step, Restore) else name,
        number=step.number,
        id=step.id,
        file=Outcome(step=step, ending=Ending.STOPPED).file,
        reason=str(step.reason),
        replaces=replaces.value if replaces else "",
        planned_size=file.size if file else None,
        before=getattr(step, "before", None),
    )


class Plan(Protocol):
    """What a report wants to know of a plan."""

    @property
    def steps(self) -> Iterator[Step]:
        """Its steps, in their order."""

    @property
    def brakes(self) -> tuple[Brake, ...]:
        """Why it must not be run as it is."""


class ReportFile:
    """Everything about one run, to be written once it has ended.

    Args:
        plan: What is to be done.
        facts: What else it is to tell, such as the company.
    """

    def __init__(self, plan: Plan, facts: Mapping[str, str | None]) -> None:
        self._facts = facts
        self._brakes = [str(brake) for brake in plan.brakes]
        self._rows = {_key(step): planned(step) for step in plan.steps}
        self._aside = [*_aside(plan)]
        self._ended: dict[str, Any] = {"ending": "planned"}

    def add(self, outcome: Outcome) -> None:
        """Note how one step ended."""
        key = _key(outcome.step)
        row = self._rows.get(key) or planned(outcome.step)
        self._rows[key] = row.after_outcome(outcome)

    def end(self, report: Report, how: str) -> None:
        """Note how the run ended, in a word such as ``complete``."""
        self._ended = {
            "ending": how,
            "run": report.run,
            "summary": report.summary,
            "counts": {str(ending): it for ending, it in report.counts.items()},
            "size": report.size,
            "retries": report.retries,
            "replaced": report.replaced,
            "saved": report.saved,
        }

    @property
    def entries(self) -> list[Entry]:
        """All items, in the order of the plan."""
        return [*self._rows.values(), *self._aside]

    def as_json(self, now: datetime) -> str:
        """All of it, as JSON."""
        told = {
            "version": VERSION,
            **self._facts,
            "written": now.isoformat(timespec="seconds"),
            **self._ended,
            "brakes": self._brakes,
        }
        head = json.dumps(told, indent=1, ensure_ascii=True)[:-2]
        items = ",\n".join(json.dumps(attrs.asdict(it)) for it in self.entries)
        return f'{head},\n "items": [\n{items}\n]}}\n'

    def as_csv(self) -> str:
        """A line for each item, safe to be opened in a spreadsheet.

        A text that would be taken for a formula gets an apostrophe before it.
        """
        sink = io.StringIO()
        lines = csv.writer(sink, lineterminator="\r\n")
        lines.writerow(field.name for field in attrs.fields(Entry))
        for entry in self.entries:
            lines.writerow(map(_cell, attrs.astuple(entry)))
        return sink.getvalue()

    async def write(self, path: Path, now: datetime) -> None:
        """Write it, whole or not at all.

        Args:
            path: Its ending tells the format.
            now: The time of day.

        Raises:
            TargetError: It cannot be written.
        """
        await asyncio.to_thread(self._write, path, now)

    def _write(self, path: Path, now: datetime) -> None:
        text = self.as_csv() if path.suffix == ".csv" else self.as_json(now)
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            try:
                # A surrogate stands for a byte of a name that is no text.
                data = text.encode("utf-8", "backslashreplace")
                with new.open("xb") as file:
                    _ = file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                new.replace(path)
            finally:
                with suppress(OSError):
                    new.unlink(missing_ok=True)
        except OSError as exc:
            raise TargetError(
                f"The report {path} cannot be written: {exc.strerror}.",
                advice="Choose another place for it; the run itself is not concerned.",
            ) from exc


def require_report(path: Path) -> None:
    """Refuse a place where no report can be written, before anything is done.

    Raises:
        UsageError: Its ending tells no format, or its folder is not there.
    """
    if path.suffix not in {".json", ".csv"}:
        raise UsageError(
            f"The report {path} is neither JSON nor CSV.",
            advice="Let its name end in .json or .csv.",
        )
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(
            f"The report {path} has no folder to be in.",
            advice="Name a file in a folder that is there.",
        )


def _key(step: Step) -> tuple[str, str, str]:
    return type(step).__name__, step.id, getattr(step, "name", "")


def _aside(plan: Plan) -> Iterator[Entry]:
    """Files of a plan that no step is about."""
    unmatched: Iterable[Unmatched] = getattr(plan, "unmatched", ())
    for one in unmatched:
        yield Entry(action="none", file=one.name, reason=one.reason, ending="unmatched")
    ambiguous: Iterable[Ambiguous] = getattr(plan, "ambiguous", ())
    for several in ambiguous:
        for name in several.names:
            yield Entry(
                action="none",
                number=" ".join(several.numbers),
                file=name,
                reason=several.reason,
                ending="ambiguous",
            )
    passed_over: Iterable[PassedOver] = getattr(plan, "passed_over", ())
    for other in passed_over:
        yield Entry(
            action="none",
            number=other.number,
            file=other.name,
            reason=f"{other.picked} is sent",
            ending="passed over",
        )


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.lstrip().startswith(_FORMULA):
        return f"'{value}"
    return value
