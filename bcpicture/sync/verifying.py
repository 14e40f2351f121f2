"""A comparison of files and pictures by their bytes, which changes nothing at all."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from itertools import islice

import attrs

from bcpicture.core.report import Ending, Outcome, Report
from bcpicture.core.steps import Compare, Step
from bcpicture.errors import BcPictureError, UsageError
from bcpicture.resources.records import Records
from bcpicture.sync.folder import TOGETHER
from bcpicture.sync.looks import digest_of
from bcpicture.sync.sources import Loaded, Source
from bcpicture.sync.targets import Target

NO_PICTURE = "the record has no picture"


@attrs.frozen(kw_only=True)
class Hashed:
    """A comparison, for which the file has been read."""

    step: Step
    """It."""

    loaded: Loaded | None = None
    """The file; None if there is none."""


@attrs.frozen(kw_only=True)
class Verifying:
    """The job of a run that compares."""

    records: Records
    """The records, asked for in bulk."""

    source: Source | Target
    """Where the files are."""

    @property
    def run(self) -> str:
        """What the journal calls the run: it does not hear of it."""
        return ""

    @property
    def together(self) -> int:
        """How many steps end together: each ends by itself."""
        return 1

    async def begin(self) -> None:
        """Nothing is noted."""

    async def end(self, report: Report) -> None:
        """Nothing is noted."""

    async def feed(
        self, steps: Iterator[Step], *, again: bool
    ) -> AsyncGenerator[Hashed, None]:
        """Read some files in one hop of a thread."""
        _ = again
        while group := list(islice(steps, TOGETHER)):
            files = [it.file for it in group if isinstance(it, Compare) and it.file]
            read = iter(await self.source.digests(files))
            for step in group:
                has = isinstance(step, Compare) and step.file is not None
                yield Hashed(step=step, loaded=next(read) if has else None)

    def skip(self, ready: Hashed) -> None:
        """There is nothing to let go of."""

    async def close(self, sent: Sequence[Outcome]) -> list[Outcome]:
        """There is nothing to look at again."""
        return list(sent)

    async def perform(self, ready: Hashed) -> Outcome:
        """Compare one pair."""
        step, loaded = ready.step, ready.loaded
        if not isinstance(step, Compare):
            raise UsageError(
                f"A comparison has no {type(step).__name__}.", advice="Plan it anew."
            )
        if loaded is not None and loaded.error is not None:
            return Outcome(step=step, ending=Ending.FAILED, error=loaded.error)
        here = loaded.digest if loaded else None
        if not step.id:
            ending, note = Ending.ONLY_HERE, step.reason
            return Outcome(step=step, ending=ending, note=note, before=here)
        try:
            there, _ = await digest_of(self.records.picture_of(step.id))
        except BcPictureError as error:
            return Outcome(step=step, ending=Ending.FAILED, error=error, before=here)
        return _compared(step, here, there)


def _compared(step: Compare, here: str | None, there: str | None) -> Outcome:
    if there is None:
        ending = Ending.ONLY_HERE if here else Ending.UNCHANGED
        return Outcome(step=step, ending=ending, note=NO_PICTURE, before=here)
    if here is None:
        return Outcome(step=step, ending=Ending.ONLY_THERE, after=there)
    ending = Ending.EQUAL if there == _meant(step, here) else Ending.DIFFERS
    return Outcome(step=step, ending=ending, before=here, after=there)


def _meant(step: Compare, here: str) -> str:
    """SHA-256 of what the file stands for: it may be prepared on its way."""
    link = step.link
    return link.sent if link is not None and link.digest == here else here
