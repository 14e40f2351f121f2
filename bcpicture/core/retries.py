"""Again or not: the whole matrix, as one table and one pure function.

Sources: Microsoft, "Working with API limits" (429, 503: back off and randomise; 504:
split the work) and the list of HTTP status codes (502 and 503 bring ``Retry-After``).
An upload replaces the whole picture and a delete clears it, so to send either twice
changes nothing more; what stops a second sending is only a body that cannot be read
twice, or a failure that would come again.
"""

from __future__ import annotations

import attrs

from bcpicture.core.wire import Operation
from bcpicture.errors import ConfigurationError, Failure, Trouble

NOT_TWICE = "the body cannot be sent twice"
"""The verdict on a stream that was not spooled."""

READ, WRITE, TOKEN = Operation.READ, Operation.WRITE, Operation.TOKEN
LIST = Operation.LIST


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How patient a caller is."""

    attempts: int = 5
    """Times that a request is sent at most; 1 for never again."""

    base: float = 0.5
    """Seconds of the first back-off at most; each later one doubles it."""

    cap: float = 30.0
    """Seconds of any back-off at most."""

    patience: float = 120.0
    """Longest ``Retry-After``, in seconds, that is waited for."""

    deadline: float = 600.0
    """Seconds after the first sending, beyond which no wait may end."""

    def __attrs_post_init__(self) -> None:
        times = self.base, self.cap, self.patience, self.deadline
        if self.attempts < 1 or not all(time >= 0 for time in times):
            raise ConfigurationError(
                f"A request could never be sent with {self}.",
                advice="`attempts` starts at 1, and no time is negative.",
            )


@attrs.frozen(kw_only=True)
class Attempt:
    """One sending that failed, and what went before it."""

    failure: Failure
    """What happened."""

    operation: Operation
    """What the request is for."""

    number: int
    """Which sending it was, from 1."""

    like_it: int
    """How many failures of this very kind there were, this one counted."""

    elapsed: float
    """Seconds since the first sending began."""

    replayable: bool = True
    """Whether the body can be sent again."""

    renewable: bool = True
    """Whether another token is to be had."""


@attrs.frozen
class TryAgain:
    """Send it once more."""

    delay: float
    """Seconds to wait before."""

    reason: str
    """What failed."""


@attrs.frozen
class GiveUp:
    """Leave it."""

    reason: str
    """Why."""


@attrs.frozen(kw_only=True)
class Rule:
    """One row of the matrix."""

    name: str
    """What failed, in a few words."""

    statuses: frozenset[int] = frozenset()
    """HTTP statuses it is about."""

    troubles: frozenset[Trouble] = frozenset()
    """Troubles without a usable answer it is about."""

    operations: frozenset[Operation] = frozenset(Operation)
    """Requests it is about."""

    times: int | None = None
    """Repetitions at most; None for as many as the policy allows."""

    first: float | None = None
    """Seconds before the first repetition; None for the usual back-off."""

    shared: bool = False
    """Whether everybody should hold back."""

    def covers(self, attempt: Attempt) -> bool:
        """Whether it is about this failure of this request."""
        return self.names(attempt.failure) and attempt.operation in self.operations

    def names(self, failure: Failure) -> bool:
        """Whether *failure* is of its kind."""
        if failure.trouble:
            return failure.trouble in self.troubles
        return failure.status in self.statuses


RULES = (
    Rule(name="the quota is used up", statuses=frozenset({429}), shared=True),
    Rule(name="the service is busy", statuses=frozenset({502, 503}), shared=True),
    Rule(
        name="the service took too long",
        # A picture is small work, so once more may do. A listing would only take too
        # long again: whoever asked for it has to ask for less.
        statuses=frozenset({408, 504}),
        operations=frozenset({READ, WRITE, TOKEN}),
        times=1,
    ),
    Rule(name="the service failed", statuses=frozenset({500}), times=2),
    Rule(
        name="the token was refused",
        # The session has thrown the token away: the next one is new.
        statuses=frozenset({401}),
        operations=frozenset({READ, LIST, WRITE}),
        times=1,
        first=0.0,
    ),
    Rule(
        name="the database was busy",
        # 409 without Request_EntityChanged; the session does not ask about the other.
        statuses=frozenset({409}),
        operations=frozenset({READ, LIST, WRITE}),
        times=2,
    ),
    Rule(name="no connection", troubles=frozenset({Trouble.CONNECT})),
    Rule(
        name="the connection was lost",
        # Most often a pooled connection that the server had just closed.
        troubles=frozenset({Trouble.DROPPED}),
        first=0.0,
    ),
    Rule(
        name="nothing moved",
        troubles=frozenset({Trouble.STALLED}),
        operations=frozenset({READ, WRITE, TOKEN}),
        times=1,
    ),
    Rule(
        name="the answer was cut short",
        troubles=frozenset({Trouble.CUT, Trouble.MALFORMED}),
        times=2,
    ),
)
"""The matrix, read from the top. What no row covers is final."""


def kind_of(failure: Failure) -> str:
    """What the matrix calls *failure*; empty if no row is about it."""
    return next((rule.name for rule in RULES if rule.names(failure)), "")


def is_stale(failure: Failure) -> bool:
    """Whether the service says that the etag is not the current one."""
    return failure.status == 412 or (
        failure.status == 409 and failure.code == "Request_EntityChanged"
    )


def concerns_everybody(failure: Failure) -> bool:
    """Whether nobody should send for a while, and not only this request."""
    return failure.trouble is None and any(
        rule.shared and failure.status in rule.statuses for rule in RULES
    )


def may_have_happened(failure: Failure) -> bool:
    """Whether a write that failed like this may be in effect all the same."""
    if failure.trouble:
        return failure.trouble is not Trouble.CONNECT
    status = failure.status or 0
    # A gateway speaks for itself, whatever the service behind it did meanwhile.
    return status == 408 or (500 <= status < 600 and status != 501)


def decide(
    policy: RetryPolicy, attempt: Attempt, *, jitter: float
) -> TryAgain | GiveUp:
    """Judge *attempt*.

    Args:
        policy: How patient the caller is.
        attempt: What failed.
        jitter: A number in [0, 1), new for every decision.
    """
    rule = next((rule for rule in RULES if rule.covers(attempt)), None)
    if rule is None or is_stale(attempt.failure):
        return GiveUp("final")
    if reason := _objection(policy, rule, attempt):
        return GiveUp(reason)
    delay = _delay(policy, rule, attempt, jitter)
    if attempt.elapsed + delay > policy.deadline:
        return GiveUp(f"the deadline of {policy.deadline:g} s would pass")
    return TryAgain(delay, rule.name)


def _objection(policy: RetryPolicy, rule: Rule, attempt: Attempt) -> str:
    """Why a failure that is worth a repetition gets none; empty if it gets one."""
    asked = attempt.failure.retry_after
    if rule.times is not None and attempt.like_it > rule.times:
        return f"{rule.name} again"
    if attempt.failure.status == 401 and not attempt.renewable:
        return "there is no other token"
    if attempt.number >= policy.attempts:
        return "no attempts left" if policy.attempts > 1 else "retries are off"
    if not attempt.replayable:
        return NOT_TWICE
    if asked is not None and asked > policy.patience:
        return f"the service asks to wait {asked:g} s, more than is wanted"
    return ""


def _delay(policy: RetryPolicy, rule: Rule, attempt: Attempt, jitter: float) -> float:
    """Full jitter over the back-off, or over the base on top of ``Retry-After``."""
    asked = attempt.failure.retry_after
    if asked is not None:
        return asked + jitter * min(policy.base, policy.cap)
    if rule.first is not None and attempt.like_it == 1:
        return rule.first
    exponent = min(attempt.number - 1, 30)
    return jitter * min(policy.cap, policy.base * 2.0**exponent)
