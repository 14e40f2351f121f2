"""From a run in the journal to the plan of its undo, and from the plan to its run."""

from __future__ import annotations

from collections import defaultdict
from typing import Self

import attrs

from bcpicture.core.ledger import Intent
from bcpicture.core.plans import UndoPlan
from bcpicture.core.undo_planning import UNDO, History, plan_undo
from bcpicture.errors import SourceError
from bcpicture.sync.closing import Closing
from bcpicture.sync.engine import Run
from bcpicture.sync.kit import Kit
from bcpicture.sync.placing import Placing
from bcpicture.sync.returning import FILES, Returning
from bcpicture.sync.shelving import Shelf
from bcpicture.sync.targets import Target
from bcpicture.sync.undoing import Returned, Seen, Undoing

_RUNS = 1000
"""Runs that can be undone, the latest ones."""


@attrs.frozen(kw_only=True)
class PlannedUndo(UndoPlan):
    """The plan of an undo, with what it takes to run it."""

    target: Target | None = attrs.field(default=None, repr=False, eq=False)
    """Where the files are, if it changes any."""

    @classmethod
    async def make(cls, kit: Kit, run_id: str | None) -> Self:
        """Find out what an undo would do, without doing any of it.

        Raises:
            UsageError: There is no such run.
            SourceError: Its folder is not there.
        """
        await kit.settle()
        steps: dict[str, list[Intent]] = defaultdict(list)
        for step in await kit.journal.steps():
            steps[step.run].append(step)
        history = History(await kit.journal.runs(_RUNS), steps)
        run = history.chosen(run_id)
        left = history.standing(run.id)
        kept = await kit.backups.among({it.before for it in left if it.before})
        plan = plan_undo(run, left, kept)
        told = attrs.asdict(plan, recurse=False)
        return cls(**told, target=await _target(kit, plan))

    def start(self, kit: Kit, *, width: int) -> Run[Seen, Returned]:
        """The run that carries it out."""
        record = kit.new_run(UNDO, folder=self.folder, matching=self.run)
        desk = kit.desk(record.id)
        job = Undoing(
            record=record,
            desk=desk,
            closing=Closing(desk),
            returning=self._returning(kit, record.id),
            wall=kit.clocks.wall,
        )
        return Run(self.steps, job, width=width)

    def _returning(self, kit: Kit, run: str) -> Returning | None:
        target, journal, backups = self.target, kit.journal, kit.backups
        if target is None:
            return None
        placing = Placing(run=run, target=target, journal=journal, backups=backups)
        shelf = Shelf(target=target, journal=journal, backups=backups)
        return Returning(placing=placing, shelf=shelf)


async def _target(kit: Kit, plan: UndoPlan) -> Target | None:
    """The folder, if files are changed."""
    if not any(step.action in FILES for step in plan.restores):
        return None
    target = await kit.folder(plan.folder)
    if not await target.exists():
        raise SourceError(
            f"The folder {plan.folder} is not there.",
            advice="Connect its disk or share, then undo it.",
        )
    return target
