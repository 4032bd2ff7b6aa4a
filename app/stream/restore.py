"""From the changelog into the store: at take-over, after a failure, on a new machine.

Everything that was committed is read, up to the last stable offset and judged by position, because
the markers of transactions take offsets too. A store that is already there is continued from where
it stands, unless it is broken, somebody else's, or so old that deletions may have been forgotten.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.structs import TopicPartition

from app.stream.due import index
from app.stream.faults import Faults
from app.stream.store import (
    LAYOUT,
    Row,
    Shared,
    Standing,
    Store,
    StoreBroken,
    StoreStarved,
    aside_of,
    remove,
    set_aside,
    too_new,
)
from app.wire.record import HOT, VERSION

log = structlog.get_logger(__name__)

RECORDS = 10_000
FETCH_BYTES = 4 << 20
SECOND = 1_000_000
STALLED = 60.0
"""Seconds without any progress after which a restore is given up, to be tried again."""


@dataclass(frozen=True, kw_only=True)
class Changelog:
    """Where the state of one partition is kept; deletions stay for `tombstones` seconds."""

    client: Mapping[str, Any]
    place: TopicPartition
    partitions: int
    tombstones: int


@dataclass
class Progress:
    """How far a restore is, in offsets of the changelog; `read` counts the rows so far.

    `tell` hears how many offsets remain.
    """

    position: int = 0
    end: int = 0
    read: int = 0
    tell: Callable[[int], None] = lambda remaining: None


async def restore(
    changelog: Changelog,
    path: Path,
    shared: Shared,
    *,
    now: Callable[[], int],
    faults: Faults,
    progress: Progress,
) -> tuple[Store, Standing]:
    """Return an open store that holds everything committed, and where it stands.

    Raises StoreBroken (twice in a row), StartupRefused (a newer program wrote), KafkaError,
    TimeoutError.
    """
    async with AIOKafkaConsumer(
        **changelog.client,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=100,
    ) as consumer:
        place = changelog.place
        consumer.assign([place])
        begin = (await consumer.beginning_offsets([place]))[place]
        end = (await consumer.end_offsets([place]))[place]
        reader = _Reader(changelog, consumer, begin, end, now, faults, progress)
        try:
            store, standing = _open(path, shared)
            found = await reader.bring(store, standing, path, shared)
        except StoreStarved:
            raise
        except StoreBroken as error:
            aside = set_aside(path)
            log.warning("store is broken, rebuilding it", error=str(error), moved_to=str(aside))
            store, _ = _open(path, shared)
            found = await reader.bring(store, None, path, shared)
        # It would keep the records of customers who are erased from now on.
        remove(aside_of(path))
        return found


def _open(path: Path, shared: Shared) -> tuple[Store, Standing | None]:
    store = Store(path, shared)
    try:
        return store, store.standing()
    except BaseException:
        store.close()
        raise


@dataclass
class _Reader:
    changelog: Changelog
    consumer: AIOKafkaConsumer
    begin: int
    end: int
    now: Callable[[], int]
    faults: Faults
    progress: Progress

    async def bring(
        self, store: Store, standing: Standing | None, path: Path, shared: Shared
    ) -> tuple[Store, Standing]:
        """Bring a store up to date; it is closed again if that fails."""
        try:
            if standing is not None and (why := self._unusable(standing)):
                log.warning("store cannot be continued, rebuilding it", why=why, store=str(path))
                store.close()
                remove(path)
                store, standing = _open(path, shared)
            return store, await self._read(store, standing)
        except BaseException:
            store.close()
            raise

    def _unusable(self, standing: Standing) -> str | None:
        ours = (self.changelog.place.topic, self.changelog.place.partition)
        if (standing.changelog, standing.partition) != ours:
            return f"it belongs to {standing.changelog}[{standing.partition}]"
        if standing.partitions != self.changelog.partitions:
            return f"it was made with {standing.partitions} partitions"
        if standing.offset > self.end:
            return f"it stands at {standing.offset}, the changelog ends at {self.end}"
        if standing.offset == self.end:
            return None
        if standing.offset < self.begin:
            return f"it stands at {standing.offset}, the changelog begins at {self.begin}"
        age = (self.now() - standing.written_at) // SECOND
        if not 0 <= age <= self.changelog.tombstones // 2:
            return f"it is {age} s old, deletions are kept for {self.changelog.tombstones} s"
        return None

    async def _read(self, store: Store, standing: Standing | None) -> Standing:
        fresh = standing is None
        position = self.begin if standing is None else standing.offset
        place, progress = self.changelog.place, self.progress
        progress.position, progress.end = position, self.end
        progress.tell(self.end - position)
        self.consumer.seek(place, position)
        _only_rows(self.consumer)
        store.compact_later(fresh)
        while position < self.end:
            async with asyncio.timeout(STALLED):
                rows = await self._fetch(position)
            position = await self.consumer.position(place)
            # A fresh store is written without a log, and made to last once at the end.
            store.write([*rows, *index(rows)], self._standing(position), log=not fresh)
            progress.position = position
            progress.read += len(rows)
            progress.tell(max(0, self.end - position))
            await self.faults.reach("during-restore")
        last = self._standing(max(position, self.end))
        store.write((), last, log=not fresh)
        store.compact_later(False)
        if fresh:
            # Before anything is written with a log: after a crash the log alone would be read.
            await _to_the_end(store.flush)
        return last

    async def _fetch(self, position: int) -> list[Row]:
        """Return the next rows; none when there were only markers."""
        place = self.changelog.place
        while True:
            found = await self.consumer.getmany(place, timeout_ms=200, max_records=RECORDS)
            records = found.get(place, [])
            if records or await self.consumer.position(place) > position:
                rows = list(dict(records).items())
                _refuse_newer(rows, place.topic)
                return rows

    def _standing(self, offset: int) -> Standing:
        place = self.changelog.place
        return Standing(
            LAYOUT, place.topic, place.partition, self.changelog.partitions, offset, self.now()
        )


async def _to_the_end(call: Callable[[], None]) -> None:
    """Run in a thread; who is cancelled meanwhile waits for it, since the store is in use."""
    running = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


def _only_rows(consumer: AIOKafkaConsumer) -> None:
    """Let this consumer give pairs of key and value: a ConsumerRecord takes half of the time."""
    fetcher = consumer._fetcher
    fetch = fetcher._proc_fetch_request

    async def fetched(*arguments: Any) -> Any:
        wake = await fetch(*arguments)
        for result in fetcher._records.values():
            if isinstance(result, FetchResult):
                result._partition_records._consumer_record = _row
        return wake

    fetcher._proc_fetch_request = fetched


def _row(_: TopicPartition, record: Any) -> Row:
    return record.key, record.value


def _refuse_newer(rows: Sequence[Row], topic: str) -> None:
    newest = max((value[0] for key, value in rows if value and key[:1] == HOT), default=0)
    if newest > VERSION:
        raise too_new(topic, newest)
