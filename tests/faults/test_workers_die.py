"""Faults 1, 2, 3 and 8: workers are killed, restarted, paused, added and taken away."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from tests.faults.conftest import Begin
from tests.faults.schedule import LONG, bursts, drawn

pytestmark = pytest.mark.slow
BURSTS = 20 if LONG else 3
PAUSES = 2 if LONG else 1
WORKERS = 3


async def test_fault_1_workers_killed_again_and_again(begin: Begin) -> None:
    shop = await begin("1 kill -9 in bursts")
    fleet = shop.fleet
    at = {slot: fleet.start(slot) for slot in range(WORKERS)}
    await fleet.ready()
    killed = 0.0
    async with shop.under_load():
        for step in drawn(
            shop.name, shop.seed, lambda chance: bursts(chance, BURSTS, "kill", WORKERS)
        ):  # fmt: skip
            await asyncio.sleep(step.wait)
            killed = time.monotonic()
            for slot in step.to:
                at[slot].signal(signal.SIGKILL)
                await at[slot].ended()
                at[slot] = fleet.start(slot)
            shop.deeds += 1
        await shop.recovered("the last burst", killed)
    await shop.conclude()


async def test_fault_2_rolling_restart_moves_no_partition(begin: Begin) -> None:
    """Under static membership a worker that is back in time finds its partitions its own."""
    shop = await begin("2 rolling restart", LADDER_SESSION_TIMEOUT="30")
    fleet = shop.fleet
    at = {slot: fleet.start(slot, LADDER_INSTANCE_ID=f"w-{slot}") for slot in range(WORKERS)}
    await fleet.ready()
    async with shop.under_load() as events:
        for slot, member in list(at.items())[: None if LONG else 2]:
            had = {other: await worker.partitions() for other, worker in at.items()}
            seen = {
                other: len(worker.events("partitions assigned")) for other, worker in at.items()
            }
            began = time.monotonic()
            await member.stop()
            left = time.monotonic() - began
            at[slot] = fleet.start(slot, LADDER_INSTANCE_ID=f"w-{slot}")
            await fleet.ready()
            shop.notes.append(
                f"worker {slot}: gone after {left:.1f} s, all partitions ready again "
                f"{time.monotonic() - began:.1f} s after SIGTERM"
            )
            assert {other: await worker.partitions() for other, worker in at.items()} == had
            for other, worker in at.items():
                if other != slot:
                    assert len(worker.events("partitions assigned")) == seen[other], "it moved"
            await shop.recovered(f"restart of {slot}", began)
        assert events.sent
    await shop.conclude()


async def test_fault_3_a_zombie_writes_nothing_and_comes_back(begin: Begin) -> None:
    """Stopped for longer than its session, in the middle of a transaction; then it goes on."""
    shop = await begin("3 SIGSTOP past the session")
    fleet = shop.fleet
    zombie, other = fleet.start(0), fleet.start(1)
    await fleet.ready()
    async with shop.under_load() as events:
        for _ in range(PAUSES):
            await events.reaches(100)
            paused = time.monotonic()
            zombie.signal(signal.SIGSTOP)
            await fleet.ready(other)
            await shop.recovered("the pause, by the other", paused)
            back = time.monotonic()
            zombie.signal(signal.SIGCONT)
            await fleet.ready(zombie, other)
            await shop.recovered("the zombie's return", back)
            zombie, other = other, zombie
    await shop.conclude()


async def test_fault_8_from_one_worker_to_three_and_back(begin: Begin) -> None:
    """Under load; and once there are more workers than partitions."""
    shop = await begin("8 scale 1 to 3 to 1", partitions=2)
    fleet = shop.fleet
    left: list[float] = []
    fleet.start(0)
    await fleet.ready()
    async with shop.under_load() as events:
        for slot in range(1, WORKERS):
            began = time.monotonic()
            fleet.start(slot)
            await fleet.ready_again()
            await shop.recovered(f"worker {slot} joined", began)
        await events.reaches(100)
        for member in fleet.running[:-1]:
            began = time.monotonic()
            await member.stop()
            left.append(time.monotonic() - began)
            await fleet.ready_again()
            await shop.recovered("one left", began)
    pauses = [pause for member in fleet.members for pause in member.pauses()]
    assert pauses, "partitions stay where they are in some of these rebalances"
    shop.notes += [
        f"a partition that stayed stood still for {max(pauses):.1f} s at most, of {len(pauses)}",
        f"a worker was gone {max(left):.1f} s after SIGTERM at most",
    ]
    await shop.conclude()
