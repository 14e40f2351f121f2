"""What stands ready before a worker takes a step: a fresh look, and the file's bytes.

Blocks of a hundred steps are looked at in one request, where what is known of them has
become old; files are read sixteen in one hop of a thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from itertools import islice
from typing import TypeAlias

import attrs

from bcpicture.core.ledger import Action, Intent
from bcpicture.core.steps import Delete, LocalFile, Step, Upload
from bcpicture.errors import BcPictureError
from bcpicture.resources.records import Records
from bcpicture.sync.folder import SMALL, TOGETHER
from bcpicture.sync.journal import Journal
from bcpicture.sync.looks import NEVER, Look, look_at
from bcpicture.sync.sources import Loaded, Source

BLOCK = 100
"""Steps that are looked at in one request."""

AHEAD = 3
"""Groups of files that are read while the one before them is handed out."""


@attrs.frozen(kw_only=True)
class Prepared:
    """A step that a worker can take at once."""

    step: Step
    """It."""

    look: Look | None = None
    """What its record looked like; None for a step that touches no record."""

    loaded: Loaded | None = None
    """Its file; None for a step that sends none."""

    intent: Intent | None = None
    """What the journal says already that will happen; None where that depends on what
    is there."""


Ahead: TypeAlias = deque[asyncio.Task[list[Prepared]]]
"""Groups that are being prepared, in their order."""


@attrs.define(kw_only=True)
class Feeder:
    """Prepares steps ahead of those who carry them out."""

    records: Records
    """The records, asked for in bulk."""

    journal: Journal
    """Is told of what is about to happen."""

    run: str
    """What it calls the run."""

    source: Source
    """Where the files are."""

    exact: bool
    """Whether files are sent as they are, so that it is known what will arrive."""

    seen: float
    """When the oldest of what the plan relies on was told, in monotonic seconds."""

    clock: Callable[[], float]
    """Monotonic seconds."""

    async def feed(
        self, steps: Iterator[Step], *, again: bool
    ) -> AsyncGenerator[Prepared, None]:
        """Prepare *steps*, in their order."""
        ahead: Ahead = deque()
        try:
            async with aclosing(self._read_ahead(steps, ahead, again=again)) as feed:
                async for ready in feed:
                    yield ready
        finally:
            for task in ahead:
                task.cancel()
            await asyncio.gather(*ahead, return_exceptions=True)

    async def _read_ahead(
        self, steps: Iterator[Step], ahead: Ahead, *, again: bool
    ) -> AsyncGenerator[Prepared, None]:
        while block := list(islice(steps, BLOCK)):
            looks = await self._looks(block, NEVER if again else self.seen)
            for group in _groups(block):
                ahead.append(asyncio.create_task(self._prepare(group, looks)))
                for ready in await ahead.popleft() if len(ahead) > AHEAD else ():
                    yield ready
        while ahead:
            for ready in await ahead.popleft():
                yield ready

    async def _prepare(
        self, group: Sequence[Step], looks: Mapping[str, Look]
    ) -> list[Prepared]:
        files = await self._load(group)
        seen = [looks.get(step.id) for step in group]
        try:
            intents = await self._intend(group, seen, files)
        except BcPictureError as error:
            seen, intents = [Look(at=self.clock(), error=error)] * len(group), {}
        return [
            Prepared(step=step, look=look, loaded=loaded, intent=intents.get(step.id))
            for step, look, loaded in zip(group, seen, files, strict=True)
        ]

    async def _looks(self, block: Sequence[Step], seen: float) -> dict[str, Look]:
        looks = {
            step.id: Look.planned(step, seen)
            for step in block
            if isinstance(step, Upload | Delete)
        }
        now = self.clock()
        if all(look.fresh(now) for look in looks.values()):
            return looks
        try:
            return looks | await look_at(self.records, list(looks), now)
        except BcPictureError as error:
            return {id_: Look(at=now, error=error) for id_ in looks}

    async def _intend(
        self,
        group: Sequence[Step],
        seen: Sequence[Look | None],
        files: Sequence[Loaded | None],
    ) -> dict[str, Intent]:
        """Note what is about to happen where nothing is replaced: all in one commit.

        What is there has to be put aside first, so that an intent tells of it.
        """
        intents = filter(None, map(self._intent, group, seen, files))
        if intended := [*intents]:
            intended = await self.journal.intend(intended)
        return {intent.id: intent for intent in intended}

    def _intent(
        self, step: Step, look: Look | None, loaded: Loaded | None
    ) -> Intent | None:
        if not isinstance(step, Upload) or look is None or loaded is None:
            return None
        if look.error or look.picture.exists or loaded.error or not self.exact:
            return None
        return Intent(
            run=self.run,
            id=step.id,
            number=step.number,
            action=Action.UPLOAD,
            name=step.file.name,
            saved=True,
            after=loaded.digest,
            reason=step.reason,
        )

    async def _load(self, group: Sequence[Step]) -> list[Loaded | None]:
        files = [step.file for step in group if isinstance(step, Upload)]
        if not files:
            return [None] * len(group)
        return list(await self.source.load(files))


def _groups(block: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps whose files are read in one go; a large file is read alone."""
    group: list[Step] = []
    for step in block:
        file = _small(step)
        if group and (file is None or _small(group[-1]) is None):
            yield group
            group = []
        group.append(step)
        if len(group) == TOGETHER:
            yield group
            group = []
    if group:
        yield group


def _small(step: Step) -> LocalFile | None:
    """The file that is read along with others."""
    small = isinstance(step, Upload) and step.size <= SMALL
    return step.file if isinstance(step, Upload) and small else None
