"""Before Faust starts: each thing that would do harm is refused, with what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from app.errors import (
    BrokerUnfit,
    LadderChanged,
    RememberedSettingsDiffer,
    StartupRefused,
    TopicsError,
)
from app.ops.outage import Outage
from app.settings import Settings, load
from app.stream import clients, startup, topic_admin, topics
from app.stream.contact import Absence
from app.stream.remembered import Remembered, encode
from tests.faults.rest import until
from tests.kafka.broker import Kafka

LADDERS = ("raving-fan",)


def settings(kafka: Kafka, name: str, **more: str) -> Settings:
    env = {
        "LADDER_BROKERS": kafka.bootstrap,
        "LADDER_APP_ID": name,
        "LADDER_PARTITIONS": "2",
        "LADDER_REPLICATION_FACTOR": "1",
        "LADDER_TOPICS": f"{name}-in",
        "LADDER_CHANGES_PREFIX": f"{name}-changes",
        "LADDER_DEAD_LETTERS": f"{name}-dead",
        "LADDER_HANDOVERS": f"{name}-handovers",
    }
    return load(env | {f"LADDER_{key.upper()}": value for key, value in more.items()}, None)


def remembered(chosen: Settings, **more: Any) -> Remembered:
    values: dict[str, Any] = {
        "timezone": chosen.timezone,
        "currency": chosen.currency,
        "partitions": chosen.partitions,
        "topics": chosen.topics,
        "ladders": {"raving-fan": (1, "digest")},
    }
    return Remembered(**(values | more))


async def commit(chosen: Settings, note: str) -> None:
    """Leave offsets with a note in the group, as a partition does.

    A transaction's end is answered before its offsets can be read.
    """
    place = TopicPartition(chosen.topics[0], 0)
    producer = AIOKafkaProducer(
        bootstrap_servers=chosen.brokers, transactional_id=f"{chosen.app_id}-0"
    )
    async with producer, producer.transaction():
        await producer.send_offsets_to_transaction(
            {place: OffsetAndMetadata(0, note)}, chosen.app_id
        )

    async def visible() -> bool:
        async with clients.admin(chosen) as admin:
            return place in await admin.list_consumer_group_offsets(chosen.app_id)

    await until("the offsets can be read", visible)


def absence() -> Absence:
    return Absence("", Outage())


@pytest.fixture
async def made(kafka: Kafka, unique: str) -> Settings:
    """Settings whose topics are there."""
    chosen = settings(kafka, unique)
    async with clients.admin(chosen) as admin:
        await topic_admin.create(admin, topics.declared(chosen, LADDERS), 1)
    return chosen


async def test_a_fresh_cluster_with_all_topics_is_fit(made: Settings) -> None:
    await startup.check_cluster(made, LADDERS, remembered(made), absence())


async def test_missing_topics_are_named_one_by_one(kafka: Kafka, unique: str) -> None:
    chosen = settings(kafka, unique)
    with pytest.raises(TopicsError) as refused:
        await startup.check_cluster(chosen, LADDERS, remembered(chosen), absence())
    for topic in topics.declared(chosen, LADDERS):
        assert topic.name in str(refused.value)


async def test_what_the_same_worker_left_behind_is_let_through(made: Settings) -> None:
    await commit(made, encode(remembered(made)))
    await startup.check_cluster(made, LADDERS, remembered(made), absence())


async def test_offsets_that_carry_no_note_are_let_through(made: Settings) -> None:
    await commit(made, "")
    await startup.check_cluster(made, LADDERS, remembered(made), absence())


async def test_a_remembered_setting_is_held_to(made: Settings) -> None:
    await commit(made, encode(remembered(made)))
    with pytest.raises(RememberedSettingsDiffer, match="LADDER_TIMEZONE is Asia/Tokyo"):
        await startup.check_cluster(
            made, LADDERS, remembered(made, timezone="Asia/Tokyo"), absence()
        )


async def test_other_topics_than_before_are_noticed_although_they_have_no_offsets(
    made: Settings,
) -> None:
    await commit(made, encode(remembered(made, topics=("before",))))
    with pytest.raises(RememberedSettingsDiffer, match="LADDER_TOPICS"):
        await startup.check_cluster(made, LADDERS, remembered(made), absence())


async def test_a_ladder_with_another_meaning_is_refused(made: Settings) -> None:
    await commit(made, encode(remembered(made)))
    changed = remembered(made, ladders={"raving-fan": (1, "other")})
    with pytest.raises(LadderChanged, match="raving-fan means something else"):
        await startup.check_cluster(made, LADDERS, changed, absence())


async def test_a_broker_without_transactions_is_refused() -> None:
    async def answer(request: object) -> object:
        versions: Sequence[tuple[int, int, int]] = [(0, 0, 9), (1, 0, 13), (22, 0, 4)]
        return SimpleNamespace(api_versions=versions)

    with pytest.raises(BrokerUnfit, match="AddPartitionsToTxn, AddOffsetsToTxn, EndTxn"):
        await startup._refuse_without_transactions(SimpleNamespace(_send_request=answer))


async def test_a_broker_that_is_not_there_yet_is_waited_for(new_kafka: Kafka, unique: str) -> None:
    """And meanwhile whoever asks is told that it is."""
    said: list[str] = []
    told = asyncio.Event()

    def say(what: str) -> None:
        said.append(what)
        told.set()

    waiting = asyncio.create_task(
        startup.wait_for_broker(settings(new_kafka, unique), absence(), say)
    )
    async with asyncio.timeout(60):
        await told.wait()
        await asyncio.to_thread(new_kafka.start)
        await waiting
    assert "no Kafka answers at 127.0.0.1" in said[0]


def test_faust_without_its_compiled_part_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    startup.refuse_without_extension()
    monkeypatch.setattr("faust.streams._CStreamIterator", None)
    with pytest.raises(StartupRefused, match="compiled extension"):
        startup.refuse_without_extension()
