"""From the changelog into the store, on real Kafka and RocksDB."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from app.core.customer import stranger
from app.core.due import NEVER
from app.errors import OffsetsLost, StartupRefused
from app.stream import due
from app.stream.changelog import SECOND, Changelog
from app.stream.faults import Faults, parse
from app.stream.restore import Progress, restore
from app.stream.shared import Shared
from app.stream.store import Standing, Store
from app.wire.record import VERSION, RecordCodec
from tests.kafka.broker import Kafka

NOW = 1_700_000_000 * SECOND
HOUR = 3600
CODEC = RecordCodec([])
Row = tuple[bytes, bytes | None]


def hot(customer: str, due_at: int = 0, text: str = "") -> Row:
    """The hot row of somebody of whom a text is known, and who is due at an instant (0: never)."""
    record = stranger(NOW, 1, ladders=0)
    record.due = due_at or NEVER
    record.attributes["text"] = text
    return b"c" + customer.encode(), CODEC.encode(record)


class Bench:
    """A changelog with one partition, and a folder for its store."""

    def __init__(self, kafka: Kafka, name: str, path: Path) -> None:
        self.client = {"bootstrap_servers": kafka.bootstrap}
        self.changelog = Changelog(
            client=self.client, place=TopicPartition(name, 0), partitions=8, tombstones=HOUR
        )
        self.path = path
        self.shared = Shared(cache=8 << 20, buffers=8 << 20)
        self.now = NOW
        self.progress = Progress()

    async def write(self, rows: Iterable[Row], *, abort: bool = False) -> None:
        producer = AIOKafkaProducer(**self.client, transactional_id=self.changelog.place.topic)
        await producer.start()
        try:
            await producer.begin_transaction()
            for key, value in rows:
                await producer.send(self.changelog.place.topic, value, key, partition=0)
            await producer.flush()
            await (producer.abort_transaction() if abort else producer.commit_transaction())
        finally:
            await producer.stop()
        # A successor starts only once the markers of its predecessor are written.
        settled = AIOKafkaProducer(**self.client, transactional_id=self.changelog.place.topic)
        await settled.start()
        await settled.stop()

    async def restore(self, faults: Faults | None = None) -> tuple[Store, Standing]:
        return await restore(
            self.changelog,
            self.path,
            self.shared,
            now=lambda: self.now,
            faults=faults or Faults({}),
            progress=self.progress,
            at_once=asyncio.Semaphore(1),
        )

    async def restored(self, *keys: bytes) -> tuple[list[bytes | None], int]:
        """Restore, and give the values of some keys and the offset at which the store stands."""
        store, standing = await self.restore()
        try:
            assert store.standing() == standing
            return store.get(keys), standing.offset
        finally:
            store.close()


@pytest.fixture
async def bench(kafka: Kafka, unique: str, tmp_path: Path) -> Bench:
    bench = Bench(kafka, unique, tmp_path / "0")
    admin = AIOKafkaAdminClient(**bench.client)
    await admin.start()
    await admin.create_topics([NewTopic(unique, 1, 1)])
    await admin.close()
    return bench


async def test_an_empty_changelog_gives_an_empty_store(bench: Bench) -> None:
    assert await bench.restored(b"ca") == ([None], 0)


async def test_what_was_committed_is_there_up_to_the_last_marker(bench: Bench) -> None:
    await bench.write([hot("a", text="1"), hot("b", text="1"), hot("a", text="2"), (b"cb", None)])
    assert await bench.restored(b"ca", b"cb") == ([hot("a", text="2")[1], None], 5)
    assert (bench.progress.position, bench.progress.end) == (5, 5)


async def test_what_was_aborted_is_not_there_and_does_not_hold_the_restore_up(
    bench: Bench,
) -> None:
    await bench.write([hot("a", text="1")])
    await bench.write([hot("a", text="2")], abort=True)
    assert await bench.restored(b"ca") == ([hot("a", text="1")[1]], 4)


async def test_a_store_is_continued_from_where_it_stands(bench: Bench) -> None:
    await bench.write([hot("a", text="1")])
    store, standing = await bench.restore()
    store.write([(b"cmark", b"kept")], standing)
    store.close()
    await bench.write([hot("b", text="1")])
    assert await bench.restored(b"cmark", b"cb") == ([b"kept", hot("b", text="1")[1]], 4)


async def test_the_due_index_comes_with_the_rows(bench: Bench) -> None:
    await bench.write([hot("a", 50), hot("b", 0), hot("c", 70), (b"m", b"meta"), hot("d", 90)])
    store, _ = await bench.restore()
    found = store.scan(*due.between(0, 70), 10)
    assert [due.split(key) for key, _ in found] == [(50, b"a"), (70, b"c")]
    store.close()


async def test_a_broken_store_is_set_aside_until_it_is_rebuilt(bench: Bench) -> None:
    """Kept longer, it would have the records of customers who are erased later."""
    await bench.write([hot("a", text="1")])
    await bench.restored()
    (bench.path / "CURRENT").write_bytes(b"nonsense")
    with pytest.raises(Exception, match="during-restore"):
        await bench.restore(parse("during-restore:1:raise"))
    assert bench.path.with_name("0.broken").exists()
    assert await bench.restored(b"ca") == ([hot("a", text="1")[1]], 2)
    assert not bench.path.with_name("0.broken").exists()


async def test_a_store_of_another_changelog_is_rebuilt(bench: Bench) -> None:
    await bench.write([hot("a", text="1")])
    store, standing = await bench.restore()
    strange = Standing(standing.layout, "other", 0, 8, standing.offset, NOW)
    store.write([(b"cmark", b"strange")], strange)
    store.close()
    assert await bench.restored(b"cmark", b"ca") == ([None, hot("a", text="1")[1]], 2)


async def test_a_store_that_is_ahead_of_its_changelog_is_rebuilt(bench: Bench) -> None:
    store, standing = await bench.restore()
    ahead = Standing(standing.layout, standing.changelog, 0, 8, 10, NOW)
    store.write([(b"cmark", b"ahead")], ahead)
    store.close()
    await bench.write([hot("a", text="1")])
    assert await bench.restored(b"cmark") == ([None], 2)


async def test_a_store_older_than_half_the_time_that_deletions_are_kept_is_rebuilt(
    bench: Bench,
) -> None:
    store, standing = await bench.restore()
    store.write([(b"cmark", b"old")], standing)
    store.close()
    await bench.write([hot("a")])
    bench.now = NOW + HOUR // 2 * SECOND
    store, standing = await bench.restore()
    assert store.get([b"cmark"]) == [b"old"]
    store.close()
    await bench.write([hot("a")])
    bench.now += (HOUR // 2 + 1) * SECOND
    assert await bench.restored(b"cmark") == ([None], 4)


async def test_an_old_store_with_nothing_to_catch_up_with_is_kept(bench: Bench) -> None:
    store, standing = await bench.restore()
    store.write([(b"cmark", b"old")], standing)
    store.close()
    bench.now = NOW + 10 * HOUR * SECOND
    assert await bench.restored(b"cmark") == ([b"old"], 0)


async def test_a_changelog_whose_begin_was_deleted_is_refused_and_the_store_kept(
    bench: Bench,
) -> None:
    """Compaction leaves the begin where it is: what was there is lost, and must not be missed."""
    await bench.write([hot("a", text="1")])
    store, standing = await bench.restore()
    store.write([(b"cmark", b"before")], standing)
    store.close()
    await bench.write([hot("b", text=str(number)) for number in range(5)])
    admin = AIOKafkaAdminClient(**bench.client)
    await admin.start()
    await admin.delete_records({bench.changelog.place: RecordsToDelete(before_offset=5)})
    await admin.close()
    with pytest.raises(OffsetsLost, match="LADDER_APP_ID"):
        await bench.restore()
    store = Store(bench.path, Shared(8 << 20, 8 << 20))
    try:
        assert store.get([b"cmark"]) == [b"before"]
        assert store.standing() == standing
    finally:
        store.close()


async def test_every_partition_whose_begin_was_deleted_is_named_at_once(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    bench = Bench(kafka, unique, tmp_path / "0")
    admin = AIOKafkaAdminClient(**bench.client)
    await admin.start()
    await admin.create_topics([NewTopic(unique, num_partitions=4, replication_factor=1)])
    gone = [TopicPartition(unique, number) for number in (0, 2, 3)]
    async with AIOKafkaProducer(**bench.client) as producer:
        for place in gone:
            await producer.send_and_wait(unique, b"", b"k", partition=place.partition)
    await admin.delete_records({place: RecordsToDelete(before_offset=1) for place in gone})
    await admin.close()
    with pytest.raises(OffsetsLost, match=r"\[0\]: .* So it is with the partitions 2, 3\."):
        await bench.restore()


async def test_rows_of_a_newer_version_are_refused_with_the_way_out(bench: Bench) -> None:
    await bench.write([(b"ca", bytes([VERSION + 1]) + b"unknown")])
    with pytest.raises(StartupRefused, match="LADDER_APP_ID"):
        await bench.restore()


async def test_a_restore_that_failed_on_the_way_goes_on_from_there(bench: Bench) -> None:
    rows = [hot(f"{number:05}", text="x" * 100) for number in range(25_000)]
    await bench.write(rows)
    with pytest.raises(Exception, match="during-restore"):
        await bench.restore(parse("during-restore:1:raise"))
    values, _ = await bench.restored(*(key for key, _ in rows))
    assert values == [value for _, value in rows]


async def test_a_restore_that_was_cancelled_lets_go_of_the_store(bench: Bench) -> None:
    await bench.write([hot("a")])
    hanging = asyncio.create_task(bench.restore(parse("during-restore:1:hang")))
    while bench.progress.position < 2:  # noqa: ASYNC110  it announces itself to no one
        await asyncio.sleep(0)
    hanging.cancel()
    with pytest.raises(asyncio.CancelledError):
        await hanging
    assert (await bench.restored(b"ca"))[0] == [hot("a")[1]]
