"""What observers are told: frozen values, without secrets and without the bytes."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from bcpicture.errors import Failure


@attrs.frozen(kw_only=True)
class RequestSent:
    """An attempt begins: it has its token and its place in the quota."""

    call: int
    """Which call of the client it belongs to; all its attempts have the same."""

    method: str
    """HTTP verb."""

    path: str
    """Path and query, without the origin."""

    attempt: int
    """Which attempt it is, from 1."""

    queued: float
    """Seconds that it waited for its place."""

    at: float
    """Seconds since the epoch."""


@attrs.frozen(kw_only=True)
class Replied:
    """An attempt ended well: its reply was read, or handed over to be read."""

    call: int
    """Which call of the client it belongs to."""

    status: int
    """HTTP status."""

    request_id: str
    """The service's id of the request; empty if not told."""

    sent: int
    """Bytes of the body that were sent."""

    received: int
    """Bytes of the reply so far; a stream has only begun."""

    at: float
    """Seconds since the epoch."""


@attrs.frozen(kw_only=True)
class Retrying:
    """An attempt failed, and there will be another."""

    call: int
    """Which call of the client it belongs to."""

    failure: Failure
    """What happened."""

    reason: str
    """The same in a few words."""

    delay: float
    """Seconds until the next attempt, the queue not counted."""

    at: float
    """Seconds since the epoch."""


@attrs.frozen(kw_only=True)
class Throttled:
    """The service asked to hold back, and everybody does."""

    status: int | None
    """HTTP status: 429, 502 or 503."""

    retry_after: float | None
    """Seconds that it asked for; None if it did not say."""

    at: float
    """Seconds since the epoch."""


@attrs.frozen(kw_only=True)
class TokenRenewed:
    """A new token is at hand."""

    life: float
    """Seconds until it ends."""

    at: float
    """Seconds since the epoch."""


@attrs.frozen(kw_only=True)
class SetAside:
    """A member of a credential pool is not used any more."""

    member: str
    """Which one, by its place in the pool and what it shows of itself."""

    reason: str
    """Why."""

    at: float
    """Seconds since the epoch."""


@attrs.frozen(kw_only=True)
class Finished:
    """A call is over."""

    call: int
    """Which one."""

    method: str
    """HTTP verb."""

    path: str
    """Path and query, without the origin."""

    attempts: int
    """How often the request was sent."""

    seconds: float
    """From its beginning, queue and waits included."""

    error: BaseException | None
    """What the caller gets, a cancellation included; None if it went well."""

    at: float
    """Seconds since the epoch."""


Event: TypeAlias = (
    RequestSent | Replied | Retrying | Throttled | TokenRenewed | SetAside | Finished
)
"""Whatever an observer can be told."""
