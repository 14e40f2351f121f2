"""What is said about a call: to the log, and to observers where there are any."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import attrs

from bcpicture.core.failures import request_id
from bcpicture.core.oauth import Token
from bcpicture.core.retries import TryAgain
from bcpicture.core.wire import Request
from bcpicture.errors import BcPictureError, Failure
from bcpicture.net.exchange import Exchange
from bcpicture.net.lanes import Lane
from bcpicture.net.observers import Observers
from bcpicture.net.tries import Tries

log = logging.getLogger("bcpicture.net")


@attrs.define
class Reporter:
    """Speaks for a session."""

    observers: Observers | None = None
    """Who listens; None for nobody."""

    wall: Callable[[], float] = time.time
    """Seconds since the epoch."""

    def _tell(self, kind: str, **facts: object) -> None:
        if self.observers is not None:
            # Not for everybody, and not for `import bcpicture`.
            from bcpicture.core import events

            make = getattr(events, kind)
            self.observers.tell(make(at=self.wall(), **facts))

    def sending(self, request: Request, tries: Tries) -> None:
        """An attempt begins."""
        self._tell(
            "RequestSent",
            call=tries.call,
            method=request.method,
            path=request.path,
            attempt=tries.number,
            queued=tries.queued,
        )

    def replied(self, exchange: Exchange, tries: Tries) -> None:
        """An attempt ended well."""
        self._tell(
            "Replied",
            call=tries.call,
            status=exchange.status,
            request_id=request_id(exchange.headers),
            sent=exchange.sent,
            received=exchange.received,
        )

    def retrying(self, failure: Failure, verdict: TryAgain, tries: Tries) -> None:
        """An attempt failed, another follows."""
        log.info("%s; again in %.3f s: %s", failure, verdict.delay, verdict.reason)
        self._tell(
            "Retrying",
            call=tries.call,
            failure=failure,
            reason=verdict.reason,
            delay=verdict.delay,
        )

    def throttled(self, failure: Failure) -> None:
        """The service asked to hold back."""
        self._tell("Throttled", status=failure.status, retry_after=failure.retry_after)

    def finished(
        self,
        request: Request,
        tries: Tries,
        error: BaseException | None,
        now: float,
    ) -> None:
        """A call is over."""
        if isinstance(error, BcPictureError):
            log.info("%s %s failed: %s", request.method, request.path, error)
        self._tell(
            "Finished",
            call=tries.call,
            method=request.method,
            path=request.path,
            attempts=tries.number,
            seconds=now - tries.started,
            error=error,
        )

    def renewed(self, token: Token) -> None:
        """A new token is at hand."""
        log.debug("a new token, good for %.0f s", token.expires - token.issued)
        self._tell("TokenRenewed", life=token.expires - token.issued)

    def set_aside(self, lane: Lane, error: BcPictureError) -> None:
        """A member of a pool is not used any more."""
        log.warning("%s is set aside: %s", lane.name, error)
        self._tell("SetAside", member=lane.name, reason=str(error))
