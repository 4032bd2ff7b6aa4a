"""Copies that follow a changelog on real Kafka, into stores that a take-over opens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition

from app.core.customer import stranger
from app.stream.due import between
from app.stream.restore import Progress, restore
from app.stream.standby import Standbys
from app.stream.store import Store, StoreBroken
from app.wire.record import VERSION, RecordCodec
from tests.integration.one_partition import Shop
from tests.kafka.broker import Kafka

PATIENCE = 60.0
CODEC = RecordCodec([])


def hot(customer: str, text: str, due: int = 7) -> tuple[bytes, bytes]:
    record = stranger(0, 1, ladders=0)
    record.due = due
    record.attributes["text"] = text
    return b"c" + customer.encode(), CODEC.encode(record)


class Bench:
    """A shop whose changelogs the test writes, and somebody who follows them."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.workshop = shop.workshop()
        self.standbys = Standbys(self.workshop)

    async def write(self, number: int, *rows: tuple[bytes, bytes | None]) -> None:
        producer = AIOKafkaProducer(**self.shop.client, transactional_id=f"{self.shop.name}-t")
        await producer.start()
        async with producer.transaction():
            for key, value in rows:
                await producer.send(self.shop.changelog, value, key, partition=number)
        await producer.stop()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110  it announces itself to no one
                await asyncio.sleep(0.02)

    async def caught_up(self, number: int, end: int) -> None:
        """Wait until a copy stands at an offset."""

        def so() -> bool:
            copy = self.standbys.copies[number]
            return copy.caught_up and copy.position == copy.end == end

        await self.until(so)

    def opened(self, number: int) -> Store:
        return Store(self.workshop.data_dir / str(number), self.workshop.shared)


@pytest.fixture
async def bench(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(await Shop(kafka.bootstrap, unique, tmp_path, partitions=2).create())
    yield bench
    await bench.standbys.stop()


async def test_a_copy_has_what_was_committed_and_a_take_over_has_nothing_to_read(
    bench: Bench,
) -> None:
    await bench.write(0, hot("a", "1"), hot("b", "1"))
    await bench.standbys.follow({0, 1})
    await bench.caught_up(0, 3)
    await bench.write(0, hot("a", "2", due=9), (b"cb", None))
    await bench.caught_up(0, 6)
    assert bench.standbys.near(0)
    await bench.standbys.release(0)
    progress = Progress()
    changelog = bench.standbys._copy(0).changelog
    store, standing = await restore(
        changelog, bench.workshop.data_dir / "0", bench.workshop.shared, now=bench.workshop.now,
        faults=bench.workshop.faults, progress=progress, at_once=asyncio.Semaphore(1),
    )  # fmt: skip
    assert (progress.read, standing.offset) == (0, 6)
    assert store.get([b"ca", b"cb"]) == [hot("a", "2", due=9)[1], None]
    assert any(key.endswith(b"a") for key, _ in store.scan(*between(9, 9), 10))
    store.close()


async def test_what_is_released_is_followed_again_from_where_it_stood(bench: Bench) -> None:
    await bench.write(0, hot("a", "1"))
    await bench.standbys.follow({0})
    await bench.caught_up(0, 2)
    await bench.standbys.follow(set())
    store = bench.opened(0)
    standing = store.standing()
    assert standing is not None
    assert standing.offset == 2
    store.write([(b"cmark", b"kept")], standing)
    store.close()
    await bench.write(0, hot("b", "1"))
    await bench.standbys.follow({0})
    await bench.caught_up(0, 4)
    await bench.standbys.release(0)
    store = bench.opened(0)
    assert store.get([b"cmark", b"cb"]) == [b"kept", hot("b", "1")[1]]
    store.close()


async def test_a_store_that_breaks_is_built_anew_and_the_others_go_on(bench: Bench) -> None:
    await bench.write(0, hot("a", "1"))
    await bench.standbys.follow({0, 1})
    await bench.caught_up(0, 2)
    await bench.until(lambda: bench.standbys.copies[1].caught_up)
    broken = bench.standbys.copies[0]
    assert broken.store is not None
    real = broken.store

    def fails(*_: object) -> int:
        raise StoreBroken("as if a block were damaged")

    real.fill = fails  # type: ignore[method-assign, assignment]
    await bench.write(0, hot("b", "1"))
    await bench.write(1, hot("c", "1"))
    await bench.caught_up(0, 4)
    await bench.caught_up(1, 2)
    assert bench.standbys.copies[0].store is not real
    await bench.standbys.release(0)
    store = bench.opened(0)
    assert store.get([b"ca", b"cb"]) == [hot("a", "1")[1], hot("b", "1")[1]]
    store.close()


async def test_rows_of_a_newer_worker_end_the_copy_and_nothing_else(bench: Bench) -> None:
    await bench.standbys.follow({0, 1})
    await bench.until(lambda: all(copy.caught_up for copy in bench.standbys.copies.values()))
    await bench.write(0, (b"ca", bytes([VERSION + 1]) + b"unknown"))
    await bench.until(lambda: bench.standbys.copies[0].refused)
    await bench.write(1, hot("c", "1"))
    await bench.caught_up(1, 2)
    assert not bench.standbys.near(0)


async def test_a_copy_from_before_the_changelog_begins_is_built_anew(bench: Bench) -> None:
    await bench.write(0, hot("a", "1"))
    await bench.standbys.follow({0})
    await bench.caught_up(0, 2)
    await bench.standbys.follow(set())
    store = bench.opened(0)
    store.write([(b"cmark", b"before")], store.standing())
    store.close()
    await bench.write(0, hot("b", "1"), hot("c", "1"))
    admin = AIOKafkaAdminClient(**bench.shop.client)
    await admin.start()
    place = TopicPartition(bench.shop.changelog, 0)
    await admin.delete_records({place: RecordsToDelete(before_offset=3)})
    await admin.close()
    await bench.standbys.follow({0})
    await bench.caught_up(0, 5)
    await bench.standbys.release(0)
    store = bench.opened(0)
    assert store.get([b"cmark", b"cc"]) == [None, hot("c", "1")[1]]
    store.close()
