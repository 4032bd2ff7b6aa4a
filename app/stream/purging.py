"""What is left in stores of customers who were erased, and in their files: gone within a day.

Their rows are deleted with the commit that erases them. But files are only written anew when
RocksDB finds it worth while, which for most of a store is never; and local rows may be left, of a
restore that read of somebody and of the erasure, or of a time when the store was in use elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from app.core.instants import SECOND
from app.stream import due, history_rows
from app.stream.history import Turns
from app.stream.standby import Copy
from app.stream.store import Store, StoreBroken, StoreClosed
from app.wire.record import HOT

log = structlog.get_logger(__name__)

LOOK_SECONDS = 600.0
AFTER_SECONDS = 12 * 3_600
"""After the first erasure that a store still has traces of: twice a day at most it is purged."""
SLICE = 200
"""Rows that are looked at in one go."""
REST = 4.0
"""How many times as long as it worked it sleeps."""


@dataclass(frozen=True)
class Open:
    """A store that is in use here; `copy`: of a partition that another worker has."""

    partition: int
    store: Store
    copy: bool


def open_stores(partitions: Mapping[int, Any], copies: Mapping[int, Copy]) -> list[Open]:
    """Return the stores of partitions at work and of copies that have caught up."""
    found = [
        Open(number, partition.hold.store, copy=False)
        for number, partition in partitions.items()
        if partition.state == "ready" and partition.hold.store is not None
    ]
    return found + [
        Open(number, copy.store, copy=True)
        for number, copy in copies.items()
        if copy.caught_up and copy.store is not None
    ]


class Purging:
    """Looks every ten minutes, and purges one store after the other. `now` gives µs."""

    def __init__(
        self,
        stores: Callable[[], Iterable[Open]],
        turns: Turns,
        now: Callable[[], int],
        after: float = AFTER_SECONDS,
    ) -> None:
        self._stores = stores
        self._turns = turns
        self._now = now
        self._after = after

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Purge every store in which somebody was erased long enough ago."""
        for each in list(self._stores()):
            try:
                since = each.store.erasures.since()
                if since is not None and self._now() - since >= self._after * SECOND:
                    await self._purge(each)
            except StoreClosed:
                continue  # it is somebody else's now, or will be opened again with its note
            except StoreBroken as error:
                log.warning(
                    "a store could not be purged of who was erased, it is tried again",
                    action="store-unpurged",
                    partition=each.partition,
                    error=str(error),
                )

    async def _purge(self, each: Open) -> None:
        began = time.monotonic()
        store, rows = each.store, 0
        for first, end in due.everything():
            rows += await self._sweep(store, first, end)
        if each.copy:
            # A store that is at work keeps its history itself (`app.stream.history`).
            rows += await self._sweep_history(store)
        await store.purge()
        log.info(
            "store was purged of who was erased",
            action="store-purged",
            partition=each.partition,
            rows_left_over=rows,
            seconds=round(time.monotonic() - began, 1),
        )

    async def _sweep(self, store: Store, first: bytes, end: bytes) -> int:
        """Delete the rows about when something is due for somebody who has no record."""
        gone = 0
        while first:
            async with self._turns.lock:
                began = time.monotonic()
                rows = store.scan(first, end, SLICE)
                records = store.get([HOT + due.customer_in(key) for key, _ in rows])
                left = [key for (key, _), hot in zip(rows, records, strict=True) if hot is None]
                store.write([(key, None) for key in left], None)
                gone += len(left)
                first = rows[-1][0] + b"\x00" if len(rows) == SLICE else b""
                await self._rest(began)
        return gone

    async def _sweep_history(self, store: Store) -> int:
        gone, after = 0, b""
        while (found := history_rows.next_customer(store, after)) is not None:
            async with self._turns.lock:
                began = time.monotonic()
                left = history_rows.of_lives_over(store, found[1])
                store.write(left, None)
                gone += len(left)
                after = history_rows.of_customer(found[1]) + b"\xff"
                await self._rest(began)
        return gone

    async def _rest(self, began: float) -> None:
        await asyncio.sleep(REST * (time.monotonic() - began))
