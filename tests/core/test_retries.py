"""Again or not: every row of the matrix, every objection, every delay."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bcpicture.core.retries import (
    NOT_TWICE,
    RULES,
    Attempt,
    GiveUp,
    RetryPolicy,
    Rule,
    TryAgain,
    concerns_everybody,
    decide,
    is_stale,
    may_have_happened,
)
from bcpicture.core.wire import Operation
from bcpicture.errors import ConfigurationError, Failure, Trouble

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "retries-and-limits.md"
READ, WRITE, TOKEN = Operation.READ, Operation.WRITE, Operation.TOKEN
LIST = Operation.LIST
ALL = set(Operation)
POLICY = RetryPolicy(attempts=9, base=1.0, cap=30.0, patience=60.0, deadline=600.0)


def failed(what: int | Trouble, **more: object) -> Failure:
    if isinstance(what, Trouble):
        return Failure(method="GET", path="/", trouble=what, **more)
    return Failure(method="GET", path="/", status=what, **more)


def attempt(what: int | Trouble | Failure, **more: object) -> Attempt:
    failure = what if isinstance(what, Failure) else failed(what)
    usual = {"operation": READ, "number": 1, "like_it": 1, "elapsed": 0.0}
    return Attempt(failure=failure, **usual | more)


# -- the matrix

ROWS = [
    # what, operations, repetitions, first delay at jitter 1 (None: the usual), reason
    (429, ALL, None, None, "the quota is used up"),
    (502, ALL, None, None, "the service is busy"),
    (503, ALL, None, None, "the service is busy"),
    (408, ALL - {LIST}, 1, None, "the service took too long"),
    (504, ALL - {LIST}, 1, None, "the service took too long"),
    (500, ALL, 2, None, "the service failed"),
    (401, ALL - {TOKEN}, 1, 0.0, "the token was refused"),
    (409, ALL - {TOKEN}, 2, None, "the database was busy"),
    (Trouble.CONNECT, ALL, None, None, "no connection"),
    (Trouble.DROPPED, ALL, None, 0.0, "the connection was lost"),
    (Trouble.STALLED, ALL - {LIST}, 1, None, "nothing moved"),
    (Trouble.CUT, ALL, 2, None, "the answer was cut short"),
    (Trouble.MALFORMED, ALL, 2, None, "the answer was cut short"),
]
CELLS = [
    pytest.param(
        what,
        operation,
        times if operation in operations else 0,
        first,
        reason,
        id=f"{getattr(what, 'name', what)}-{operation.value}",
    )
    for what, operations, times, first, reason in ROWS
    for operation in Operation
]


@pytest.mark.parametrize(("what", "operation", "times", "first", "reason"), CELLS)
def test_every_row_of_the_matrix(
    what: int | Trouble,
    operation: Operation,
    times: int | None,
    first: float | None,
    reason: str,
):
    most = 8 if times is None else times  # as often as nine attempts allow
    for number in range(1, most + 1):
        verdict = decide(
            POLICY,
            attempt(what, operation=operation, number=number, like_it=number),
            jitter=0.5,
        )
        usual = 0.5 * min(30.0, 2.0 ** (number - 1))
        delay = first if number == 1 and first is not None else usual
        assert verdict == TryAgain(delay, reason)
    last = attempt(what, operation=operation, number=most + 1, like_it=most + 1)
    assert isinstance(decide(POLICY, last, jitter=0.5), GiveUp)


FINAL = [
    *(pytest.param(failed(status), id=str(status)) for status in (400, 403, 404)),
    *(pytest.param(failed(status), id=str(status)) for status in (405, 410, 413, 415)),
    pytest.param(failed(501), id="501"),
    pytest.param(failed(302), id="302"),
    pytest.param(failed(412), id="412"),
    pytest.param(failed(409, code="Request_EntityChanged"), id="409 stale"),
    pytest.param(failed(Trouble.HASTY), id="hasty"),
    pytest.param(Failure(method="GET", path="/"), id="nothing known"),
    pytest.param(
        Failure(method="GET", path="/", status=503, trouble=Trouble.HASTY),
        id="the trouble counts, not the status",
    ),
]


@pytest.mark.parametrize("failure", FINAL)
@pytest.mark.parametrize("operation", Operation, ids=lambda it: it.value)
def test_what_no_row_covers_is_final(failure: Failure, operation: Operation):
    verdict = decide(POLICY, attempt(failure, operation=operation), jitter=0.5)
    assert verdict == GiveUp("final")


def test_no_failure_is_covered_by_two_rows():
    for one in [*range(300, 600), *Trouble]:
        for operation in Operation:
            it = attempt(one, operation=operation)
            assert sum(rule.covers(it) for rule in RULES) <= 1


# -- objections

POOR = attempt(
    failed(401, retry_after=61.0),
    number=3,
    like_it=2,
    elapsed=600.0,
    replayable=False,
    renewable=False,
)
STINGY = attrs.evolve(POLICY, attempts=3)
OBJECTIONS = [
    ("the token was refused again", {"like_it": 1}),
    ("there is no other token", {"renewable": True}),
    ("no attempts left", {"number": 2}),
    (NOT_TWICE, {"replayable": True}),
    (
        "the service asks to wait 61 s, more than is wanted",
        {"failure": failed(401, retry_after=5.0)},
    ),
    ("the deadline of 600 s would pass", {"elapsed": 0.0}),
]


def test_objections_are_raised_in_order_until_none_is_left():
    """Everything speaks against it; one by one the reasons are taken away."""
    one = POOR
    for reason, remedy in OBJECTIONS:
        assert decide(STINGY, one, jitter=0.0) == GiveUp(reason)
        one = attrs.evolve(one, **remedy)
    assert decide(STINGY, one, jitter=0.0) == TryAgain(5.0, "the token was refused")


def test_a_policy_of_one_attempt_says_that_retries_are_off():
    verdict = decide(RetryPolicy(attempts=1), attempt(503), jitter=0.0)
    assert verdict == GiveUp("retries are off")


def test_a_renewable_token_is_asked_for_only_where_the_token_failed():
    verdict = decide(POLICY, attempt(503, renewable=False), jitter=0.0)
    assert isinstance(verdict, TryAgain)


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        pytest.param(0.0, True, id="at once"),
        pytest.param(60.0, True, id="just as long as wanted"),
        pytest.param(60.5, False, id="longer"),
        pytest.param(float("inf"), False, id="for ever"),
    ],
)
def test_patience_limits_what_the_service_may_ask_for(asked: float, *, again: bool):
    verdict = decide(POLICY, attempt(failed(429, retry_after=asked)), jitter=0.0)
    expected = (
        TryAgain(asked, "the quota is used up")
        if again
        else GiveUp(f"the service asks to wait {asked:g} s, more than is wanted")
    )
    assert verdict == expected


@pytest.mark.parametrize(
    ("elapsed", "again"),
    [
        pytest.param(590.0, True, id="it ends just in time"),
        pytest.param(590.1, False, id="it would end too late"),
        pytest.param(700.0, False, id="it is over"),
    ],
)
def test_no_wait_ends_after_the_deadline(elapsed: float, *, again: bool):
    one = attempt(failed(503, retry_after=10.0), elapsed=elapsed)
    assert isinstance(decide(POLICY, one, jitter=0.0), TryAgain) is again


# -- delays


def test_what_the_service_asks_for_wins_even_over_at_once():
    one = attempt(failed(Trouble.DROPPED, retry_after=4.0))
    assert decide(POLICY, one, jitter=0.5) == TryAgain(4.5, "the connection was lost")


@settings(deadline=None)
@given(
    st.floats(0.0, 1.0, exclude_max=True),
    st.integers(1, 10_000),
    st.none() | st.floats(0.0, 60.0),
    st.floats(0.0, 100.0),
    st.floats(0.0, 100.0),
)
def test_a_delay_stays_in_its_bounds(
    jitter: float, number: int, asked: float | None, base: float, cap: float
):
    policy = RetryPolicy(
        attempts=10_001, base=base, cap=cap, patience=60.0, deadline=1e9
    )
    one = attempt(failed(503, retry_after=asked), number=number, like_it=number)
    verdict = decide(policy, one, jitter=jitter)
    assert isinstance(verdict, TryAgain)
    if asked is None:
        assert 0 <= verdict.delay <= min(cap, base * 2.0 ** min(number - 1, 30))
    else:
        assert asked <= verdict.delay <= asked + min(base, cap)


@pytest.mark.parametrize("jitter", [0.0, 0.25, 0.999])
def test_jitter_is_full(jitter: float):
    verdict = decide(POLICY, attempt(503, number=3, like_it=3), jitter=jitter)
    assert verdict == TryAgain(jitter * 4.0, "the service is busy")


@settings(deadline=None)
@given(
    what=st.sampled_from([*range(300, 600), *Trouble]),
    operation=st.sampled_from(Operation),
    number=st.integers(1, 20),
    like=st.integers(1, 20),
    replay=st.booleans(),
)
def test_nobody_sends_more_often_than_allowed_or_what_cannot_be_sent_again(
    what: int | Trouble, operation: Operation, number: int, like: int, *, replay: bool
):
    one = attempt(
        what, operation=operation, number=number, like_it=like, replayable=replay
    )
    if number >= POLICY.attempts or not replay:
        assert isinstance(decide(POLICY, one, jitter=0.5), GiveUp)


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"attempts": 0}, id="no attempt"),
        pytest.param({"base": -1.0}, id="base"),
        pytest.param({"cap": -1.0}, id="cap"),
        pytest.param({"patience": -1.0}, id="patience"),
        pytest.param({"deadline": -1.0}, id="deadline"),
    ],
)
def test_a_policy_that_cannot_work_is_refused(numbers: dict[str, float]):
    with pytest.raises(ConfigurationError) as caught:
        RetryPolicy(**numbers)
    assert str(caught.value).startswith("A request could never be sent with Retry")
    assert str(caught.value).endswith(
        "`attempts` starts at 1, and no time is negative."
    )


# -- the questions beside the matrix


@pytest.mark.parametrize(
    ("failure", "stale"),
    [
        pytest.param(failed(412), True, id="412"),
        pytest.param(failed(409, code="Request_EntityChanged"), True, id="409"),
        pytest.param(failed(409), False, id="409 without a code"),
        pytest.param(failed(409, code="Internal_ServerError"), False, id="another 409"),
        pytest.param(failed(400, code="Request_EntityChanged"), False, id="400"),
    ],
)
def test_not_every_conflict_is_about_the_etag(failure: Failure, *, stale: bool):
    assert is_stale(failure) is stale


def test_everybody_holds_back_when_the_service_is_busy_and_only_then():
    shared = {one for one in range(300, 600) if concerns_everybody(failed(one))}
    assert shared == {429, 502, 503}
    assert not any(concerns_everybody(failed(trouble)) for trouble in Trouble)
    lost = Failure(method="GET", path="/", status=503, trouble=Trouble.CUT)
    assert not concerns_everybody(lost)


@pytest.mark.parametrize(
    ("what", "doubtful"),
    [
        *((status, False) for status in (302, 400, 401, 403, 404, 409, 412, 413, 429)),
        *((status, True) for status in (408, 500, 502, 503, 504)),
        (501, False),
        (Trouble.CONNECT, False),
        (Trouble.DROPPED, True),
        (Trouble.STALLED, True),
        (Trouble.CUT, True),
        (Trouble.MALFORMED, True),
        (Trouble.HASTY, True),
    ],
    ids=lambda it: getattr(it, "name", str(it)),
)
def test_which_failure_leaves_a_write_in_doubt(what: int | Trouble, *, doubtful: bool):
    assert may_have_happened(failed(what)) is doubtful


# -- the page

OF = {
    frozenset(Operation): "every request",
    frozenset(ALL - {TOKEN}): "every request but for a token",
    frozenset(ALL - {LIST}): "every request but for many records",
}


def cells(rule: Rule) -> Iterator[str]:
    """What the guide tells of one row."""
    statuses = ", ".join(map(str, sorted(rule.statuses)))
    troubles = ", ".join(it.value for it in Trouble if it in rule.troubles)
    yield rule.name
    yield statuses or troubles
    yield OF[rule.operations]
    yield "as often as `attempts` allows" if rule.times is None else str(rule.times)
    yield "the back-off" if rule.first is None else "none, then the back-off"
    yield "yes" if rule.shared else "no"


def matrix() -> str:
    """The table of the guide."""
    head = "| what failed | told by | of | repetitions | wait | holds all back |"
    rows = ("| " + " | ".join(cells(rule)) + " |" for rule in RULES)
    return "\n".join([head, "| --- " * 6 + "|", *rows])


def test_the_guide_shows_the_matrix_as_it_is():
    """If not, put this table into the page."""
    assert matrix() in PAGE.read_text(encoding="utf-8"), matrix()
