"""Faults 15 and 16: a hundred quiet partitions on one worker, and neighbours that stand still."""

from __future__ import annotations

import asyncio
import dataclasses
import random
import signal
import time

import psutil
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.stream import clients
from tests.faults.conftest import Begin
from tests.faults.fleet import Member
from tests.faults.ordeal import Ordeal, stubborn
from tests.faults.purchases import purchase
from tests.faults.rest import until
from tests.faults.tale import Chapter

pytestmark = pytest.mark.slow
MANY = 100
A_WHILE = 5.0
"""Seconds over which a rate is taken."""
FEW_A_SECOND = 20


async def test_fault_15_a_hundred_quiet_partitions(begin: Begin) -> None:
    """With nothing to do none of them commits anything; with little to do it stays quick."""
    shop = await begin(
        "15 hundred partitions", partitions=MANY, few=("now",), LADDER_REPLICATION_FACTOR="1"
    )
    trial, fleet = shop.trial, shop.fleet
    chance = random.Random(shop.seed)
    customers = trial.tale.more("alone", 300)
    began = time.monotonic()
    worker = fleet.start(0)
    await fleet.ready()
    shop.notes.append(f"all ready {time.monotonic() - began:.1f} s after its start")
    quiet = await rates(worker, A_WHILE)
    assert quiet.transactions == 0, "it commits though nothing comes"

    def next_chapter() -> Chapter:
        at = max(trial.reckoning.until, 1_700_000_000_000_000)
        told = [purchase(chance.choice(customers), at + number, number) for number in range(100)]
        return Chapter(told, at + 1_000_000)

    async with shop.under_load(next_chapter) as events:
        events.slice = FEW_A_SECOND // 10
        await events.reaches(FEW_A_SECOND)
        busy = await rates(worker, A_WHILE)
        await shop.recovered("all is quiet")
    shop.notes.append(f"nothing comes: {quiet.cpu:.1f} % CPU, 0 transactions/s")
    shop.notes.append(
        f"{FEW_A_SECOND} events/s: {busy.cpu:.1f} % CPU, {busy.transactions:.1f} transactions/s, "
        f"{busy.latency * 1000:.0f} ms from arrival to commit on average, "
        f"{psutil.Process(worker.process.pid).memory_info().rss >> 20} MiB"
    )
    await shop.conclude()


class Rates:
    """What a worker uses and does per second, between two looks."""

    def __init__(self, cpu: float, transactions: float, latency: float) -> None:
        self.cpu, self.transactions, self.latency = cpu, transactions, latency


async def rates(worker: Member, seconds: float) -> Rates:
    """CPU in % of one core; latency is a mean, in seconds."""
    process = psutil.Process(worker.process.pid)

    async def look() -> tuple[float, float, float, float]:
        names = ("ladder_transaction_seconds_count", "ladder_event_to_commit_seconds_count",
                 "ladder_event_to_commit_seconds_sum")  # fmt: skip
        done, seen, waited = [sum(await worker.metric(name)) for name in names]
        return sum(process.cpu_times()[:2]), done, seen, waited

    first = await look()
    await asyncio.sleep(seconds)
    last = await look()
    cpu, done, seen, waited = (after - before for before, after in zip(first, last, strict=True))
    return Rates(100 * cpu / seconds, done / seconds, waited / seen if seen else 0.0)


async def test_fault_16_a_neighbour_that_restores(begin: Begin) -> None:
    """One partition's restore stands still; the others are ready and go on."""
    shop = await begin("16 neighbour restores")
    trial, fleet = shop.trial, shop.fleet
    await trial.tell(trial.tale.chapter(200, 4, bad=False))
    first = fleet.start(0)
    await trial.at_rest()
    await first.stop()
    # On a new machine, where the restore of the first partition to get there never ends.
    stuck = fleet.start(1, LADDER_FAULT="during-restore:1:hang")
    others = await some_ready(shop, stuck, fleet.settings.partitions - 1)
    async with shop.under_load() as events:
        await events.reaches(200)
        await goes_on(shop, others)
        stuck.signal(signal.SIGKILL)
        await stuck.ended()
        fleet.start(1)
        await shop.recovered("a worker that restores all")
    await shop.conclude()


async def test_fault_16_a_neighbour_whose_topic_is_away(begin: Begin, unique: str) -> None:
    """One partition of one topic has its only copy on a broker that is gone."""
    shop = await begin("16 neighbour's topic away", lanes=2, create=False)
    fleet, cluster = shop.fleet, shop.cluster
    lane = fleet.settings.topics[1]
    copies = {0: [3], 1: [1, 2], 2: [2, 1], 3: [1, 2]}
    async with clients.admin(fleet.settings) as admin:
        await admin.create_topics([NewTopic(lane, -1, -1, replica_assignments=copies)])
        config = ConfigResource(ConfigResourceType.TOPIC, lane, {"min.insync.replicas": "1"})
        await admin.alter_configs([config])
    await fleet.create()
    worker = fleet.start(0)
    await fleet.ready()

    def one_lane() -> Chapter:
        chapter = shop.trial.tale.chapter(200, 4, bad=False, rest=1)
        told = [dataclasses.replace(one, lane=0) for one in chapter.told]
        return Chapter(told, chapter.until)

    async with shop.under_load(one_lane) as events:
        await events.reaches(100)
        began = time.monotonic()
        await asyncio.to_thread(cluster.kill, 3)
        await goes_on(shop, {1, 2, 3})
        # A worker that begins now may not even learn where that topic's partition ends.
        worker.signal(signal.SIGKILL)
        await worker.ended()
        worker = fleet.start(1)
        await some_ready(shop, worker, 3)
        await goes_on(shop, {1, 2, 3})
        await asyncio.to_thread(cluster.start)
        await shop.recovered("a partition of one topic was away", began)
    await shop.conclude()


async def some_ready(shop: Ordeal, worker: Member, count: int) -> set[int]:
    async def ready() -> bool:
        return len(await worker.partitions()) >= count

    await until(lambda: f"{count} partitions or more are ready\n{worker.tail()}", ready)
    return await worker.partitions()


async def goes_on(shop: Ordeal, numbers: set[int]) -> None:
    """Wait until everything sent to these partitions up to now is committed."""
    settings = shop.fleet.settings
    ends = await stubborn(shop.ends)
    wanted = {TopicPartition(settings.topics[0], number) for number in numbers}

    async def committed() -> bool:
        at = await stubborn(shop.committed)
        return all(at.get(place, 0) >= ends[place] for place in wanted)

    await until(f"{numbers} go on", committed, 0.2)
    shop.deeds += 1
