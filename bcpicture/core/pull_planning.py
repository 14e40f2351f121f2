"""What a pull does about every record: pure, so that it can be looked at first.

Records are offered page by page, and only those are kept that do not agree in every
sign, so that memory does not grow with their number. Then it goes on as for a push::

    planning = PullPlanning(files, memory, dialect=…, options=…)
    planning.offer(records)      # for every page
    answers = Answers()
    while asked := planning.questions(answers):
        ...                      # hash and expand; nothing is read for a pull's plan
    plan = planning.plan(answers)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from bcpicture.core.fetching import Case, Verdict, judge_fetch
from bcpicture.core.filenames import extension_of, safe_stem, stem_of
from bcpicture.core.judging import Need
from bcpicture.core.keys import upper
from bcpicture.core.ledger import Agreement
from bcpicture.core.matches import Record, Row
from bcpicture.core.media import PICTURE_EXTENSIONS
from bcpicture.core.options import PullOptions
from bcpicture.core.plans import PullPlan
from bcpicture.core.signs import moved_backwards
from bcpicture.core.steps import (
    Adopt,
    Download,
    Keep,
    LocalFile,
    PullStep,
    Remove,
)
from bcpicture.core.surveys import Answers, Memory, NoMemory, Questions, facts_of
from bcpicture.core.unique import Ids
from bcpicture.errors import UsageError

_StepT = TypeVar("_StepT", bound=PullStep)


class PullPlanning:
    """A plan in the making.

    Args:
        files: All that are in the folder, of one listing.
        memory: What the journal remembers.
        dialect: Says what signs are worth.
        options: What the user decided.
        clean: Whether the listing of the folder ended without an error.
        marker: Whether `PullOptions.require_file` is there.
    """

    def __init__(
        self,
        files: Iterable[LocalFile],
        memory: Memory,
        *,
        dialect: Dialect,
        options: PullOptions,
        clean: bool = True,
        marker: bool = True,
    ) -> None:
        memory = NoMemory() if options.rebase else memory
        self._agreements = memory.agreements
        self._left = set(self._agreements)
        self._links = memory.links
        self._dialect = dialect
        self._options = options
        self._safe = clean, marker
        self._files = {file.name: file for file in files}
        self._strangers = self._unlinked()
        self._open: dict[str, tuple[Row, Verdict]] = {}
        self._steps: dict[str, PullStep] = {}
        self._absences: list[Agreement] = []
        self._ids = Ids()
        self._unchanged = self._absent = 0
        self._odd = self._known = self._backwards = 0

    def offer(self, records: Iterable[Record]) -> None:
        """Look at one more page.

        Raises:
            AnswerError: A record has no id of its own.
        """
        nothing = Answers()
        for record in records:
            self._ids.add(record)
            row = Row.of(record)
            self._left.discard(row.id)
            self._decide(row, nothing)

    def questions(self, answers: Answers) -> Questions:
        """Return what has to be asked next; nothing if the plan can be made.

        Args:
            answers: To everything that was asked before, if only in their `failed`.
        """
        self._look(answers)
        verdicts = [verdict for _, verdict in self._open.values()]
        return Questions(
            hash=tuple(it.file for it in verdicts if it.file),
            expand=tuple(
                id_ for id_, (_, it) in self._open.items() if it.need is Need.EXPAND
            ),
        )

    def plan(self, answers: Answers) -> PullPlan:
        """Return the plan, once there are no more questions.

        Raises:
            UsageError: There are.
            AnswerError: Two records have one id.
        """
        self._look(answers)
        if self._open:
            raise UsageError(
                f"{len(self._open)} records cannot be decided on yet.",
                advice="Answer what `questions` returns until it returns nothing.",
            )
        self._ids.refuse_doubled((it.id, it.number) for it in self._steps.values())
        made = PullPlan(
            downloads=self._all(Download),
            adoptions=self._all(Adopt),
            removals=self._all(Remove),
            kept=self._all(Keep),
            forgotten=tuple(sorted(self._left)),
            unchanged=self._unchanged,
            absent=self._absent,
            absences=tuple(self._absences),
            files=len(self._files),
            options=self._options,
        )
        return attrs.evolve(made, brakes=tuple(self._brakes(made)))

    def _all(self, kind: type[_StepT]) -> tuple[_StepT, ...]:
        found = [step for step in self._steps.values() if isinstance(step, kind)]
        return tuple(sorted(found, key=attrgetter("number", "id")))

    def _unlinked(self) -> dict[str, LocalFile]:
        """Pictures in the folder itself that are no record's, by their stems."""
        linked = {self._links[id_].name for id_ in self._links}
        return {
            upper(stem_of(name)): self._files[name]
            for name in sorted(self._files, reverse=True)
            if name not in linked and extension_of(name) in PICTURE_EXTENSIONS
        }

    def _look(self, answers: Answers) -> None:
        """Decide about everything that can be decided now."""
        undecided, self._open = self._open, {}
        for row, _ in undecided.values():
            self._decide(row, answers)

    def _decide(self, row: Row, answers: Answers) -> None:
        known = self._agreements.get(row.id)
        verdict = judge_fetch(self._case(row, known, answers))
        if verdict.need:
            self._open[row.id] = (row, verdict)
            return
        if known:
            self._known += known.digest is not None
            self._backwards += moved_backwards(known.item, row.item)
        self._odd += verdict.odd
        self._absent += verdict.absent
        if verdict.absent and self._dialect.vouches:
            self._remember_absence(row, answers)
        if verdict.step:
            self._steps[row.id] = verdict.step
        else:
            self._unchanged += not verdict.absent

    def _remember_absence(self, row: Row, answers: Answers) -> None:
        """Keep that there is no picture, if that had to be asked."""
        if seen := answers.seen.get(row.id):
            nothing = Agreement(
                id=row.id,
                number=row.number,
                digest=None,
                item=seen.item,
                picture=seen.picture,
            )
            self._absences.append(nothing)

    def _case(self, row: Row, known: Agreement | None, answers: Answers) -> Case:
        link = self._links.get(row.id)
        return Case(
            row=row,
            known=known,
            link=link,
            linked=self._files.get(link.name) if link else None,
            stranger=self._strangers.get(upper(safe_stem(row.number))),
            options=self._options,
            facts=facts_of(self._dialect, row.id, row.item, known, answers),
            told=answers,
        )

    def _brakes(self, made: PullPlan) -> Iterator[Brake]:
        options, (clean, marker) = self._options, self._safe
        if options.require_file and not marker:
            yield no_marker(options.require_file)
        gone = sum(self._has_picture(id_) for id_ in self._left)
        yield from Strangeness(
            backwards=self._backwards, odd=self._odd + gone, known=self._known + gone
        ).brakes()
        kind, there = BrakeKind.MAX_REPLACE, made.files
        told = "files would be replaced"
        yield from too_many(kind, made.replaced, options.max_replace, there, told)
        kind, removed = BrakeKind.MAX_DELETE, len(made.removals)
        told = "files would be deleted"
        yield from too_many(kind, removed, options.max_delete, there, told)
        yield from unsafe_deletions(removed, clean=clean, what="files")

    def _has_picture(self, id_: str) -> bool:
        known = self._agreements.get(id_)
        return known is not None and known.digest is not None
