"""What was deleted before it was read is told at once, whichever partition comes upon it first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from app.errors import OffsetsLost
from app.stream.offsets import Positions, starting_points
from tests.kafka.broker import Kafka

PARTITIONS = 3
SENT = 10
"""Records in each partition."""


class Group:
    """Two topics with records, and a group that has read some of them."""

    def __init__(self, kafka: Kafka, name: str) -> None:
        self.client: Mapping[str, Any] = {"bootstrap_servers": kafka.bootstrap}
        self.name = name
        self.topics = (f"{name}.purchases", f"{name}.signups")
        self.places = [TopicPartition(t, n) for t in self.topics for n in range(PARTITIONS)]

    async def create(self) -> None:
        async with AIOKafkaProducer(**self.client) as producer:
            admin = AIOKafkaAdminClient(**self.client)
            await admin.start()
            await admin.create_topics([NewTopic(each, PARTITIONS, 1) for each in self.topics])
            await admin.close()
            for place in self.places * SENT:
                await producer.send_and_wait(place.topic, b"", partition=place.partition)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        async with self._member() as consumer:
            consumer.assign(list(offsets))
            await consumer.commit(dict(offsets))

    async def delete_before(self, offsets: Mapping[TopicPartition, int]) -> None:
        admin = AIOKafkaAdminClient(**self.client)
        await admin.start()
        await admin.delete_records({tp: RecordsToDelete(at) for tp, at in offsets.items()})
        await admin.close()

    async def starts(self, partition: int, kept: Mapping[str, int] = {}) -> Positions:
        own = [place for place in self.places if place.partition == partition]
        return await starting_points(self.client, self.name, own, kept, PARTITIONS)

    def _member(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(**self.client, group_id=self.name, enable_auto_commit=False)


@pytest.fixture
async def group(kafka: Kafka, unique: str) -> Group:
    group = Group(kafka, unique)
    await group.create()
    return group


def told(error: OffsetsLost) -> tuple[set[str], set[str]]:
    """The places whose records are lost, and where the commands would go on."""
    text = str(error)
    lost = {
        f"{topic}:{number}"
        for topic, number in re.findall(r"^(\S+)\[(\d+)\]: ", text, re.MULTILINE)
    }
    return lost, set(re.findall(r"--topic (\S+) --reset-offsets --to-offset \d+", text))


async def test_one_start_tells_of_every_partition_and_has_every_command(group: Group) -> None:
    purchases, signups = group.topics
    await group.commit(dict.fromkeys(group.places, 2))
    gone = [TopicPartition(purchases, 0), TopicPartition(purchases, 2), TopicPartition(signups, 1)]
    await group.delete_before(dict.fromkeys(gone, 5))
    names = {f"{tp.topic}:{tp.partition}" for tp in gone}
    for partition in range(PARTITIONS):
        with pytest.raises(OffsetsLost) as raised:
            await group.starts(partition)
        assert told(raised.value) == (names, names)


async def test_a_partition_that_lost_nothing_starts_where_it_was(group: Group) -> None:
    await group.commit(dict.fromkeys(group.places, 2))
    assert set((await group.starts(1)).values()) == {2}


async def test_a_place_that_was_kept_with_the_state_alone_is_told_too(group: Group) -> None:
    purchases, _ = group.topics
    await group.delete_before({TopicPartition(purchases, 1): 4})
    with pytest.raises(OffsetsLost, match="from offset 3 up to 4 were deleted"):
        await group.starts(1, {purchases: 3})


async def test_what_another_partition_has_lost_is_no_business_of_one_that_lost_nothing(
    group: Group,
) -> None:
    await group.commit(dict.fromkeys(group.places, 2))
    await group.delete_before({TopicPartition(group.topics[0], 0): 5})
    assert set((await group.starts(1)).values()) == {2}


async def test_what_was_never_read_at_all_is_not_lost(group: Group) -> None:
    """A new group begins with what is there."""
    await group.delete_before(dict.fromkeys(group.places, 5))
    assert set((await group.starts(0)).values()) == {5}


async def test_a_topic_that_was_made_anew_is_told_for_all_its_partitions(group: Group) -> None:
    await group.commit(dict.fromkeys(group.places, SENT + 5))
    with pytest.raises(OffsetsLost, match="has lost records, or was made anew") as raised:
        await group.starts(0)
    assert told(raised.value)[0] == {f"{tp.topic}:{tp.partition}" for tp in group.places}
