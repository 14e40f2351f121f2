"""What it takes to take back a run: pure, so that it can be looked at first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from bcpicture.core.ledger import Action, Intent, RunRecord, State
from bcpicture.core.plans import UndoPlan
from bcpicture.core.steps import Keep, Restore, Why
from bcpicture.errors import UsageError

UNDO = "undo"
"""`RunRecord.command` of an undo; its `RunRecord.matching` is the run it undid."""

_HAPPENED = {State.DONE, State.UNDONE}
_IN_DOUBT = {State.INTENDED, State.UNKNOWN}
_SHOWN = 5

_Key = tuple[str, str, str | None, str | None]


@attrs.frozen
class History:
    """Some runs with their steps, the latest run first."""

    runs: Sequence[RunRecord]
    """All that are remembered."""

    steps: Mapping[str, Sequence[Intent]]
    """Their steps in order, by the run."""

    def chosen(self, run_id: str | None) -> RunRecord:
        """The run that is meant.

        Args:
            run_id: Its id; None for the last one that changed something, and for what
                an undo was about that did not come to its end.

        Raises:
            UsageError: There is none.
        """
        found = next((it for it in self.runs if self._meant(it, run_id)), None)
        if found is None:
            known = ", ".join(it.id for it in self.runs[:_SHOWN]) or "none"
            what = f"There is no run {run_id}" if run_id else "No run changed anything"
            raise UsageError(
                f"{what} that could be undone.", advice=f"The last runs: {known}."
            )
        if run_id is None and found.command == UNDO and not found.through:
            return self.chosen(found.matching)
        return found

    def _meant(self, run: RunRecord, run_id: str | None) -> bool:
        if run_id is not None:
            return run.id == run_id
        return bool(self.standing(run.id))

    def standing(self, run_id: str) -> list[Intent]:
        """Steps of a run that were not taken back, or not for good."""
        left = _effects(self.steps.get(run_id, ()))
        undos = [
            it.id for it in self.runs if (it.command, it.matching) == (UNDO, run_id)
        ]
        if not undos:
            return [it for it in left if it.state is not State.UNDONE]
        back = {_key(_reversed(it)) for undo in undos for it in self.standing(undo)}
        return [it for it in left if _key(it) not in back]


def _effects(steps: Iterable[Intent]) -> list[Intent]:
    """What became of each step; one that was tried again tells what it found first."""
    attempts: dict[tuple[str, Action, str], list[Intent]] = {}
    for step in steps:
        if step.state in _HAPPENED | _IN_DOUBT:
            attempts.setdefault((step.id, step.action, step.name), []).append(step)
    return sorted(map(_effect, attempts.values()), key=lambda it: it.step)


def _effect(attempts: Sequence[Intent]) -> Intent:
    *earlier, last = attempts
    for attempt in reversed(earlier):
        if attempt.after == last.before:  # it did happen, whatever was thought of it
            last = attrs.evolve(last, before=attempt.before, saved=attempt.saved)
    return last


def _reversed(step: Intent) -> Intent:
    return attrs.evolve(step, before=step.after, after=step.before)


def _key(step: Intent) -> _Key:
    return step.id, step.name, step.before, step.after


def plan_undo(
    run: RunRecord, steps: Sequence[Intent], kept: Collection[str]
) -> UndoPlan:
    """Return what takes back a run.

    Args:
        run: Which one.
        steps: What is left of it, in order; see `History.standing`.
        kept: Digests of what is in the backup.
    """
    restores, left = [], []
    for step in reversed(steps):
        if step.before == step.after:
            continue
        if why := _hindrance(step, kept):
            keep = Keep(number=step.number, id=step.id, name=step.name, reason=why)
            left.append(keep)
        else:
            restores.append(_restore(step))
    return UndoPlan(
        run=run.id,
        command=run.command,
        folder=run.folder,
        restores=tuple(restores),
        kept=tuple(left),
    )


def _hindrance(step: Intent, kept: Collection[str]) -> Why | None:
    if step.state in _IN_DOUBT:
        return Why.IN_DOUBT
    if not step.saved:
        return Why.NOT_SAVED
    if step.before is not None and step.before not in kept:
        return Why.NOT_KEPT
    return None


def _restore(step: Intent) -> Restore:
    nothing = step.before is None
    file = step.action in {Action.DOWNLOAD, Action.REMOVE}
    back = Action.DOWNLOAD if file else Action.UPLOAD
    away = Action.REMOVE if file else Action.DELETE
    return Restore(
        number=step.number,
        id=step.id,
        name=step.name,
        reason=Why.TAKEN_BACK if nothing else Why.PUT_BACK,
        action=away if nothing else back,
        before=step.after,
        after=step.before,
        undoes=step,
    )
