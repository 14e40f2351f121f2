"""From a plan to an exit code: told, carried out, watched, and reported."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from bcpicture import BusinessCentral, TargetError, sync
from bcpicture.cli.choices import Memory, Reading, Running
from bcpicture.cli.codes import Exit
from bcpicture.cli.connecting import company_of, connect, settings_of
from bcpicture.cli.console import Console
from bcpicture.cli.options import Connection
from bcpicture.cli.outcomes import code_of_report, tell_outcome, tell_report
from bcpicture.cli.plans import tell_steps
from bcpicture.cli.progress import Progress, progress, ticking
from bcpicture.cli.signals import stopped_by_signals
from bcpicture.core.plans import PushPlan
from bcpicture.core.report import Outcome, Report
from bcpicture.core.settings import Settings
from bcpicture.resources.companies import CompanyHandle
from bcpicture.resources.records import Records
from bcpicture.sync.engine import Run
from bcpicture.sync.report_files import ReportFile, require_report
from bcpicture.sync.workspace import KEEP, Workspace

Planned = sync.PlannedPush | sync.PlannedPull | sync.PlannedUndo
"""A plan of any kind."""


@attrs.frozen(kw_only=True)
class Desk:
    """Everything at hand for one command."""

    console: Console
    """Where it is told what happens."""

    bc: BusinessCentral
    """The open client."""

    box: Workspace
    """The open synchronisation."""

    command: str
    """Its name."""

    folder: str
    """Where the files are."""

    running: Reading
    """How the run goes, and what is kept of it."""

    async def carry_out(self, plan: Planned, what: str) -> Exit:
        """Do what a plan says, or only tell it.

        Args:
            plan: It, told already.
            what: The work, such as ``Pushing``.

        Raises:
            BrakeError: It would change more than is allowed.
        """
        dry_run, file = self.dry_run, ReportFile(plan, self._facts())
        if dry_run:
            tell_steps(self.console, plan)
        if dry_run or plan.brakes:
            await self._write(file)
        if plan.brakes:
            self.box.run(plan)  # it says why not
        if dry_run:
            return Exit.DONE
        run = self.box.run(plan, width=self.running.concurrency)
        return await self._follow(run, what, file, sum(1 for _ in plan.steps))

    async def look(self, run: Run[Any, Any], what: str) -> Exit:
        """Watch a run that changes nothing."""
        file = ReportFile(PushPlan(), self._facts())
        return await self._follow(run, what, file, None)

    @property
    def dry_run(self) -> bool:
        """Whether nothing is done."""
        return isinstance(self.running, Running) and self.running.dry_run

    async def _follow(
        self, run: Run[Any, Any], what: str, file: ReportFile, total: int | None
    ) -> Exit:
        """Carry out a run to its end, and tell what it achieved, however it ends."""
        started, how = time.monotonic(), "broken off"
        try:
            with progress(self.console, what, total, lambda: self.bc.quota_use) as bar:
                last = await self._watch(run, bar, file)
            how = "stopped" if run.report.stopped else "complete"
        finally:
            tell_report(self.console, run.report, time.monotonic() - started, how)
            await self._end(file, run.report, how)
        return code_of_report(run.report, last)

    async def _watch(
        self, run: Run[Any, Any], bar: Progress, file: ReportFile
    ) -> Outcome | None:
        """Tell every outcome of a run; return the last."""
        last = None
        async with run:
            with ticking(bar), stopped_by_signals(lambda: self._stop(run)):
                async for last in run:
                    bar.advance(last)
                    file.add(last)
                    tell_outcome(self.console, last)
        return last

    def _stop(self, run: Run[Any, Any]) -> None:
        self.console.emit(event="stopping")
        self.console.note("Stopping: what is under way still ends. Once more: at once.")
        run.stop()

    async def _end(self, file: ReportFile, report: Report, how: str) -> None:
        file.end(report, how)
        try:
            await self._write(file)
        except TargetError as error:
            if how == "complete":
                raise
            self.console.note(str(error))

    async def _write(self, file: ReportFile) -> None:
        if self.running.report is not None:
            await file.write(self.running.report, datetime.now(UTC))

    def _facts(self) -> dict[str, str | None]:
        records = self.box.records
        return {
            "command": f"{self.command} --dry-run" if self.dry_run else self.command,
            "company": records.company.name,
            "parent": records.parent.kind,
            "folder": self.folder,
        }


def settings_for(
    connection: Connection, company: str | None, running: Reading
) -> Settings:
    """Gather the settings of a command that may write a report.

    Raises:
        UsageError: It could not be written.
    """
    if running.report is not None:
        require_report(running.report)
    return settings_of(connection, company)


def records_of(company: CompanyHandle, parent: str) -> Records:
    """The records of a kind, by its name."""
    records: Records = getattr(company, f"{parent}s")
    return records


@asynccontextmanager
async def opened(
    console: Console,
    settings: Settings,
    *,
    command: str,
    folder: Path | None = None,
    parent: str = "item",
    state: Memory,
    running: Reading,
    rebase: bool = False,
    keep: timedelta = KEEP,
) -> AsyncIterator[Desk]:
    """Connect, and open the synchronisation of one kind of record.

    Raises:
        LockedError: Another process has it open.
    """
    async with connect(settings) as bc:
        company = await company_of(bc, settings)
        records = records_of(company, parent)
        box = sync.open(
            records,
            state_dir=state.state_dir,
            command=f"bcpicture {command}",
            rebase=rebase,
            keep=keep,
        )
        async with box:
            yield Desk(
                console=console,
                bc=bc,
                box=box,
                command=command,
                folder=str(folder or ""),
                running=running,
            )
