"""What cannot be applied ends no worker, however large it is: a worker as people run it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import signal
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
            **clients.arguments(self.settings), compression_type=codec, max_request_size=512 << 20
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

    def peak(self) -> int:
        """The most memory that the worker has had, in bytes."""
        assert self.worker.process is not None
        status = Path(f"/proc/{self.worker.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024

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


SIZES = {"gzip": 64_000_000, "lz4": 64_000_000, "zstd": 300_000_000, "snappy": 20_000_000}
"""Zeros that come to less than a topic takes."""


async def test_what_would_unpack_to_too_much_is_withheld_and_said_once_and_the_next_is_applied(
    place: Place,
) -> None:
    """A batch of each codec: a record that a letter tells of, though it is without its value."""
    offsets = [await place.send(b"\x00" * size, codec=codec) for codec, size in SIZES.items()]
    await place.buys()
    await place.worker.start()
    await place.change()
    letters = await place.letters()
    told = [said(letter) for letter in letters]
    assert [int(one["__streams.errors.offset"]) for one in told] == offsets
    assert {one["loyalty.reason"] for one in told} == {"too-large"}
    assert {letter.value for letter in letters} == {None}
    assert all("LADDER_UNPACKED" in one["__streams.errors.message"] for one in told)
    # One block of snappy is 32 KiB, and the record begins in the first.
    assert [(letter.key, said(letter)[BYTES]) for letter in letters] == [
        (b"c-42", str(size)) for size in SIZES.values()
    ]
    place.worker.signal(signal.SIGTERM)
    code, log = await place.worker.ended()
    assert code == 0
    assert log.count("batch-not-unpacked") == len(SIZES)


async def test_a_bound_of_ones_own_is_heeded(place: Place) -> None:
    size = 1_000_000
    await place.send(b"\x00" * size, codec="zstd")
    await place.send(b"\x00" * size)
    await place.buys()
    await place.worker.start(LADDER_UNPACKED="512KiB")
    await place.change()
    packed, plain = await place.letters()
    assert (packed.value, said(packed)[BYTES]) == (None, str(size))
    assert plain.value == b"\x00" * size, "what is not compressed is not unpacked"


async def test_memory_is_bounded_whatever_is_sent(place: Place) -> None:
    """Beyond the bound and just within it, in one fetch: half a gigabyte and more in a few kB."""
    await place.worker.start()
    await place.worker.until("/health/ready", 200)
    before = place.peak()
    for _ in range(2):
        await place.send(b"\x00" * SIZES["zstd"], codec="zstd")
    just_within = b"\x00" * 15_000_000
    for _ in range(40):
        await place.send(just_within, codec="zstd")
    await place.buys()
    await place.change()
    assert place.peak() - before < 200e6
    number = 0
    async for letter in read(place.settings, [place.settings.dead_letters]):
        assert letter.value is None or letter.value == just_within
        number += 1
    assert number == 42


@pytest.mark.parametrize("size", [400, 1_000])
async def test_each_record_of_a_large_batch_is_a_letter_once(place: Place, size: int) -> None:
    """Ten megabytes are within the bound and read in several goes, twenty-five are beyond it."""
    records = 25_000
    async with AIOKafkaProducer(
        **clients.arguments(place.settings), compression_type="zstd", max_batch_size=64 << 20
    ) as producer:
        batch = producer.create_batch()
        for number in range(records):
            batch.append(key=b"%d" % number, value=b"x" * size, timestamp=None)
        sent = await producer.send_batch(batch, place.topic, partition=place.partition)
        first = (await sent).offset
    await place.buys()
    await place.worker.start()
    await place.change()
    letters = await place.letters()
    offsets = [int(said(letter)["__streams.errors.offset"]) for letter in letters]
    assert offsets == list(range(first, first + records))
    beyond = records * size > 16 << 20
    assert {said(one)["loyalty.reason"] for one in letters} == {
        "too-large" if beyond else "not-json"
    }
    assert {one.value for one in letters} == {None if beyond else b"x" * size}
    known = [(letter.key, said(letter)[SHA256]) for letter in letters if SHA256 in said(letter)]
    digest = hashlib.sha256(b"x" * size).hexdigest()
    assert known == [(b"%d" % number, digest) for number in range(len(known))]
    assert len(known) > 15_000 if beyond else not known
