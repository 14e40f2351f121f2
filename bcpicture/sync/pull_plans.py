"""From the records to the plan of a pull, and from the plan to its run."""

from __future__ import annotations

import asyncio
from typing import Self

import attrs

from bcpicture.core.ledger import Way
from bcpicture.core.options import PullOptions
from bcpicture.core.plans import PullPlan
from bcpicture.core.pull_planning import PullPlanning
from bcpicture.core.surveys import Answers, Memory, NoMemory
from bcpicture.errors import SourceError
from bcpicture.sync.engine import Run
from bcpicture.sync.fetching import Fetched
from bcpicture.sync.filing import Filing, Room
from bcpicture.sync.kit import Kit
from bcpicture.sync.placing import Placing
from bcpicture.sync.pulling import Pulling, Ready
from bcpicture.sync.shelving import Shelf
from bcpicture.sync.survey import Surveyor
from bcpicture.sync.targets import Target


@attrs.frozen(kw_only=True)
class PlannedPull(PullPlan):
    """The plan of a pull, with what it takes to run it."""

    target: Target = attrs.field(repr=False, eq=False)
    """Where the files go."""

    scanned: int = attrs.field(default=0, repr=False, eq=False)
    """When the files were listed, in nanoseconds since the epoch."""

    @classmethod
    async def make(cls, kit: Kit, target: Target, options: PullOptions) -> Self:
        """Find out what a pull would do, without doing any of it."""
        await kit.settle()
        scanned = kit.clocks.files()
        memory: Memory = NoMemory()
        if not options.rebase:
            memory = await kit.journal.load(Way.PULL, target.place)
        await _require_place(target, memory)
        listing = await target.scan()
        marker = options.require_file
        planning = PullPlanning(
            listing.files,
            memory,
            dialect=kit.records.company.endpoint.dialect,
            options=options,
            clean=not listing.aside,
            marker=not marker or await target.has(marker),
        )
        plan = await _planned(planning, kit, target)
        told = attrs.asdict(plan, recurse=False)
        return cls(**told, target=target, scanned=scanned)

    def start(self, kit: Kit, *, width: int) -> Run[Ready, Fetched]:
        """The run that carries it out."""
        record = kit.new_run("pull", folder=self.target.place)
        placing = Placing(
            run=record.id,
            target=self.target,
            journal=kit.journal,
            backups=kit.backups,
            allow=Room.of(self).take,
        )
        shelf = Shelf(target=self.target, journal=kit.journal, backups=kit.backups)
        job = Pulling(
            record=record,
            records=kit.records,
            filing=Filing(placing=placing, shelf=shelf, scanned=self.scanned),
            options=self.options,
            absences=self.absences,
            forgotten=self.forgotten,
            clock=kit.clocks.monotonic,
            wall=kit.clocks.wall,
            width=width,
        )
        return Run(self.steps, job, width=width)


async def _require_place(target: Target, memory: Memory) -> None:
    """Refuse a folder that is not there although it has been pulled into."""
    if memory.links and not await target.exists():
        raise SourceError(
            f"The folder {target.place} is not there, and {len(memory.links)} files "
            "were pulled into it.",
            advice="Connect its disk or share; or make it, to have all fetched again.",
        )


async def _planned(planning: PullPlanning, kit: Kit, target: Target) -> PullPlan:
    # In threads, since there may be a hundred thousand records.
    records, clock = kit.records, kit.clocks.monotonic
    surveyor = Surveyor(records=records, clock=clock, source=target)
    await surveyor.list_all(planning.offer)
    answers = Answers()
    while asked := await asyncio.to_thread(planning.questions, answers):
        await surveyor.answer(asked, answers)
    return await asyncio.to_thread(planning.plan, answers)
