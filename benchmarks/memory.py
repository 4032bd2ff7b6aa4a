"""How much memory a worker has with 5 million customers: restored, and under load after that."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from benchmarks.case import Case
from benchmarks.child import Child, said
from benchmarks.curve import follow
from benchmarks.figures import Round
from benchmarks.made_up import MIXED, Crowd
from benchmarks.population import FIRST_FREE, Population
from benchmarks.shop import Shop

READY = 1_800.0
"""Seconds for a restore of all of them, on a machine that does other things, too."""
HOUR = 3_600_000_000


class Memory(Case):
    """Nothing on the disk before; the load is a backlog over all customers, taken in at full speed.

    The restore tells its speed, too: with all partitions, of the size that the memory is for.
    """

    name = "memory"
    what = "memory with 5 million customers, restored and then under load"
    wanted: ClassVar[dict[str, str]] = {"RSS MB restored": "≤ 600", "RSS MB under load": "≤ 600"}

    async def prepare(self) -> None:
        self._until = time.time_ns() // 1000 - HOUR
        many = self.sizes.many_customers
        self._population = await asyncio.to_thread(Population, many, self._until)

    async def measure(self, number: int) -> Round:
        shop = Shop(self.place.bootstrap, self.place.folder, f"{self.name}-{number}")
        await shop.create()
        await shop.know(self._population)
        with shop.worker() as worker:
            peak = await _restored(shop, worker)
            restored = worker.usage()
            count = self.sizes.mixed
            crowd = Crowd(self.sizes.many_customers, MIXED, first=FIRST_FREE)
            await shop.fill(crowd.stream(count, self._until, time.time_ns() // 1000))
            curve = await follow(shop.client, worker, shop.name, shop.settings.topics, count)
            lines = [line for line in shop.log() if line["event"] == "partition open"]
        await shop.delete()
        under_load = curve.figures()
        return {
            "RSS MB restored": restored.rss / 1e6,
            "RSS MB at most while restoring": peak / 1e6,
            "RSS MB under load": under_load["RSS MB"],
            "CPU s to restore": restored.cpu,
            "customers": sum(line["customers"] for line in lines),
            "events/s": under_load.get("events/s", 0.0),
            "bytes a record": self._population.bytes_a_record,
        }


async def _restored(shop: Shop, worker: Child) -> int:
    """Wait until all is restored; gives the most memory that was seen (bytes)."""
    deadline = time.monotonic() + READY
    peak = 0
    while (await asyncio.to_thread(shop.ask, "/health/ready"))[0] != 200:
        peak = max(peak, worker.usage().rss)
        if time.monotonic() > deadline:
            raise TimeoutError(f"{worker.name} is not ready in {READY:g} s, {said(worker.log)}")
        await asyncio.sleep(0.2)
    return max(peak, worker.usage().rss)
