"""Pictures that have arrived become files, and the journal knows which."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Self

import attrs

from bcpicture.core.ledger import Agreement, Link, Way
from bcpicture.core.models import Downloaded
from bcpicture.core.plans import PullPlan
from bcpicture.core.report import Ending, Outcome
from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import Adopt, Remove, Replaces, Why
from bcpicture.errors import BrakeError
from bcpicture.sync.fetching import Fetched
from bcpicture.sync.placing import Placing
from bcpicture.sync.shelving import Shelf
from bcpicture.sync.targets import Change

GONE_ALREADY = "the file was gone already"
OTHER_KIND = "the picture is of another kind now"


@attrs.define(kw_only=True)
class Room:
    """How many files may be replaced, those of the plan included."""

    limit: int | None
    """None: any number."""

    spent: int
    """How many are planned, or were taken."""

    counted: set[str] = attrs.field(factory=set)
    """Ids of the records whose files are."""

    @classmethod
    def of(cls, plan: PullPlan) -> Self:
        """What a plan leaves of what is allowed."""
        sure = [step for step in plan.downloads if step.reason != Why.UNPROVEN]
        return cls(
            limit=plan.options.max_replace.among(plan.files),
            spent=plan.replaced,
            counted={it.id for it in sure if it.replaces is not Replaces.NOTHING},
        )

    def take(self, change: Change) -> None:
        """Replace one more file, unless it is counted.

        Raises:
            BrakeError: It would be too many.
        """
        if change.strict or change.id in self.counted:
            return
        if self.limit is not None and self.spent >= self.limit:
            raise BrakeError(
                f"The file {change.name} would be replaced as well, and that is one "
                f"too many: {self.limit} are allowed.",
                advice="Look at it in a new plan, or raise max_replace.",
            )
        self.spent += 1
        self.counted.add(change.id)


@attrs.frozen(kw_only=True)
class Filing:
    """Makes files of pictures."""

    placing: Placing
    """Changes files."""

    shelf: Shelf
    """Remembers whose they are."""

    scanned: int = 0
    """When the files were listed, in nanoseconds since the epoch."""

    async def put(self, fetched: Sequence[Fetched]) -> list[Outcome]:
        """Make files of some pictures."""
        changes = [_written(one) for one in fetched]
        await self.placing.place(changes)
        pairs = [*zip(fetched, changes, strict=True)]
        old = {one.step.id: it for one, change in pairs for it in _old(one, change)}
        if old:
            await self.placing.place([*old.values()])
        outcomes = [self._put(one, it, old.get(one.step.id)) for one, it in pairs]
        await self.shelf.keep_up()
        return outcomes

    def _put(self, one: Fetched, change: Change, old: Change | None) -> Outcome:
        error = change.error or (old.error if old else None)
        if error is None:
            kind = one.kind.content_type if one.kind else ""
            read = change.seen if change.same else None
            self.shelf.put(self._link(change), kind, read=read, fresh=change.fresh)
        return Outcome(
            step=one.step,
            ending=_ending(change) if error is None else Ending.FAILED,
            note=_note(change, old),
            result=self._result(one, change) if change.done else None,
            before=change.found or (old.found if old else None),
            saved=change.error is None,
            after=change.after if change.done or change.same else None,
            error=error,
            seconds=one.seconds,
        )

    def _result(self, one: Fetched, change: Change) -> Downloaded:
        return Downloaded(
            path=PurePath(self.placing.target.place, change.name),
            size=one.size,
            sha256=change.after,
            content_type=one.kind.content_type if one.kind else None,
        )

    def _link(self, change: Change) -> Link:
        signs = change.staged.signs if change.staged else self._proven(change.seen)
        return self.link(change.id, change.name, change.after or "", signs)

    def _proven(self, signs: FileSigns | None) -> FileSigns | None:
        """The signs of somebody else's file, unless it is as young as the listing."""
        return signs if signs and signs.settled(self.scanned) else None

    def link(self, id_: str, name: str, digest: str, signs: FileSigns | None) -> Link:
        """Which file belongs to a record from now on."""
        return Link(
            way=Way.PULL,
            folder=self.placing.target.place,
            id=id_,
            name=name,
            signs=signs,
            digest=digest,
            sent=digest,
        )

    async def adopt(self, step: Adopt) -> Outcome:
        """Note that the file holds the record's picture."""
        agreement = Agreement(
            id=step.id,
            number=step.number,
            digest=step.sent,
            size=step.size,
            item=step.item,
            picture=step.picture,
        )
        signs = self._proven(step.file.signs)
        self.placing.journal.note_soon(agreements=[agreement])
        link = self.link(step.id, step.file.name, step.digest, signs)
        self.shelf.put(link, read=step.file.signs)
        await self.shelf.keep_up()
        return Outcome(step=step, ending=Ending.ADOPTED, after=step.sent)

    async def take_away(self, step: Remove) -> Outcome:
        """Take a file away whose picture is gone."""
        change = Change(
            id=step.id,
            number=step.number,
            name=step.file.name,
            reason=step.reason,
            before=step.before,
            signs=step.file.signs,
            strict=True,
            agreed=Agreement(
                id=step.id,
                number=step.number,
                digest=None,
                item=step.item,
                picture=step.picture,
            ),
        )
        await self.placing.place([change])
        if change.error is None and not change.refused:
            self.shelf.drop(self.link(step.id, step.file.name, "", None))
        return Outcome(
            step=step,
            ending=_removal(change),
            note=_note(change, None),
            before=change.found,
            saved=change.done,
            error=change.error,
        )


def _written(one: Fetched) -> Change:
    step = one.step
    known = step.file if step.file and step.file.name == one.name else None
    return Change(
        id=step.id,
        number=step.number,
        name=one.name,
        reason=step.reason,
        after=one.digest,
        content=one.content,
        fresh=step.file is None and isinstance(one.content, bytes),
        before=step.before if known else None,
        signs=known.signs if known else None,
        agreed=Agreement(
            id=step.id,
            number=step.number,
            digest="",
            size=one.size,
            item=step.item,
            picture=step.picture,
        ),
    )


def _old(one: Fetched, change: Change) -> list[Change]:
    """Our file of another extension, which the new one stands for."""
    step = one.step
    if step.replaces is not Replaces.OURS or step.file is None:
        return []
    if step.file.name == one.name or change.error is not None:
        return []
    return [
        Change(
            id=step.id,
            number=step.number,
            name=step.file.name,
            reason=OTHER_KIND,
            before=step.before,
            signs=step.file.signs,
            strict=True,
        )
    ]


def _ending(change: Change) -> Ending:
    return Ending.ADOPTED if change.same else Ending.DOWNLOADED


def _removal(change: Change) -> Ending:
    if change.error is not None:
        return Ending.FAILED
    if change.refused:
        return Ending.KEPT
    return Ending.REMOVED if change.done else Ending.UNCHANGED


def _note(change: Change, old: Change | None) -> str:
    if old is not None and old.refused:
        return f"{old.name} stays: {Why.FILE_CHANGED_HERE}"
    if change.content is None:
        if change.refused:
            return Why.REMOVED_AND_CHANGED
        return "" if change.done or change.error else GONE_ALREADY
    if change.same:
        return Why.EQUAL
    if change.done and change.before and change.found != change.before:
        return f"it was replaced although {Why.FILE_CHANGED_HERE}"
    return ""
