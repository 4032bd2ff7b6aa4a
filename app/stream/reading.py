"""Reading topics as people do: what was committed, from a place on, once or for ever."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any, Literal

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.errors import BrokerError, TopicsError
from app.settings import Settings
from app.stream import clients

RECORDS = 20
"""Read in one go: a dead letter may be some megabytes, and in its topic a thousandth of that."""
POLL_MS = 200
"""How long one look for records waits; also how soon the end is noticed."""


async def read(
    settings: Settings,
    topics: Sequence[str],
    *,
    start: Literal["beginning", "end"] | int = "beginning",
    ends: Mapping[TopicPartition, int] | None = None,
    follow: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> AsyncGenerator[Any, None]:
    """Committed records of all partitions of the topics, each partition in its order.

    start may be an instant in microseconds: the first record written at or after it. Ends where
    the topics ended when it began, or at the ends given, unless it follows. ready is called when
    nothing that is written from now on can be missed. Close it (`contextlib.aclosing`). Raises
    BrokerError, and TopicsError for a topic that is not there.
    """
    assigned = await places(settings, topics)
    async with clients.consumer(settings, fetch_max_wait_ms=POLL_MS) as consumer:
        try:
            await _begin(consumer, assigned, start)
            if ends is None and not follow:
                ends = await end_of(consumer)
            ready()
            while not await _done(consumer, ends):
                found = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS)
                for records in found.values():
                    for record in records:
                        if ends is None or record.offset < ends[_place(record)]:
                            yield record
        except KafkaError as error:
            raise BrokerError(f"Kafka cannot be read: {error}") from error


async def end_of(consumer: Any) -> dict[TopicPartition, int]:
    """Where each assigned partition ends for a reader of what was committed."""
    found: dict[TopicPartition, int] = await consumer.end_offsets(list(consumer.assignment()))
    return found


async def topics_beginning(settings: Settings, prefix: str) -> list[str]:
    """The topics of the cluster whose names begin so, sorted."""
    return sorted(name for name in await _partitions(settings) if name.startswith(prefix))


async def places(settings: Settings, topics: Sequence[str]) -> list[TopicPartition]:
    """Every partition of the topics. Raises TopicsError for a topic that is not there."""
    there = await _partitions(settings)
    missing = [topic for topic in topics if topic not in there]
    if missing:
        raise TopicsError([f"{topic} is missing" for topic in missing])
    return [TopicPartition(topic, number) for topic in topics for number in range(there[topic])]


async def _partitions(settings: Settings) -> dict[str, int]:
    """How many each topic has. An admin client asks, for it makes no topic by asking."""
    async with clients.admin(settings) as admin:
        try:
            listed = await admin.describe_topics()
        except KafkaError as error:
            raise BrokerError(f"Kafka does not say which topics it has: {error}") from error
    return {topic["topic"]: len(topic["partitions"]) for topic in listed}


async def _begin(
    consumer: Any, assigned: Sequence[TopicPartition], start: Literal["beginning", "end"] | int
) -> None:
    consumer.assign(assigned)
    if start == "beginning":
        await consumer.seek_to_beginning(*assigned)
        return
    await consumer.seek_to_end(*assigned)
    if isinstance(start, int):
        found = await consumer.offsets_for_times(dict.fromkeys(assigned, start // 1000))
        for place, offset in found.items():
            if offset is not None:
                consumer.seek(place, offset.offset)


async def _done(consumer: Any, ends: Mapping[TopicPartition, int] | None) -> bool:
    if ends is None:
        return False
    return all([await consumer.position(place) >= end for place, end in ends.items()])


def _place(record: Any) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
