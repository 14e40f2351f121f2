"""What a call remembers between its attempts, and what a client counts."""

from __future__ import annotations

import copy
import itertools
from functools import cached_property

import attrs

from bcpicture.core.wire import Request
from bcpicture.errors import BcPictureError, Failure
from bcpicture.net.lanes import Lane

_CALLS = itertools.count(1)


class Setback(Exception):  # noqa: N818 - internal, and no error before it is judged
    """One attempt failed. Internal: the session judges it."""

    def __init__(
        self, failure: Failure, lane: Lane, body: bytes = b"", header: str = ""
    ) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.lane = lane
        self.body = body
        self.header = header


class Tries:
    """The attempts of one call. A plain class: one is made for every request."""

    number = 1
    """Which one is on, from 1."""

    doubtful = False
    """Whether one of them may have changed something."""

    queued = 0.0
    """Seconds that the present one waited for its place in the quota."""

    def __init__(self, started: float) -> None:
        self.started = started
        """When the first began, by the session's clock."""

    @cached_property
    def call(self) -> int:
        """A number of its own for the call."""
        return next(_CALLS)

    @cached_property
    def _seen(self) -> list[object]:
        return []

    def count(self, kind: str, lane: Lane) -> int:
        """Note a failure of this kind; how many there are now, of this principal."""
        self._seen.append((kind, id(lane)))
        return self._seen.count((kind, id(lane)))


def in_doubt(error: BcPictureError, request: Request, tries: Tries) -> BcPictureError:
    """*error*, knowing that an earlier attempt may have changed something."""
    failure = error.failure or Failure(method=request.method, path=request.path)
    if failure.doubtful:
        return error
    # A copy: an error about the token, say, belongs to other callers as well.
    doubted = copy.copy(error)
    attempts = request.earlier + tries.number
    doubted.failure = attrs.evolve(failure, doubtful=True, attempts=attempts)
    return doubted


@attrs.define(kw_only=True)
class Statistics:
    """What a client has done so far."""

    requests: int = 0
    """Requests sent, repetitions and lookups included, tokens not."""

    retries: int = 0
    """How many of them repeated another one."""

    throttled: int = 0
    """How often the service asked to hold back (429, 502, 503)."""

    bytes_sent: int = 0
    """Bytes of bodies sent."""

    bytes_received: int = 0
    """Bytes of bodies received, as they came over the wire."""
