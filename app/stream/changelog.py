"""The changelog of a partition as it is read: whole batches of committed rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.structs import TopicPartition

from app.stream.store import Standing
from app.stream.store_batches import LAYOUT
from app.stream.unhurried import unhurried

Rows = dict[bytes, bytes | None]
"""The last value of each key; None deletes it."""

FETCH_BYTES = 4 << 20
CHUNK = 5_000
"""Rows that are stored in one go; nobody else has a turn meanwhile."""
SECOND = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Changelog:
    """Where the state of one partition is kept; deletions stay for `tombstones` seconds."""

    client: Mapping[str, Any]
    place: TopicPartition
    partitions: int
    tombstones: int

    def standing(self, offset: int, now: int) -> Standing:
        """Return what a store of this partition says of itself."""
        place = self.place
        return Standing(LAYOUT, place.topic, place.partition, self.partitions, offset, now)

    def unusable(self, standing: Standing, begin: int, end: int, now: int) -> str | None:
        """Say why a store cannot be continued, when the changelog reaches from begin to end."""
        if (standing.changelog, standing.partition) != self.place:
            return f"it belongs to {standing.changelog}[{standing.partition}]"
        if standing.partitions != self.partitions:
            return f"it was made with {standing.partitions} partitions"
        if standing.offset > end:
            return f"it stands at {standing.offset}, the changelog ends at {end}"
        if standing.offset == end:
            return None
        if standing.offset < begin:
            return f"it stands at {standing.offset}, the changelog begins at {begin}"
        age = (now - standing.written_at) // SECOND
        if not 0 <= age <= self.tombstones // 2:
            return f"it is {age} s old, deletions are kept for {self.tombstones} s"
        return None


def reader(client: Mapping[str, Any], **more: Any) -> AIOKafkaConsumer:
    """Return a consumer of changelogs, not started; each of its records is the Rows of a batch."""
    consumer = AIOKafkaConsumer(
        **client,
        **{
            "isolation_level": "read_committed",
            "enable_auto_commit": False,
            "auto_offset_reset": "none",
            "max_partition_fetch_bytes": FETCH_BYTES,
            "fetch_max_wait_ms": 100,
            **more,
        },
    )
    return unhurried(consumer)


def by_batch(consumer: AIOKafkaConsumer) -> None:
    """Let a started consumer give the Rows of a batch where it would give a record.

    A batch is parsed by aiokafka's compiled loop; a ConsumerRecord for each row takes five times as
    long.
    """
    fetcher = consumer._fetcher
    fetch = fetcher._proc_fetch_request

    async def fetched(*arguments: Any) -> Any:
        wake = await fetch(*arguments)
        for result in fetcher._records.values():
            if isinstance(result, FetchResult):
                _give_batches(result._partition_records)
        return wake

    fetcher._proc_fetch_request = fetched


def _give_batches(found: Any) -> None:
    """Put our way of reading in where aiokafka takes the batches of a fetch."""
    if found is not None and not isinstance(found._records, _Batches):
        found._records = _Batches(found._records)
        found._consumer_record = _rows


def _rows(_: TopicPartition, whole: "_Whole") -> Rows:
    return whole.rows


class _Batches:
    """Stands for aiokafka's MemoryRecords."""

    def __init__(self, records: Any) -> None:
        self._records = records
        self.has_next = records.has_next

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        return batch if batch.is_control_batch else _Batch(batch)


class _Batch:
    """Stands for a batch of data: it has one record, which is all of it.

    One that is fetched from its middle gives the rows before, too: they are in the store already,
    and come again in the same order.
    """

    is_control_batch = False

    def __init__(self, batch: Any) -> None:
        self._batch = batch
        self.validate_crc = batch.validate_crc
        self.producer_id = batch.producer_id
        self.base_offset = batch.base_offset
        self.next_offset = batch.next_offset
        self.is_transactional = batch.is_transactional

    def __iter__(self) -> Iterator["_Whole"]:
        rows = {record.key: record.value for record in self._batch}
        if rows:
            yield _Whole(self.next_offset - 1, rows)


@dataclass(slots=True)
class _Whole:
    offset: int
    rows: Rows


def chunks(batches: Sequence[Rows]) -> Iterable[Rows]:
    """Unite batches until they are worth a write."""
    rows: Rows = {}
    for batch in batches:
        rows.update(batch)
        if len(rows) >= CHUNK:
            yield rows
            rows = {}
    if rows:
        yield rows
