"""What becomes of a record in a pull: a step, nothing, or a question first."""

from __future__ import annotations

import attrs

from bcpicture.core.filenames import safe_stem, stem_of
from bcpicture.core.judging import Need
from bcpicture.core.keys import nfc
from bcpicture.core.ledger import Agreement, Link
from bcpicture.core.matches import Row
from bcpicture.core.options import PullOptions
from bcpicture.core.signs import NO_PICTURE, Proof
from bcpicture.core.steps import (
    Adopt,
    Download,
    Keep,
    LocalFile,
    PullStep,
    Remove,
    Replaces,
    Why,
)
from bcpicture.core.surveys import Answers, Facts


@attrs.frozen
class Verdict:
    """What becomes of a record."""

    need: Need = Need.NOTHING
    """What has to be asked first; then there is no step yet."""

    step: PullStep | None = None
    """What is done; None if everything is in step, or nothing is to be done."""

    absent: bool = attrs.field(default=False, kw_only=True)
    """Whether there is no picture, and nothing to do about that."""

    odd: bool = attrs.field(default=False, kw_only=True)
    """Whether a known picture was changed, or is gone."""

    file: LocalFile | None = attrs.field(default=None, kw_only=True)
    """What is to be hashed."""


@attrs.frozen(kw_only=True)
class Case:
    """A record, and everything that is known of its picture and its file."""

    row: Row
    """The record."""

    known: Agreement | None
    """What is remembered of the record."""

    link: Link | None
    """What is remembered of its file."""

    linked: LocalFile | None
    """That file, if it is there."""

    stranger: LocalFile | None
    """Another file with the name that this one gets, but for the extension."""

    options: PullOptions
    """What the user decided."""

    facts: Facts
    """What is known of its picture."""

    told: Answers
    """What was found out."""

    @property
    def renumbered(self) -> bool:
        """Whether the file that is linked was named after another number."""
        if self.link is None:
            return False
        name = self.link.name.rpartition("/")[2]
        return nfc(stem_of(name)) != safe_stem(self.row.number)

    @property
    def file(self) -> LocalFile | None:
        """The file that stands where the picture goes."""
        return self.stranger if self.renumbered else self.linked or self.stranger

    @property
    def ours(self) -> bool:
        """Whether that is the one that is linked, with the bytes that were written."""
        link, file = self.link, self.file
        if link is None or file is None or file is not self.linked:
            return False
        return self.digest == link.digest

    @property
    def digest(self) -> str | None:
        """SHA-256 of that file; None if nobody knows."""
        link, file = self.link, self.file
        if file is None:
            return None
        if link and link.name == file.name and link.signs == file.signs:
            return link.digest
        return self.told.digests.get(file.name)

    @property
    def there(self) -> str | None:
        """SHA-256 of the picture, as far as signs prove it."""
        same = self.facts.proof is Proof.SAME and not self.options.by_content
        return self.known.digest if self.known and same else None

    @property
    def odd(self) -> bool:
        """Whether a known picture was changed, or is gone."""
        known = self.known is not None and self.known.digest is not None
        return known and self.facts.proof is Proof.CHANGED


def judge_fetch(case: Case) -> Verdict:
    """Decide about a record."""
    if case.facts.gone:
        return Verdict(absent=True)
    if case.facts.picture is None:
        why = case.told.failed.get(case.row.id)
        return Verdict(step=_keep(case, why)) if why else Verdict(Need.EXPAND)
    if not case.facts.exists:
        return _without_picture(case)
    if _hash_matters(case):
        return Verdict(Need.HASH, file=case.file)
    if case.there is not None and case.there == case.digest:
        return Verdict(step=None if _in_step(case) else _adoption(case))
    return Verdict(step=_download(case), odd=case.odd)


def _hash_matters(case: Case) -> bool:
    """Whether the file may be what the picture is, or what was written before."""
    file = case.file
    if file is None or case.digest is not None or file.name in case.told.failed:
        return False
    return case.there is not None or file is case.linked


def _without_picture(case: Case) -> Verdict:
    link, file = case.link, case.linked
    if link is None or file is None:
        return Verdict(absent=True, odd=case.odd)
    if case.renumbered:
        return Verdict(step=_keep(case, Why.NEW_NUMBER), odd=case.odd)
    if not case.options.deletes:
        return Verdict(step=_keep(case, Why.NO_REMOVE), odd=case.odd)
    if case.digest is None and file.name not in case.told.failed:
        return Verdict(Need.HASH, file=file)
    if not case.ours:
        return Verdict(step=_keep(case, Why.REMOVED_AND_CHANGED), odd=case.odd)
    step = Remove(
        number=case.row.number,
        id=case.row.id,
        file=file,
        reason=Why.PICTURE_GONE,
        before=link.digest,
        item=case.facts.item,
        picture=case.facts.picture or NO_PICTURE,
    )
    return Verdict(step=step, odd=case.odd)


def _in_step(case: Case) -> bool:
    """Whether the journal holds all this already."""
    link, file = case.link, case.file
    if link is None or file is None or link.sent != case.there:
        return False
    return (link.name, link.signs, link.digest) == (file.name, file.signs, case.digest)


def _adoption(case: Case) -> PullStep:
    file, digest = case.file, case.digest
    if file is None or digest is None:
        return _keep(case, Why.EQUAL)
    return Adopt(
        number=case.row.number,
        id=case.row.id,
        file=file,
        reason=Why.FILE_MOVED if file is case.linked else Why.EQUAL,
        digest=digest,
        sent=digest,
        size=file.size,
        item=case.facts.item,
        picture=case.facts.picture or NO_PICTURE,
    )


def _download(case: Case) -> Download:
    file = case.file
    foreign = Replaces.OURS if case.ours else Replaces.FOREIGN
    return Download(
        number=case.row.number,
        id=case.row.id,
        stem=safe_stem(case.row.number),
        reason=_why_fetched(case),
        replaces=foreign if file else Replaces.NOTHING,
        file=file,
        before=case.digest,
        item=case.facts.item,
        picture=case.facts.picture or NO_PICTURE,
    )


def _why_fetched(case: Case) -> Why:
    if case.renumbered:
        return Why.NEW_NUMBER
    if case.linked is None:
        if case.stranger:
            return Why.FOREIGN_FILE
        return Why.FILE_LOST if case.link else Why.NEW
    if not case.ours:
        return Why.FILE_CHANGED_HERE
    return Why.PICTURE_CHANGED if case.odd else Why.UNPROVEN


def _keep(case: Case, reason: str) -> Keep:
    name = case.link.name if case.link else ""
    return Keep(number=case.row.number, id=case.row.id, name=name, reason=reason)
