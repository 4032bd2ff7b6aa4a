"""How old what waits is, and how big things are, is looked at; what left is not shown."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiokafka.structs import TopicPartition
from structlog.testing import capture_logs

from app.core.events import ClockAdvanced, Event, Inquired, Refused
from app.ops import metrics as m
from app.ops.registry import Metrics
from app.stream import gauges
from app.stream.gauges import Gauges
from app.stream.items import Foreign, What, kinds_of
from app.stream.shared import Shared
from app.stream.store import StoreBroken

PURCHASES = TopicPartition("commerce.purchases", 3)
HANDOVERS = TopicPartition("loyalty.handovers", 3)


class FakePartition:
    def __init__(self) -> None:
        self.state = "ready"
        self.at = {PURCHASES: 10, HANDOVERS: 10}
        self.oldest: int | None = None
        self.broken = False

    def positions(self) -> Mapping[TopicPartition, int]:
        return self.at

    def arrived(self) -> int | None:
        return self.oldest

    def sizes(self, limit: int) -> tuple[int, int] | None:
        if self.broken:
            raise StoreBroken("gone")
        return 5_000, 7


class FakeAssignment:
    def __init__(self) -> None:
        self.partition = FakePartition()
        self.partitions = {3: self.partition}
        self.ends = {PURCHASES: 10, HANDOVERS: 10}

    def end_of(self, tp: TopicPartition) -> int | None:
        return self.ends.get(tp)


class Rig:
    def __init__(self, folder: Path) -> None:
        self.now = 1_000.0
        self.heard: float | None = None
        self.assignment = FakeAssignment()
        self.partition = self.assignment.partition
        self.metrics = Metrics()
        self.gauges = Gauges(
            self.assignment,
            self.metrics,
            partitions=8,
            handovers=HANDOVERS.topic,
            data_dir=folder,
            shared=Shared(cache=1 << 20, buffers=1 << 20),
            heard=lambda: self.heard,
            now=lambda: self.now,
        )

    def shown(self, metric: m.Metric) -> list[float]:
        found = self.metrics.text().decode().splitlines()
        return [float(line.rpartition(" ")[2]) for line in found if line.startswith(metric.name)]

    def age_at(self, now: float) -> float:
        self.now = now
        self.gauges.look()
        (age,) = self.shown(m.LAG_SECONDS)
        return age


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_the_age_is_that_of_the_oldest_record_that_waits(rig: Rig) -> None:
    assert rig.age_at(1_000.0) == 0.0
    rig.partition.oldest = 995_500
    assert rig.age_at(1_000.0) == 4.5
    assert rig.gauges.oldest() == 4.5
    rig.partition.oldest = None
    assert rig.age_at(1_001.0) == 0.0
    assert rig.gauges.oldest() == 0.0


def test_what_was_not_fetched_yet_ages_from_when_it_was_first_seen_to_be_there(rig: Rig) -> None:
    rig.assignment.ends[PURCHASES] = 11
    assert rig.age_at(1_000.0) == 0.0
    assert rig.age_at(1_030.0) == 30.0
    rig.partition.at[PURCHASES] = 11
    assert rig.age_at(1_031.0) == 0.0


def test_handovers_that_wait_are_told_apart_from_other_lag(rig: Rig) -> None:
    rig.assignment.ends[PURCHASES] = 50
    rig.assignment.ends[HANDOVERS] = 14
    rig.gauges.look()
    assert rig.shown(m.HANDOVERS_WAITING) == [4.0]


def test_when_kafka_was_last_heard_of_stands_still_while_it_is_silent(rig: Rig) -> None:
    rig.heard = 1_000.5
    rig.gauges.look()
    assert rig.shown(m.LAST_HEARD) == [1_000.5]
    rig.heard, rig.now = None, 2_000.0
    rig.gauges.look()
    assert rig.shown(m.LAST_HEARD) == [1_000.5]


@pytest.mark.parametrize("state", ["restoring", "closed"])
def test_a_worker_that_asks_for_no_records_has_nobody_to_hear(rig: Rig, state: str) -> None:
    """A restore may take long, and a worker to spare has nothing at all."""
    assert rig.shown(m.LAST_HEARD) == [1_000.0]
    rig.partition.state, rig.now = state, 2_000.0
    rig.gauges.look()
    assert rig.shown(m.LAST_HEARD) == [2_000.0]


def test_sizes_are_those_of_the_store_and_of_the_disk_it_lies_on(rig: Rig) -> None:
    rig.gauges.measure()
    assert rig.shown(m.STORE_BYTES) == [5_000.0]
    assert rig.shown(m.DUE_WAITING) == [7.0]
    (free,), (size,) = rig.shown(m.DISK_FREE), rig.shown(m.DISK_SIZE)
    assert 0 < free <= size
    assert rig.shown(m.PARTITIONS_CONFIGURED) == [8.0]


def test_a_store_that_fails_while_it_is_measured_is_left_to_its_partition(rig: Rig) -> None:
    rig.partition.broken = True
    rig.gauges.measure()
    assert rig.shown(m.STORE_BYTES) == []


def test_a_partition_that_is_not_ready_is_not_looked_at(rig: Rig) -> None:
    rig.partition.state = "restoring"
    rig.gauges.look()
    rig.gauges.measure()
    assert rig.shown(m.LAG_SECONDS) == rig.shown(m.STORE_BYTES) == []


def event(data: Inquired | ClockAdvanced) -> Event:
    return Event("/shop", "1", "c-1", 0, data)


def test_records_are_counted_by_the_type_of_their_event() -> None:
    found = [event(Inquired()), event(ClockAdvanced()), event(Inquired())]
    assert kinds_of(found) == {"signup.inquired": 2, "clock.advanced": 1}


def test_what_is_no_event_is_counted_by_what_it_is_instead() -> None:
    found: list[What] = [event(Inquired()), Refused("not-json", "no"), Foreign()]
    assert kinds_of(found) == {"signup.inquired": 1, "refused": 1, "foreign": 1}


async def test_a_look_that_fails_is_told_of_and_the_next_one_comes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "LOOK_SECONDS", 0)
    known = rig.assignment.partitions
    rig.assignment.partitions = None  # type: ignore[assignment]
    with capture_logs() as told:
        looking = asyncio.create_task(rig.gauges.run())
        async with asyncio.timeout(30):
            while not told:  # noqa: ASYNC110  a log tells nobody
                await asyncio.sleep(0)
            rig.assignment.partitions = known
            while not rig.shown(m.LAG_SECONDS):  # noqa: ASYNC110
                await asyncio.sleep(0)
        looking.cancel()
    assert {line["action"] for line in told} == {"gauges-unread"}
