"""The steps of a push that write: one upload, one deletion, under guard."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from functools import partial

import attrs

from bcpicture.core.ledger import Action, Intent, Link, Rejection, State, Way
from bcpicture.core.models import Uploaded
from bcpicture.core.options import PushOptions
from bcpicture.core.report import Ending, Outcome
from bcpicture.core.signs import FileSigns
from bcpicture.core.steps import Adopt, Delete, Replaces, Upload, Why
from bcpicture.errors import (
    BcPictureError,
    OutcomeUnknownError,
    RejectedError,
    UsageError,
)
from bcpicture.images import prepare_picture
from bcpicture.sync.closing import Sent
from bcpicture.sync.feeding import Prepared
from bcpicture.sync.guarding import Allowance, Cargo, Desk, Guarded
from bcpicture.sync.looks import NEVER, Look
from bcpicture.sync.sources import Loaded, Source

RENUMBERED = "the record has another number since the plan was made"
BACK = "the file is there again"
GONE_ALREADY = "the picture was gone already"
ARRIVED = "it had arrived, although nobody knew at first"


@attrs.frozen(kw_only=True)
class Push:
    """What the steps of a push have in common."""

    desk: Desk
    """What all writes of a run have at hand."""

    source: Source
    """Where the files are."""

    options: PushOptions
    """What the user decided."""

    allowance: Allowance
    """How many pictures may be replaced."""

    doubts: dict[str, Intent] = attrs.field(factory=dict)
    """What nobody knew the end of, by the ids of the records."""

    def link(
        self,
        step: Upload | Adopt,
        signs: FileSigns | None,
        *,
        digest: str,
        sent: str,
    ) -> Link:
        """Which file belongs to the record of *step* from now on."""
        return Link(
            way=Way.PUSH,
            folder=self.source.place,
            id=step.id,
            name=step.file.name,
            signs=signs,
            digest=digest,
            recipe=self.options.recipe,
            sent=sent,
        )

    def unlink(self, step: Delete) -> Link:
        """Which file does not belong to the record of *step* any more."""
        return Link(
            way=Way.PUSH,
            folder=self.source.place,
            id=step.id,
            name=step.name,
            signs=None,
            digest="",
            sent="",
        )


class _Doing:
    """One step that writes, while it is carried out."""

    def __init__(self, push: Push, step: Upload | Delete, write: Guarded) -> None:
        self._push, self._write = push, write
        self._planned = step
        self._started = self._now()

    def _now(self) -> float:
        return self._push.desk.clock()

    async def carry_out(self) -> Outcome | Sent:
        """Carry it out, however it ends."""
        try:
            done = await self._carry_out()
        except (BcPictureError, OSError) as error:
            return self._failed(error)
        self._write.abandon()  # if nothing had to be written after all
        return done

    @abstractmethod
    async def _carry_out(self) -> Outcome | Sent:
        """Carry it out."""

    def _failed(self, error: BcPictureError | OSError) -> Outcome:
        self._write.failed(error)
        return self._outcome(Ending.FAILED, error=error)

    def _outcome(
        self,
        ending: Ending,
        *,
        note: str = "",
        after: str | None = None,
        error: BcPictureError | OSError | None = None,
    ) -> Outcome:
        write = self._write
        return Outcome(
            step=self._planned,
            ending=ending,
            note=note,
            before=write.before,
            saved=write.saved,
            after=after,
            error=error,
            seconds=self._now() - self._started,
        )


class Uploading(_Doing):
    """One upload."""

    def __init__(self, push: Push, step: Upload, ready: Prepared) -> None:
        name = step.file.name
        write = _guarded(push, step, ready, action=Action.UPLOAD, name=name)
        super().__init__(push, step, write)
        self._step, self._loaded = step, ready.loaded
        self._sent_at = self._started
        self._counted = step.replaces is not Replaces.NOTHING

    async def _carry_out(self) -> Outcome | Sent:
        loaded = self._loaded
        if loaded is None:
            raise UsageError("A file was not read.", advice="Plan it anew.")
        if loaded.error is not None:
            raise loaded.error
        cargo = await self._cargo(loaded)
        return await self._write.twice(partial(self._once, loaded, cargo))

    async def _cargo(self, loaded: Loaded) -> Cargo:
        source = loaded.path if loaded.data is None else loaded.data
        if source is None:
            raise UsageError("A file was not read.", advice="Plan it anew.")
        if prepare := self._push.options.prepare:
            prepared = await prepare_picture(source, prepare)
            if prepared.changed:
                return await asyncio.to_thread(Cargo.of, prepared.data)
        return Cargo(digest=loaded.digest, size=loaded.file.size, source=source)

    async def _once(self, loaded: Loaded, cargo: Cargo) -> Outcome | Sent:
        if self._write.look.number != self._step.number:
            return self._outcome(Ending.KEPT, note=RENUMBERED)
        if await self._save() == cargo.digest:
            return self._adopted(loaded, cargo)
        self._sent_at = self._now()
        preflight = self._push.options.preflight
        intent, done = await self._write.set(cargo, preflight=preflight)
        return self._sent(loaded, cargo, intent, done)

    async def _save(self) -> str | None:
        """Put aside what is there, unless that need not be; return its digest."""
        write, push = self._write, self._push
        dialect = push.desk.records.company.endpoint.dialect
        replaces = write.look.replaces(self._step, dialect)
        if replaces is not Replaces.NOTHING and not self._counted:
            push.allowance.take()
            self._counted = True
        if replaces is Replaces.OURS and push.options.backup == "foreign":
            write.before, write.saved = self._step.before, False
            return write.before
        return await write.save()

    def _sent(
        self, loaded: Loaded, cargo: Cargo, intent: Intent, done: Uploaded
    ) -> Sent:
        changed = intent.after != cargo.digest  # a large file, between two readings
        link = self._push.link(
            self._step,
            None if changed else loaded.signs,
            digest=intent.after if changed and intent.after else loaded.digest,
            sent=intent.after or cargo.digest,
        )
        now = self._now()
        return Sent(
            step=self._step,
            ending=Ending.UPLOADED,
            intent=intent,
            done=done,
            link=link,
            seconds=now - self._started,
            window=now - self._sent_at,
        )

    def _adopted(self, loaded: Loaded, cargo: Cargo) -> Outcome:
        """Note that the same bytes were there already."""
        push, step, look = self._push, self._step, self._write.look
        push.desk.journal.note_soon(
            agreements=[look.agreement(step.id, cargo.digest, cargo.size)],
            links=[
                push.link(step, loaded.signs, digest=loaded.digest, sent=cargo.digest)
            ],
        )
        doubted = push.doubts.pop(step.id, None)
        if doubted is not None and doubted.after == cargo.digest:
            return self._arrived(doubted)
        return self._outcome(Ending.ADOPTED, note=Why.EQUAL, after=cargo.digest)

    def _arrived(self, doubted: Intent) -> Outcome:
        """Note that it was sent from here, before."""
        done = attrs.evolve(doubted, state=State.DONE, reason=self._step.reason)
        self._push.desk.journal.note_soon(settled=[done])
        self._write.before, self._write.saved = done.before, done.saved
        return self._outcome(Ending.UPLOADED, note=ARRIVED, after=done.after)

    def _failed(self, error: BcPictureError | OSError) -> Outcome:
        intent = self._write.intent
        if isinstance(error, OutcomeUnknownError) and intent:
            self._push.doubts[self._step.id] = intent
        if isinstance(error, RejectedError) and intent and intent.after:
            rejection = Rejection(
                id=self._step.id,
                sent=intent.after,
                item=self._write.look.item,
                reason=error.what,
            )
            self._push.desk.journal.note_soon(rejections=[rejection])
        return super()._failed(error)


class Deleting(_Doing):
    """One deletion."""

    def __init__(self, push: Push, step: Delete, ready: Prepared) -> None:
        write = _guarded(push, step, ready, action=Action.DELETE, name=step.name)
        super().__init__(push, step, write)
        self._step = step

    async def _carry_out(self) -> Outcome | Sent:
        if not await self._push.source.gone(self._step.name):
            return self._outcome(Ending.KEPT, note=BACK)
        return await self._write.twice(self._once)

    async def _once(self) -> Outcome | Sent:
        push, write, step = self._push, self._write, self._step
        if write.look.number != step.number:
            return self._outcome(Ending.KEPT, note=RENUMBERED)
        unlink = push.unlink(step)
        if not write.look.picture.exists:
            agreement = write.look.agreement(step.id, None)
            push.desk.journal.note_soon(unlinks=[unlink], agreements=[agreement])
            return self._outcome(Ending.UNCHANGED, note=GONE_ALREADY)
        if await write.save() != step.before:
            return self._outcome(Ending.KEPT, note=Why.GONE_AND_CHANGED)
        intent = await write.clear()
        return Sent(
            step=step,
            ending=Ending.DELETED,
            intent=intent,
            unlink=unlink,
            seconds=self._now() - self._started,
        )


def _guarded(
    push: Push, step: Upload | Delete, ready: Prepared, *, action: Action, name: str
) -> Guarded:
    return Guarded(
        desk=push.desk,
        id=step.id,
        number=step.number,
        action=action,
        name=name,
        reason=step.reason,
        look=ready.look or Look.planned(step, NEVER),
        intent=ready.intent,
    )
