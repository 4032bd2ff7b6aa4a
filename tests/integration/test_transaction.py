"""What a partition's writer promises, on real Kafka."""

import random
from collections.abc import AsyncIterator, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, UnknownError
from aiokafka.structs import OffsetAndMetadata

from app.stream.faults import Faults, parse
from app.stream.transaction import CommitFailed, Fenced, Out, Writer
from tests.kafka.broker import Kafka

NO_FAULTS = Faults({})


class Place:
    """Two topics and a group of one test's own."""

    def __init__(self, kafka: Kafka, unique: str) -> None:
        self.client = {"bootstrap_servers": kafka.bootstrap}
        self.id = unique
        self.out = TopicPartition(f"{unique}-out", 0)
        self.changelog = TopicPartition(f"{unique}-changelog", 0)
        self.source = TopicPartition(f"{unique}-in", 0)

    async def commit(self, writer: Writer, out: Sequence[Out], rows: Sequence[Out]) -> int | None:
        offsets = {self.source: OffsetAndMetadata(7, "remembered")}
        return await writer.commit({self.out: out}, self.changelog, rows, offsets, self.id)

    async def committed(self, tp: TopicPartition) -> list[tuple[bytes | None, bytes | None]]:
        """Everything in a topic that a read_committed reader sees, up to its end."""
        consumer = AIOKafkaConsumer(**self.client, isolation_level="read_committed")
        await consumer.start()
        try:
            consumer.assign([tp])
            end = await self.end(tp)
            consumer.seek(tp, 0)
            found = []
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [(record.key, record.value) for record in records]
            return found
        finally:
            await consumer.stop()

    async def end(self, tp: TopicPartition) -> int:
        """The end of a topic, once the broker has written the markers of what was committed."""
        async with (
            AIOKafkaConsumer(**self.client) as everything,
            AIOKafkaConsumer(**self.client, isolation_level="read_committed") as stable,
        ):
            while True:
                written = await everything.end_offsets([tp])
                if written == await stable.end_offsets([tp]):
                    return int(written[tp])

    async def offset(self) -> OffsetAndMetadata | None:
        admin = AIOKafkaAdminClient(**self.client)
        await admin.start()
        try:
            return (await admin.list_consumer_group_offsets(self.id)).get(self.source)
        finally:
            await admin.close()


@pytest.fixture
async def place(kafka: Kafka, unique: str) -> Place:
    place = Place(kafka, unique)
    admin = AIOKafkaAdminClient(**place.client)
    await admin.start()
    names = [place.out.topic, place.changelog.topic, place.source.topic]
    await admin.create_topics([NewTopic(name, 1, 1) for name in names])
    await admin.close()
    return place


@pytest.fixture
async def writer(place: Place) -> AsyncIterator[Writer]:
    writer = Writer(place.client, place.id, NO_FAULTS)
    await writer.start()
    yield writer
    await writer.close()


async def test_records_rows_and_offsets_are_committed_together(
    place: Place, writer: Writer
) -> None:
    end = await place.commit(writer, [Out(b"k", b"v", [("h", b"1")])], [Out(b"r", b"1")])
    assert await place.committed(place.out) == [(b"k", b"v")]
    assert await place.committed(place.changelog) == [(b"r", b"1")]
    assert await place.offset() == OffsetAndMetadata(7, "remembered")
    assert end == 1


async def test_the_end_of_the_changelog_counts_the_markers_before_it(
    place: Place, writer: Writer
) -> None:
    await place.commit(writer, [], [Out(b"r", b"1"), Out(b"s", b"1")])
    assert await place.commit(writer, [], [Out(b"r", b"2")]) == 4


async def test_a_batch_larger_than_one_request_arrives_in_order(
    place: Place, writer: Writer
) -> None:
    rows = [Out(b"%05d" % number, b"x" * 1000) for number in range(3_000)]
    assert await place.commit(writer, rows, rows) == 3_000
    assert await place.committed(place.out) == [(row.key, row.value) for row in rows]


