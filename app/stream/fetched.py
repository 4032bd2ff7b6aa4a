"""Input records as the worker takes them from aiokafka: with what it reads of them and no more.

aiokafka makes a `ConsumerRecord` of twelve fields and a dictionary of each record that it parses,
which takes four times as long and three times the room; a backlog holds tens of thousands.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import aiokafka.consumer.fetcher
import msgspec
from aiokafka.structs import TopicPartition

from app.core.events import Refused
from app.ops.traces import Source
from app.stream.batches import Batches, Bounds
from app.stream.opened import Withheld

HELD = 4 << 20
"""Bytes unpacked of a batch that is half read, which may wait for the other half."""


class Record(Source, Protocol):
    """What is read of a record. aiokafka's own fits, too. `timestamp` in ms since 1970."""

    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Fetched(msgspec.Struct, gc=False):
    """A record of a fetch (see `Record`)."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Kept(Fetched, gc=False):
    """Stands for a record that was not read: why, and what its letter is without."""

    refused: Refused
    missing: list[tuple[str, bytes | None]]


class Unpacked(aiokafka.consumer.fetcher.PartitionRecords):
    """Parses a fetch as aiokafka does, into `Fetched`; within bounds, where there are some."""

    bounds: Bounds | None = None

    def __init__(
        self, tp: TopicPartition, records: Any, aborted: Any, offset: int, *more: Any
    ) -> None:
        super().__init__(tp, records, aborted, offset, *more)
        self.bounded = self.bounds is not None and tp.topic in self.bounds.topics
        if self.bounds is not None and self.bounded:
            records.bind(self.bounds, tp, offset)

    def __iter__(self) -> Iterator[Fetched]:
        return iter(self._records_iterator)

    def _consumer_record(self, tp: TopicPartition, record: Any) -> Fetched:
        # The oldest format has no time.
        at = time.time_ns() // 1_000_000 if record.timestamp is None else record.timestamp
        if record.__class__ is Withheld:
            return Kept(
                tp.topic,
                tp.partition,
                record.offset,
                at,
                record.key,
                None,
                tuple(record.headers),
                record.refused,
                record.missing,
            )
        return Fetched(
            tp.topic,
            tp.partition,
            record.offset,
            at,
            record.key,
            record.value,
            tuple(record.headers or ()),
        )


class Taken(aiokafka.consumer.fetcher.FetchResult):
    """What is left of a fetch; it gives nothing more in one go than may be unpacked in one go."""

    _partition_records: Any

    def getall(self, max_records: int | None = None) -> list[Fetched]:
        source = self._partition_records
        if not source.bounded:
            return self._all(max_records)
        if source.bounds.left <= 0:
            return []
        found = self._all(max_records)
        if self._partition_records is not None and source._records.holds > HELD:
            # Fetched and unpacked once more is better than held while its partition is paused.
            self._partition_records = None
        return found

    def _all(self, max_records: int | None) -> list[Fetched]:
        found: list[Fetched] = super().getall(max_records)
        return found


def install(bounds: Bounds | None = None) -> None:
    """Let every consumer of this process parse so: aiokafka names each class in one place."""
    Unpacked.bounds = bounds
    aiokafka.consumer.fetcher.MemoryRecords = Batches
    aiokafka.consumer.fetcher.PartitionRecords = Unpacked
    aiokafka.consumer.fetcher.FetchResult = Taken
