"""What a plan says: to people in lines, to machines step by step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from bcpicture.cli.console import Console, count, size
from bcpicture.core.matches import Ambiguous
from bcpicture.core.plans import PullPlan, PushPlan, UndoPlan
from bcpicture.core.steps import Replaces, Step, Upload
from bcpicture.sync.report_files import Plan, planned

OPEN = (
    "Pictures of others are saved before they are replaced, and `bcpicture undo` puts "
    "them back. Two things remain open: an item can have further pictures, which the "
    "API never shows and every upload erases; and what somebody sets in the moment "
    "between our last look and our upload is not saved where the server does not "
    "notice it."
)
"""What no care of ours can help against."""

_VERB_WIDTH = 8


def tell_push_plan(console: Console, plan: PushPlan) -> None:
    """Tell what a push does, what it leaves alone, and why."""
    foreign = foreign_of(plan)
    console.emit(
        event="plan",
        uploads=len(plan.uploads),
        replaced=plan.replaced,
        foreign=foreign,
        adoptions=len(plan.adoptions),
        deletions=len(plan.deletions),
        kept=len(plan.kept),
        unchanged=plan.unchanged,
        size=plan.size,
        unmatched=[attrs.asdict(one) for one in plan.unmatched],
        ambiguous=[_ambiguous(one) for one in plan.ambiguous],
        passed_over=[attrs.asdict(one) for one in plan.passed_over],
        left_out=plan.left_out,
        without_file=plan.without_file.count,
        brakes=[str(brake) for brake in plan.brakes],
    )
    tell_strangers(console, plan)
    tell_without_file(console, plan)
    tell_kept(console, plan.kept)
    parts = [
        (len(plan.uploads), f"to send ({size(plan.size)})"),
        (plan.replaced, "of them in place of another picture"),
        (len(plan.deletions), "to delete"),
        (len(plan.adoptions), "the same already"),
        (len(plan.kept), "left alone"),
        (plan.unchanged, "unchanged"),
    ]
    tell_counts(console, parts)
    if foreign:
        console.emit(event="caution", text=OPEN)
        console.say(f"{count(foreign, 'picture')} of others would be replaced. {OPEN}")


def tell_pull_plan(console: Console, plan: PullPlan) -> None:
    """Tell what a pull does, and what it leaves alone."""
    console.emit(
        event="plan",
        downloads=len(plan.downloads),
        replaced=plan.replaced,
        adoptions=len(plan.adoptions),
        removals=len(plan.removals),
        kept=len(plan.kept),
        unchanged=plan.unchanged,
        absent=plan.absent,
        brakes=[str(brake) for brake in plan.brakes],
    )
    tell_kept(console, plan.kept)
    parts = [
        (len(plan.downloads), "to fetch"),
        (plan.replaced, "of them in place of another file"),
        (len(plan.removals), "to remove"),
        (len(plan.adoptions), "the same already"),
        (len(plan.kept), "left alone"),
        (plan.unchanged, "unchanged"),
        (plan.absent, "without a picture"),
    ]
    tell_counts(console, parts)


def tell_undo_plan(console: Console, plan: UndoPlan) -> None:
    """Tell what an undo puts back, and what it cannot."""
    console.emit(
        event="plan",
        undoes=plan.run,
        command=plan.command,
        folder=plan.folder,
        restores=len(plan.restores),
        kept=len(plan.kept),
    )
    tell_kept(console, plan.kept)
    console.say(f"The {plan.command} {plan.run} of {plan.folder} is to be undone.")
    parts = [(len(plan.restores), "to put back"), (len(plan.kept), "left alone")]
    tell_counts(console, parts)


def foreign_of(plan: PushPlan) -> int:
    """Pictures that are not proven to be ours, and would be replaced."""
    return sum(step.replaces is Replaces.FOREIGN for step in plan.uploads)


def tell_counts(console: Console, parts: Iterable[tuple[int, str]]) -> None:
    """Tell in one line how many there are of what."""
    told = [f"{number:,} {what}" for number, what in parts if number]
    console.say(f"Plan: {', '.join(told) or 'nothing is there'}.")


def tell_strangers(console: Console, plan: PushPlan) -> None:
    """Tell people which files stay at home, and why."""
    unmatched = [f"{one.name}: {one.reason}" for one in plan.unmatched]
    console.names(count(len(unmatched), "file") + " without an item", unmatched)
    unclear = [
        f"{', '.join(one.numbers)}: {one.reason} ({', '.join(one.names)})"
        for one in plan.ambiguous
    ]
    console.names(count(len(unclear), "unclear match", "unclear matches"), unclear)
    others = [f"{it.name}: {it.picked} is sent" for it in plan.passed_over]
    console.names(count(len(others), "file") + " passed over", others)


def tell_without_file(console: Console, plan: PushPlan) -> None:
    """Tell people which records have no file, or the first of them."""
    without = plan.without_file
    names = [*without.first]
    if more := without.count - len(names):
        names.append(f"and {more:,} more")
    console.names(count(without.count, "item") + " without a file", names)


def tell_kept(console: Console, kept: Sequence[Step]) -> None:
    """Tell people what is left alone although one might expect otherwise."""
    told = [f"{step.number}: {step.reason}" for step in kept]
    console.names(f"{len(kept):,} left alone", told)


def tell_steps(console: Console, plan: Plan) -> None:
    """Tell every step, in the order in which a run would carry them out."""
    steps = 0
    for steps, step in enumerate(plan.steps, 1):  # noqa: B007 - counted
        console.emit(event="step", **attrs.asdict(planned(step)))
        console.say(line_of(step))
    console.say("Nothing was changed." if steps else "Nothing would be done.")


def line_of(step: Step) -> str:
    """A step in one line."""
    entry = planned(step)
    verb = "replace" if entry.replaces in {"ours", "foreign"} else entry.action
    parts = [entry.file, "to" if isinstance(step, Upload) else "of", entry.number]
    told = " ".join(filter(None, parts if entry.file else parts[2:]))
    length = "" if entry.planned_size is None else f", {size(entry.planned_size)}"
    return f"{verb:<{_VERB_WIDTH}} {told}{length}: {entry.reason}"


def unclear_of(plan: PushPlan) -> int:
    """Files of which nobody knows where they belong: what --strict is about."""
    return len(plan.unmatched) + len(plan.ambiguous)


def _ambiguous(one: Ambiguous) -> dict[str, object]:
    return {"numbers": one.numbers, "names": one.names, "reason": one.reason}
