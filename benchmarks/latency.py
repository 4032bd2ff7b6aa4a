"""How long a stage change takes, at 1,000 events a second and at half of what the worker can do."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from benchmarks.case import Case
from benchmarks.child import Child, said
from benchmarks.curve import follow
from benchmarks.figures import Round
from benchmarks.open_loop import Listener, timed
from benchmarks.sender import Load, Told
from benchmarks.shop import PARTITIONS, Shop

RATE = 1_000
"""Events a second, of all types."""
WARM_UP = 20
"""Seconds that do not count."""
CUSTOMERS = 160_000
READY = 180.0
LADDER = "raving-fan"


class Latency(Case):
    """Ten ladders, mixed events at 1,000/s; the changes of one ladder are timed."""

    name = "latency"
    what = f"purchase to stage change, open loop at {RATE:,} events/s"
    wanted: ClassVar[dict[str, str]] = {"p50 ms": "< 40", "p99 ms": "< 120"}

    async def prepare(self) -> None:
        """Nothing: its events are made for each round."""

    async def measure(self, number: int) -> Round:
        return await self.at(float(RATE), number)

    async def at(self, rate: float, number: int) -> Round:
        """Measure at a rate, in events a second."""
        shop = Shop(self.place.bootstrap, self.place.folder, f"{self.name}-{number}")
        await shop.create()
        with shop.worker() as worker:
            await ready(shop, worker)
            found = await self._timed(shop, worker, rate)
        await shop.delete()
        return found

    async def _timed(self, shop: Shop, worker: Child, rate: float) -> Round:
        count = int((WARM_UP + self.sizes.latency_seconds) * rate)
        load = Load(
            bootstrap=self.place.bootstrap,
            topics=list(shop.settings.topics),
            mixed=True,
            customers=CUSTOMERS,
            rate=rate,
            count=count,
            partitions=PARTITIONS,
        )

        async def settled(told: Told, listener: Listener) -> None:
            await follow(shop.client, worker, shop.name, shop.settings.topics, count)
            await asyncio.sleep(1)  # what is committed is read a moment later

        topic = shop.settings.changes_topic(LADDER)
        return await timed(load, topic, WARM_UP, lambda: worker.usage().cpu, settled)


class HalfLoad(Latency):
    """The same, at half of what `mixed` came to in this round."""

    name = "half-load"
    what = "purchase to stage change, open loop at half of the maximum"
    wanted: ClassVar[dict[str, str]] = {"p99 ms": "< 250"}
    needs = ("mixed",)

    async def measure(self, number: int) -> Round:
        if "mixed" not in self.earlier:
            raise ValueError("what the maximum is was to come from `mixed`, which failed")
        rate = self.earlier["mixed"]["events/s"] / 2
        return {"offered events/s": rate, **await self.at(rate, number)}


async def ready(shop: Shop, worker: Child) -> None:
    """Wait until the worker says that it is; raises ChildEnded or TimeoutError."""
    deadline = time.monotonic() + READY
    while (await asyncio.to_thread(shop.ask, "/health/ready"))[0] != 200:
        worker.usage()
        if time.monotonic() > deadline:
            raise TimeoutError(f"{worker.name} is not ready in {READY:g} s, {said(worker.log)}")
        await asyncio.sleep(0.1)
