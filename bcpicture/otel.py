"""OpenTelemetry: a span for each call, a child for each attempt, and three metrics.

Needs the extra ``otel``. Use it as a hook: ``BusinessCentral(…, hooks=[Telemetry()])``.
Names follow OpenTelemetry's conventions for HTTP clients where there are such.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import metrics, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from bcpicture.core.events import (
    Event,
    Finished,
    Replied,
    RequestSent,
    Retrying,
    Throttled,
)
from bcpicture.errors import BcPictureError, Failure


def _nanoseconds(at: float) -> int:
    return int(at * 1e9)


def _facts(failure: Failure) -> Mapping[str, str | int]:
    """What a failure adds to a span."""
    facts: dict[str, str | int] = {
        "error.type": failure.trouble.name if failure.trouble else str(failure.status)
    }
    if failure.status is not None:
        facts["http.response.status_code"] = failure.status
    if failure.correlation_id:
        facts["bcpicture.correlation_id"] = failure.correlation_id
    return facts


class Telemetry:
    """An observer that makes spans and metrics of what it is told."""

    def __init__(
        self,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        """Report to these providers.

        Args:
            tracer_provider: Takes the spans; None for the global one.
            meter_provider: Takes the metrics; None for the global one.
        """
        self._tracer = trace.get_tracer("bcpicture", tracer_provider=tracer_provider)
        meter = metrics.get_meter("bcpicture", meter_provider=meter_provider)
        self._retries = meter.create_counter(
            "bcpicture.retries", unit="{request}", description="Requests sent again."
        )
        self._bytes = meter.create_counter(
            "bcpicture.bytes", unit="By", description="Bytes of bodies."
        )
        self._waits = meter.create_histogram(
            "bcpicture.quota.wait", unit="s", description="Wait for the quota."
        )
        self._throttled = meter.create_counter(
            "bcpicture.throttled", unit="{reply}", description="Replies to hold back."
        )
        self._calls: dict[int, Span] = {}
        self._attempts: dict[int, Span] = {}

    def __call__(self, event: Event) -> None:
        """Take note of *event*."""
        match event:
            case RequestSent():
                self._sent(event)
            case Replied():
                self._replied(event)
            case Retrying():
                self._retries.add(1, {"bcpicture.reason": event.reason})
                self._failed(event.call, event.failure, event.at)
            case Finished():
                self._finished(event)
            case Throttled():
                self._throttled.add(1)
            case _:
                pass

    def _sent(self, event: RequestSent) -> None:
        self._waits.record(event.queued)
        facts = {"http.request.method": event.method, "url.path": event.path}
        start = _nanoseconds(event.at)
        if event.call not in self._calls:
            self._calls[event.call] = self._tracer.start_span(
                f"{event.method} {_thing(event.path)}",
                kind=SpanKind.INTERNAL,
                attributes=facts,
                start_time=start,
            )
        parent = trace.set_span_in_context(self._calls[event.call])
        span = self._tracer.start_span(
            event.method,
            context=parent,
            kind=SpanKind.CLIENT,
            attributes=facts,
            start_time=start,
        )
        if event.attempt > 1:
            span.set_attribute("http.request.resend_count", event.attempt - 1)
        self._attempts[event.call] = span

    def _replied(self, event: Replied) -> None:
        self._bytes.add(event.sent, {"network.io.direction": "transmit"})
        self._bytes.add(event.received, {"network.io.direction": "receive"})
        span = self._attempts.pop(event.call, None)
        if span is not None:
            span.set_attribute("http.response.status_code", event.status)
            span.set_attribute("bcpicture.request_id", event.request_id)
            span.end(_nanoseconds(event.at))

    def _failed(self, call: int, failure: Failure | None, at: float) -> None:
        span = self._attempts.pop(call, None)
        if span is not None:
            if failure is not None:
                span.set_attributes(dict(_facts(failure)))
            span.set_status(Status(StatusCode.ERROR, str(failure or "")))
            span.end(_nanoseconds(at))

    def _finished(self, event: Finished) -> None:
        error = event.error
        failure = error.failure if isinstance(error, BcPictureError) else None
        self._failed(event.call, failure, event.at)
        span = self._calls.pop(event.call, None)
        if span is None:
            return
        if error is not None:
            what = error.what if isinstance(error, BcPictureError) else ""
            span.set_status(Status(StatusCode.ERROR, what))
            span.set_attribute("error.type", type(error).__name__)
            if failure is not None:
                span.set_attributes(dict(_facts(failure)))
        span.end(_nanoseconds(event.at))


def _thing(path: str) -> str:
    """What an address is about: low in number, so that spans can be grouped."""
    last = path.partition("?")[0].rsplit("/", 1)[-1]
    return last.partition("(")[0]
