"""A pull: what becomes of each of its steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import datetime

import attrs

from bcpicture.core.ledger import STOPPED, Agreement, RunRecord
from bcpicture.core.options import PullOptions
from bcpicture.core.report import Ending, Outcome, Report
from bcpicture.core.steps import Adopt, Download, Keep, Remove, Step
from bcpicture.errors import BcPictureError, NoPictureError, UsageError
from bcpicture.resources.records import Records
from bcpicture.sync.engine import WIDTH
from bcpicture.sync.fetching import Fetched, fetch
from bcpicture.sync.filing import Filing
from bcpicture.sync.targets import Staged

GONE_SINCE = "the picture is gone since the plan was made"


@attrs.frozen(kw_only=True)
class Ready:
    """A step, for which nothing has to be prepared."""

    step: Step
    """It."""


@attrs.define(kw_only=True)
class Pulling:
    """The job of a run that pulls."""

    record: RunRecord
    """What the journal tells of the run."""

    records: Records
    """The records, asked for in bulk."""

    filing: Filing
    """Makes files of pictures."""

    options: PullOptions
    """What the user decided."""

    absences: Sequence[Agreement] = ()
    """Records that have no picture."""

    forgotten: Sequence[str] = ()
    """Ids of the records that are remembered no longer."""

    clock: Callable[[], float]
    """Monotonic seconds."""

    wall: Callable[[], datetime]
    """The time of day."""

    width: int = WIDTH
    """Steps at once; so many small pictures become files together."""

    _room: asyncio.Semaphore = attrs.field(init=False, repr=False)
    """Pictures on their way, and those that are no files yet: twice the width, so that
    a run that is killed has fetched no more for nothing."""

    @_room.default
    def _new_room(self) -> asyncio.Semaphore:
        return asyncio.Semaphore(2 * self.width)

    @property
    def run(self) -> str:
        """What the journal calls the run."""
        return self.record.id

    @property
    def together(self) -> int:
        """How many pictures become files at once."""
        return self.width

    # -- the run

    async def begin(self) -> None:
        """Note that it begins, and what does not hold any more."""
        journal = self.filing.placing.journal
        if self.options.rebase:
            await journal.rebase()
        await journal.note(forgotten=self.forgotten, agreements=self.absences)
        await journal.begin(self.record)
        await self.filing.placing.target.begin()

    async def end(self, report: Report) -> None:
        """Have all files on the disk and in the manifest, and note how it ended."""
        try:
            await self.filing.shelf.close()
        finally:
            summary = report.summary + (STOPPED if report.stopped else "")
            journal = self.filing.placing.journal
            await journal.end(self.run, self.wall(), summary)

    async def feed(
        self, steps: Iterator[Step], *, again: bool
    ) -> AsyncGenerator[Ready, None]:
        """Nothing has to be prepared."""
        _ = again
        for step in steps:
            yield Ready(step=step)

    def skip(self, ready: Ready) -> None:
        """There is nothing to let go of."""

    async def perform(self, ready: Ready) -> Outcome | Fetched:
        """Carry out one step."""
        match ready.step:
            case Download() as step:
                return await self._download(step)
            case Remove() as step:
                return await self.filing.take_away(step)
            case Adopt() as step:
                return await self.filing.adopt(step)
            case Keep() as step:
                return Outcome(step=step, ending=Ending.KEPT)
            case step:
                raise UsageError(
                    f"A pull has no {type(step).__name__}.", advice="Plan it anew."
                )

    async def _download(self, step: Download) -> Outcome | Fetched:
        await self._room.acquire()
        done = None
        try:
            done = await self._fetch(step)
        finally:
            if not isinstance(done, Fetched):
                self._room.release()
        return done

    async def _fetch(self, step: Download) -> Outcome | Fetched:
        started = self.clock()
        picture, target = self.records.picture_of(step.id), self.filing.placing.target
        try:
            fetched = await fetch(picture, step, target, self.clock)
        except NoPictureError:
            return Outcome(step=step, ending=Ending.UNCHANGED, note=GONE_SINCE)
        except (BcPictureError, OSError) as error:
            return Outcome(
                step=step,
                ending=Ending.FAILED,
                error=error,
                seconds=self.clock() - started,
            )
        if not isinstance(fetched.content, Staged):
            return fetched
        # What lies beside its place already does not wait for others.
        [outcome] = await self.filing.put([fetched])
        return outcome

    async def close(self, sent: Sequence[Fetched]) -> list[Outcome]:
        """Make files of some pictures."""
        try:
            return await self.filing.put(sent)
        finally:
            for _ in sent:
                self._room.release()
