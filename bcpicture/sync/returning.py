"""Files that an undo puts back, or takes away, and whose they are then."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import attrs

from bcpicture.core.ledger import Action, Link, Way
from bcpicture.core.models import Downloaded
from bcpicture.core.report import Ending, Outcome
from bcpicture.core.steps import Restore
from bcpicture.errors import (
    BackupError,
    BcPictureError,
    ConflictError,
    SourceError,
)
from bcpicture.sync.backups import Backups
from bcpicture.sync.placing import Placing
from bcpicture.sync.shelving import Shelf
from bcpicture.sync.targets import Change

FILES = frozenset({Action.DOWNLOAD, Action.REMOVE})
"""What concerns a file, and no picture in Business Central."""

ALREADY = "it is so already"


@attrs.define(kw_only=True)
class Returning:
    """Puts files back."""

    placing: Placing
    """Changes them."""

    shelf: Shelf
    """Remembers whose they are."""

    _linked: dict[str, str] = attrs.field(factory=dict, init=False)

    async def put_back(self, steps: Sequence[Restore]) -> list[Outcome]:
        """Put back, or take away, some files."""
        outcomes: dict[int, Outcome] = {}
        changes = {}
        for number, step in enumerate(steps):
            try:
                changes[number] = await self._change(step)
            except BcPictureError as error:
                outcomes[number] = failed(step, error)
        await self.placing.place([*changes.values()])
        for number, change in changes.items():
            outcomes[number] = self._outcome(steps[number], change)
        await self.shelf.keep_up()
        return [outcomes[number] for number in range(len(steps))]

    async def _change(self, step: Restore) -> Change:
        content = None
        if step.after is not None:
            content = await saved(self.placing.backups, step.after)
        return Change(
            id=step.id,
            number=step.number,
            name=step.name,
            reason=step.reason,
            after=step.after,
            content=content,
            before=step.before,
            strict=True,
        )

    def _outcome(self, step: Restore, change: Change) -> Outcome:
        if change.error is not None:
            return failed(step, change.error)
        if change.refused:
            return failed(step, _refusal(step))
        self._link(step, change)
        if change.same:
            ending, note = Ending.UNCHANGED, ALREADY
            return Outcome(step=step, ending=ending, note=note, after=step.after)
        put = step.after is not None
        return Outcome(
            step=step,
            ending=Ending.DOWNLOADED if put else Ending.REMOVED,
            result=self._result(change) if put else None,
            before=change.found,
            saved=True,
            after=step.after,
        )

    def _result(self, change: Change) -> Downloaded:
        place = PurePath(self.placing.target.place)
        size = change.staged.size if change.staged else 0
        return Downloaded(path=place / change.name, size=size, sha256=change.after)

    def _link(self, step: Restore, change: Change) -> None:
        """Whose the file is: that it was written here is all that is claimed."""
        link = Link(
            way=Way.PULL,
            folder=self.placing.target.place,
            id=step.id,
            name=step.name,
            signs=change.staged.signs if change.staged else None,
            digest=step.after or "",
            sent=step.after or "",
        )
        if step.after is not None:
            self._linked[step.id] = step.name
            self.shelf.put(link)
        elif step.id not in self._linked:
            self.shelf.drop(link)


async def saved(backups: Backups, digest: str) -> Path:
    """Where the bytes lie that are put back.

    Raises:
        SourceError: They are not there, or damaged. That concerns nothing else.
    """
    try:
        return await backups.open(digest)
    except BackupError as error:
        raise SourceError(error.what, advice=error.advice) from error


def failed(step: Restore, error: BcPictureError | OSError) -> Outcome:
    """How a step ends that was not possible."""
    return Outcome(step=step, ending=Ending.FAILED, error=error)


def _refusal(step: Restore) -> ConflictError:
    return refusal(step, f"The file {step.name}")


def refusal(step: Restore, what: str) -> ConflictError:
    """Why something is left as it is."""
    advice = "Somebody changed it since, so it stays as it is."
    if step.after is not None:
        advice += f" What was there before is in the backup, as {step.after}."
    return ConflictError(f"{what} is not what the run left any more.", advice=advice)
