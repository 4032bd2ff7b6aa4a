"""Lag is shown, and what was fenced is opened again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from aiokafka.structs import TopicPartition

from app.ops.registry import Metrics
from app.stream.watch import Watch

TP = TopicPartition("commerce.purchases", 0)


class FakePartition:
    def __init__(self) -> None:
        self.state = "ready"
        self.at = 5

    def positions(self) -> Mapping[TopicPartition, int]:
        return {TP: self.at}


class FakeAssignment:
    def __init__(self) -> None:
        self.partition = FakePartition()
        self.partitions = {0: self.partition}
        self.generation: int | None = 1
        self.end = 5
        self.reopened: list[int] = []

    def end_of(self, tp: TopicPartition) -> int:
        return self.end

    def reopen(self, number: int) -> None:
        self.reopened.append(number)


class Rig:
    def __init__(self) -> None:
        self.now = 0.0
        self.assignment = FakeAssignment()
        self.metrics = Metrics()
        self.watch = Watch(self.assignment, self.metrics, fenced_for=15.0, clock=lambda: self.now)

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.watch.look()


@pytest.fixture
async def rig() -> Rig:
    rig = Rig()
    rig.watch.look()
    return rig


async def test_lag_is_shown_by_topic_and_partition(rig: Rig) -> None:
    rig.assignment.end = 9
    rig.after(1)
    shown = rig.metrics.text().decode()
    assert 'ladder_lag_records{partition="0",topic="commerce.purchases"} 4.0' in shown
    assert 'ladder_partitions{state="ready"} 1.0' in shown


async def test_a_fenced_partition_that_stays_assigned_is_opened_again(rig: Rig) -> None:
    rig.assignment.partition.state = "closed"
    rig.after(1)
    rig.after(14)
    assert rig.assignment.reopened == []
    rig.after(2)
    assert rig.assignment.reopened == [0]


async def test_between_assignments_nothing_is_opened(rig: Rig) -> None:
    rig.assignment.partition.state = "closed"
    rig.assignment.generation = None
    rig.after(1)
    rig.after(100)
    assert rig.assignment.reopened == []
