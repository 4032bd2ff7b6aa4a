"""Input records as the worker takes them from aiokafka: with what it reads of them and no more.

aiokafka makes a `ConsumerRecord` of twelve fields and a dictionary of each record that it parses,
which takes four times as long and three times the room; a backlog holds tens of thousands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import aiokafka.consumer.fetcher
import msgspec
from aiokafka.structs import TopicPartition

from app.ops.traces import Source


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


class Unpacked(aiokafka.consumer.fetcher.PartitionRecords):
    """Parses a fetch as aiokafka does, into `Fetched`."""

    def __iter__(self) -> Iterator[Fetched]:
        return iter(self._records_iterator)

    def _consumer_record(self, tp: TopicPartition, record: Any) -> Fetched:
        return Fetched(
            tp.topic,
            tp.partition,
            record.offset,
            record.timestamp,
            record.key,
            record.value,
            tuple(record.headers),
        )


def install() -> None:
    """Let every consumer of this process parse so: aiokafka names the class in one place."""
    aiokafka.consumer.fetcher.PartitionRecords = Unpacked
