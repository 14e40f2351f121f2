"""From a folder to the plan of a push, and from the plan to its run."""

from __future__ import annotations

import asyncio
from typing import Self

import attrs

from bcpicture.core.ledger import Way
from bcpicture.core.matching import Matcher
from bcpicture.core.options import PushOptions
from bcpicture.core.planning import PushPlanning, PushSurvey
from bcpicture.core.plans import PushPlan
from bcpicture.core.surveys import Answers, Memory, NoMemory, known_ids
from bcpicture.net.preparing import require_pillow
from bcpicture.sync.closing import Sent
from bcpicture.sync.engine import Run
from bcpicture.sync.feeding import Feeder, Prepared
from bcpicture.sync.guarding import Allowance
from bcpicture.sync.kit import Kit
from bcpicture.sync.looks import NEVER
from bcpicture.sync.pushing import Pushing
from bcpicture.sync.sources import Source
from bcpicture.sync.survey import Surveyor
from bcpicture.sync.writing import Push


@attrs.frozen(kw_only=True)
class PlannedPush(PushPlan):
    """The plan of a push, with what it takes to run it."""

    source: Source = attrs.field(repr=False, eq=False)
    """Where the files are."""

    seen: float = attrs.field(default=NEVER, repr=False, eq=False)
    """When the oldest of what it relies on was told, in monotonic seconds."""

    scanned: int = attrs.field(default=0, repr=False, eq=False)
    """When the files were listed, in nanoseconds since the epoch."""

    @classmethod
    async def make(cls, kit: Kit, source: Source, options: PushOptions) -> Self:
        """Find out what a push would do, without doing any of it."""
        if options.prepare is not None:
            await asyncio.to_thread(require_pillow)
        await kit.settle()
        seen, scanned = kit.clocks.monotonic(), kit.clocks.files()
        surveyor = Surveyor(
            records=kit.records, clock=kit.clocks.monotonic, source=source
        )
        survey = await _survey(kit, source, options, surveyor, scanned)
        plan = await _planned(survey, surveyor)
        told = attrs.asdict(plan, recurse=False)
        return cls(**told, source=source, seen=seen, scanned=scanned)

    def start(self, kit: Kit, *, width: int) -> Run[Prepared, Sent]:
        """The run that carries it out."""
        place, matching = self.source.place, self.fingerprint
        record = kit.new_run("push", folder=place, matching=matching)
        push = Push(
            desk=kit.desk(record.id),
            source=self.source,
            options=self.options,
            allowance=Allowance.of(self),
        )
        job = Pushing(
            record=record,
            push=push,
            feeder=self._feeder(kit, record.id),
            scanned=self.scanned,
            wall=kit.clocks.wall,
            forgotten=self.forgotten,
        )
        return Run(self.steps, job, width=width)

    def _feeder(self, kit: Kit, run: str) -> Feeder:
        return Feeder(
            records=kit.records,
            journal=kit.journal,
            run=run,
            source=self.source,
            exact=self.options.prepare is None,
            seen=self.seen,
            clock=kit.clocks.monotonic,
        )


async def _survey(
    kit: Kit, source: Source, options: PushOptions, surveyor: Surveyor, scanned: int
) -> PushSurvey:
    """Everything that is known before anything is asked."""
    listing = await source.scan()
    memory: Memory = NoMemory()
    if not options.rebase:
        memory = await kit.journal.load(Way.PUSH, source.place)
    company = kit.records.company
    matcher = Matcher(
        listing.files,
        options.match,
        watched=known_ids(memory),
        company=(company.name, await company.id()),
        aside=listing.aside,
    )
    marker = options.require_file
    return PushSurvey(
        matching=await surveyor.match(matcher, options.match),
        memory=memory,
        dialect=company.endpoint.dialect,
        options=options,
        scanned=scanned,
        marker=not marker or await source.has(marker),
    )


async def _planned(survey: PushSurvey, surveyor: Surveyor) -> PushPlan:
    # In threads, since there may be a hundred thousand records.
    planning = await asyncio.to_thread(PushPlanning, survey)
    answers = Answers()
    while asked := await asyncio.to_thread(planning.questions, answers):
        await surveyor.answer(asked, answers)
    return await asyncio.to_thread(planning.plan, answers)
