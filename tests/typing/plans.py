"""Plans of a synchronisation, as their users would look at them: never executed."""

from __future__ import annotations

from typing import assert_type

from bcpicture.sync import (
    Adopt,
    Brake,
    BrakeKind,
    Delete,
    Keep,
    Limit,
    MapRow,
    MatchOptions,
    PlannedPush,
    PullOptions,
    PushOptions,
    Remove,
    Replaces,
    Why,
    parse_map,
)


def decide(table: str) -> tuple[PushOptions, PullOptions]:
    """Options are made of what a user says."""
    rows: tuple[MapRow, ...] = parse_map(table, name="map.csv")
    match = MatchOptions(map=rows, include="*.jpg", exclude=["old/**"], recursive=True)
    push = PushOptions(match=match, delete=True, max_replace="5%", max_delete=20)
    assert_type(push.max_replace, Limit)
    MatchOptions(template="{number}_{pick}.jpg", pick=("front", "1"))
    return push, PullOptions(delete=True, max_replace=None, max_delete=Limit(3))


def look(plan: PlannedPush) -> list[str]:
    """What it does, what it leaves alone, and what stops it."""
    told = [f"{one.name}: {one.reason}" for one in plan.unmatched]
    told += [f"{one.name}: {one.picked} is sent" for one in plan.passed_over]
    for step in plan.steps:
        match step:
            case Adopt() | Keep():
                told.append(f"{step.number}: {step.reason}")
            case Delete(before=before):
                told.append(f"{step.name} is gone, {before} goes")
            case upload:
                lost = upload.replaces is not Replaces.NOTHING
                told.append(f"{upload.number} {lost} {upload.reason == Why.FIRST}")
    return told + [explain(brake) for brake in plan.brakes]


def explain(brake: Brake) -> str:
    """The numbers behind a brake."""
    if brake.kind is BrakeKind.MAX_REPLACE:
        return f"{brake.count} of {brake.of}, {brake.limit} allowed"
    return brake.text


def gone(step: Remove) -> str:
    """A file that a pull takes away."""
    return f"{step.file.name} {step.before}"
