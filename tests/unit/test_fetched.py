"""A fetch is parsed into the same records as by aiokafka, with what the worker reads of them."""

from typing import Any

from aiokafka.consumer.fetcher import READ_COMMITTED, READ_UNCOMMITTED, PartitionRecords
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from app.stream.fetched import Unpacked

TP = TopicPartition("purchases", 3)
ROWS: list[tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]] = [
    (b"c-1", b"{}", []),
    (None, None, [("content-type", b"application/json"), ("empty", None)]),
    (b"", b"", []),
]


def fetch(first: int = 0) -> MemoryRecords:
    """Write the rows in two batches, as a broker hands them out."""
    data = b""
    for base in (first, first + len(ROWS)):
        builder = BatchBuilder(1 << 16, 0, is_transactional=False)
        for number, (key, value, headers) in enumerate(ROWS):
            builder.append(timestamp=1_000 + number, key=key, value=value, headers=headers)
        builder.close()
        batch = bytearray(builder._build())
        batch[:8] = base.to_bytes(8, "big")
        data += bytes(batch)
    return MemoryRecords(data)


def both(records: Any, start: int, isolation: int) -> tuple[list[Any], list[Any], int, int]:
    ours, theirs = (
        kind(TP, read, [], start, None, None, True, isolation)
        for kind, read in ((Unpacked, records()), (PartitionRecords, records()))
    )
    return list(ours), list(theirs), ours.next_fetch_offset, theirs.next_fetch_offset


def seen(record: Any) -> tuple[Any, ...]:
    return (
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        tuple(record.headers),
    )


def test_every_field_that_is_read_is_what_aiokafka_makes_of_it() -> None:
    for isolation in (READ_COMMITTED, READ_UNCOMMITTED):
        ours, theirs, position, expected = both(fetch, 0, isolation)
        assert len(ours) == 2 * len(ROWS)
        assert [seen(one) for one in ours] == [seen(one) for one in theirs]
        assert position == expected == 2 * len(ROWS)


def test_a_fetch_is_read_from_the_offset_that_was_asked_for_on() -> None:
    ours, theirs, position, expected = both(fetch, 1, READ_COMMITTED)
    assert [one.offset for one in ours] == [one.offset for one in theirs] == [1, 2, 3, 4, 5]
    assert position == expected


def test_reading_may_stop_and_go_on_where_it_stopped() -> None:
    records = Unpacked(TP, fetch(), [], 0, None, None, True, READ_COMMITTED)
    first = next(iter(records))
    assert records.next_fetch_offset == 1
    assert [first.offset, *(one.offset for one in records)] == list(range(2 * len(ROWS)))
