"""What `push` and `pull` have in common: follow a run, and tell how it ended."""

from __future__ import annotations

import time

from bcpicture.cli.console import Console, count, size
from bcpicture.cli.progress import Progress, progress
from bcpicture.core.pairing import PushPlan
from bcpicture.sync import Outcome, Report, Run
from bcpicture.sync.old_engine import StepT


async def follow(
    console: Console, run: Run[StepT], what: str, total: int | None = None
) -> Report:
    """Carry out a run to its end, showing how far it is, and tell what it achieved.

    What was achieved is told too when the run breaks off.
    """
    started = time.monotonic()
    complete = False
    try:
        with progress(console, what, total) as shown:
            await _carry_out(console, run, shown)
        complete = True
    finally:
        seconds = time.monotonic() - started
        tell_report(console, run.report, seconds, complete=complete)
    return run.report


async def _carry_out(console: Console, run: Run[StepT], shown: Progress) -> None:
    async with run:
        async for outcome in run:
            shown.advance(outcome)
            tell_outcome(console, outcome)


def tell_strangers(console: Console, plan: PushPlan) -> None:
    """Tell people which files stay at home, and why."""
    strangers = [f"{one.file.name}: {one.reason}" for one in plan.unmatched]
    unclear = [
        f"{', '.join(one.numbers)}: {one.reason} "
        f"({', '.join(file.name for file in one.files)})"
        for one in plan.ambiguous
    ]
    console.names(count(len(strangers), "file") + " without an item", strangers)
    console.names(count(len(unclear), "unclear match", "unclear matches"), unclear)


def tell_outcome(console: Console, outcome: Outcome) -> None:
    """Tell how one picture ended: always to machines, its failure always to people."""
    error = str(outcome.error) if outcome.error else None
    status = "failed" if error else "absent" if outcome.absent else "done"
    console.emit(
        event="picture",
        number=outcome.number,
        file=outcome.file or None,
        status=status,
        size=outcome.size,
        attempts=outcome.attempts,
        seconds=round(outcome.seconds, 3),
        error=error,
    )
    tell_trouble(console, outcome)
    if console.verbose and not error:
        told = "no picture" if outcome.absent else size(outcome.size)
        console.note(f"{outcome.number}: {told}")


def tell_trouble(console: Console, outcome: Outcome) -> None:
    """Tell people about a picture that failed, and why."""
    if outcome.error:
        console.note(f"{outcome.number}: failed. {outcome.error}")


def tell_report(
    console: Console, report: Report, seconds: float, *, complete: bool
) -> None:
    """Tell what a run achieved."""
    console.emit(
        event="report",
        complete=complete,
        done=report.done,
        absent=report.absent,
        failed=len(report.failures),
        size=report.size,
        retries=report.retries,
        seconds=round(seconds, 3),
    )
    parts = [
        f"{count(report.done, 'picture')} done",
        size(report.size),
        f"{seconds:,.1f} s",
        count(report.retries, "retry", "retries"),
    ]
    if report.absent:
        parts.append(f"{count(report.absent, 'item')} without a picture")
    if report.failures:
        parts.append(f"{len(report.failures):,} failed")
    console.say(("" if complete else "Broken off: ") + ", ".join(parts))
    for cause, failures in report.by_cause().items():
        console.say(f"  {len(failures):,} x {cause}")
