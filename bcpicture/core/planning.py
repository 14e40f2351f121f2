"""What a push does about every record: pure, so that it can be looked at first.

A plan is made in stages, since each answer decides what has to be asked next::

    planning = PushPlanning(PushSurvey(…))
    answers = Answers()
    while asked := planning.questions(answers):
        ...                      # hash, expand, read; add to the answers
    plan = planning.plan(answers)

Nothing is asked about a record that agrees in every sign.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import TypeVar

import attrs

from bcpicture.core.brakes import (
    Brake,
    BrakeKind,
    Strangeness,
    no_marker,
    too_many,
    unsafe_deletions,
)
from bcpicture.core.dialects import Dialect
from bcpicture.core.judging import Case, Need, Verdict, agrees, judge_pair
from bcpicture.core.ledger import Agreement
from bcpicture.core.matches import Matching, Pair, Row
from bcpicture.core.options import PushOptions
from bcpicture.core.orphans import Orphan, judge_orphan
from bcpicture.core.plans import PushPlan
from bcpicture.core.signs import moved_backwards
from bcpicture.core.steps import Adopt, Delete, Keep, PushStep, Upload
from bcpicture.core.surveys import Answers, Memory, NoMemory, Questions, facts_of
from bcpicture.errors import UsageError

_StepT = TypeVar("_StepT", bound=PushStep)
_SECOND = 1_000_000_000
_AGREED = Verdict(exists=True)


@attrs.frozen(kw_only=True)
class PushSurvey:
    """What is known before anything is asked."""

    matching: Matching
    """Which file belongs to which record; it has watched all of `known_ids`."""

    memory: Memory
    """What the journal remembers."""

    dialect: Dialect
    """Says what signs are worth."""

    options: PushOptions
    """What the user decided."""

    scanned: int
    """When the files were listed, in nanoseconds since the epoch."""

    clean: bool = True
    """Whether every listing ended without an error."""

    marker: bool = True
    """Whether `PushOptions.require_file` is there."""


class PushPlanning:
    """A plan in the making."""

    def __init__(self, survey: PushSurvey) -> None:
        self._survey = survey
        self._options = survey.options
        memory = NoMemory() if survey.options.rebase else survey.memory
        self._agreements = memory.agreements
        self._links = memory.links
        self._rejections = memory.rejections
        self._last_matching = memory.last_matching
        self._paired = {pair.row.id for pair in survey.matching.pairs}
        undecided: list[Pair | Row] = [*survey.matching.pairs]
        undecided += self._without_their_file()
        self._open = [(one, Need.NOTHING) for one in undecided]
        self._steps: list[PushStep] = []
        self._unchanged = self._exist = self._odd = self._known = self._backwards = 0

    def questions(self, answers: Answers) -> Questions:
        """Return what has to be asked next; nothing if the plan can be made.

        Args:
            answers: To everything that was asked before, if only in their `failed`.
        """
        self._look(answers)
        asked: dict[Need, list[Pair | Row]] = {need: [] for need in Need}
        for one, need in self._open:
            for single in need:
                asked[single].append(one)
        return Questions(
            hash=tuple(one.file for one in asked[Need.HASH] if isinstance(one, Pair)),
            expand=tuple(_row(one).id for one in asked[Need.EXPAND]),
            read=tuple(_row(one).id for one in asked[Need.READ]),
        )

    def plan(self, answers: Answers) -> PushPlan:
        """Return the plan, once there are no more questions.

        Raises:
            UsageError: There are.
        """
        self._look(answers)
        if self._open:
            raise UsageError(
                f"{len(self._open)} records cannot be decided on yet.",
                advice="Answer what `questions` returns until it returns nothing.",
            )
        matching = self._survey.matching
        strange, elsewhere = self._compared()
        made = PushPlan(
            uploads=self._all(Upload),
            adoptions=self._all(Adopt),
            deletions=self._all(Delete),
            kept=self._all(Keep),
            unmatched=matching.unmatched,
            ambiguous=matching.ambiguous,
            passed_over=matching.passed_over,
            without_file=matching.without_file,
            forgotten=tuple(sorted(self._forgotten())),
            unchanged=self._unchanged,
            left_out=matching.left_out,
            exist=self._exist + elsewhere,
            fingerprint=matching.fingerprint,
            options=self._options,
        )
        return attrs.evolve(made, brakes=tuple(self._brakes(made, strange)))

    def _all(self, kind: type[_StepT]) -> tuple[_StepT, ...]:
        found = [step for step in self._steps if isinstance(step, kind)]
        return tuple(sorted(found, key=attrgetter("number", "id")))

    def _look(self, answers: Answers) -> None:
        """Decide about everything that can be decided now."""
        left = []
        for one, _ in self._open:
            verdict = self._judged(one, answers)
            if verdict.need:
                left.append((one, verdict.need))
                continue
            self._exist += verdict.exists
            self._odd += verdict.odd
            if verdict.step:
                self._steps.append(verdict.step)
            else:
                self._unchanged += isinstance(one, Pair)
        self._open = left

    def _judged(self, one: Pair | Row, answers: Answers) -> Verdict:
        if isinstance(one, Pair):
            return self._of_pair(one, answers)
        return self._of_row(one, answers)

    def _of_pair(self, pair: Pair, answers: Answers) -> Verdict:
        row, signs, options = pair.row, pair.file.signs, self._options
        known, link = self._agreements.get(row.id), self._links.get(row.id)
        young = 0 <= self._survey.scanned - signs.modified < options.settle * _SECOND
        vouched = self._survey.dialect.vouches and not young
        if vouched and agrees(pair, known, link, options=options):
            return self._tallied(_AGREED, known, row)
        case = Case(
            file=pair.file,
            row=row,
            known=known,
            link=link,
            rejected=self._rejections.get(row.id) if self._rejections else None,
            options=options,
            facts=facts_of(self._survey.dialect, row.id, row.item, known, answers),
            told=answers,
        )
        return self._tallied(judge_pair(case, young=young), known, row)

    def _tallied(self, verdict: Verdict, known: Agreement | None, row: Row) -> Verdict:
        """Count what is strange, once a record is decided on."""
        if known and not verdict.need:
            self._known += known.digest is not None
            self._backwards += moved_backwards(known.item, row.item)
        return verdict

    def _of_row(self, row: Row, answers: Answers) -> Verdict:
        known = self._agreements.get(row.id)
        case = Orphan(
            row=row,
            known=known,
            link=self._links[row.id],
            facts=facts_of(self._survey.dialect, row.id, row.item, known, answers),
            told=answers,
        )
        return judge_orphan(case, delete=self._options.deletes)

    def _without_their_file(self) -> Iterator[Row]:
        """Records that were linked to a file which is gone, and got no other."""
        matching = self._survey.matching
        for id_ in self._links:
            if id_ in self._paired or id_ in matching.unclear:
                continue
            row = matching.watched.get(id_)
            if row and self._links[id_].name not in matching.names:
                yield row

    def _forgotten(self) -> Iterator[str]:
        there = self._survey.matching.watched
        return (id_ for id_ in self._agreements if id_ not in there)

    def _brakes(self, made: PushPlan, strange: Strangeness) -> Iterator[Brake]:
        options, survey = self._options, self._survey
        if options.require_file and not survey.marker:
            yield no_marker(options.require_file)
        yield from strange.brakes()
        told = "pictures would be replaced"
        kind, limit = BrakeKind.MAX_REPLACE, options.max_replace
        yield from too_many(kind, made.replaced, limit, made.exist, told)
        gone, told = len(made.deletions), "pictures would be deleted"
        kind, limit = BrakeKind.MAX_DELETE, options.max_delete
        yield from too_many(kind, gone, limit, made.exist, told)
        yield from unsafe_deletions(
            gone,
            same_matching=self._last_matching == made.fingerprint,
            clean=survey.clean,
            empty=not survey.matching.names,
        )

    def _compared(self) -> tuple[Strangeness, int]:
        """How much is strange, and how many pictures there are without a file."""
        backwards, known, gone, elsewhere = self._backwards, self._known, 0, 0
        watched = self._survey.matching.watched
        stepped = {step.id for step in self._steps}
        for id_ in self._agreements:
            if id_ in self._paired:
                continue
            agreement, row = self._agreements[id_], watched.get(id_)
            picture = agreement.digest is not None
            known += picture
            gone += picture and row is None
            if row:
                backwards += moved_backwards(agreement.item, row.item)
                elsewhere += picture and id_ not in stepped
        odd = self._odd + gone
        return Strangeness(backwards=backwards, odd=odd, known=known), elsewhere


def plan_push(survey: PushSurvey, answers: Answers) -> PushPlan:
    """Make the plan of a push in one go, with the answers to all its questions."""
    return PushPlanning(survey).plan(answers)


def _row(one: Pair | Row) -> Row:
    return one.row if isinstance(one, Pair) else one
