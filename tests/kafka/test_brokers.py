"""The brokers that other tests stand on do what those tests believe."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.cli.main import run
from app.embedded.answers import answers
from app.embedded.broker import EmbeddedBroker
from tests.kafka.broker import Kafka


async def transact(bootstrap: str, topic: str) -> list[bytes]:
    """Abort one record, commit another, and give what a read_committed reader sees."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic)
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"taken back")
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"kept")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [(await consumer.getone()).value]
    finally:
        await consumer.stop()


async def test_apache_kafka_commits_and_aborts(kafka: Kafka, unique: str) -> None:
    assert await transact(kafka.bootstrap, unique) == [b"kept"]


async def test_the_embedded_broker_commits_and_aborts(
    embedded_broker: EmbeddedBroker, unique: str
) -> None:
    assert await transact(embedded_broker.bootstrap, unique) == [b"kept"]


@pytest.mark.slow
async def test_a_killed_kafka_comes_back_with_what_it_had(new_kafka: Kafka, unique: str) -> None:
    new_kafka.start()
    assert await transact(new_kafka.bootstrap, unique) == [b"kept"]
    new_kafka.kill()
    assert not answers("127.0.0.1", new_kafka.ports[1])
    new_kafka.start()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=new_kafka.bootstrap,
        isolation_level="read_committed",
        # A reset to the end that is on its way would win over the seek to the beginning.
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        there = TopicPartition(unique, 0)
        consumer.assign([there])
        await consumer.seek_to_beginning(there)
        assert (await consumer.getone()).value == b"kept"
    finally:
        await consumer.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("new_kafka")
def test_a_cluster_of_three_loses_one_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The topics as the product makes them where nothing is set: three copies, two needed."""
    cluster = Kafka(tmp_path / "three", brokers=3, quick=True)
    try:
        monkeypatch.setenv("LADDER_BROKERS", cluster.start().bootstrap)
        assert run(["topics", "create"]) == 0
        cluster.kill(2)
        (tmp_path / "events").write_text('{"type": "purchase.completed", "subject": "c-1"}\n' * 9)
        assert run(["emit", str(tmp_path / "events"), "--until", "2026-01-01T00:00:00Z"]) == 0
        assert run(["topics", "check"]) == 0
    finally:
        cluster.kill()
