"""A trace that a producer began goes on in the changes and handovers that its event causes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.errors import StartupRefused
from app.ops.spans import spans
from app.ops.traces import HandedOn, Headers, NewTrail, handed_on
from app.settings import load
from app.stream import startup
from app.stream.transaction import CommitFailed, Out
from tests.collector import Collector
from tests.unit.test_partition_alone import EVENTS, Rig, record

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01".encode()
UNSAMPLED = PARENT[:-2] + b"00"
STATE = b"shop=1"
CONTENT = ("content-type", b"application/cloudevents+json")


class Traced:
    """A partition whose writer keeps what it is given."""

    def __init__(self, folder: Path) -> None:
        self.rig = Rig(folder)
        self.written: list[tuple[str, Out]] = []
        commit: Callable[..., Any] = self.rig.writer.commit

        async def keep(outgoing: Any, *rest: Any) -> int:
            end: int = await commit(outgoing, *rest)
            self.written += [(place.topic, out) for place, outs in outgoing.items() for out in outs]
            return end

        self.rig.writer.commit = keep  # type: ignore[method-assign,assignment]

    def through(self, trail: NewTrail) -> None:
        rounds = self.rig.partition._hold.rounds
        assert rounds is not None
        rounds._trail = trail()

    async def apply(self, *records: ConsumerRecord) -> None:
        self.rig.offer(*records)
        end = records[-1].offset + 1
        await self.rig.until(lambda: self.rig.partition.positions()[EVENTS] == end)

    def traces(self, topic: str = "changes.asked") -> list[Headers]:
        return [
            [(name, value) for name, value in out.headers if name.startswith("trace")]
            for place, out in self.written
            if place == topic
        ]


@pytest.fixture
async def traced(tmp_path: Path) -> AsyncIterator[Traced]:
    traced = Traced(tmp_path)
    traced.rig.partition.start()
    yield traced
    await traced.rig.partition.close()


def inquiry(offset: int, customer: str, *headers: tuple[str, bytes], day: int = 1) -> Any:
    return replace(record(offset, "signup.inquired", day, customer), headers=headers)


async def test_a_change_carries_the_trace_of_the_event_that_caused_it_and_no_other(
    traced: Traced,
) -> None:
    await traced.apply(
        inquiry(0, "c-1"),
        inquiry(1, "c-2", ("traceparent", PARENT), ("tracestate", STATE)),
        inquiry(2, "c-3", CONTENT),
        inquiry(3, "c-4", ("traceparent", b"nonsense")),
    )
    whole: Headers = [("traceparent", PARENT), ("tracestate", STATE)]
    assert traced.traces() == [[], whole, [], []]


async def test_a_move_by_the_clock_just_before_an_event_does_not_carry_its_trace(
    traced: Traced,
) -> None:
    """The window ran out long before the event came; the event only made somebody look."""
    await traced.apply(
        inquiry(0, "c-1"), inquiry(1, "c-1", ("traceparent", PARENT), day=20)
    )  # fmt: skip
    assert traced.traces() == [[], [], [("traceparent", PARENT)]]


async def test_what_a_customer_owes_another_carries_the_trace_there(traced: Traced) -> None:
    merged = record(1, "profile.merged", 2, "c-1", into="c-2")
    await traced.apply(inquiry(0, "c-1"), replace(merged, headers=(("traceparent", PARENT),)))
    assert traced.traces("handovers") == [[("traceparent", PARENT)]]


async def test_an_event_that_changes_nothing_is_not_looked_at(traced: Traced) -> None:
    asked: list[ConsumerRecord] = []

    class Noting(HandedOn):
        def continued(self, record: Any) -> Headers:
            asked.append(record)
            return super().continued(record)

    traced.through(Noting)
    await traced.apply(
        inquiry(0, "c-1", ("traceparent", PARENT)), inquiry(1, "c-1", ("traceparent", PARENT))
    )
    assert [record.offset for record in asked] == [0]


@pytest.mark.parametrize(
    "parent",
    [
        b"",
        b"00-short-00f067aa0ba902b7-01",
        PARENT.upper(),
        PARENT + b"-" + b"x" * 300,
        b"\xff" + PARENT[1:],
        PARENT + b"\n",
    ],
)
def test_what_is_no_traceparent_is_not_handed_on(parent: bytes) -> None:
    assert handed_on((("traceparent", parent), ("tracestate", STATE))) == []


def test_a_traceparent_of_a_later_version_is_handed_on_as_it_came() -> None:
    later = b"01" + PARENT[2:] + b"-more"
    assert handed_on((CONTENT, ("traceparent", later))) == [("traceparent", later)]


def test_a_tracestate_beyond_what_everybody_has_to_hand_on_is_left_out() -> None:
    long = ("tracestate", b"a=" + b"x" * 600)
    assert handed_on((long, ("traceparent", PARENT))) == [("traceparent", PARENT)]


def test_a_header_without_a_value_is_no_trace() -> None:
    assert handed_on((("traceparent", None),)) == []


# With OpenTelemetry.


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


async def test_a_span_stands_between_the_producer_and_the_change(
    traced: Traced, exported: InMemorySpanExporter
) -> None:
    with spans("http://127.0.0.1:1", "loyalty", exported) as trail:
        traced.through(trail)
        await traced.apply(inquiry(0, "c-1", ("traceparent", PARENT), ("tracestate", STATE)))
    (span,) = exported.get_finished_spans()
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}".encode() in PARENT
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE
    carried = f"00-{TRACE}-{span.context.span_id:016x}-01".encode()
    assert traced.traces() == [[("traceparent", carried), ("tracestate", STATE)]]
    assert dict(span.attributes or {})["messaging.kafka.offset"] == 0
    assert "c-1" not in span.to_json()


async def test_an_event_that_is_not_sampled_gets_no_span_and_its_change_says_so(
    traced: Traced, exported: InMemorySpanExporter
) -> None:
    with spans("http://127.0.0.1:1", "loyalty", exported) as trail:
        traced.through(trail)
        await traced.apply(inquiry(0, "c-1", ("traceparent", UNSAMPLED)))
    assert exported.get_finished_spans() == ()
    (((_, carried),),) = traced.traces()
    assert carried is not None
    assert carried.startswith(f"00-{TRACE}-".encode())
    assert carried.endswith(b"-00")


async def test_an_event_without_a_trace_gets_no_span(
    traced: Traced, exported: InMemorySpanExporter
) -> None:
    with spans("http://127.0.0.1:1", "loyalty", exported) as trail:
        traced.through(trail)
        await traced.apply(inquiry(0, "c-1", CONTENT))
    assert exported.get_finished_spans() == ()
    assert traced.traces() == [[]]


async def test_a_batch_that_was_not_committed_tells_of_no_span(
    traced: Traced, exported: InMemorySpanExporter
) -> None:
    with spans("http://127.0.0.1:1", "loyalty", exported) as trail:
        traced.through(trail)
        traced.rig.writer.troubles.append(CommitFailed(ConnectionError("away")))
        traced.rig.offer(inquiry(0, "c-1", ("traceparent", PARENT)))
        await traced.rig.until(lambda: traced.rig.partition.state != "ready")
    assert exported.get_finished_spans() == ()


async def test_spans_reach_the_collector_that_is_set_before_the_worker_ends(
    traced: Traced,
) -> None:
    with Collector() as collector:
        settings = load({"LADDER_TRACES": f"{collector.address}/"}, dotenv=None)
        with startup.traces(settings) as trail:
            traced.through(trail)
            await traced.apply(inquiry(0, "c-1", ("traceparent", PARENT)))
    ((path, request),) = collector.got
    assert path == "/v1/traces"
    (of_resource,) = request.resource_spans
    names = {each.key: each.value.string_value for each in of_resource.resource.attributes}
    assert (names["service.name"], names["service.namespace"]) == ("loyalty-ladder", "loyalty")
    (of_scope,) = of_resource.scope_spans
    (span,) = of_scope.spans
    assert (span.name, span.trace_id.hex()) == ("process events", TRACE)


def test_without_the_setting_traces_are_handed_on() -> None:
    with startup.traces(load({}, dotenv=None)) as trail:
        assert trail is HandedOn


def test_without_the_extra_the_setting_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "app.ops.spans")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings = load({"LADDER_TRACES": "http://127.0.0.1:4318"}, dotenv=None)
    with pytest.raises(StartupRefused, match=r"pip install 'loyalty-ladder\[traces\]'"):
        startup.traces(settings)
