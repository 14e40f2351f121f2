"""What becomes of a record with a file: a step, nothing, or a question first."""

from __future__ import annotations

from enum import Flag, auto

import attrs

from bcpicture.core.ledger import Agreement, Link, Rejection
from bcpicture.core.matches import Pair, Row
from bcpicture.core.options import PushOptions
from bcpicture.core.signs import NO_PICTURE, Proof
from bcpicture.core.steps import (
    Adopt,
    Keep,
    LocalFile,
    PushStep,
    Replaces,
    Upload,
    Why,
)
from bcpicture.core.surveys import Answers, Facts


class Need(Flag):
    """What has to be found out about a record before it can be decided on."""

    NOTHING = 0
    HASH = auto()
    EXPAND = auto()
    READ = auto()


@attrs.frozen
class Verdict:
    """What becomes of a record."""

    need: Need = Need.NOTHING
    """What has to be asked first; then there is no step yet."""

    step: PushStep | None = None
    """What is done; None if everything is in step, or nothing is to be done."""

    exists: bool = attrs.field(default=False, kw_only=True)
    """Whether there is a picture."""

    odd: bool = attrs.field(default=False, kw_only=True)
    """Whether a known picture was changed by somebody else, or is gone."""


@attrs.frozen(kw_only=True)
class Case:
    """A record with a file, and everything that is known of both."""

    file: LocalFile
    """The file."""

    row: Row
    """The record."""

    known: Agreement | None
    """What is remembered of the record."""

    link: Link | None
    """What is remembered of its file."""

    rejected: Rejection | None
    """What it refused before."""

    options: PushOptions
    """What the user decided."""

    facts: Facts
    """What is known of its picture."""

    told: Answers
    """What was found out."""

    @property
    def proven_file(self) -> bool:
        """Whether the file is what it was, by its signs alone."""
        link = self.link
        return (
            link is not None
            and link.signs == self.file.signs
            and link.name == self.file.name
            and not self.options.by_content
        )

    @property
    def digest(self) -> str | None:
        """SHA-256 of the file; None while nobody knows."""
        if self.link and self.proven_file:
            return self.link.digest
        return self.told.digests.get(self.file.name)

    @property
    def same_recipe(self) -> bool:
        """Whether the file was prepared before as it would be now."""
        return self.link is not None and self.link.recipe == self.options.recipe

    @property
    def sent(self) -> str | None:
        """SHA-256 of what the file becomes when it is sent; None if nobody knows."""
        digest = self.digest
        if self.link and digest == self.link.digest and self.same_recipe:
            return self.link.sent
        return None if self.options.recipe else digest

    @property
    def there(self) -> str | None:
        """SHA-256 of the picture; None: there is none; empty: nobody knows."""
        if not self.facts.exists:
            return None
        if self.row.id in self.told.read:
            return self.told.read[self.row.id]
        if (
            self.known
            and self.facts.proof is Proof.SAME
            and not self.options.by_content
        ):
            return self.known.digest or ""
        return ""

    @property
    def odd(self) -> bool:
        """Whether a known picture was changed by somebody else, or is gone."""
        if self.known is None or self.known.digest is None:
            return False
        read = self.told.read.get(self.row.id, self.known.digest)
        return self.facts.proof is Proof.CHANGED or read != self.known.digest

    @property
    def refused(self) -> bool:
        """Whether the record is as it was when it refused a picture."""
        return self.rejected is not None and self.rejected.item == self.facts.item


def agrees(
    pair: Pair, known: Agreement | None, link: Link | None, *, options: PushOptions
) -> bool:
    """Whether a file, its record and the journal agree in every sign.

    It is what `judge_pair` finds out as well, only sooner: it is so for most records.
    Whether the signs of records prove anything has to be known.
    """
    if known is None or link is None or options.by_content:
        return False
    return (
        known.item == pair.row.item
        and link.signs == pair.file.signs
        and link.name == pair.file.name
        and link.recipe == options.recipe
        and known.item.complete
        and known.picture.exists
        and known.digest == link.sent
        and pair.file.size > 0
    )


def judge_pair(case: Case, *, young: bool) -> Verdict:
    """Decide about a record that has a file.

    Args:
        case: It.
        young: Whether the file was changed too short a time ago.
    """
    if why := _set_aside(case, young=young):
        return Verdict(step=_keep(case, why), exists=case.facts.exists)
    if need := _need(case):
        return Verdict(need)
    sent, there = case.sent, case.there
    step: PushStep | None
    if sent is not None and sent == there:
        step = None if _in_step(case) else _adoption(case, sent)
    elif case.rejected and case.refused and sent == case.rejected.sent:
        step = _keep(case, f"{Why.REJECTED}: {case.rejected.reason}")
    else:
        step = _upload(case)
    return Verdict(step=step, exists=there is not None, odd=case.odd)


