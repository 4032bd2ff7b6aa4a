"""What the worker promises of itself: as two, with millions of customers, on a warm store."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import ClassVar

from app.core.instants import DAY, SECOND
from benchmarks.case import CUSTOMERS_PER_EVENT, Case
from benchmarks.child import Both, said
from benchmarks.curve import Curve, first_commit, follow
from benchmarks.figures import Round
from benchmarks.latency import ready
from benchmarks.made_up import MIXED, Crowd
from benchmarks.population import FIRST_FREE, Population, fill_stores, linked, stand
from benchmarks.shop import PARTITIONS, Shop
from benchmarks.throughput import DAYS

HOUR = 3_600 * SECOND
JOINED = 120.0
"""Seconds for two workers to have shared the partitions out."""
FIRST = 1_000
"""Events that wait for a worker that is started on a warm store."""


class TwoWorkers(Case):
    """The events of `mixed`, which come when both workers are ready."""

    name = "two-workers"
    what = "two workers, ten ladders, mixed events"
    wanted: ClassVar[dict[str, str]] = {"times one worker": "≥ 1.5"}
    needs = ("mixed",)

    async def prepare(self) -> None:
        now = time.time_ns() // 1000
        crowd = Crowd(int(self.sizes.mixed * CUSTOMERS_PER_EVENT), MIXED)
        self._events = await asyncio.to_thread(
            lambda: list(crowd.stream(self.sizes.mixed, now - DAYS * DAY, now))
        )

    async def measure(self, number: int) -> Round:
        shop = Shop(self.place.bootstrap, self.place.folder, f"{self.name}-{number}")
        other = shop.beside()
        await shop.create()
        with shop.worker() as one, other.worker() as two:
            both = Both(one, two)
            await _shared_out(shop, other, both)
            await shop.fill(self._events)
            topics = shop.settings.topics
            curve = await follow(shop.client, both, shop.name, topics, self.sizes.mixed)
            refused = sum(each.metric("ladder_dead_letters_total") for each in (shop, other))
        await shop.delete()
        if refused:
            raise ValueError(f"{refused:.0f} events were refused")
        found = curve.figures()
        if "events/s" in found and "mixed" in self.earlier:
            found["times one worker"] = found["events/s"] / self.earlier["mixed"]["events/s"]
        return found


async def _shared_out(one: Shop, two: Shop, both: Both) -> None:
    """Wait until each has partitions, and together they have all and are ready."""
    deadline = time.monotonic() + JOINED
    while True:
        both.usage()
        has = [await asyncio.to_thread(shop.partitions_ready) for shop in (one, two)]
        if min(has) > 0 and sum(has) == PARTITIONS:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(
                f"of {PARTITIONS} partitions the workers have {has}, {said(both.log)}"
            )
        await asyncio.sleep(0.2)


class Warm(Case):
    """Cases that begin with customers in the store of a worker that has read all its changelog."""

    async def stored(self, customers: int) -> Path:
        """Make stores with so many customers, of whom nothing is due before today."""
        population = await asyncio.to_thread(Population, customers, self.begin)
        folder = self.place.folder / f"{self.name}-stores-{customers}"
        settings = self.shop(f"{self.name}-filling-{customers}", customers).settings
        await asyncio.to_thread(fill_stores, population, settings, folder)
        return folder

    @property
    def begin(self) -> int:
        """Up to when the customers lived (µs): an hour ago, but today."""
        now = time.time_ns() // 1000
        return max(now // DAY * DAY, now - HOUR)

    def shop(self, name: str, customers: int) -> Shop:
        return Shop(
            self.place.bootstrap, self.place.folder, name, inputs=f"{self.name}-{customers}"
        )

    async def filled(self, customers: int, events: int) -> None:
        """Make a backlog of events that these customers have not had."""
        shop = Shop(self.place.bootstrap, self.place.folder, f"{self.name}-{customers}")
        await shop.create()
        crowd = Crowd(customers, MIXED, first=FIRST_FREE)
        await shop.fill(crowd.stream(events, self.begin, time.time_ns() // 1000))

    async def knowing(self, name: str, customers: int, stores: Path) -> Shop:
        """Give a shop whose worker has these stores."""
        shop = self.shop(name, customers)
        await shop.create()
        await asyncio.to_thread(linked, stores, shop.settings.data_dir)
        await asyncio.to_thread(stand, shop.settings, shop.settings.data_dir)
        return shop


class ManyCustomers(Warm):
    """The same events over 20,000 customers and over 5 million."""

    name = "many-customers"
    what = "ten ladders, mixed events, 5 million customers in the store"
    wanted: ClassVar[dict[str, str]] = {"of the speed with few": "≥ 0.5", "RSS MB": "≤ 600"}

    async def prepare(self) -> None:
        self._stores: dict[int, Path] = {}
        for customers in (self.sizes.few_customers, self.sizes.many_customers):
            self._stores[customers] = await self.stored(customers)
            await self.filled(customers, self.sizes.mixed)

    async def measure(self, number: int) -> Round:
        few = (await self._run(number, self.sizes.few_customers)).figures()
        found = (await self._run(number, self.sizes.many_customers)).figures()
        found["events/s with few"] = few["events/s"]
        found["RSS MB with few"] = few["RSS MB"]
        found["of the speed with few"] = found["events/s"] / few["events/s"]
        return found

    async def _run(self, number: int, customers: int) -> Curve:
        shop = await self.knowing(
            f"{self.name}-{number}-{customers}", customers, self._stores[customers]
        )
        with shop.worker() as worker:
            topics = shop.settings.topics
            curve = await follow(shop.client, worker, shop.name, topics, self.sizes.mixed)
            refused = shop.metric("ladder_dead_letters_total")
            restored = shop.metric("ladder_restored_records_total")
        await shop.delete()
        shutil.rmtree(shop.settings.data_dir)
        if refused or restored > customers / 2:
            raise ValueError(
                f"{refused:.0f} events were refused, and {restored:.0f} of {customers} customers "
                f"restored that were in the store, {said(worker.log)}"
            )
        return curve


class WarmStart(Warm):
    """From the start of the process to the first offsets that it commits."""

    name = "warm-start"
    what = "start with a warm store of as many customers as `restore`"
    wanted: ClassVar[dict[str, str]] = {"start to first commit s": "< 6"}

    async def prepare(self) -> None:
        self._stores = await self.stored(self.sizes.restored_customers)
        await self.filled(self.sizes.restored_customers, FIRST)

    async def measure(self, number: int) -> Round:
        customers = self.sizes.restored_customers
        shop = await self.knowing(f"{self.name}-{number}", customers, self._stores)
        began = time.monotonic()
        with shop.worker() as worker:
            topics = shop.settings.topics
            committed = await first_commit(shop.client, worker, shop.name, topics)
            await ready(shop, worker)
            restored = shop.metric("ladder_restored_records_total")
        await shop.delete()
        shutil.rmtree(shop.settings.data_dir)
        if restored > customers / 2:
            raise ValueError(f"{restored:.0f} records were restored, {said(worker.log)}")
        return {"start to first commit s": committed - began, "customers": customers}
