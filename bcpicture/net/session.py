"""The loop around every request: token, place, send, read, judge, wait, again.

A failed reply is released, with its connection and its place in the quota, before the
policy is asked; nothing is held while waiting. Reading the body belongs to the attempt,
because an answer that breaks off half-way has to be asked for again as well.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import attrs

from bcpicture.core.failures import read_failure
from bcpicture.core.meanings import error_for
from bcpicture.core.retries import (
    NOT_TWICE,
    Attempt,
    RetryPolicy,
    TryAgain,
    concerns_everybody,
    decide,
    kind_of,
    may_have_happened,
)
from bcpicture.core.wire import CONTENT_TYPE, Operation, Request
from bcpicture.errors import (
    AnswerError,
    BcPictureError,
    Failure,
    ReplayError,
    Trouble,
)
from bcpicture.net.bodies import Body
from bcpicture.net.exchange import Exchange
from bcpicture.net.governor import Governor, SentAwayError
from bcpicture.net.headers import Signed
from bcpicture.net.lanes import Lane, Lanes
from bcpicture.net.reporter import Reporter
from bcpicture.net.transport import BrokenError, Transport
from bcpicture.net.tries import Setback, Statistics, Tries, in_doubt

T = TypeVar("T")

Consume = Callable[[Exchange], Awaitable[T]]
"""Reads a reply; called anew for every attempt."""

Explain = Callable[[Failure, bytes], BcPictureError]
"""Makes the error of a failure and the body that came with it."""

_ERROR_BODY = 1 << 16
"""Bytes of an error reply that are read; the service's own are far shorter."""


