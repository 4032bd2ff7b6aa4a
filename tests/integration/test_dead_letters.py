"""What cannot be applied ends no worker, however large it is: a worker as people run it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import ConsumerRecord

from app.stream import clients
from app.stream.keys import partition_of
from app.stream.reading import read
from tests.integration.test_host_worker import PURCHASE, Worker
from tests.kafka.broker import Kafka

LEFT_OUT, BYTES, SHA256 = "loyalty.left-out", "loyalty.value-bytes", "loyalty.value-sha256"


class Place:
    """A worker's topics, and one customer in them."""

    customer = "c-42"

    def __init__(self, worker: Worker) -> None:
        self.worker, self.settings = worker, worker.settings
        self.topic = worker.env["LADDER_TOPICS"]
        self.partition = partition_of(self.customer.encode(), 2)

    async def send(
        self, value: bytes, *, key: bytes | None = None, codec: str | None = None, headers: Any = ()
    ) -> int:
        """Produce one record to the customer's partition; gives its offset."""
        async with AIOKafkaProducer(
            **clients.arguments(self.settings), compression_type=codec, max_request_size=64 << 20
        ) as producer:
            key = self.customer.encode() if key is None else key
            told = await producer.send_and_wait(
                self.topic, value, key, partition=self.partition, headers=list(headers)
            )
        return int(told.offset)

    async def buys(self, number: int = 1) -> None:
        order = {"order_id": f"o-{number}", "amount": 100_000, "currency": "VND"}
        event = {**PURCHASE, "id": f"o-{number}:paid", "data": order}
        await self.send(json.dumps(event).encode())

    async def change(self) -> dict[str, Any]:
        """Wait for the first stage change in the customer's partition."""
        async with clients.consumer(self.settings, fetch_max_wait_ms=50) as consumer:
            place = TopicPartition(self.settings.changes_topic("raving-fan"), self.partition)
            consumer.assign([place])
            async with asyncio.timeout(60):
                found: dict[str, Any] = json.loads((await consumer.getone()).value)
                return found

    async def letters(self) -> list[ConsumerRecord]:
        return [one async for one in read(self.settings, [self.settings.dead_letters])]

    async def allow(self, topic: str, size: int) -> None:
        """Set how many bytes a batch of a topic may have."""
        kind, configs = ConfigResourceType.TOPIC, {"max.message.bytes": str(size)}
        async with clients.admin(self.settings) as admin:
            await admin.alter_configs([ConfigResource(kind, topic, configs=configs)])


@pytest.fixture
async def place(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Place]:
    worker = Worker(kafka.bootstrap, unique, tmp_path)
    await worker.create_topics()
    yield Place(worker)
    if worker.process is not None and worker.process.returncode is None:
        worker.process.kill()
        await worker.process.wait()


def said(letter: ConsumerRecord) -> dict[str, str]:
    return {name: text.decode("latin-1") for name, text in letter.headers if text is not None}


async def test_a_letter_that_does_not_fit_goes_without_its_value_and_holds_nobody_up(
    place: Place,
) -> None:
    """600 kB of noise eight times: zstd sees the repetition, what letters are packed with not."""
    value = random.Random(1).randbytes(600_000) * 8
    offset = await place.send(value, codec="zstd", headers=[("trace", b"\x00\xff")])
    await place.buys()
    await place.worker.start()
    await place.change()
    (letter,) = await place.letters()
    assert (letter.key, letter.value) == (b"c-42", None)
    assert letter.headers[0] == ("trace", b"\x00\xff")
    told = said(letter)
    assert told["loyalty.reason"] == "too-large"
    assert told["__streams.errors.offset"] == str(offset)
    assert told[BYTES] == "4800000"
    assert told[SHA256] == hashlib.sha256(value).hexdigest()
    assert told[LEFT_OUT] == "value"


async def test_whatever_part_of_a_record_is_too_large_its_letter_is_written(place: Place) -> None:
    """Value, headers or key, of any reason; what does fit stays as it was."""
    noise = random.Random(1).randbytes(600_000) * 8
    await place.send(b"{nonsense", codec="zstd", headers=[("noise", noise), ("trace", b"1")])
    await place.send(b"{nonsense", codec="zstd", key=noise)
    await place.send(b"x" * 9_000_000, codec="zstd", headers=[("trace", b"1")])
    await place.buys()
    await place.worker.start()
    await place.change()
    headers, key, fits = await place.letters()
    assert (headers.key, headers.value) == (b"c-42", None)
    assert said(headers)["loyalty.reason"] == "not-json"
    assert (said(headers)[LEFT_OUT], said(headers)[BYTES]) == ("value,headers", "9")
    assert not {"noise", "trace"} & {name for name, _ in headers.headers}
    assert (key.key, key.value) == (None, None)
    assert (said(key)[LEFT_OUT], said(key)["loyalty.reason"]) == ("value,key", "not-json")
    assert fits.value == b"x" * 9_000_000
    assert (said(fits)["trace"], LEFT_OUT in said(fits)) == ("1", False)


async def test_an_event_with_giant_headers_reaches_whom_its_customer_became(place: Place) -> None:
    """A forwarded event travels as the record that it came in, and must fit into its topic, too."""
    noise = random.Random(1).randbytes(600_000) * 5
    merged = {**PURCHASE, "id": "m", "type": "profile.merged", "data": {"into": "c-1"}}
    await place.send(json.dumps(merged).encode())
    order = {"order_id": "o-1", "amount": 100_000, "currency": "VND"}
    bought = {**PURCHASE, "id": "o-1:paid", "time": "2026-03-02T09:30:00Z", "data": order}
    headers = [("noise", noise), ("content-type", b"application/cloudevents+json")]
    await place.send(json.dumps(bought).encode(), codec="zstd", headers=headers)
    place.partition = partition_of(b"c-1", 2)
    await place.worker.start()
    change = await place.change()
    assert (change["subject"], change["data"]["trigger"]["id"]) == ("c-1", "o-1:paid")


async def test_a_topic_that_takes_less_than_it_did_is_noticed(place: Place) -> None:
    """The limit was changed after the start: what is refused is tried otherwise, not again."""
    await place.worker.start()
    await place.worker.until("/health/ready", 200)
    await place.allow(place.settings.dead_letters, 2_000)
    value = random.Random(2).randbytes(5_000)
    await place.send(value)
    await place.send(b"{nonsense")
    await place.buys()
    await place.change()
    large, small = await place.letters()
    assert (large.value, said(large)[BYTES]) == (None, "5000")
    assert small.value == b"{nonsense"
