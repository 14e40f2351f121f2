"""What a run that was cut off left open: looked at before anything new is planned.

A step that was intended may have happened. What is there now tells: the bytes that it
would have left, those that it would have replaced, or neither.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import attrs

from bcpicture.core.ledger import CUT_OFF, Action, Intent, State
from bcpicture.errors import MissingError, SourceError
from bcpicture.resources.records import Records
from bcpicture.sync.journal import Journal
from bcpicture.sync.looks import Look, digest_of, look_at
from bcpicture.sync.turns import in_turns

Find = Callable[[Intent, str], Awaitable[str | None]]
"""SHA-256 of what a file of a folder holds now; None if it is not there."""

_FILES = {Action.DOWNLOAD, Action.REMOVE}
"""What concerns a file, and no picture in Business Central."""

_RUNS = 100
"""Runs that are looked at, the latest ones."""


@attrs.frozen(kw_only=True)
class Settled:
    """What became of the steps that were open."""

    done: tuple[Intent, ...] = ()
    """They have happened."""

    failed: tuple[Intent, ...] = ()
    """They have not."""

    unknown: tuple[Intent, ...] = ()
    """Something else is there, so that nobody can tell."""

    def __len__(self) -> int:
        return len(self.done) + len(self.failed) + len(self.unknown)


def judge(intent: Intent, found: str | None) -> State:
    """Whether a step has happened, by what is there now."""
    if found == intent.after:
        return State.DONE
    return State.FAILED if found == intent.before else State.UNKNOWN


@attrs.frozen(kw_only=True)
class Settling:
    """Settles open steps, all that are of one kind together."""

    journal: Journal
    """Knows of them, and is told."""

    records: Records
    """The records, asked for in bulk."""

    clock: Callable[[], float]
    """Monotonic seconds."""

    wall: Callable[[], datetime]
    """The time of day."""

    find: Find
    """How to look at a file; raises `SourceError` if that cannot be told now."""

    async def settle(self) -> Settled:
        """Settle all that is open.

        Raises:
            BcPictureError: What is there cannot be looked at.
        """
        open_ = await self.journal.open_intents()
        # Of several attempts at one step the last one tells.
        last = {(one.run, one.id, one.action, one.name): one for one in open_}
        pictures = [one for one in last.values() if one.action not in _FILES]
        files = [one for one in last.values() if one.action in _FILES]
        runs = await self.journal.runs(_RUNS)
        settled = await self._each(pictures) if pictures else []
        settled += await self._settle_files(files, {it.id: it.folder for it in runs})
        known = {one.step for one in last.values()}
        over = [
            attrs.evolve(one, state=State.FAILED, reason="it was tried once more")
            for one in open_
            if one.step not in known
        ]
        if over:
            await self.journal.note(settled=over)
        for run in runs:
            if run.ended is None:
                await self.journal.end(run.id, self.wall(), CUT_OFF)
        return _sorted(settled)

    async def _each(self, intents: Sequence[Intent]) -> list[Intent]:
        ids = [one.id for one in intents]
        looks = await look_at(self.records, ids, self.clock())

        async def one(intent: Intent) -> Intent:
            return await self._settle(intent, looks.get(intent.id))

        return await in_turns(one, intents)

    async def _settle_files(
        self, intents: Sequence[Intent], folders: Mapping[str, str]
    ) -> list[Intent]:
        """Settle what concerns files; it stays open while their folder is not there.

        What is agreed upon stays so: it is about the record.
        """
        settled = []
        for intent in intents:
            try:
                found = await self.find(intent, folders.get(intent.run, ""))
            except SourceError:
                continue
            settled.append(attrs.evolve(intent, state=judge(intent, found)))
        if settled:
            await self.journal.note(settled=settled)
        return settled

    async def _settle(self, intent: Intent, look: Look | None) -> Intent:
        found, size = await self._found(intent, look)
        settled = attrs.evolve(intent, state=judge(intent, found))
        agreements = []
        seen = look is not None and look.error is None
        if look is not None and seen and found == intent.after:
            agreements = [look.agreement(intent.id, found, size)]
        await self.journal.note(
            forgotten=[intent.id], settled=[settled], agreements=agreements
        )
        return settled

    async def _found(self, intent: Intent, look: Look | None) -> tuple[str | None, int]:
        if look is None or isinstance(look.error, MissingError):
            return None, 0
        if look.error is not None:
            raise look.error
        if not look.picture.exists:
            return None, 0
        return await digest_of(self.records.picture_of(intent.id))


def _sorted(settled: Sequence[Intent]) -> Settled:
    def of(state: State) -> tuple[Intent, ...]:
        return tuple(one for one in settled if one.state is state)

    return Settled(
        done=of(State.DONE), failed=of(State.FAILED), unknown=of(State.UNKNOWN)
    )