@attrs.define(kw_only=True)
class Session:
    """Sends requests to one environment."""

    transport: Transport
    """Connections and time-outs."""

    lanes: Lanes
    """Who asks, and how much each may."""

    policy: RetryPolicy = attrs.field(factory=RetryPolicy)
    """How patient the caller is."""

    bulk: bool = False
    """Whether others go first."""

    queue_wait: float | None = None
    """Seconds to wait for a place in the quota; None for as long as it takes."""

    explain: Explain = lambda failure, _: error_for(failure)
    """Turns failures into errors."""

    reporter: Reporter = attrs.field(factory=Reporter)
    """Speaks to the log and to observers."""

    statistics: Statistics = attrs.field(factory=Statistics)
    """Counts."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    jitter: Callable[[], float] = random.random
    wall: Callable[[], float] = time.time

    _signed: Signed = attrs.field(factory=Signed, init=False, repr=False)

    async def call(
        self, request: Request, consume: Consume[T], body: Body | None = None
    ) -> T:
        """Send *request* until *consume* has read a whole good reply.

        Args:
            request: What to ask.
            consume: Reads the reply; called anew for every attempt.
            body: What to send with it.

        Raises:
            BcPictureError: No attempt succeeded, and no further one is worth it.
        """
        tries = Tries(self.clock())
        try:
            while True:
                try:
                    result = await self._attempt(request, consume, body, tries)
                except Setback as setback:
                    delay = self._judge(setback, tries, request, body)
                else:
                    if self.reporter.observers is not None:
                        self.reporter.finished(request, tries, None, self.clock())
                    return result
                self.statistics.retries += 1
                tries.number += 1
                tries.queued = 0.0
                if delay > 0:
                    await self.sleep(delay)
        except BcPictureError as error:
            final = in_doubt(error, request, tries) if tries.doubtful else error
            self.reporter.finished(request, tries, final, self.clock())
            if final is error:
                raise
            raise final from error
        except BaseException as error:
            # Cancelled, or stopped by what the caller does with the reply.
            self.reporter.finished(request, tries, error, self.clock())
            raise

    # -- one attempt

    async def _attempt(
        self, request: Request, consume: Consume[T], body: Body | None, tries: Tries
    ) -> T:
        lane, header = self.lanes.next()
        if header is None:
            lane, header = await self.lanes.authorized(lane)
        governor = lane.governor
        if governor is not None and not governor.enter_now(bulk=self.bulk):
            lane, header = await self._queue(lane, governor, tries)
        # Nothing is awaited between taking the place and this `try`.
        number = request.earlier + tries.number
        exchange = Exchange(self.transport, request, number, self._leave, lane)
        try:
            if self.reporter.observers is not None:
                self.reporter.sending(request, tries)
            await exchange.send(self._signed(request.headers, header), body)
            if exchange.status >= 300:
                raise await self._refused(exchange, header)
            if exchange.status != 204 or exchange.outgoing is not None:
                self._require_business_central(exchange)
            result = await consume(exchange)
        except (BrokenError, AnswerError) as exc:
            raise self._understood(exc, exchange)  # noqa: B904 - it sets the cause
        else:
            exchange.well = True
            lane.refusals = 0
            if self.reporter.observers is not None:
                self.reporter.replied(exchange, tries)
            return result
        finally:
            if not exchange.detached:
                exchange.close()

    async def _queue(
        self, lane: Lane, governor: Governor, tries: Tries
    ) -> tuple[Lane, str]:
        """Wait for a place; a token that ended meanwhile is replaced outside of it."""
        arrived, renewed, header = self.clock(), False, ""
        while True:
            patience = self.queue_wait
            if patience is not None:
                patience = max(0.0, arrived + patience - self.clock())
            try:
                await governor.enter(
                    bulk=self.bulk,
                    patience=patience,
                    longest_pause=self.policy.patience,
                )
            except SentAwayError:
                lane, header = await self.lanes.authorized(self.lanes.pick())
                governor = lane.governor or governor
                continue
            now = lane.header_now()
            if now is not None or renewed:
                tries.queued = self.clock() - arrived
                return lane, now or header
            governor.leave(counted=False)
            lane, header = await self.lanes.authorized(lane)
            # What came is used, however short its life: asking again and again, with
            # the place at hand each time, would never let the loop go on.
            governor, renewed = lane.governor or governor, True

    def _leave(self, exchange: Exchange) -> None:
        statistics = self.statistics
        statistics.requests += 1
        statistics.bytes_received += exchange.received
        statistics.bytes_sent += exchange.sent
        if (governor := exchange.lane.governor) is not None:
            governor.leave(counted=exchange.counted, well=exchange.well)

    def _require_business_central(self, exchange: Exchange) -> None:
        write = exchange.request.operation is Operation.WRITE
        if exchange.headers.get(CONTENT_TYPE, "")[:9].lower() == "text/html":
            raise AnswerError(
                "The answer is a web page, a sign-in page perhaps.",
                advice="Look at what stands between you and Business Central.",
            )
        if write and not exchange.body_left:
            raise BrokenError(Trouble.HASTY, f"status {exchange.status}")

    # -- when it fails

    def _understood(
        self, exc: BrokenError | AnswerError, exchange: Exchange
    ) -> Exception:
        """What the loop makes of *exc*, with all that is known about it."""
        if isinstance(exc, AnswerError):
            # Whatever answered to a write may have stored it.
            write = exchange.request.operation is Operation.WRITE
            exc.failure = attrs.evolve(self._failure(exchange), doubtful=write)
            return exc
        exchange.counted = exc.trouble is not Trouble.CONNECT
        setback = Setback(self.broken(exchange, exc), exchange.lane)
        setback.__cause__ = exc
        return setback

    def _failure(self, exchange: Exchange, trouble: Trouble | None = None) -> Failure:
        request = exchange.request
        failure = Failure(
            method=request.method,
            path=request.path,
            status=exchange.status or None,
            trouble=trouble,
            attempts=exchange.number,
        )
        write = request.operation is Operation.WRITE
        whole = exchange.body_left or trouble is Trouble.HASTY
        if write and whole and may_have_happened(failure):
            return attrs.evolve(failure, doubtful=True)
        return failure

    def broken(self, exchange: Exchange, exc: BrokenError) -> Failure:
        """The failure that *exc* is, of this exchange."""
        return attrs.evolve(self._failure(exchange, exc.trouble), message=str(exc))

    async def _refused(self, exchange: Exchange, header: str) -> Setback:
        """The setback for a reply that says no."""
        try:
            body = await exchange.read(_ERROR_BODY)
        except (BrokenError, AnswerError):
            body = b""  # the status says enough
        failure = read_failure(
            self._failure(exchange), exchange.headers, body, now=self.wall()
        )
        return Setback(failure, exchange.lane, body, header)

    def _judge(
        self, setback: Setback, tries: Tries, request: Request, body: Body | None
    ) -> float:
        """Seconds to wait before the next attempt, or the error that there is none."""
        failure = setback.failure
        # Once in doubt, always: a later, clear no says nothing about before.
        tries.doubtful = tries.doubtful or failure.doubtful
        self._tell_others(setback)
        attempt = Attempt(
            failure=failure,
            operation=request.operation,
            number=tries.number,
            like_it=tries.count(kind_of(failure), setback.lane),
            elapsed=self.clock() - tries.started,
            replayable=body is None or body.replayable,
            renewable=failure.status == 401 and self._has_other_token(setback),
        )
        verdict = decide(self.policy, attempt, jitter=self.jitter())
        if isinstance(verdict, TryAgain):
            self.reporter.retrying(failure, verdict, tries)
            return verdict.delay
        final = attrs.evolve(failure, verdict=verdict.reason, doubtful=tries.doubtful)
        raise self._error(final, setback) from setback.__cause__

    def _tell_others(self, setback: Setback) -> None:
        """Let the keeper of tokens and the governor know what the service said."""
        failure, lane = setback.failure, setback.lane
        if failure.status == 401:
            self.lanes.refused(lane, setback.header, failure.claims)
        if concerns_everybody(failure) and lane.governor is not None:
            self.statistics.throttled += 1
            lane.governor.refused(
                failure.retry_after, self.jitter(), over_quota=failure.status == 429
            )
            self.reporter.throttled(failure)
            if len(self.lanes.members) > 1:
                lane.governor.send_away()

    def _has_other_token(self, setback: Setback) -> bool:
        """After a refusal: whether there is another token, or another principal."""
        lane = setback.lane
        if len(self.lanes.members) > 1 and self.lanes.worn_out(lane):
            return self.lanes.set_aside(lane, self.explain(setback.failure, b""))
        return lane.signer is not None and lane.signer.renewable

    def _error(self, failure: Failure, setback: Setback) -> BcPictureError:
        error = self.explain(failure, setback.body)
        if failure.verdict == NOT_TWICE:
            return ReplayError(
                error.what,
                advice="Leave spooling on (spool=True), so that it can be sent again.",
                failure=failure,
            )
        return error
