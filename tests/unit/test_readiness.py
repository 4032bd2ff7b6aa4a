"""What a worker says of its health when Kafka, or another worker, does not answer."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.structs import TopicPartition

from app.stream.readiness import Readiness

SESSION = 10.0


class Rig:
    """A worker that has partitions 0 and 1 of six, both ready."""

    def __init__(self) -> None:
        ready = SimpleNamespace(state="ready")
        self.assigned = SimpleNamespace(partitions={0: ready, 1: ready}, generation=3)
        self.away: float | None = None
        self.quiet: dict[TopicPartition, float] = {}
        self.partitions: list[int] = []
        self.health = Readiness(
            self.assigned,
            SimpleNamespace(stalled={}),
            SimpleNamespace(copies={}),
            self,
            self,
            SESSION,
        )

    def silent(self) -> dict[TopicPartition, float]:
        return self.quiet


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_when_all_is_well_nothing_is_said(rig: Rig) -> None:
    assert (list(rig.health.not_ready()), list(rig.health.concerns())) == ([], [])


def test_within_a_session_a_silent_kafka_is_named_and_the_worker_stays_ready(rig: Rig) -> None:
    rig.away = 9.6
    assert rig.health.not_ready() == []
    assert rig.health.concerns() == ["Kafka has not answered for 10 s"]


def test_after_a_session_it_is_not_ready_since_others_may_have_its_partitions(rig: Rig) -> None:
    rig.away = 75.0
    (reason,) = rig.health.not_ready()
    assert reason.startswith("Kafka has not answered for 75 s, longer than a session (10 s)")
    assert rig.health.concerns() == []


def test_what_restores_meanwhile_comes_after_the_cause(rig: Rig) -> None:
    rig.away = 75.0
    rig.assigned.partitions[1] = SimpleNamespace(state="restoring")
    assert [reason.split()[0] for reason in rig.health.not_ready()] == ["Kafka", "partition"]
    rig.assigned.generation = None
    assert [reason.split()[0] for reason in rig.health.not_ready()] == ["Kafka", "waiting"]


def test_whatever_happens_to_kafka_a_restart_would_not_help(rig: Rig) -> None:
    rig.away = 75.0
    assert rig.health.not_alive() == []


def test_partitions_whose_broker_alone_is_silent_are_named(rig: Rig) -> None:
    rig.quiet = {TopicPartition("purchases", 1): 7.0, TopicPartition("reviews", 1): 12.0}
    assert rig.health.not_ready() == []
    assert rig.health.concerns() == [
        "partition 1: the brokers that lead them have not answered for 12 s"
    ]


def test_partitions_that_nobody_works_on_are_named(rig: Rig) -> None:
    rig.partitions = [4, 2]
    assert rig.health.not_ready() == []
    assert rig.health.concerns() == [
        "partitions 2, 4: the worker that has them does not answer, so perhaps nobody works on them"
    ]


def test_of_many_their_count_is_told(rig: Rig) -> None:
    rig.partitions = list(range(2, 202))
    assert rig.health.concerns()[0].startswith("200 partitions: the worker that has them")
