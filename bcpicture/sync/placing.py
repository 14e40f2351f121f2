"""Files under guard: none is lost by a pull or an undo, and the journal knows first.

Some small files are written together, so that a thread and a commit serve all of them::

    examine   what is there; what is to be there is written beside it
    save      what is replaced goes into the backup, and to the disk
    intend    the journal says what is about to happen; durable
    apply     one step for each file, if there is still what was examined
    note      the journal says what happened, along with what it is told next

Where nothing is thought to be, nothing is examined or saved: the file is written and
gets its name in one go, unless something is there after all; then all of it is done.

After a kill, whatever has its intent is told by a look at the file: it has the digest
that the intent was to leave, or the one that it was to replace. What had none has not
happened. So a file is flushed to the disk before its name only if the name belonged to
another one; for a new one it is enough that its bytes are on the disk before the
journal relies on its signs, and many are flushed together much faster. Until then the
journal has no signs of it, and the next run reads it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import attrs

from bcpicture.core.ledger import Intent, State
from bcpicture.errors import BcPictureError, ConflictError
from bcpicture.sync.backups import Backups
from bcpicture.sync.journal import Journal
from bcpicture.sync.targets import Change, Target


def _any(_: Change) -> None:
    """Allow it."""


@attrs.frozen(kw_only=True)
class Placing:
    """What changes files."""

    run: str
    """What the journal calls the run."""

    target: Target
    """Where the files are."""

    journal: Journal
    """What is about to happen, and what happened."""

    backups: Backups
    """Where files go that are replaced or taken away."""

    allow: Callable[[Change], None] = _any
    """Is asked before a file is replaced or taken away; raises `BrakeError`."""

    async def place(self, changes: Sequence[Change]) -> None:
        """Carry out all of them; each ends as its `Change` tells."""
        try:
            await self._once(changes)
            if again := [it for it in changes if it.moved]:
                for change in again:
                    change.begin_again()
                await self._once(again)
        except (BcPictureError, OSError) as error:
            for change in changes:
                if change.waiting:
                    change.error = error
        finally:
            await self.target.discard(changes)
        for change in changes:
            if change.moved:
                change.error = _conflict(change)

    async def _once(self, changes: Sequence[Change]) -> None:
        if known := [change for change in changes if not change.fresh]:
            await self.target.examine(known)
        if there := [it for it in changes if it.waiting and it.seen is not None]:
            await asyncio.gather(*map(self._save, there))
        waiting = [change for change in changes if change.waiting]
        self._agree(changes)
        if not waiting:
            return
        intents = [self._intent(change) for change in waiting]
        failures: list[BcPictureError | OSError] = []

        def apply() -> None:
            try:
                self.target.apply(waiting)
            except (BcPictureError, OSError) as error:
                failures.append(error)

        intended = await self.journal.intend(intents, then=apply)
        settled = map(_settled, waiting, intended)
        self.journal.note_soon(settled=[*settled])
        for failure in failures:
            raise failure

    def _agree(self, changes: Sequence[Change]) -> None:
        """Note what the bytes tell of their records, whatever becomes of the files."""
        agreed = [
            attrs.evolve(change.agreed, digest=change.after)
            for change in changes
            if change.agreed is not None and change.error is None
        ]
        if agreed:
            self.journal.note_soon(agreements=agreed)

    async def _save(self, change: Change) -> None:
        """Put aside what is there; without that, nothing happens to it."""
        try:
            self.allow(change)
            saved = await self.backups.save(self.target.path_of(change))
        except BcPictureError as error:
            change.error = error
            return
        change.moved = saved.digest != change.found

    def _intent(self, change: Change) -> Intent:
        return Intent(
            run=self.run,
            id=change.id,
            number=change.number,
            action=change.action,
            name=change.name,
            before=change.found,
            saved=True,
            after=change.after,
            reason=change.reason,
        )


def _settled(change: Change, intent: Intent) -> Intent:
    if change.done:
        return attrs.evolve(intent, state=State.DONE)
    otherwise = "somebody was quicker" if change.moved else "it was not done"
    reason = str(change.error or otherwise)
    return attrs.evolve(intent, state=State.FAILED, reason=reason)


def _conflict(change: Change) -> BcPictureError:
    return ConflictError(
        f"The file {change.name} was changed by somebody again and again.",
        advice="Look who writes to it; it was left as it is.",
    )
