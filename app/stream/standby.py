"""Copies of other workers' partitions, kept up to date so that a take-over has little to read.

One consumer follows the changelogs of all copies of a process, for ever and without haste. What is
committed goes into the store that the partition will be opened with, with the offset it stands at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition

from app.errors import StartupRefused
from app.ops import metrics as m
from app.stream.changelog import SECOND, Changelog, Rows, by_batch, chunks, reader
from app.stream.restore import to_the_end
from app.stream.seam import Workshop
from app.stream.share import NEAR
from app.stream.store import Store, StoreBroken, StoreStarved, remove, set_aside

log = structlog.get_logger(__name__)

WAIT_MS = 500
"""How long the broker may gather before it answers: a copy may be so far behind."""
GATHERED = 64 << 10
"""Bytes at which it answers sooner."""
PAUSE = 0.1
"""Seconds between two looks, so that many small transactions are taken at once."""
EASE = 1.0
"""Rest after each write, as a multiple of what it took: partitions at work go first."""
RETRY_SECONDS = 5.0
_TOUCH = 600 * SECOND
_MAY_PASS = (KafkaError, OSError, TimeoutError)


class Copy:
    """The copy of one partition. `position` and `end` are offsets of its changelog.

    `using` is held by whoever works with the store; `refused` when its rows cannot be read here.
    """

    def __init__(self, changelog: Changelog, path: Path) -> None:
        self.changelog = changelog
        self.path = path
        self.store: Store | None = None
        self.position = 0
        self.end = 0
        self.written_at = 0
        self.using = asyncio.Lock()
        self.refused = False
        self.caught_up = False
        """It was up to date at least once since it is followed."""

    def close(self) -> None:
        store, self.store = self.store, None
        if store is not None:
            store.close()


class Standbys:
    """What this process follows. `follow` says what it is to be; it runs from the first on."""

    def __init__(self, shop: Workshop) -> None:
        self.copies: dict[int, Copy] = {}
        self._shop = shop
        self._closing: dict[int, asyncio.Task[None]] = {}
        self._changed = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def follow(self, numbers: Iterable[int]) -> None:
        """Follow these and no others; nobody else may have their stores open."""
        wanted = set(numbers)
        await asyncio.gather(*(self.release(number) for number in self.copies.keys() - wanted))
        for number in wanted - self.copies.keys():
            await self.release(number)
            self.copies[number] = self._copy(number)
            self._changed.set()
        if self.copies and self._running is None:
            self._running = asyncio.create_task(self._run(), name="standbys")

    async def release(self, number: int) -> None:
        """Let go of a copy; when this returns its store is closed, and as it was committed.

        Whoever waits may be cancelled; the store is closed all the same, and the next waits for it.
        """
        copy = self.copies.pop(number, None)
        if copy is not None:
            self._changed.set()
            self._closing[number] = asyncio.create_task(self._close(number, copy))
        closing = self._closing.get(number)
        if closing is not None:
            await asyncio.wait([closing])

    async def _close(self, number: int, copy: Copy) -> None:
        try:
            async with copy.using:
                copy.close()
        finally:
            self._shop.metrics.forget(number)
            del self._closing[number]

    async def stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        await asyncio.gather(*(self.release(number) for number in list(self.copies)))

    def used(self) -> set[int]:
        """Those whose stores are open here or being closed."""
        return {*self.copies, *self._closing}

    def near(self, number: int) -> bool:
        """Tell whether a copy has caught up: a take-over would be done in no time."""
        copy = self.copies.get(number)
        if copy is None or copy.store is None:
            return False
        return copy.caught_up and copy.end - copy.position <= NEAR

    def _copy(self, number: int) -> Copy:
        shop = self._shop
        changelog = Changelog(
            client=shop.client,
            place=TopicPartition(shop.changelog, number),
            partitions=shop.partitions,
            tombstones=shop.tombstones,
        )
        return Copy(changelog, shop.data_dir / str(number))

    async def _run(self) -> None:
        while True:
            try:
                await self._follow()
            except _MAY_PASS as error:
                log.warning(
                    "standbys are not followed for now",
                    action="standbys-retried",
                    error=repr(error),
                )
            for copy in list(self.copies.values()):
                async with copy.using:
                    copy.close()
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        more = {"fetch_max_wait_ms": WAIT_MS, "fetch_min_bytes": GATHERED}
        async with reader(self._shop.client, **more) as consumer:
            by_batch(consumer)
            self._changed.set()
            while True:
                if self._changed.is_set():
                    self._changed.clear()
                    await self._assign(consumer)
                elif any(copy.store for copy in self.copies.values()):
                    await self._take(consumer)
                    await asyncio.sleep(PAUSE)
                else:
                    await self._changed.wait()

    async def _assign(self, consumer: Any) -> None:
        """Put the consumer where the stores stand; those that are not open are opened."""
        copies = {copy.changelog.place: copy for copy in self.copies.values()}
        consumer.assign(list(copies))
        for place in copies:
            # Else aiokafka would look for a position by itself.
            consumer.pause(place)
            consumer.seek(place, 0)
        if not copies:
            return
        begins = await consumer.beginning_offsets(list(copies))
        ends = await consumer.end_offsets(list(copies))
        for place, copy in copies.items():
            async with copy.using:
                if self._is_followed(copy) and copy.store is None:
                    self._open(copy, begins[place], ends[place])
                if self._is_followed(copy) and copy.store is not None:
                    copy.end = max(copy.end, ends[place])
                    consumer.seek(place, copy.position)
                    consumer.resume(place)

    def _is_followed(self, copy: Copy) -> bool:
        return self.copies.get(copy.changelog.place.partition) is copy and not copy.refused

    def _open(self, copy: Copy, begin: int, end: int) -> None:
        """Continue the store that is there, if it can be, else begin a new one."""
        copy.caught_up = False
        copy.end = end
        try:
            if copy.path.exists() and self._continue(copy, begin, end):
                return
        except StoreStarved:
            raise
        except StoreBroken as error:
            log.warning(
                "a copy's store is broken, rebuilding it",
                action="standby-store-broken",
                error=str(error),
            )
            set_aside(copy.path)
        except StartupRefused as error:
            self._refuse(copy, error)
            return
        remove(copy.path)
        copy.store = Store(copy.path, self._shop.shared, filling=True)
        copy.position = begin

    def _continue(self, copy: Copy, begin: int, end: int) -> bool:
        store = Store(copy.path, self._shop.shared)
        try:
            standing = store.standing()
            why = "it is new" if standing is None else copy.changelog.unusable(
                standing, begin, end, self._shop.now()
            )  # fmt: skip
        except BaseException:
            store.close()
            raise
        if standing is None or why is not None:
            log.info(
                "a copy's store cannot be continued",
                action="standby-store-discarded",
                why=why,
                store=str(copy.path),
            )
            store.close()
            return False
        copy.store, copy.position, copy.written_at = store, standing.offset, standing.written_at
        return True

    def _refuse(self, copy: Copy, error: StartupRefused) -> None:
        """A worker of a newer version may be at work beside this one, which goes on meanwhile."""
        log.warning("a copy cannot be followed", action="standby-refused", error=str(error))
        copy.refused = True
        copy.close()

    async def _take(self, consumer: Any) -> None:
        """Store what has come."""
        try:
            found: Mapping[TopicPartition, list[Rows]] = await consumer.getmany(timeout_ms=WAIT_MS)
        except OffsetOutOfRangeError as error:
            await self._begin_anew(error.args[0] if error.args else ())
            return
        for copy in list(self.copies.values()):
            place = copy.changelog.place
            if place not in consumer.assignment() or place in consumer.paused():
                continue
            position = await consumer.position(place)
            copy.end = max(position, copy.end, consumer.last_stable_offset(place) or 0)
            async with copy.using:
                await self._advance(copy, found.get(place, ()), position)
            self._shop.metrics.set(m.STANDBY_LAG, copy.end - copy.position, str(place.partition))

    async def _advance(self, copy: Copy, batches: Sequence[Rows], position: int) -> None:
        """Bring one copy on to a position; what was let go meanwhile is left alone."""
        now = self._shop.now()
        if position == copy.position and now - copy.written_at < _TOUCH and copy.caught_up:
            return
        try:
            # With the last rows it says where it stands: it may be let go at any moment, and
            # whoever opens it then finds no row that is newer than it says.
            *before, last = [*chunks(batches)] or [{}]
            for rows in before:
                if not await self._fill(copy, rows, copy.position):
                    return
            if not await self._fill(copy, last, position):
                return
            if not copy.caught_up and position >= copy.end and copy.store is not None:
                await to_the_end(copy.store.filled)
                copy.caught_up = True
                log.info(
                    "standby has caught up",
                    action="standby-ready",
                    partition=copy.changelog.place.partition,
                )
        except StoreStarved:
            raise
        except StoreBroken as error:
            log.warning(
                "a copy's store is broken, rebuilding it",
                action="standby-store-broken",
                error=str(error),
            )
            copy.close()
            set_aside(copy.path)
            self._changed.set()
        except StartupRefused as error:
            self._refuse(copy, error)

    async def _fill(self, copy: Copy, rows: Rows, position: int) -> bool:
        """Write, then rest a while; tells whether the copy is still followed."""
        if copy.store is None or not self._is_followed(copy):
            return False
        began = time.monotonic()
        copy.written_at = self._shop.now()
        copy.store.fill(rows, copy.changelog.standing(position, copy.written_at))
        copy.position = position
        if rows:
            await asyncio.sleep(EASE * (time.monotonic() - began))
        return True

    async def _begin_anew(self, places: Iterable[TopicPartition]) -> None:
        """What comes next was deleted, so the store has missed deletions too."""
        for place in places:
            copy = self.copies.get(place.partition)
            if copy is not None:
                async with copy.using:
                    copy.close()
                    with suppress(OSError):
                        remove(copy.path)
        self._changed.set()
