"""What is taken back of a run, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from bcpicture.core.ledger import CUT_OFF, Action, Intent, RunRecord, State
from bcpicture.core.steps import Why
from bcpicture.core.undo_planning import UNDO, History, plan_undo
from bcpicture.errors import UsageError

START = datetime(2026, 1, 1, tzinfo=UTC)


def run(
    name: str, command: str = "push", of: str = "", summary: str = "1"
) -> RunRecord:
    number = int(name[1:])
    started = START + timedelta(minutes=number)
    return RunRecord(
        id=name,
        command=command,
        matching=of,
        started=started,
        ended=started,
        summary=summary,
    )


def step(
    row: int,
    before: str | None,
    after: str | None,
    state: State = State.DONE,
    **more: Any,  # noqa: ANN401 - fields of any type
) -> Intent:
    intent = Intent(
        step=row,
        run="R1",
        id="1",
        number="N1",
        action=Action.UPLOAD,
        before=before,
        saved=True,
        after=after,
        state=state,
    )
    return attrs.evolve(intent, **more)


def standing(steps: Sequence[Intent]) -> list[tuple[str | None, str | None]]:
    history = History([run("R1")], {"R1": steps})
    return [(it.before, it.after) for it in history.standing("R1")]


def test_what_failed_is_no_matter():
    assert standing([step(1, "a", "b", State.FAILED)]) == []
    assert standing([step(1, "a", "b", State.UNDONE)]) == []


def test_an_attempt_in_doubt_that_happened_tells_what_was_there_first():
    doubt = step(1, "a", "b", State.UNKNOWN)
    assert standing([doubt, step(2, "b", "c")]) == [("a", "c")]


def test_an_attempt_in_doubt_that_did_not_happen_tells_nothing():
    doubt = step(1, "a", "b", State.UNKNOWN)
    assert standing([doubt, step(2, "x", "c")]) == [("x", "c")]
    refused = step(1, "a", "b", State.FAILED)
    assert standing([refused, step(2, "x", "b")]) == [("x", "b")]


def undo_of(steps: Sequence[Intent], name: str) -> list[Intent]:
    return [
        attrs.evolve(it, run=name, before=it.after, after=it.before) for it in steps
    ]


def test_what_an_undo_took_back_does_not_stand_until_that_is_undone():
    steps = [step(1, "a", "b"), step(2, None, "c", id="2")]
    first, second = run("R2", UNDO, "R1"), run("R3", UNDO, "R2")
    back = undo_of(steps[:1], "R2")
    history = History([first, run("R1")], {"R1": steps, "R2": back})
    assert history.standing("R1") == steps[1:]
    again = {"R1": steps, "R2": back, "R3": undo_of(back, "R3")}
    history = History([second, first, run("R1")], again)
    assert history.standing("R1") == steps
    assert history.standing("R2") == []


def test_the_last_run_that_changed_something_is_meant():
    steps = {"R1": [step(1, "a", "b")], "R2": [step(2, "a", "b", State.FAILED)]}
    assert History([run("R2"), run("R1")], steps).chosen(None).id == "R1"


@pytest.mark.parametrize("summary", [CUT_OFF, "1 uploaded, stopped"])
def test_an_undo_that_did_not_come_to_its_end_is_gone_on_with(summary: str):
    steps = [step(1, "a", "b"), step(2, None, "c", id="2")]
    history = {"R1": steps, "R2": undo_of(steps[:1], "R2")}
    cut = run("R2", UNDO, "R1", summary)
    assert History([cut, run("R1")], history).chosen(None).id == "R1"
    through = run("R2", UNDO, "R1")
    assert History([through, run("R1")], history).chosen(None).id == "R2"


def test_a_run_that_there_is_not_is_told_with_those_there_are():
    with pytest.raises(UsageError, match=r"no run R9.*R1"):
        History([run("R1")], {}).chosen("R9")
    with pytest.raises(UsageError, match="No run changed"):
        History([run("R1")], {}).chosen(None)


def test_steps_are_taken_back_from_the_last_to_the_first():
    steps = [
        step(1, None, "b"),
        step(2, "a", "b", id="2"),
        step(3, "c", None, id="3", action=Action.DELETE),
        step(4, None, "d", id="4", action=Action.DOWNLOAD),
        step(5, "e", None, id="5", action=Action.REMOVE),
    ]
    plan = plan_undo(run("R1"), steps, {"a", "c", "e"})
    assert [(it.id, it.action, it.before, it.after) for it in plan.restores] == [
        ("5", Action.DOWNLOAD, None, "e"),
        ("4", Action.REMOVE, "d", None),
        ("3", Action.UPLOAD, None, "c"),
        ("2", Action.UPLOAD, "b", "a"),
        ("1", Action.DELETE, "b", None),
    ]
    assert [*plan.steps] == [*plan.restores]
    assert plan.restores[-1].reason == Why.TAKEN_BACK


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (step(1, "a", "b", saved=False), Why.NOT_SAVED),
        (step(1, "gone", "b"), Why.NOT_KEPT),
        (step(1, "a", "b", State.UNKNOWN), Why.IN_DOUBT),
        (step(1, "a", "b", State.INTENDED), Why.IN_DOUBT),
    ],
)
def test_what_cannot_be_taken_back_is_told_with_its_reason(one: Intent, why: Why):
    plan = plan_undo(run("R1"), [one], {"a"})
    assert plan.restores == ()
    assert [it.reason for it in plan.kept] == [why]


def test_what_changed_nothing_needs_nothing():
    assert [*plan_undo(run("R1"), [step(1, "a", "a")], {"a"}).steps] == []
