"""What becomes of a record whose file is gone: deleted at most, and mostly kept."""

from __future__ import annotations

import attrs

from bcpicture.core.judging import Need, Verdict
from bcpicture.core.ledger import Agreement, Link
from bcpicture.core.matches import Row
from bcpicture.core.signs import NO_PICTURE, Proof
from bcpicture.core.steps import Delete, Keep, Why
from bcpicture.core.surveys import Answers, Facts


@attrs.frozen(kw_only=True)
class Orphan:
    """A record whose file is gone, and everything that is known of it."""

    row: Row
    """The record."""

    known: Agreement | None
    """What is remembered of it."""

    link: Link
    """What is remembered of its file."""

    facts: Facts
    """What is known of its picture."""

    told: Answers
    """What was found out."""

    @property
    def there(self) -> str | None:
        """SHA-256 of the picture; empty if nobody knows."""
        if self.row.id in self.told.read:
            return self.told.read[self.row.id]
        if self.known and self.facts.proof is Proof.SAME:
            return self.known.digest
        return ""


def judge_orphan(case: Orphan, *, delete: bool) -> Verdict:
    """Decide about a record whose file is gone.

    Args:
        case: It.
        delete: Whether deleting was asked for.
    """
    if why := _kept(case, delete=delete):
        return Verdict(step=_keep(case, why), exists=True)
    if case.facts.gone or (case.known and case.known.digest is None):
        return Verdict()
    if need := _need(case):
        return Verdict(need)
    there = case.there
    if case.facts.picture is not None and not case.facts.exists:
        return Verdict(odd=True)
    if there == case.link.sent:
        return Verdict(step=_delete(case), exists=True)
    odd = case.facts.proof is Proof.CHANGED or there not in {"", case.link.sent}
    why = Why.GONE_AND_CHANGED if odd else Why.GONE_UNKNOWN
    return Verdict(step=_keep(case, why), exists=True, odd=odd)


def _kept(case: Orphan, *, delete: bool) -> Why | None:
    """Why nobody has to look any closer."""
    if case.known is None:
        return Why.GONE_UNKNOWN
    if case.known.digest is None:
        return None
    if case.known.number != case.row.number:
        return Why.RENUMBERED
    return None if delete else Why.NO_DELETE


def _need(case: Orphan) -> Need:
    id_, told = case.row.id, case.told
    if id_ in told.failed:
        return Need.NOTHING
    if case.facts.picture is None:
        return Need.EXPAND
    doubt = case.facts.proof is Proof.UNPROVEN and id_ not in told.read
    sent = case.known is not None and case.known.digest == case.link.sent
    return Need.READ if doubt and sent and case.facts.exists else Need.NOTHING


def _delete(case: Orphan) -> Delete:
    return Delete(
        number=case.row.number,
        id=case.row.id,
        name=case.link.name,
        reason=Why.FILE_GONE,
        before=case.link.sent,
        item=case.facts.item,
        picture=case.facts.picture or NO_PICTURE,
    )


def _keep(case: Orphan, reason: Why) -> Keep:
    return Keep(
        number=case.row.number, id=case.row.id, name=case.link.name, reason=reason
    )