def _set_aside(case: Case, *, young: bool) -> str | None:
    if case.facts.gone:
        return Why.RECORD_GONE
    if young:
        return Why.YOUNG
    if not case.file.size:
        return Why.EMPTY
    if case.facts.picture is None and (why := case.told.failed.get(case.row.id)):
        return why
    return None


def _need(case: Case) -> Need:
    need = Need.NOTHING
    if case.facts.picture is None:
        need |= Need.EXPAND
    if case.digest is None and _hash_matters(case):
        need |= Need.HASH
    if need or not case.facts.exists or case.sent is None:
        return need
    if case.row.id in case.told.read or case.row.id in case.told.failed:
        return need
    # If the file is another, the picture is replaced whatever it is.
    doubt = case.facts.proof is Proof.UNPROVEN and _is_known(case, case.sent)
    return Need.READ if doubt or case.options.by_content else need


def _hash_matters(case: Case) -> bool:
    """Whether there is anything to compare the file's digest with."""
    if case.file.name in case.told.failed:
        return False
    if case.options.recipe and not case.same_recipe:
        return False
    if case.refused:
        return True
    if case.facts.picture is not None and not case.facts.exists:
        return False
    known = case.known is not None and case.known.digest is not None
    return known or (case.options.by_content and case.facts.exists)


def _is_known(case: Case, digest: str | None) -> bool:
    return case.known is not None and case.known.digest == digest


def _in_step(case: Case) -> bool:
    """Whether the journal holds all this already."""
    known, link, facts = case.known, case.link, case.facts
    if known is None or link is None or not case.same_recipe:
        return False
    noted = (known.digest, known.item, known.picture, link.digest, link.sent)
    found = (case.there, facts.item, facts.picture, case.digest, case.sent)
    file = (link.name, link.signs) == (case.file.name, case.file.signs)
    return file and noted == found


def _adoption(case: Case, sent: str) -> Adopt:
    digest, facts, known = case.digest or "", case.facts, case.known
    size = case.file.size
    if sent != digest:
        size = known.size if known and known.digest == sent else 0
    return Adopt(
        number=case.row.number,
        id=case.row.id,
        file=case.file,
        reason=_why_adopted(case),
        digest=digest,
        sent=sent,
        size=size,
        item=facts.item,
        picture=facts.picture or NO_PICTURE,
    )


def _why_adopted(case: Case) -> Why:
    known = case.known
    if known is None or known.digest != case.there or case.link is None:
        return Why.EQUAL
    if (known.item, known.picture) != (case.facts.item, case.facts.picture):
        return Why.ITEM_MOVED
    return Why.FILE_MOVED


def _upload(case: Case) -> Upload:
    there = case.there
    return Upload(
        number=case.row.number,
        id=case.row.id,
        file=case.file,
        reason=_why_sent(case),
        replaces=_replaced(case),
        before=there or None,
        item=case.facts.item,
        picture=case.facts.picture or NO_PICTURE,
        digest=case.digest,
    )


def _replaced(case: Case) -> Replaces:
    there = case.there
    if there is None:
        return Replaces.NOTHING
    ours = case.link is not None and case.link.sent == there and _is_known(case, there)
    return Replaces.OURS if ours else Replaces.FOREIGN


def _why_sent(case: Case) -> Why:
    known, sent = case.known, case.sent
    if case.there is None:
        return Why.GONE if known and known.digest else Why.FIRST
    if known is None or known.digest is None:
        return Why.DIFFERS if case.row.id in case.told.read else Why.NEVER_SEEN
    if case.odd:
        return Why.PICTURE_CHANGED if sent == known.digest else Why.BOTH_CHANGED
    if case.link and not case.same_recipe and case.digest in {None, case.link.digest}:
        return Why.PREPARED_OTHERWISE
    if sent is None or sent == known.digest:
        return Why.UNPROVEN
    changed = case.link is not None and case.link.digest != case.digest
    return Why.FILE_CHANGED if changed else Why.DIFFERS


def _keep(case: Case, reason: str) -> Keep:
    return Keep(
        number=case.row.number, id=case.row.id, name=case.file.name, reason=reason
    )
