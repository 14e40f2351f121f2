"""Bulk synchronisation, as its users would write it: checked, never executed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, assert_type

from bcpicture import CompanyHandle, sync
from bcpicture.core.ledger import Intent
from bcpicture.sync import (
    WIDTH,
    Adopt,
    Brake,
    BrakeKind,
    Clocks,
    Compare,
    Delete,
    Download,
    Ending,
    Failed,
    Keep,
    Limit,
    LocalFile,
    MapRow,
    MatchOptions,
    Outcome,
    PlannedPull,
    PlannedPush,
    PlannedUndo,
    PullOptions,
    PullPlan,
    PushOptions,
    PushPlan,
    Remove,
    Replaces,
    Report,
    ReportFile,
    Restore,
    Run,
    Status,
    UndoPlan,
    Upload,
    VerifyOptions,
    Why,
    Workspace,
    parse_map,
)

# -- options and plans


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


# -- runs


async def keep_in_step(company: CompanyHandle) -> int:
    """A folder up, down again, and back to what was."""
    async with sync.open(company.items) as box:
        plan = await box.plan_push("photos")
        assert_type(plan, PlannedPush)
        pushed: PushPlan = plan
        async with box.run(plan, width=WIDTH) as run:
            async for outcome in run:
                assert_type(outcome, Outcome)
                assert_type(outcome.size, int)
        assert_type(run.report, Report)
        assert_type(run.report.by_cause(), Mapping[str, tuple[Failed, ...]])
        pulled: PullPlan = await box.plan_pull("copies")
        undone: UndoPlan = await box.plan_undo()
    first: tuple[Upload, ...] = pushed.uploads
    files: list[LocalFile] = [step.file for step in first]
    second: tuple[Download, ...] = pulled.downloads
    return sync.exit_code(run.report) + len((*files, *second, *undone.kept))


async def any_run(run: Run[Any, Any]) -> Report:
    """Whatever it does."""
    run.stop()
    return await run.finish()


async def keep_in_step_for_good(company: CompanyHandle) -> list[str]:
    """The synchronisation that remembers."""
    options = PushOptions(match=MatchOptions(by="gtin"), delete=True, max_delete="5%")
    clocks = Clocks()
    opened = sync.open(
        company.customers,
        state_dir=Path("state"),
        command="my service",
        rebase=True,
        keep=timedelta(days=30),
        clocks=clocks,
    )
    async with opened as box:
        assert_type(box, Workspace)
        plan = await box.plan_push("photos", options)
        assert_type(plan, PlannedPush)
        brakes = [brake.text for brake in plan.brakes]
        async with box.run(plan, width=WIDTH) as run:
            async for outcome in run:
                assert_type(outcome.ending, Ending)
                run.stop()
        return brakes + [failed.reason for failed in run.report.failures]


async def fetch_for_good(company: CompanyHandle) -> int:
    """The other way."""
    async with sync.open(company.items) as box:
        plan = await box.plan_pull("copies", PullOptions(delete=True, max_replace=None))
        assert_type(plan, PlannedPull)
        async with box.run(plan) as run:
            report = await run.finish()
        return report.done + plan.unchanged


async def take_back(company: CompanyHandle) -> list[Restore]:
    """What a run did."""
    async with sync.open(company.items) as box:
        plan = await box.plan_undo("20260101T000000-000000")
        assert_type(plan, PlannedUndo)
        async with box.run(plan) as run:
            await run.finish()
        return [*plan.restores]


async def look_closely(company: CompanyHandle) -> list[Compare]:
    """Nothing changes."""
    told: Status = await sync.status(company.items, state_dir="state")
    async with sync.open(company.items) as box:
        assert_type(await box.status(runs=5), Status)
        options = VerifyOptions(match=MatchOptions(by="id"), pulled=False)
        async with await box.verify("photos", options) as run:
            found = [it.step async for it in run if it.ending is Ending.EQUAL]
    assert_type(told.open, tuple[Intent, ...])
    return [step for step in found if isinstance(step, Compare)]


async def report_a_push(box: Workspace, plan: PlannedPush) -> None:
    """Every item, and what became of it, as a file."""
    file = ReportFile(plan, {"command": "push"})
    async with box.run(plan) as run:
        async for outcome in run:
            file.add(outcome)
    file.end(run.report, "complete")
    await file.write(Path("report.csv"), datetime.now(UTC))
