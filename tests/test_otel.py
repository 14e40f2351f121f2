"""Spans and metrics, as OpenTelemetry's own in-memory exporters receive them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from bcpicture import BusinessCentral, RejectedError
from bcpicture.emulator import Emulator, Fault
from bcpicture.otel import Telemetry
from bcpicture.resources.pictures import PictureHandle


@attrs.frozen
class Watch:
    """Providers that keep what they are told."""

    spans: InMemorySpanExporter = attrs.field(factory=InMemorySpanExporter)
    readings: InMemoryMetricReader = attrs.field(factory=InMemoryMetricReader)
    tracers: TracerProvider = attrs.field(factory=TracerProvider)

    def telemetry(self) -> Telemetry:
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        return Telemetry(self.tracers, MeterProvider([self.readings]))

    def calls(self) -> list[ReadableSpan]:
        spans = self.spans.get_finished_spans()
        return [it for it in spans if it.kind is SpanKind.INTERNAL]

    def attempts(self, call: ReadableSpan) -> list[ReadableSpan]:
        """The children of a call, in order."""
        found = [
            it
            for it in self.spans.get_finished_spans()
            if it.parent and it.parent.span_id == call.context.span_id
        ]
        return sorted(found, key=lambda it: it.start_time or 0)

    def points(self, metric: str) -> dict[object, float]:
        """Sum, or number of recordings, by the first attribute."""
        data = self.readings.get_metrics_data()
        assert data
        points = [
            point
            for it in data.resource_metrics[0].scope_metrics[0].metrics
            if it.name == metric
            for point in it.data.data_points
        ]
        return {
            next(iter(point.attributes.values()), ""): (
                point.count if isinstance(point, HistogramDataPoint) else point.value
            )
            for point in points
        }


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
async def picture(bc: BusinessCentral, watch: Watch) -> AsyncIterator[PictureHandle]:
    """A picture whose item has been looked up, unwatched; the rest is watched."""
    number = "1896-S"
    await bc.company("CRONUS USA, Inc.").item(number=number).picture.info()
    view = bc.with_options(hooks=[watch.telemetry()])
    yield view.company("CRONUS USA, Inc.").item(number=number).picture
    await bc.aclose()


async def told(bc: BusinessCentral) -> None:
    """Closing lets the observers hear the rest."""
    await bc.aclose()


async def test_a_call_is_one_span_and_every_attempt_a_child_of_it(
    emulator: Emulator, bc: BusinessCentral, picture: PictureHandle, watch: Watch
):
    busy = Fault("status", status=503, retry_after="0", method="PATCH", times=2)
    emulator.faults.add(busy)
    await picture.upload(b"data", preflight=False)
    await told(bc)
    (call,) = watch.calls()
    assert call.name == "PATCH pictureContent"
    assert call.status.status_code is StatusCode.UNSET
    facts = [dict(it.attributes or {}) for it in watch.attempts(call)]
    assert [it["http.response.status_code"] for it in facts] == [503, 503, 204]
    assert [it.get("http.request.resend_count") for it in facts] == [None, 1, 2]
    assert {it["http.request.method"] for it in facts} == {"PATCH"}


async def test_a_failed_attempt_tells_the_correlation_id_of_the_service(
    emulator: Emulator, bc: BusinessCentral, picture: PictureHandle, watch: Watch
):
    emulator.faults.add(Fault("status", status=400))
    with pytest.raises(RejectedError) as caught:
        await picture.info()
    await told(bc)
    (call,) = watch.calls()
    (attempt,) = watch.attempts(call)
    assert caught.value.failure
    told_id = caught.value.failure.correlation_id
    assert told_id
    for span in (call, attempt):
        assert span.attributes
        assert span.attributes["bcpicture.correlation_id"] == told_id
        assert span.attributes["error.type"] == "400"
        assert span.status.status_code is StatusCode.ERROR


async def test_a_call_is_a_child_of_what_its_caller_was_in(
    bc: BusinessCentral, picture: PictureHandle, watch: Watch
):
    tracer = watch.tracers.get_tracer("test")

    async def look(name: str) -> None:
        with tracer.start_as_current_span(name):
            await picture.info()

    await asyncio.gather(*(look(f"caller {number}") for number in range(5)))
    await told(bc)
    finished = watch.spans.get_finished_spans()
    callers = {it.context.span_id for it in finished if it.name.startswith("caller")}
    assert {it.parent.span_id for it in watch.calls() if it.parent} == callers


async def test_a_span_lasts_as_long_as_what_it_is_about(
    bc: BusinessCentral, picture: PictureHandle, watch: Watch
):
    await picture.info()
    await told(bc)
    (call,) = watch.calls()
    (attempt,) = watch.attempts(call)
    times = [call.start_time, attempt.start_time, attempt.end_time, call.end_time]
    assert times == sorted(times, key=lambda it: it or 0)


async def test_waits_retries_and_bytes_are_metrics(
    emulator: Emulator, bc: BusinessCentral, picture: PictureHandle, watch: Watch
):
    busy = Fault("status", status=503, retry_after="0", method="PATCH")
    emulator.faults.add(busy)
    await picture.upload(b"data", preflight=False)
    assert await picture.read() == b"data"
    await told(bc)
    assert watch.points("bcpicture.retries") == {"the service is busy": 1}
    assert watch.points("bcpicture.throttled") == {"": 1}
    assert watch.points("bcpicture.quota.wait") == {"": 3}
    assert watch.points("bcpicture.bytes") == {"transmit": 4, "receive": 4}


async def test_no_secret_is_in_a_span(
    emulator: Emulator, bc: BusinessCentral, picture: PictureHandle, watch: Watch
):
    await picture.upload(b"data", preflight=False)
    await told(bc)
    sent = [seen.headers.get("Authorization", "") for seen in emulator.log]
    tokens = {it.removeprefix("Bearer ") for it in sent if it}
    assert tokens
    shown = "".join(it.to_json() for it in watch.spans.get_finished_spans())
    assert not [it for it in (*tokens, emulator.client_secret) if it in shown]
