"""One write under guard: no picture is lost by it, and the journal knows of it first.

Whatever picture is there is saved before anything replaces it, and what is about to
happen is in the journal before it can: no durable backup, no write. A write names the
picture that was seen by its etag; if that one is gone, it is looked at once more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self, TypeVar

import attrs

from bcpicture.core.ledger import Action, Intent, State
from bcpicture.core.models import ANY, Uploaded
from bcpicture.core.plans import PushPlan
from bcpicture.errors import (
    BrakeError,
    ConflictError,
    NoPictureError,
    OutcomeUnknownError,
)
from bcpicture.resources.pictures import PictureHandle
from bcpicture.resources.records import Records
from bcpicture.resources.streams import PictureStream
from bcpicture.resources.writes import IfMatch
from bcpicture.sync.backups import Backups, Saved
from bcpicture.sync.journal import Journal
from bcpicture.sync.looks import Look, look_at

T = TypeVar("T")

_AT_ONCE = 1 << 20
"""Bytes of a picture that is put aside in one go."""


@attrs.frozen(kw_only=True)
class Cargo:
    """Bytes on their way to a record."""

    digest: str
    """SHA-256, hexadecimal."""

    size: int
    """How many they are."""

    source: bytes | Path = attrs.field(repr=False)
    """They themselves, or where they are read from."""

    @classmethod
    def of(cls, data: bytes) -> Self:
        """These bytes."""
        digest = hashlib.sha256(data).hexdigest()
        return cls(digest=digest, size=len(data), source=data)


@attrs.define(kw_only=True)
class Allowance:
    """How many pictures may be replaced, those of the plan included."""

    limit: int | None
    """None: any number."""

    spent: int = 0
    """How many are planned, or were taken."""

    @classmethod
    def of(cls, plan: PushPlan) -> Self:
        """What a plan leaves of what is allowed."""
        limit = plan.options.max_replace.among(plan.exist)
        return cls(limit=limit, spent=plan.replaced)

    def take(self) -> None:
        """Replace one more than was planned.

        Raises:
            BrakeError: It would be too many.
        """
        if self.limit is not None and self.spent >= self.limit:
            raise BrakeError(
                "A picture has appeared since the plan was made, and replacing it "
                f"would be one too many: {self.limit} are allowed.",
                advice="Make a new plan, or raise max_replace.",
            )
        self.spent += 1


@attrs.frozen(kw_only=True)
class Desk:
    """What all writes of a run have at hand."""

    run: str
    """What the journal calls the run."""

    records: Records
    """The records, asked for in bulk."""

    journal: Journal
    """What is about to happen, and what happened."""

    backups: Backups
    """Where pictures go that are replaced."""

    clock: Callable[[], float]
    """Monotonic seconds."""


@attrs.define(kw_only=True)
class Guarded:
    """The picture of one record, about to be set or taken away."""

    desk: Desk
    """What all writes of a run have at hand."""

    id: str
    """GUID of the record."""

    number: str
    """What people know it by."""

    action: Action
    """What happens to it."""

    name: str = ""
    """The file, relative to its folder."""

    reason: str = ""
    """Why."""

    look: Look
    """What was seen of it last."""

    before: str | None = None
    """SHA-256 of what is there, once `save` has read it."""

    saved: bool = False
    """Whether that is in the backup; also if there was nothing to save."""

    intent: Intent | None = None
    """What the journal says that happens, while it does."""

    @property
    def picture(self) -> PictureHandle:
        """The picture."""
        return self.desk.records.picture_of(self.id)

    # -- before it

    async def refresh(self) -> None:
        """Look at the record again, unless that was a moment ago.

        Raises:
            BcPictureError: It is not there, or cannot be looked at.
        """
        if not self.look.fresh(now := self.desk.clock()):
            found = await look_at(self.desk.records, [self.id], now)
            self.look = found[self.id]
        if self.look.error is not None:
            raise self.look.error

    async def save(self) -> str | None:
        """Put aside whatever is there.

        Returns:
            Its SHA-256; None if nothing is there.

        Raises:
            BackupError: It cannot be put aside, so nothing may replace it.
        """
        self.before, self.saved = None, True
        if self.look.picture.exists:
            self.saved = False
            try:
                async with self.picture.open() as stream:
                    kept = await self._keep(stream)
            except NoPictureError:
                kept = None  # it is gone since; then its etag is gone, too
            self.saved, self.before = True, kept.digest if kept else None
        return self.before

    async def _keep(self, stream: PictureStream) -> Saved:
        length = stream.length
        if length is None or length > _AT_ONCE:
            return await self.desk.backups.save(stream)
        # One hop of a thread instead of several.
        return await self.desk.backups.save(b"".join([it async for it in stream]))

    # -- it

    async def set(self, cargo: Cargo, *, preflight: bool) -> tuple[Intent, Uploaded]:
        """Send *cargo* in place of what was seen.

        Args:
            cargo: The bytes.
            preflight: Whether they are looked at before.

        Raises:
            ConflictError: It is not there any more.
        """
        etag = await self._etag()
        intent = await self._intend(cargo.digest)
        large = isinstance(cargo.source, Path)
        done = await self.picture.upload(
            cargo.source, if_match=etag, digest=large, preflight=preflight
        )
        # A large file is read once more: what counts is what was sent.
        return self._done(intent, done.sha256 or cargo.digest), done

    async def clear(self) -> Intent:
        """Take away what was seen.

        Raises:
            ConflictError: It is not there any more.
        """
        etag = await self._etag()
        intent = await self._intend(None)
        await self.picture.delete(if_match=etag)
        return self._done(intent, None)

    def _done(self, intent: Intent, after: str | None) -> Intent:
        """The intent as it ended; the journal hears of it when somebody has looked."""
        self.intent = None
        return attrs.evolve(intent, state=State.DONE, after=after)

    async def _etag(self) -> IfMatch:
        """The etag of what was seen.

        Raises:
            ConflictError: It was not told, and something else is there by now.
        """
        if self.look.picture.etag:
            return self.look.picture.etag
        # Some tell of no picture by telling nothing, not even an etag.
        now = await self.picture.info()
        if now.exists and not self.look.picture.exists:
            raise ConflictError(
                "A picture has appeared meanwhile.", advice="Save it before."
            )
        return now.etag or ANY

    async def _intend(self, after: str | None) -> Intent:
        intent = self._intent(after)
        if self.intent == intent:
            return self.intent  # the feeder was ahead
        self.abandon()
        [self.intent] = await self.desk.journal.intend([intent])
        return self.intent

    def _intent(self, after: str | None) -> Intent:
        return Intent(
            run=self.desk.run,
            id=self.id,
            number=self.number,
            action=self.action,
            name=self.name,
            before=self.before,
            saved=self.saved,
            after=after,
            reason=self.reason,
        )

    def _settle(self, intent: Intent) -> None:
        """Note how it ended, along with the next that is noted."""
        self.intent = None
        void = [] if intent.state is State.FAILED else [self.id]
        self.desk.journal.note_soon(settled=[intent], forgotten=void)

    # -- and after it

    def failed(self, error: Exception) -> None:
        """Note that it was not done, or that nobody knows."""
        if self.intent is not None:
            unknown = isinstance(error, OutcomeUnknownError)
            state = State.UNKNOWN if unknown else State.FAILED
            self._settle(attrs.evolve(self.intent, state=state, reason=str(error)))

    def abandon(self) -> None:
        """Note that it was not even begun."""
        if self.intent is not None:
            self._settle(not_begun(self.intent))

    async def twice(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do *work*; once more, if somebody else was quicker.

        Raises:
            ConflictError: Somebody was quicker again.
        """
        await self.refresh()
        try:
            return await work()
        except ConflictError as error:
            self.failed(error)
        self.look = attrs.evolve(self.look, at=float("-inf"))
        await self.refresh()
        return await work()


def not_begun(intent: Intent) -> Intent:
    """An intent of which nothing came."""
    return attrs.evolve(intent, state=State.FAILED, reason="it was not begun")
