"""Faults 4, 5 and 12: brokers go away, the road to them is bad, transactions are refused."""

from __future__ import annotations

import asyncio
import random
import re
import signal
import time

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.settings import Settings
from app.stream import clients
from app.stream.topics import LARGEST_OUTPUT
from tests.faults.conftest import Begin
from tests.faults.detour import detour
from tests.faults.fleet import Fleet
from tests.faults.rest import until
from tests.faults.schedule import LONG

pytestmark = pytest.mark.slow
OUTAGE = 60.0 if LONG else 20.0
"""Seconds. The long one is longer than every timeout of a client, the short one than a session
and a transaction."""


async def test_fault_4_brokers_restart_and_all_are_away(begin: Begin) -> None:
    shop = await begin("4 brokers away")
    fleet, cluster, chance = shop.fleet, shop.cluster, random.Random(shop.seed)
    await asyncio.to_thread(cluster.stop)
    fleet.start(0)
    fleet.start(1)

    async def they_wait() -> bool:
        return all(member.events("waiting for Kafka") for member in fleet.running)

    await until("workers say that they wait for Kafka", they_wait)
    await asyncio.to_thread(cluster.start)
    await fleet.ready()
    async with shop.under_load() as events:
        for end in (cluster.stop, cluster.kill):
            for node in cluster.nodes if LONG else [1 + chance.randrange(3)]:
                await events.reaches(50)
                began = time.monotonic()
                await asyncio.to_thread(end, node)
                await shop.recovered(f"{end.__name__} of broker {node}, by the other two", began)
                await asyncio.to_thread(cluster.start)
                await shop.recovered(f"return of broker {node}")
        with shop.progress.excused():
            await asyncio.to_thread(cluster.kill)
            await asyncio.sleep(OUTAGE)
            await asyncio.to_thread(cluster.start)
            await shop.recovered(f"{OUTAGE:.0f} s without any broker")
    await shop.conclude()


async def test_fault_5_a_bad_road_to_the_brokers(begin: Begin) -> None:
    shop = await begin("5 bad road to brokers")
    fleet = shop.fleet
    async with detour(shop.cluster) as road:
        away = {"LADDER_BROKERS": road.bootstrap}
        fleet.start(0, **away)
        fleet.start(1, **away)
        await fleet.ready()
        async with shop.under_load() as events:
            road.delay = 0.1
            await events.reaches(150)
            await shop.recovered("100 ms more each way")
            road.delay = 0.0
            for _ in range(5):
                await events.reaches(40)
                assert road.cut()
            await shop.recovered("connections cut five times")
            with shop.progress.excused():
                road.open.clear()
                await asyncio.sleep(OUTAGE)
                road.open.set()
                await shop.recovered(f"a stall of {OUTAGE:.0f} s")
        await shop.conclude()


async def test_fault_12_transactions_that_brokers_end_or_refuse(begin: Begin) -> None:
    """Ended by the broker for its age; fenced by another producer; a record that is too large."""
    shop = await begin("12 refused transactions")
    fleet = shop.fleet
    # A session that outlasts the transaction: it is to stay a member while it stands still.
    worker = fleet.start(0, LADDER_FAULT="after-changelog-sent:9:hang", LADDER_SESSION_TIMEOUT="20")
    async with shop.under_load() as events:
        await fleet.hangs()
        worker.signal(signal.SIGSTOP)
        await fleet.settled()  # the broker ended what is open
        worker.signal(signal.SIGCONT)
        await shop.recovered("a transaction that the broker aborted")
        assert worker.events("partition failed, opening it again"), worker.tail()
        assert worker.runs
        await worker.stop()
        worker = fleet.start(0)
        await fleet.ready()

        for number in range(fleet.settings.partitions):
            await events.reaches(30)
            await fence(fleet.settings, number)
        await shop.recovered("producers that were fenced")

        await allow(fleet, 300)
        assert await worker.ended() == 1
        told = worker.tail()
        assert re.search(r"offset \d+ could not be taken in", told), told
        assert fleet.settings.app_id in told
        fleet.members.remove(worker)
        await allow(fleet, LARGEST_OUTPUT)
        fleet.start(0)
        await shop.recovered("a record too large for the broker")
    await shop.conclude()


async def fence(settings: Settings, number: int) -> None:
    """Take a partition's transactional id, as a second worker would."""
    async with AIOKafkaProducer(
        **clients.arguments(settings), transactional_id=f"{settings.app_id}-{number}"
    ):
        pass


async def allow(fleet: Fleet, size: int) -> None:
    """Set how large a batch of stage changes may be."""
    kind = ConfigResourceType.TOPIC
    async with clients.admin(fleet.settings) as admin:
        for ladder in fleet.ladders:
            topic = f"{fleet.settings.changes_prefix}.{ladder}"
            configs = {"max.message.bytes": str(size)}
            await admin.alter_configs([ConfigResource(kind, topic, configs=configs)])
