"""Spans of OpenTelemetry for events that changed something; imported only with the extra `traces`.

An event that brought a `traceparent` and moved its customer gets one span, from its fold to its
commit. Whether it is kept is decided by the producer, whose flag the span inherits; the other knobs
are OpenTelemetry's own variables (OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_...,
OTEL_EXPORTER_OTLP_HEADERS).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Span, SpanKind, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.ops.traces import Headers, NewTrail, Source, handed_on

CLOSING = 2.0
"""Seconds in which the last spans must reach the collector: a worker's end waits for them."""
_propagator = TraceContextTextMapPropagator()


class Spans:
    """The spans of one partition whose batch is not committed yet."""

    def __init__(self, tracer: Tracer, group: str) -> None:
        self._tracer = tracer
        self._group = group
        self._open: list[Span] = []

    def continued(self, record: Source) -> Headers:
        received = {name: (value or b"").decode() for name, value in handed_on(record.headers)}
        if not received:
            return []
        span = self._tracer.start_span(
            f"process {record.topic}",
            context=_propagator.extract(received),
            kind=SpanKind.CONSUMER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": record.topic,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.kafka.offset": record.offset,
                "messaging.consumer.group.name": self._group,
            },
        )
        self._open.append(span)
        context = span.get_span_context()
        parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        headers: Headers = [("traceparent", parent.encode())]
        if context.trace_state:
            headers.append(("tracestate", context.trace_state.to_header().encode()))
        return headers

    def committed(self) -> None:
        for span in self._open:
            span.end()
        self._open.clear()


@contextmanager
def spans(endpoint: str, group: str, exporter: SpanExporter | None = None) -> Iterator[NewTrail]:
    """Give trails whose spans go to a collector, OTLP over HTTP, until the context ends.

    Neither a collector that is away nor one that is slow holds a worker up: a bounded queue drops.
    """
    resource = Resource.create({"service.name": "loyalty-ladder", "service.namespace": group})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = exporter or OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("loyalty-ladder")
    try:
        yield lambda: Spans(tracer, group)
    finally:
        # Its own thread, that nobody waits for at the end: an exporter may try again for long.
        ending = threading.Thread(target=provider.shutdown, name="last spans", daemon=True)
        ending.start()
        ending.join(CLOSING)
