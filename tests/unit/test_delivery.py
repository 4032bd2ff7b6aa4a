"""Records reach a partition in order, from the last seek only, and never with a hole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord, TopicPartition

from app.stream.delivery import Delivery, Fetch, Sought

TP = TopicPartition("commerce.purchases", 3)


def records(*offsets: int) -> list[ConsumerRecord]:
    return [
        ConsumerRecord(TP.topic, TP.partition, offset, 0, 0, None, b"", None, -1, 0, ())
        for offset in offsets
    ]


class FakeThread:
    """The consumer thread: gives every seek a new epoch, remembers what flows."""

    def __init__(self) -> None:
        self.epoch = 0
        self.flowing: dict[TopicPartition, int] = {}

    async def call_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await work(*arguments)

    async def place(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, Sought]:
        self.epoch += 1
        return {tp: Sought(self.epoch, at, 100) for tp, at in positions.items()}

    def later(self, change: Callable[..., object], *arguments: object) -> None:
        change(*arguments)

    def flow(self, tp: TopicPartition, epoch: int) -> None:
        self.flowing[tp] = epoch

    def stem(self, tp: TopicPartition) -> None:
        self.flowing.pop(tp, None)


class Rig:
    def __init__(self) -> None:
        self.thread = FakeThread()
        self.delivery = Delivery(lambda: self.thread)
        self.offered: list[int] = []

    def deliver(self, start: int, end: int, epoch: int, stable: int | None = 100) -> None:
        found = records(*range(start, end))
        fetch = Fetch(TP, found, 1, epoch, start, end, stable)
        self.delivery.deliver(fetch, lambda tp, got: self.offered.extend(r.offset for r in got))


@pytest.fixture
async def rig() -> Rig:
    rig = Rig()
    await rig.delivery.seek({TP: 10})
    return rig


async def test_fetches_that_follow_each_other_are_offered(rig: Rig) -> None:
    rig.deliver(10, 13, epoch=1)
    rig.deliver(13, 15, epoch=1)
    assert rig.offered == [10, 11, 12, 13, 14]
    assert rig.delivery.position_of(TP) == 15


async def test_a_fetch_that_leaves_a_hole_stops_everything(rig: Rig) -> None:
    rig.deliver(10, 13, epoch=1)
    with pytest.raises(RuntimeError, match="records would be skipped"):
        rig.deliver(14, 15, epoch=1)
    assert rig.offered == [10, 11, 12]


async def test_what_was_fetched_before_a_seek_is_dropped(rig: Rig) -> None:
    rig.deliver(10, 13, epoch=1)
    await rig.delivery.seek({TP: 10})
    rig.deliver(13, 15, epoch=1)
    assert rig.offered == [10, 11, 12]
    assert rig.delivery.position_of(TP) == 10


async def test_what_belongs_to_an_assignment_that_is_over_is_dropped(rig: Rig) -> None:
    rig.delivery.forget()
    rig.deliver(10, 13, epoch=1)
    assert rig.offered == []
    assert rig.delivery.position_of(TP) is None
    assert rig.delivery.end_of(TP) is None


async def test_a_fetch_of_markers_alone_moves_the_position(rig: Rig) -> None:
    fetch = Fetch(TP, [], 1, 1, 10, 12, 12)
    heard: list[object] = []
    rig.delivery.deliver(fetch, lambda tp, got: heard.append((tp, got)))
    assert heard == [(TP, [])]
    assert (rig.delivery.position_of(TP), rig.delivery.end_of(TP)) == (12, 12)


async def test_an_end_that_is_not_told_stays_as_it_was_known(rig: Rig) -> None:
    rig.deliver(10, 11, epoch=1, stable=None)
    assert rig.delivery.end_of(TP) == 100


async def test_nothing_flows_before_it_is_resumed(rig: Rig) -> None:
    assert rig.thread.flowing == {}
    rig.delivery.resume(TP)
    assert rig.thread.flowing == {TP: 1}
    rig.delivery.pause(TP)
    assert rig.thread.flowing == {}


async def test_a_partition_that_is_not_here_cannot_be_resumed(rig: Rig) -> None:
    rig.delivery.resume(TopicPartition("commerce.purchases", 4))
    assert rig.thread.flowing == {}
