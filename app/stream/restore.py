"""From the changelog into the store: at take-over, after a failure, on a new machine.

Everything that was committed is read, up to the last stable offset and judged by position, because
the markers of transactions take offsets too. A store that is already there is continued from where
it stands, unless it is broken, somebody else's, or so old that deletions may have been forgotten.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.errors import OffsetsLost
from app.stream.changelog import Changelog, Rows, by_batch, chunks, reader
from app.stream.faults import Faults
from app.stream.remembered import START_ANEW
from app.stream.shared import Shared
from app.stream.store import Standing, Store, StoreBroken, StoreStarved, aside_of, remove, set_aside

log = structlog.get_logger(__name__)

STALLED = 60.0
"""Seconds without any progress after which a restore is given up, to be tried again."""
SAY_SECONDS = 5.0
"""Between two lines in the log that say how far it is."""


@dataclass
class Progress:
    """How far a restore is: offsets of the changelog, rows and customers so far.

    `tell` hears how many offsets remain, and how many rows were read since it was told last.
    """

    position: int = 0
    end: int = 0
    read: int = 0
    customers: int = 0
    tell: Callable[[int, int], None] = lambda remaining, rows: None
    _start: int = 0
    _began: float = field(default_factory=time.monotonic)

    def begin(self, position: int, end: int) -> None:
        self.position = self._start = position
        self.end = end
        self._began = time.monotonic()
        self.tell(end - position, 0)

    def stored(self, position: int, rows: int, customers: int) -> None:
        self.position = position
        self.read += rows
        self.customers += customers
        self.tell(max(0, self.end - position), rows)

    @property
    def to_go(self) -> int:
        """Customers still to come, if the rest of the changelog is like what was read."""
        passed = self.position - self._start
        share = self.customers / passed if passed else 1.0
        return round(max(0, self.end - self.position) * share)

    @property
    def per_second(self) -> int:
        """Customers a second since it began."""
        return round(self.customers / max(time.monotonic() - self._began, 0.001))


async def restore(
    changelog: Changelog,
    path: Path,
    shared: Shared,
    *,
    now: Callable[[], int],
    faults: Faults,
    progress: Progress,
    at_once: asyncio.Semaphore,
) -> tuple[Store, Standing]:
    """Return an open store that holds everything committed, and where it stands.

    `at_once` are the new stores that may be filled at the same time; one that only catches up
    does not wait for them.

    Raises StoreBroken (twice in a row), StartupRefused (a newer program wrote), KafkaError,
    TimeoutError.
    """
    async with reader(changelog.client) as consumer:
        by_batch(consumer)
        place = changelog.place
        consumer.assign([place])
        begin = (await consumer.beginning_offsets([place]))[place]
        end = (await consumer.end_offsets([place]))[place]
        restoring = _Restoring(
            changelog, consumer, begin, end, path, shared, now, faults, progress, at_once
        )
        try:
            found = await restoring.usual()
        except StoreStarved:
            raise
        except StoreBroken as error:
            aside = set_aside(path)
            log.warning(
                "store is broken, rebuilding it",
                action="store-broken",
                error=str(error),
                moved_to=str(aside),
            )
            found = await restoring.anew()
        # It would keep the records of customers who are erased from now on.
        remove(aside_of(path))
        return found


@dataclass
class _Restoring:
    changelog: Changelog
    consumer: AIOKafkaConsumer
    begin: int
    end: int
    path: Path
    shared: Shared
    now: Callable[[], int]
    faults: Faults
    progress: Progress
    at_once: asyncio.Semaphore

    async def usual(self) -> tuple[Store, Standing]:
        """Continue the store that is there, if it can be."""
        if not self.path.exists():
            return await self.anew()
        store = Store(self.path, self.shared)
        try:
            standing = store.standing()
            if standing is not None and self._is_usable(standing):
                return store, await self._read(store, standing.offset)
        except BaseException:
            store.close()
            raise
        store.close()
        return await self.anew()

    async def anew(self) -> tuple[Store, Standing]:
        if self.begin > 0:
            raise OffsetsLost(await self._lost())
        remove(self.path)
        async with self.at_once:
            store = Store(self.path, self.shared, filling=True)
            try:
                return store, await self._read(store, self.begin)
            except BaseException:
                store.close()
                raise

    async def _lost(self) -> str:
        place = self.changelog.place
        numbers = self.consumer.partitions_for_topic(place.topic) or {place.partition}
        every = [TopicPartition(place.topic, number) for number in sorted(numbers)]
        begins = await self.consumer.beginning_offsets(every)
        others = [str(tp.partition) for tp in every if tp != place and begins[tp] > 0]
        too = f" So it is with the partitions {', '.join(others)}." if others else ""
        return (
            f"{place.topic}[{place.partition}]: the records before offset {self.begin} were "
            "deleted, and customers' records with them (compaction deletes none: was its "
            f"cleanup.policy always compact?), and {self.path} is no store that could take their "
            f"place.{too} To go on, start the workers that had these partitions with their "
            f"LADDER_DATA_DIR as it was; where no such store is left, {START_ANEW}"
        )

    def _is_usable(self, standing: Standing) -> bool:
        why = self.changelog.unusable(standing, self.begin, self.end, self.now())
        if why is not None:
            log.warning(
                "store cannot be continued, rebuilding it",
                action="store-discarded",
                why=why,
                store=str(self.path),
            )
        return why is None

    async def _read(self, store: Store, position: int) -> Standing:
        place, progress = self.changelog.place, self.progress
        progress.begin(position, self.end)
        self.consumer.seek(place, position)
        said = time.monotonic()
        while position < self.end:
            async with asyncio.timeout(STALLED):
                batches = await self._fetch(position)
            position = await self.consumer.position(place)
            await self._store(store, batches, position)
            if time.monotonic() - said > SAY_SECONDS:
                said = time.monotonic()
                self._say()
        last = self._standing(max(position, self.end))
        store.fill({}, last)
        await to_the_end(store.filled)
        return last

    async def _store(self, store: Store, batches: Sequence[Rows], position: int) -> None:
        """Only the last of the rows tells how far the store is then."""
        begin = self.progress.position
        for rows in chunks(batches):
            customers = store.fill(rows, self._standing(begin))
            self.progress.stored(begin, len(rows), customers)
            await asyncio.sleep(0)
        store.fill({}, self._standing(position))
        self.progress.stored(position, 0, 0)
        await self.faults.reach("during-restore")

    async def _fetch(self, position: int) -> list[Rows]:
        """Return the next rows; none when there were only markers."""
        place = self.changelog.place
        while True:
            found = await self.consumer.getmany(place, timeout_ms=200)
            batches: list[Rows] = found.get(place, [])
            if batches or await self.consumer.position(place) > position:
                return batches

    def _say(self) -> None:
        progress = self.progress
        log.info(
            "partition is being restored",
            action="partition-restoring",
            partition=self.changelog.place.partition,
            customers=progress.customers,
            to_go=progress.to_go,
            per_second=progress.per_second,
        )

    def _standing(self, offset: int) -> Standing:
        return self.changelog.standing(offset, self.now())


async def to_the_end(call: Callable[[], None]) -> None:
    """Run in a thread; who is cancelled meanwhile waits for it, since the store is in use."""
    running = asyncio.ensure_future(asyncio.to_thread(call))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise
