"""The brokers that other tests stand on do what those tests believe."""

from __future__ import annotations

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

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


async def test_a_killed_kafka_comes_back_with_what_it_had(new_kafka: Kafka, unique: str) -> None:
    new_kafka.start()
    assert await transact(new_kafka.bootstrap, unique) == [b"kept"]
    new_kafka.kill()
    assert not answers("127.0.0.1", new_kafka.ports[1])
    new_kafka.start()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=new_kafka.bootstrap, isolation_level="read_committed"
    )
    await consumer.start()
    try:
        there = TopicPartition(unique, 0)
        consumer.assign([there])
        await consumer.seek_to_beginning(there)
        assert (await consumer.getone()).value == b"kept"
    finally:
        await consumer.stop()
