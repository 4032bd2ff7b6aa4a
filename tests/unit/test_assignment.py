"""What is opened, kept, closed and resumed from one assignment to the next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import ConsumerRecord, TopicPartition

from app.errors import OffsetsLost
from app.ops import metrics as m
from app.ops.registry import Metrics
from app.stream.assignment import Assignment
from app.stream.delivery import Fetch
from app.stream.fetched import Record
from app.stream.opening import Openings
from tests.unit.test_delivery import FakeThread

TOPIC = "commerce.purchases"
PATIENCE = 5.0


def tp(number: int) -> TopicPartition:
    return TopicPartition(TOPIC, number)


class FakePartition:
    """Notes what is done with it. `gate` holds its opening up; `troubles` are raised by it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.state = "closed"
        self.did: list[str] = []
        self.offered: list[Record] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.troubles: list[Exception] = []
        self.slow_to_quiesce = False
        self.closing = asyncio.Event()
        self.closing.set()
        self.at = 10

    async def open(self) -> Mapping[TopicPartition, int]:
        self.did.append("open")
        self.state = "restoring"
        await self.gate.wait()
        if self.troubles:
            raise self.troubles.pop(0)
        self.state = "ready"
        return self.positions()

    def start(self) -> None:
        self.did.append("start")

    def offer(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        self.offered += records

    async def quiesce(self) -> None:
        self.did.append("quiesce")
        if self.slow_to_quiesce:
            await asyncio.Event().wait()

    def positions(self) -> Mapping[TopicPartition, int]:
        return {tp(self.number): self.at}

    async def close(self) -> None:
        self.did.append("close")
        await self.closing.wait()
        self.did.append("closed")
        self.state = "closed"


class FakeStandbys:
    """Notes what is followed."""

    def __init__(self) -> None:
        self.followed: set[int] = set()
        self.released: list[int] = []

    async def follow(self, numbers: Iterable[int]) -> None:
        self.followed = set(numbers)

    async def release(self, number: int) -> None:
        self.released.append(number)

    async def stop(self) -> None:
        self.followed = set()


class Rig:
    """An assignment service between a Faust that does nothing and partitions that take notes."""

    def __init__(self) -> None:
        self.thread = FakeThread()
        self.wanted: set[int] = set()
        self.copied: set[int] = set()
        self.standbys = FakeStandbys()
        self.made: dict[int, list[FakePartition]] = {}
        self.prepared: dict[int, FakePartition] = {}
        self.errors: list[BaseException] = []
        self.metrics = Metrics()
        self.assignment = Assignment(
            self._faust(),
            new=self._new,
            standbys=self.standbys,
            metrics=self.metrics,
            stopped_by=self.errors.append,
        )

    def _faust(self) -> Any:
        async def nothing() -> None:
            return None

        def done() -> None:
            return None

        return SimpleNamespace(
            beacon=None,
            thread=lambda: self.thread,
            assignor=SimpleNamespace(
                assigned_actives=lambda: {tp(n) for n in self.wanted},
                assigned_standbys=lambda: {tp(n) for n in self.copied},
                warming=frozenset(),
            ),
            flow_control=SimpleNamespace(resume=done),
            consumer=SimpleNamespace(resume_flow=done),
            _fetcher=SimpleNamespace(maybe_start=nothing),
            tables=SimpleNamespace(on_actives_ready=done, on_standbys_ready=done),
            on_rebalance_end=done,
            on_rebalance_complete=SimpleNamespace(send=nothing),
        )

    def prepare(self, number: int) -> FakePartition:
        """The partition that will be made for a number, to be changed before it is."""
        return self.prepared.setdefault(number, FakePartition(number))

    def _new(self, number: int, host: object) -> FakePartition:
        made = self.prepared.pop(number, None) or FakePartition(number)
        self.made.setdefault(number, []).append(made)
        return made

    def part(self, number: int) -> FakePartition:
        return self.made[number][-1]

    async def assign(self, *numbers: int, generation: int) -> None:
        self.wanted = set(numbers)
        await self.assignment.on_rebalance((), (), (), generation)

    async def ready(self) -> None:
        await asyncio.wait_for(self.assignment.completed.wait(), PATIENCE)

    async def revoke(self) -> None:
        self.assignment.on_partitions_revoked(())
        await self.assignment.quiesce(seconds=0.2)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110  a fake tells nobody
                await asyncio.sleep(0)


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_what_is_assigned_is_opened_sought_started_and_resumed(rig: Rig) -> None:
    await rig.assign(0, 2, generation=1)
    await rig.ready()
    assert rig.part(0).did == rig.part(2).did == ["open", "start"]
    assert set(rig.thread.flowing) == {tp(0), tp(2)}
    assert rig.assignment.position_of(tp(0)) == 10


async def test_a_partition_consumes_while_its_neighbour_is_still_restored(rig: Rig) -> None:
    rig.prepare(1).gate.clear()
    await rig.assign(0, 1, generation=1)
    await rig.until(lambda: tp(0) in rig.thread.flowing)
    assert rig.part(1).did == ["open"]
    assert not rig.assignment.completed.is_set()
    rig.part(1).gate.set()
    await rig.ready()
    assert rig.part(1).did == ["open", "start"]


async def test_what_comes_back_in_the_next_generation_stays_open(rig: Rig) -> None:
    await rig.assign(0, generation=1)
    await rig.ready()
    await rig.revoke()
    rig.part(0).at = 25
    await rig.assign(0, 1, generation=2)
    await rig.ready()
    assert rig.part(0).did == ["open", "start", "quiesce", "start"]
    assert rig.assignment.position_of(tp(0)) == 25


async def test_the_series_of_a_partition_that_left_go_with_it(rig: Rig) -> None:
    await rig.assign(0, 1, generation=1)
    await rig.ready()
    for number in "01":
        rig.metrics.set(m.LAG, 5, TOPIC, number)
    await rig.revoke()
    await rig.assign(1, generation=2)
    await rig.ready()
    shown = rig.metrics.text().decode()
    assert 'partition="0"' not in shown
    assert 'partition="1"' in shown


async def test_after_a_generation_without_us_everything_is_opened_again(rig: Rig) -> None:
    """Somebody else may have had the partition in the one that was missed."""
    await rig.assign(0, generation=1)
    await rig.ready()
    await rig.revoke()
    await rig.assign(0, generation=3)
    await rig.ready()
    assert rig.part(0).did == ["open", "start", "quiesce", "open", "start"]


async def test_what_was_lost_is_closed_and_made_anew_when_it_returns(rig: Rig) -> None:
    await rig.assign(0, 1, generation=1)
    await rig.ready()
    await rig.revoke()
    await rig.assign(0, generation=2)
    await rig.ready()
    assert rig.part(1).did == ["open", "start", "quiesce", "close", "closed"]
    assert set(rig.assignment.partitions) == {0}
    await rig.revoke()
    await rig.assign(0, 1, generation=3)
    await rig.ready()
    assert len(rig.made[1]) == 2
    assert rig.part(1).did == ["open", "start"]


async def test_a_restore_under_way_goes_on_through_a_rebalance(rig: Rig) -> None:
    rig.prepare(0).gate.clear()
    await rig.assign(0, generation=1)
    await rig.until(lambda: 0 in rig.made and rig.part(0).did == ["open"])
    await rig.revoke()
    await rig.assign(0, generation=2)
    rig.part(0).gate.set()
    await rig.ready()
    assert rig.part(0).did == ["open", "start"]


async def test_a_restore_under_way_starts_again_after_a_generation_without_us(rig: Rig) -> None:
    rig.prepare(0).gate.clear()
    await rig.assign(0, generation=1)
    await rig.until(lambda: 0 in rig.made and rig.part(0).did == ["open"])
    await rig.revoke()
    rig.part(0).gate.set()
    await rig.assign(0, generation=5)
    await rig.ready()
    assert rig.part(0).did == ["open", "open", "start"]


async def test_a_restore_of_what_was_lost_is_given_up(rig: Rig) -> None:
    rig.prepare(0).gate.clear()
    await rig.assign(0, generation=1)
    await rig.until(lambda: 0 in rig.made and rig.part(0).did == ["open"])
    await rig.revoke()
    await rig.assign(1, generation=2)
    await rig.ready()
    assert rig.part(0).did == ["open", "close", "closed"]


async def test_a_closed_partition_is_opened_at_the_next_assignment(rig: Rig) -> None:
    """It was fenced, or gave a transaction up; what it holds is not what was committed."""
    await rig.assign(0, generation=1)
    await rig.ready()
    rig.part(0).state = "closed"
    await rig.revoke()
    await rig.assign(0, generation=2)
    await rig.ready()
    assert rig.part(0).did[-2:] == ["open", "start"]


async def test_what_does_not_end_its_batch_in_time_is_closed(rig: Rig) -> None:
    await rig.assign(0, generation=1)
    await rig.ready()
    rig.part(0).slow_to_quiesce = True
    await rig.revoke()
    assert rig.part(0).did[-3:] == ["quiesce", "close", "closed"]
    await rig.assign(0, generation=2)
    await rig.ready()
    assert len(rig.made[0]) == 2


async def test_a_broker_s_trouble_is_tried_again(rig: Rig) -> None:
    rig.prepare(0).troubles = [KafkaConnectionError("gone"), OSError("gone")]
    await rig.assign(0, generation=1)
    await rig.ready()
    assert rig.part(0).did == ["open", "open", "open", "start"]
    assert rig.errors == []


@pytest.mark.parametrize("trouble", [OffsetsLost("gone for good"), ValueError("a bug")])
async def test_what_no_attempt_can_mend_stops_the_worker(rig: Rig, trouble: Exception) -> None:
    rig.prepare(0).troubles = [trouble]
    await rig.assign(0, generation=1)
    await rig.until(lambda: rig.errors)
    assert rig.errors == [trouble]
    assert rig.part(0).did == ["open"]


async def test_an_empty_assignment_is_ready_at_once(rig: Rig) -> None:
    await rig.assign(generation=1)
    await rig.ready()
    assert rig.assignment.generation == 1


async def test_nothing_reaches_a_partition_between_assignments(rig: Rig) -> None:
    await rig.assign(0, generation=1)
    await rig.ready()
    record = ConsumerRecord(TOPIC, 0, 10, 0, 0, None, b"", None, -1, 0, ())
    rig.assignment.deliver(Fetch(tp(0), [record], 1, rig.thread.epoch, 10, 11, 100))
    await rig.revoke()
    rig.assignment.deliver(Fetch(tp(0), [record], 1, rig.thread.epoch, 11, 12, 100))
    assert len(rig.part(0).offered) == 1


async def test_a_lost_fetch_stops_the_worker(rig: Rig) -> None:
    await rig.assign(0, generation=1)
    await rig.ready()
    rig.assignment.deliver(Fetch(tp(0), [], 1, rig.thread.epoch, 12, 13, 100))
    assert "records would be skipped" in str(rig.errors[0])


async def test_stopping_finishes_and_closes_everything(rig: Rig) -> None:
    await rig.assign(0, 1, generation=1)
    await rig.ready()
    await rig.assignment.on_stop()
    assert (
        rig.made[0][0].did == rig.made[1][0].did == ["open", "start", "quiesce", "close", "closed"]
    )
    assert rig.assignment.partitions == {}


async def test_a_closed_partition_that_stays_assigned_is_opened_again_once(rig: Rig) -> None:
    await rig.assign(0, generation=1)
    await rig.ready()
    part = rig.part(0)
    part.state = "closed"
    part.gate.clear()
    rig.assignment.reopen(0)
    rig.assignment.reopen(0)
    await rig.until(lambda: part.did[-1] == "open")
    rig.assignment.reopen(0)
    part.gate.set()
    await rig.until(lambda: part.did[-1] == "start")
    assert part.did == ["open", "start", "quiesce", "open", "start"]


async def test_opening_again_ends_with_the_assignment_it_belongs_to(rig: Rig) -> None:
    await rig.assign(0, generation=1)
    await rig.ready()
    part = rig.part(0)
    part.state = "closed"
    part.gate.clear()
    rig.assignment.reopen(0)
    await rig.until(lambda: part.did[-1] == "open")
    await rig.revoke()
    await rig.assign(0, generation=2)
    part.gate.set()
    await rig.ready()
    assert part.did.count("start") == 2
    assert part.did.count("open") == 2


async def test_stopping_gives_up_what_is_being_opened_before_it_closes_it(rig: Rig) -> None:
    rig.prepare(0).gate.clear()
    await rig.assign(0, generation=1)
    await rig.until(lambda: 0 in rig.made and rig.part(0).did == ["open"])
    await rig.assignment.on_stop()
    assert rig.made[0][0].did == ["open", "close", "closed"]


async def test_a_partition_that_returns_while_it_is_closed_waits_for_its_folder(rig: Rig) -> None:
    """The store is one process's at a time, and one partition's within it."""
    await rig.assign(0, 1, generation=1)
    await rig.ready()
    await rig.revoke()
    old = rig.part(1)
    old.closing.clear()
    await rig.assign(0, generation=2)
    await rig.until(lambda: old.did[-1] == "close")
    await rig.revoke()
    await rig.assign(0, 1, generation=3)
    await rig.until(lambda: rig.part(0).did.count("start") == 2)
    assert len(rig.made[1]) == 1
    old.closing.set()
    await rig.ready()
    assert old.did[-1] == "closed"
    assert rig.part(1).did == ["open", "start"]
    assert rig.errors == []


async def test_an_opening_given_up_ends_before_the_next_begins(rig: Rig) -> None:
    """Even if whoever gave it up did not wait for its end."""
    ended = asyncio.Event()
    did: list[str] = []

    async def slow() -> Mapping[TopicPartition, int]:
        try:
            await asyncio.Event().wait()
        finally:
            await ended.wait()
            did.append("ended")
        return {}

    async def quick() -> Mapping[TopicPartition, int]:
        did.append("begun")
        return {}

    openings = Openings(2)
    waiting = asyncio.create_task(openings.result(0, slow))
    await rig.until(lambda: 0 in openings)
    await asyncio.sleep(0)
    giving_up = asyncio.create_task(openings.give_up(0))
    await rig.until(lambda: 0 not in openings)
    giving_up.cancel()
    next_one = asyncio.create_task(openings.result(0, quick))
    for _ in range(10):
        await asyncio.sleep(0)
    assert did == []
    ended.set()
    await next_one
    await asyncio.wait([waiting])
    assert did == ["ended", "begun"]
