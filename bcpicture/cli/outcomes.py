"""What became of steps, one by one and all together."""

from __future__ import annotations

import attrs

from bcpicture.cli.codes import Exit
from bcpicture.cli.console import Console, count, size
from bcpicture.core.report import DIFFERENCES, Ending, Outcome, Report, exit_code
from bcpicture.errors import BrakeError, TransportError, Trouble
from bcpicture.sync.report_files import planned

_UNREACHED = {Trouble.CONNECT, Trouble.DROPPED}


def tell_outcome(console: Console, outcome: Outcome) -> None:
    """Tell how one step ended: always to machines, its failure always to people."""
    if console.as_json:
        entry = planned(outcome.step).after_outcome(outcome)
        console.emit(event="outcome", **attrs.asdict(entry))
    if outcome.error is not None:
        tell_trouble(console, outcome)
    elif outcome.note or console.verbose or outcome.ending in DIFFERENCES:
        console.note(_line(outcome))


def tell_trouble(console: Console, outcome: Outcome) -> None:
    """Tell people about a picture that failed, and why."""
    if outcome.error is not None:
        console.note(f"{outcome.number or outcome.file}: failed. {outcome.error}")


def _line(outcome: Outcome) -> str:
    length = f" ({size(outcome.size)})" if outcome.size else ""
    note = f": {outcome.note}" if outcome.note else ""
    return f"{outcome.number or outcome.file}: {outcome.ending}{length}{note}"


def tell_report(console: Console, report: Report, seconds: float, how: str) -> None:
    """Tell what a run achieved.

    Args:
        console: Where to.
        report: It.
        seconds: How long it took.
        how: ``complete``, ``stopped`` or ``broken off``.
    """
    console.emit(
        event="report",
        ending=how,
        run=report.run,
        done=report.done,
        failed=len(report.failures),
        counts={str(ending): it for ending, it in report.counts.items()},
        size=report.size,
        retries=report.retries,
        replaced=report.replaced,
        saved=report.saved,
        seconds=round(seconds, 3),
    )
    begin = "" if how == "complete" else f"{how.capitalize()}: "
    parts = [begin + summary_of(report)]
    if report.size:
        parts.append(size(report.size))
    parts.append(f"{seconds:,.1f} s")
    if report.retries:
        parts.append(count(report.retries, "retry", "retries"))
    console.say(", ".join(parts))
    if report.replaced:
        console.say(f"{report.replaced:,} replaced, {report.saved:,} saved before.")
    for cause, failures in report.by_cause().items():
        console.say(f"  {len(failures):,} x {cause}")


def summary_of(report: Report) -> str:
    """How many steps ended in which way."""
    counts = ((report.counts.get(ending, 0), ending) for ending in Ending)
    told = [f"{number:,} {ending}" for number, ending in counts if number]
    return ", ".join(told) or "Nothing to do"


def code_of_report(report: Report, last: Outcome | None) -> Exit:
    """The exit code of a run that came to its end.

    Args:
        report: What it achieved.
        last: How its last step ended.
    """
    if not report.failures:
        return Exit(exit_code(report))
    if any(it.cause == BrakeError.__name__ for it in report.failures):
        return Exit.BRAKE
    return Exit.UNREACHABLE if last and _unreached(last) else Exit.FAILED


def _unreached(outcome: Outcome) -> bool:
    """Whether the service was not there any more."""
    error = outcome.error
    failure = error.failure if isinstance(error, TransportError) else None
    return failure is not None and failure.trouble in _UNREACHED
