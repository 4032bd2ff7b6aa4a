"""How fast a worker with nothing on its disk takes customers over from the changelog."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import ClassVar

from benchmarks.case import Case
from benchmarks.figures import Round
from benchmarks.latency import READY, ready
from benchmarks.population import Population
from benchmarks.shop import Shop


class Restore(Case):
    """Records as mixed events leave them; the time is from assignment to ready, of all partitions.

    Each round restores the same changelog, as another application would, into an empty folder.
    """

    name = "restore"
    what = "restore into an empty store"
    wanted: ClassVar[dict[str, str]] = {"customers/s": "≥ 400,000"}

    async def prepare(self) -> None:
        now = time.time_ns() // 1000
        self._population = await asyncio.to_thread(Population, self.sizes.restored_customers, now)

    async def measure(self, number: int) -> Round:
        shop = Shop(self.place.bootstrap, self.place.folder, f"{self.name}-{number}")
        await shop.create()
        await shop.know(self._population)
        with shop.worker() as worker:
            await ready(shop, worker)
            usage = worker.usage()
            customers = shop.metric("ladder_restored_records_total")
            took = await _between(shop, "partitions assigned", "partitions ready")
        await shop.delete()
        return {
            "customers/s": customers / took,
            "customers": customers,
            "bytes a record": self._population.bytes_a_record,
            "RSS MB": usage.rss / 1e6,
        }


async def _between(shop: Shop, begin: str, end: str) -> float:
    """Seconds between the last lines of these in the log of a worker that runs.

    It says a moment before it logs that it is ready, so the line is waited for.
    """
    deadline = time.monotonic() + READY
    while True:
        times = {line["event"]: datetime.fromisoformat(line["time"]) for line in shop.log()}
        if missing := {begin, end} - times.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the worker never logged {', '.join(sorted(missing))}")
            await asyncio.sleep(0.1)
            continue
        return (times[end] - times[begin]).total_seconds()
