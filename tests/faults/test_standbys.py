"""Copies of partitions on other workers: who has one takes over at once, who has none warms up."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from app.stream import clients
from app.stream.share import NEAR
from tests.faults.fleet import Fleet, Member
from tests.faults.rest import until
from tests.faults.tale import Told
from tests.kafka.broker import Kafka

PARTITIONS = 2
MANY = NEAR + 20_000
"""Rows that a partition's changelog holds before anybody works: more than is read in passing."""


@pytest.fixture
async def fleet(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = Fleet(
        kafka.bootstrap, unique, tmp_path, partitions=PARTITIONS, lanes=1, LADDER_MERGE_WAIT="1"
    )
    await fleet.create()
    await fill(fleet)
    yield fleet
    fleet.kill()


async def fill(fleet: Fleet) -> None:
    """Give every partition a state, of rows that nobody asks for."""
    async with clients.producer(fleet.settings) as producer:
        for number in range(PARTITIONS):
            await append(producer, TopicPartition(fleet.settings.changelog, number))


async def append(producer: AIOKafkaProducer, place: TopicPartition) -> None:
    batch = producer.create_batch()
    for number in range(MANY):
        key, value = b"x%032d" % number, b"\x01nothing"
        if batch.append(key=key, value=value, timestamp=None) is None:
            await producer.send_batch(batch, place.topic, partition=place.partition)
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    await (await producer.send_batch(batch, place.topic, partition=place.partition))


def purchase(number: int) -> Told:
    customer = f"c-{number}"
    value = (
        f'{{"specversion":"1.0","id":"e-{number}","source":"/s","type":"purchase.completed",'
        f'"subject":"{customer}","time":"2026-03-01T09:30:00Z","data":'
        f'{{"order_id":"o-{number}","amount":100,"currency":"VND"}}}}'
    )
    return Told(0, customer.encode(), value.encode())


async def standbys(member: Member) -> set[int]:
    """Those that it follows and that have caught up."""
    told = await member.told()
    return {
        number
        for number, part in told.items()
        if part["state"] == "standby" and part["position"] == part["end"] > MANY
    }


async def has(member: Member, ready: set[int], copies: set[int]) -> None:
    async def so() -> bool:
        return await member.partitions() == ready and await standbys(member) == copies

    await until(f"{member.folder.name} has {ready} and copies of {copies}", so)


async def shared_evenly(one: Member, other: Member) -> None:
    """Wait until each has one partition and a copy of the other's."""

    async def so() -> bool:
        had = [await member.partitions() for member in (one, other)]
        copied = [await standbys(member) for member in (one, other)]
        return len(had[0]) == len(had[1]) == 1 and had == copied[::-1]

    await until(f"both have one and copy one: {one.tail()}\n{other.tail()}", so)


async def test_who_joins_warms_up_while_the_other_works_and_takes_over_when_it_dies(
    fleet: Fleet,
) -> None:
    first = fleet.start(0)
    await fleet.ready(first)
    await fleet.send([purchase(number) for number in range(20)])
    await fleet.applied()
    second = fleet.start(1)
    await shared_evenly(first, second)
    assigned = second.events("partitions assigned")
    assert assigned[0]["partitions"] == []
    assert len(assigned[0]["warming"]) == 1
    (own,) = await second.partitions()
    opened = [line["restored"] for line in second.events("partition open")]
    assert max(opened) < NEAR, "it had read all of it before it took over"
    await fleet.send([purchase(number) for number in range(20, 40)])
    await fleet.applied()
    await shared_evenly(first, second)
    first.signal(signal.SIGKILL)
    await fleet.ready(second)
    (taken,) = (line for line in second.events("partition open") if line["partition"] != own)
    assert taken["restored"] < 100, "it followed all of it"
    for number in range(40):
        seen = await fleet.view(f"c-{number}")
        assert seen is not None
        assert seen["facts"]["purchases"] == 1
    await fleet.stop()
