"""A push: what becomes of each of its steps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import datetime

import attrs

from bcpicture.core.ledger import (
    STOPPED,
    Agreement,
    RunRecord,
)
from bcpicture.core.report import Ending, Outcome, Report
from bcpicture.core.steps import Adopt, Delete, Keep, Step, Upload
from bcpicture.errors import UsageError
from bcpicture.sync.closing import CLOSING, Closing, Sent
from bcpicture.sync.feeding import Feeder, Prepared
from bcpicture.sync.guarding import not_begun
from bcpicture.sync.writing import Deleting, Push, Uploading


@attrs.define(kw_only=True)
class Pushing:
    """The job of a run that pushes."""

    record: RunRecord
    """What the journal tells of the run."""

    push: Push
    """What its steps have in common."""

    feeder: Feeder
    """Prepares steps ahead."""

    scanned: int
    """When the files were listed, in nanoseconds since the epoch."""

    wall: Callable[[], datetime]
    """The time of day."""

    forgotten: Sequence[str] = ()
    """Ids of the records that are remembered no longer."""

    @property
    def run(self) -> str:
        """What the journal calls the run."""
        return self.record.id

    @property
    def together(self) -> int:
        """How many steps are looked at at once."""
        return CLOSING

    # -- the run

    async def begin(self) -> None:
        """Note that it begins, and what does not hold any more."""
        journal = self.push.desk.journal
        if self.push.options.rebase:
            await journal.rebase()
        elif self.forgotten:
            await journal.note(forgotten=self.forgotten)
        await journal.begin(self.record)

    async def end(self, report: Report) -> None:
        """Note how it ended."""
        summary = report.summary + (STOPPED if report.stopped else "")
        await self.push.desk.journal.end(self.run, self.wall(), summary)

    def feed(
        self, steps: Iterator[Step], *, again: bool
    ) -> AsyncGenerator[Prepared, None]:
        """Prepare steps ahead."""
        return self.feeder.feed(steps, again=again)

    def skip(self, ready: Prepared) -> None:
        """Let go of a step that was prepared."""
        if ready.intent is not None:
            self.push.desk.journal.note_soon(settled=[not_begun(ready.intent)])

    async def close(self, sent: Sequence[Sent]) -> list[Outcome]:
        """Look at what was written."""
        return await Closing(self.push.desk).close(sent)

    async def perform(self, ready: Prepared) -> Outcome | Sent:
        """Carry out one step."""
        match ready.step:
            case Upload() as step:
                return await Uploading(self.push, step, ready).carry_out()
            case Delete() as step:
                return await Deleting(self.push, step, ready).carry_out()
            case Adopt() as step:
                return self._adopt(step)
            case Keep() as step:
                return Outcome(step=step, ending=Ending.KEPT)
            case step:
                raise UsageError(
                    f"A push has no {type(step).__name__}.", advice="Plan it anew."
                )

    # -- what both sides agree upon

    def _adopt(self, step: Adopt) -> Outcome:
        agreement = Agreement(
            id=step.id,
            number=step.number,
            digest=step.sent,
            size=step.size,
            item=step.item,
            picture=step.picture,
        )
        signs = step.file.signs
        link = self.push.link(
            step,
            signs if signs.settled(self.scanned) else None,
            digest=step.digest,
            sent=step.sent,
        )
        self.push.desk.journal.note_soon(agreements=[agreement], links=[link])
        return Outcome(step=step, ending=Ending.ADOPTED, after=step.sent)
