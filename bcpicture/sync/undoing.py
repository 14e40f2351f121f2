"""An undo: what becomes of each of its steps.

It is a run like any other: what it replaces is saved, what it is about to do is in the
journal first, and what it did is looked at. So it can be undone itself.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice

import attrs

from bcpicture.core.ledger import STOPPED, RunRecord, State
from bcpicture.core.report import Ending, Outcome, Report
from bcpicture.core.steps import Keep, Restore, Step
from bcpicture.errors import BcPictureError, UsageError
from bcpicture.net.files import in_thread
from bcpicture.sync.closing import Closing, Sent
from bcpicture.sync.feeding import BLOCK
from bcpicture.sync.guarding import Cargo, Desk, Guarded
from bcpicture.sync.looks import NEVER, Look, look_at
from bcpicture.sync.returning import ALREADY, FILES, Returning, failed, refusal, saved

TOGETHER = 16
"""Steps that are looked at, or files that are put back, together."""


@attrs.frozen(kw_only=True)
class Seen:
    """A step that a worker can take at once."""

    step: Step
    """It."""

    look: Look
    """What its record looked like."""


@attrs.frozen(kw_only=True)
class Returned:
    """A step that has to be ended together with others."""

    step: Restore
    """What was planned."""

    sent: Sent | None = None
    """The write that is to be looked at; None for a file that is to be put back."""


@attrs.frozen(kw_only=True)
class Undoing:
    """The job of a run that undoes another one."""

    record: RunRecord
    """What the journal tells of the run."""

    desk: Desk
    """What all writes of a run have at hand."""

    closing: Closing
    """Looks at what was written."""

    returning: Returning | None = None
    """Puts files back; None if there are none."""

    wall: Callable[[], datetime]
    """The time of day."""

    @property
    def run(self) -> str:
        """What the journal calls the run."""
        return self.record.id

    @property
    def together(self) -> int:
        """How many steps end together."""
        return TOGETHER

    # -- the run

    async def begin(self) -> None:
        """Note that it begins."""
        await self.desk.journal.begin(self.record)
        if self.returning is not None:
            await self.returning.placing.target.begin()

    async def end(self, report: Report) -> None:
        """Have the manifest tell of it, and note how it ended."""
        try:
            if self.returning is not None:
                await self.returning.shelf.close()
        finally:
            summary = report.summary + (STOPPED if report.stopped else "")
            await self.desk.journal.end(self.run, self.wall(), summary)

    async def feed(
        self, steps: Iterator[Step], *, again: bool
    ) -> AsyncGenerator[Seen, None]:
        """Look at the records ahead, a hundred a request."""
        _ = again
        while block := list(islice(steps, BLOCK)):
            looks = await self._looks(block)
            for step in block:
                yield Seen(step=step, look=looks.get(step.id, Look(at=NEVER)))

    async def _looks(self, block: Sequence[Step]) -> dict[str, Look]:
        ids = [
            step.id
            for step in block
            if isinstance(step, Restore) and step.action not in FILES
        ]
        now = self.desk.clock()
        try:
            return await look_at(self.desk.records, ids, now) if ids else {}
        except BcPictureError as error:
            return {id_: Look(at=now, error=error) for id_ in ids}

    def skip(self, ready: Seen) -> None:
        """There is nothing to let go of."""

    async def perform(self, ready: Seen) -> Outcome | Returned:
        """Carry out one step, but for what is done together with others."""
        step = ready.step
        if isinstance(step, Keep):
            return Outcome(step=step, ending=Ending.KEPT)
        if not isinstance(step, Restore):
            raise UsageError(
                f"An undo has no {type(step).__name__}.", advice="Plan it anew."
            )
        if step.action in FILES:
            return Returned(step=step)
        return await self._picture(step, ready.look)

    async def close(self, sent: Sequence[Returned]) -> list[Outcome]:
        """Look at pictures, and put back files; note what was undone by it."""
        files = [one.step for one in sent if one.sent is None]
        outcomes: list[Outcome] = []
        if pictures := [one.sent for one in sent if one.sent is not None]:
            outcomes += await self.closing.close(pictures)
        if files and self.returning is not None:
            outcomes += await self.returning.put_back(files)
        for outcome in outcomes:
            self._note(outcome)
        return outcomes

    def _note(self, outcome: Outcome) -> None:
        if outcome.error is None and isinstance(outcome.step, Restore):
            undone = attrs.evolve(outcome.step.undoes, state=State.UNDONE)
            self.desk.journal.note_soon(settled=[undone])

    # -- pictures

    async def _picture(self, step: Restore, look: Look) -> Outcome | Returned:
        write = Guarded(
            desk=self.desk,
            id=step.id,
            number=step.number,
            action=step.action,
            name=step.name,
            reason=step.reason,
            look=look,
        )
        try:
            done = await write.twice(partial(self._once, step, write))
        except (BcPictureError, OSError) as error:
            write.failed(error)
            return failed(step, error)
        if isinstance(done, Outcome):
            self._note(done)
        return done

    async def _once(self, step: Restore, write: Guarded) -> Outcome | Returned:
        started = self.desk.clock()
        found = await write.save()
        if found == step.after:
            ending, note = Ending.UNCHANGED, ALREADY
            return Outcome(step=step, ending=ending, note=note, after=found)
        if found != step.before:
            return failed(step, refusal(step, f'The picture of "{step.number}"'))
        if step.after is None:
            ending, intent, done = Ending.DELETED, await write.clear(), None
        else:
            path = await saved(self.desk.backups, step.after)
            size = (await in_thread(path.stat)).st_size
            cargo = Cargo(digest=step.after, size=size, source=path)
            # It was there before: what anybody thinks of it is no reason now.
            intent, done = await write.set(cargo, preflight=False)
            ending = Ending.UPLOADED
        seconds = self.desk.clock() - started
        sent = Sent(
            step=step,
            ending=ending,
            intent=intent,
            done=done,
            seconds=seconds,
            window=seconds,
        )
        return Returned(step=step, sent=sent)
