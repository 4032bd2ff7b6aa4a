"""What is looked at now and then, instead of being counted as it happens: ages, backlogs, sizes."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog

from app.ops import metrics as m
from app.ops.registry import Metrics
from app.stream.shared import Shared
from app.stream.store import StoreClosed

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
SIZES_EVERY = 10
"""Looks; to count what is due takes the longer the more it is."""
COUNTED = 10_000
"""Due instants that are counted of one partition."""


class Gauges:
    """Looks at the open partitions; `now` gives seconds since 1970.

    assignment: see `app.stream.assignment`; partitions: how many the whole group has; heard: when
    Kafka last answered a fetch, None when that is unknown.
    """

    def __init__(
        self,
        assignment: Any,
        metrics: Metrics,
        *,
        partitions: int,
        handovers: str,
        data_dir: Path,
        shared: Shared,
        heard: Callable[[], float | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._assignment = assignment
        self._metrics = metrics
        self._handovers = handovers
        self._data_dir = data_dir
        self._shared = shared
        self._heard = heard
        self._now = now
        self._unseen: dict[int, float] = {}
        """Since when a partition has had lag of which nothing was fetched yet."""
        metrics.set(m.PARTITIONS_CONFIGURED, partitions)
        metrics.set(m.LAST_HEARD, now())

    def unusual(self) -> int:
        """Bytes that wait in all partitions beyond what is usual in a backlog; from any thread."""
        return sum(each.unusual for each in list(self._assignment.partitions.values()))

    async def run(self) -> None:
        looks = 0
        while True:
            try:
                self.look()
                if looks % SIZES_EVERY == 0:
                    self.measure()
            except Exception:
                # Else what is shown would stay as it is, and look well, for ever.
                log.exception("a look at the partitions failed", action="gauges-unread")
            looks += 1
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Show how old what waits is, and when Kafka was last heard of."""
        now = self._now()
        ready = self._ready()
        # While it restores, or has nothing, a worker asks for no records: that is no silence.
        heard = self._heard() if ready else now
        if heard is not None:
            self._metrics.set(m.LAST_HEARD, heard)
        self._unseen = {number: at for number, at in self._unseen.items() if number in ready}
        for number, partition in ready.items():
            behind = {
                tp.topic: max(0, (self._assignment.end_of(tp) or 0) - position)
                for tp, position in partition.positions().items()
            }
            arrived = partition.arrived()
            if arrived is None and any(behind.values()):
                self._unseen.setdefault(number, now)
            else:
                self._unseen.pop(number, None)
            age = self._age(number, arrived, now)
            self._metrics.set(m.LAG_SECONDS, age, str(number))
            waiting = behind.get(self._handovers, 0)
            self._metrics.set(m.HANDOVERS_WAITING, waiting, str(number))

    def oldest(self) -> float:
        """Return the age in seconds of the oldest record that waits on this worker; 0 for none."""
        now = self._now()
        ages = (self._age(number, one.arrived(), now) for number, one in self._ready().items())
        return max(ages, default=0.0)

    def _age(self, number: int, arrived: int | None, now: float) -> float:
        since = self._unseen.get(number, now) if arrived is None else arrived / 1000
        return max(0.0, now - since)

    def measure(self) -> None:
        """Show how big things are."""
        for number, partition in self._ready().items():
            with suppress(OSError, StoreClosed):  # the partition itself will notice, and reopen
                if (sizes := partition.sizes(COUNTED)) is not None:
                    self._metrics.set(m.STORE_BYTES, sizes[0], str(number))
                    self._metrics.set(m.DUE_WAITING, sizes[1], str(number))
        self._metrics.set(m.STORE_MEMORY, self._shared.used())
        with suppress(OSError):
            disk = shutil.disk_usage(self._data_dir)
            self._metrics.set(m.DISK_FREE, disk.free)
            self._metrics.set(m.DISK_SIZE, disk.total)

    def _ready(self) -> Mapping[int, Any]:
        partitions: Mapping[int, Any] = self._assignment.partitions
        return {number: one for number, one in list(partitions.items()) if one.state == "ready"}
