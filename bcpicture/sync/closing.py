"""The look at what was done, before it counts.

An upload that was answered with 204 says nothing about what is there. So the changed
records are looked at once more, a hundred a request: the record is there, shows a
picture, and was modified by our own request and by nothing after it. If that is not
plain, the picture is read.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import attrs

from bcpicture.core.ledger import Agreement, Intent, Link
from bcpicture.core.models import Uploaded
from bcpicture.core.report import Ending, Outcome
from bcpicture.core.signs import within
from bcpicture.core.steps import Step
from bcpicture.errors import BcPictureError, ConflictError, JournalError
from bcpicture.sync.guarding import Desk
from bcpicture.sync.looks import Look, digest_of, look_at
from bcpicture.sync.turns import in_turns

CLOSING = 50
"""Steps that are looked at together once they are done: as many as a run that is killed
leaves to the next one at most."""


@attrs.frozen(kw_only=True)
class Sent:
    """A write that was answered, and is to be looked at."""

    step: Step
    """What was planned."""

    ending: Ending
    """What it is, once it has been looked at."""

    intent: Intent
    """What the journal says of it."""

    done: Uploaded | None = None
    """What was sent; None for a picture that was taken away."""

    link: Link | None = None
    """The file that belongs to the record then."""

    unlink: Link | None = None
    """The file that does not any more."""

    seconds: float = 0.0
    """How long it took."""

    window: float = 0.0
    """How long the request itself took, all its attempts included."""

    def outcome(
        self, error: BcPictureError | None = None, *, after: str | None = None
    ) -> Outcome:
        """How it ended."""
        return Outcome(
            step=self.step,
            ending=Ending.FAILED if error else self.ending,
            result=self.done,
            before=self.intent.before,
            saved=self.intent.saved,
            after=after if error else self.intent.after,
            error=error,
            seconds=self.seconds,
        )


@attrs.frozen
class _Verdict:
    outcome: Outcome
    agreement: Agreement | None = None
    link: Link | None = None
    unlink: Link | None = None


@attrs.frozen
class Closing:
    """Looks at what a run has written.

    What it cannot look at stays open in the journal, and the next run settles it.
    """

    desk: Desk
    """What all writes of a run have at hand."""

    async def close(self, sent: Sequence[Sent]) -> list[Outcome]:
        """Look at some records once more, and note what is agreed upon now."""
        try:
            verdicts = await self._verdicts(sent)
            await self._note(sent, verdicts)
        except BcPictureError as error:
            return [one.outcome(_unchecked(error)) for one in sent]
        return [verdict.outcome for verdict in verdicts]

    async def _verdicts(self, sent: Sequence[Sent]) -> list[_Verdict]:
        ids = [one.intent.id for one in sent]
        looks = await look_at(self.desk.records, ids, self.desk.clock())

        async def read(pair: tuple[Sent, Look]) -> _Verdict:
            return await self._read(*pair)

        pairs = [*zip(sent, map(looks.__getitem__, ids), strict=True)]
        judged = [self._judge(one, look) for one, look in pairs]
        doubts = [pair for pair, it in zip(pairs, judged, strict=True) if it is None]
        found = iter(await in_turns(read, doubts))
        return [it or next(found) for it in judged]

    async def _note(self, sent: Sequence[Sent], verdicts: Sequence[_Verdict]) -> None:
        told = zip(sent, verdicts, strict=True)
        await self.desk.journal.note(
            settled=[one.intent for one in sent],
            # What was agreed upon before does not hold any more in any case.
            forgotten=[one.intent.id for one, it in told if not it.agreement],
            agreements=[it.agreement for it in verdicts if it.agreement],
            links=[it.link for it in verdicts if it.link],
            unlinks=[it.unlink for it in verdicts if it.unlink],
        )

    def _judge(self, one: Sent, look: Look) -> _Verdict | None:
        """What the record's signs tell; None if its picture has to be read."""
        if look.error is not None:
            return _Verdict(one.outcome(look.error))
        if one.done is None:
            if look.picture.exists:
                return _Verdict(one.outcome(_changed("and there is one again")))
            return self._agreed(one, look)
        if not look.picture.exists:
            return _Verdict(one.outcome(_changed("and there is none now")))
        answered = one.done.date
        if within(look.item.modified, answered=answered, seconds=one.window):
            return self._agreed(one, look)
        return None

    async def _read(self, one: Sent, look: Look) -> _Verdict:
        picture = self.desk.records.picture_of(one.intent.id)
        try:
            digest, _ = await digest_of(picture)
        except BcPictureError as error:
            return _Verdict(one.outcome(error))
        if digest == one.intent.after:
            return self._agreed(one, look)
        changed = _changed("and another one is there now")
        return _Verdict(one.outcome(changed, after=digest))

    def _agreed(self, one: Sent, look: Look) -> _Verdict:
        size = one.done.size if one.done else 0
        agreement = look.agreement(one.intent.id, one.intent.after, size)
        return _Verdict(one.outcome(), agreement, one.link, one.unlink)


def _changed(how: str) -> ConflictError:
    return ConflictError(
        f"Somebody else changed the picture right after it was written, {how}.",
        advice="Look at the record; the next run compares it anew.",
    )


def _unchecked(error: BcPictureError) -> BcPictureError:
    if isinstance(error, JournalError):
        return error
    unchecked = copy.copy(error)
    unchecked.what = f"It was written, but could not be looked at again. {error.what}"
    return unchecked
