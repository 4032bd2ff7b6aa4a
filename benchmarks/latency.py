"""From a purchase to the stage change that it causes, at a steady rate that waits for nobody.

An event's time is the moment at which it is due, not the one at which the sender came to it, so a
hold-up anywhere counts against every event that it delays (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, ClassVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from app.core.instants import SECOND
from app.wire import stage_change
from benchmarks.case import Case
from benchmarks.child import Child
from benchmarks.curve import follow
from benchmarks.figures import Round
from benchmarks.made_up import MIXED, Crowd
from benchmarks.shop import PARTITIONS, Shop

RATE = 1_000
"""Events a second, of all types."""
WARM_UP = 10
"""Seconds that do not count."""
CUSTOMERS = 160_000
READY = 60.0
LADDER = "raving-fan"


class Latency(Case):
    """Ten ladders, mixed events at 1,000/s; the changes of one ladder are timed."""

    name = "latency"
    what = f"purchase to stage change, open loop at {RATE:,} events/s"
    wanted: ClassVar[dict[str, str]] = {"p50 ms": "< 40", "p99 ms": "< 120"}

    async def prepare(self) -> None:
        """Nothing: its events are made as they are due."""

    async def measure(self, number: int) -> Round:
        shop = Shop(self.place.bootstrap, self.place.folder, f"{self.name}-{number}")
        await shop.create()
        with shop.worker() as worker:
            await ready(shop, worker)
            found = await self._timed(shop, worker)
        await shop.delete()
        return found

    async def _timed(self, shop: Shop, worker: Child) -> Round:
        seconds = WARM_UP + self.sizes.latency_seconds
        begin = time.time_ns() // 1000 + SECOND // 2
        before = worker.usage()
        reader = asyncio.create_task(_read(shop, begin + WARM_UP * SECOND))
        late = await _send(shop, begin, seconds * RATE)
        after = worker.usage()
        await follow(shop.client, worker, shop.name, shop.settings.topics, seconds * RATE)
        await asyncio.sleep(1)  # what is committed is read a moment later
        reader.cancel()
        waits = sorted(await reader)
        return {
            "p50 ms": _percentile(waits, 0.5),
            "p99 ms": _percentile(waits, 0.99),
            "p99.9 ms": _percentile(waits, 0.999),
            "greatest ms": waits[-1],
            "changes timed": len(waits),
            "sender's own delay, p99 ms": _percentile(sorted(late), 0.99),
            "cores used": (after.cpu - before.cpu) / seconds,
        }


async def ready(shop: Shop, worker: Child) -> None:
    """Wait until the worker says that it is; raises ChildEnded or TimeoutError."""
    async with asyncio.timeout(READY):
        while (await asyncio.to_thread(shop.ask, "/health/ready"))[0] != 200:
            worker.usage()
            await asyncio.sleep(0.1)


async def _send(shop: Shop, begin: int, count: int) -> list[float]:
    """Send each event at its moment; returns by how many ms each was late."""
    crowd = Crowd(CUSTOMERS, MIXED)
    topics = shop.settings.topics
    late: list[float] = []
    async with AIOKafkaProducer(**shop.client, linger_ms=0) as producer:
        for number in range(count):
            due = begin + number * SECOND // RATE
            await asyncio.sleep(max(0, due - time.time_ns() // 1000) / SECOND)
            late.append((time.time_ns() // 1000 - due) / 1000)
            made = crowd.next(due)
            await producer.send(topics[made.family], made.value, key=made.key)
    return late


async def _read(shop: Shop, first: int) -> list[float]:
    """Collect, until cancelled, the ms from purchases at or after an instant to their changes."""
    topic = shop.settings.changes_topic(LADDER)
    waits: list[float] = []
    async with AIOKafkaConsumer(**shop.client, isolation_level="read_committed") as consumer:
        consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        await consumer.seek_to_beginning()
        with suppress(asyncio.CancelledError):
            while True:
                found: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=1000)
                now = time.time_ns() // 1000
                for record in (record for records in found.values() for record in records):
                    change = stage_change.decode(record.value)
                    trigger = change.trigger
                    bought = trigger is not None and trigger.type == "purchase.completed"
                    if bought and change.time >= first:
                        waits.append((now - change.time) / 1000)
    return waits


def _percentile(ordered: list[float], share: float) -> float:
    """Take the nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