async def test_a_null_value_deletes_and_a_null_key_is_kept(place: Place, writer: Writer) -> None:
    await place.commit(writer, [Out(None, b"v")], [Out(b"r", None)])
    assert await place.committed(place.out) == [(None, b"v")]
    assert await place.committed(place.changelog) == [(b"r", None)]


async def test_a_writer_that_was_taken_over_is_fenced_and_commits_nothing(
    place: Place, writer: Writer
) -> None:
    await place.commit(writer, [Out(b"k", b"1")], [Out(b"r", b"1")])
    successor = Writer(place.client, place.id, NO_FAULTS)
    await successor.start()
    with pytest.raises(Fenced):
        await place.commit(writer, [Out(b"k", b"2")], [Out(b"r", b"2")])
    assert await place.committed(place.out) == [(b"k", b"1")]
    await successor.close()


async def _unknown() -> None:
    """As a coordinator answers that is in the middle of a takeover."""
    raise KafkaError("Unexpected error during batch delivery") from UnknownError()


async def test_a_writer_that_hears_no_clear_answer_asks_whether_it_was_taken_over(
    place: Place, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    successor = Writer(place.client, place.id, NO_FAULTS)

    async def taken_over() -> None:
        await successor.start()
        await _unknown()

    monkeypatch.setattr(writer._producer, "commit_transaction", taken_over)
    with pytest.raises(Fenced):
        await place.commit(writer, [Out(b"k", b"1")], [Out(b"r", b"1")])
    await place.commit(successor, [Out(b"k", b"2")], [Out(b"r", b"2")])
    assert await place.committed(place.out) == [(b"k", b"2")]
    await successor.close()


async def test_a_writer_that_hears_no_clear_answer_and_still_owns_its_id_has_failed(
    place: Place, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer._producer, "commit_transaction", _unknown)
    with pytest.raises(CommitFailed, match="Unexpected error"):
        await place.commit(writer, [Out(b"k", b"1")], [Out(b"r", b"1")])
    assert await place.committed(place.out) == []


async def test_a_record_that_the_broker_rejects_takes_the_whole_batch_back(
    place: Place, writer: Writer
) -> None:
    too_large = Out(b"k", random.Random(1).randbytes(2_000_000))
    with pytest.raises(CommitFailed) as failed:
        await place.commit(writer, [Out(b"k", b"fine"), too_large], [Out(b"r", b"1")])
    assert "MessageSizeTooLarge" in str(failed.value)
    await writer.close()
    assert await place.committed(place.out) == []
    assert await place.committed(place.changelog) == []
    assert await place.offset() is None


@pytest.mark.parametrize(
    "point",
    [
        "before-begin",
        "after-begin",
        "after-changes-sent",
        "after-changelog-sent",
        "after-acks",
        "after-offsets",
        "before-commit",
    ],
)
async def test_a_failure_at_any_step_before_the_commit_leaves_nothing(
    place: Place, point: str
) -> None:
    writer = Writer(place.client, place.id, parse(f"{point}:1:raise"))
    await writer.start()
    with pytest.raises(CommitFailed, match=point):
        await place.commit(writer, [Out(b"k", b"1")], [Out(b"r", b"1")])
    await writer.close()
    successor = Writer(place.client, place.id, NO_FAULTS)
    await successor.start()
    await place.commit(successor, [Out(b"k", b"2")], [Out(b"r", b"2")])
    await successor.close()
    assert await place.committed(place.out) == [(b"k", b"2")]
    assert await place.committed(place.changelog) == [(b"r", b"2")]


async def test_a_successor_ends_what_an_abandoned_writer_left_open(
    place: Place,
) -> None:
    abandoned = AIOKafkaProducer(**place.client, transactional_id=place.id)
    await abandoned.start()
    await abandoned.begin_transaction()
    await abandoned.send_and_wait(place.out.topic, b"open", key=b"k", partition=0)
    successor = Writer(place.client, place.id, NO_FAULTS)
    await successor.start()
    await place.commit(successor, [Out(b"k", b"closed")], [Out(b"r", b"1")])
    assert await place.committed(place.out) == [(b"k", b"closed")]
    await successor.close()
    await abandoned.client.close()
    abandoned._closed = True
