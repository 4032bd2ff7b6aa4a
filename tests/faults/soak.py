"""Faults of all kinds, drawn by chance, for as long as wanted: `make soak MINUTES=30`.

It begins with twenty bursts of kills. Every ten minutes the load stops and everything said so far
is compared. Worker 0 is never ended, so that what it holds in memory can be watched.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from tests.faults.detour import Detour, detour
from tests.faults.fleet import Member
from tests.faults.load import Load
from tests.faults.memory import Memory
from tests.faults.ordeal import Ordeal, ordeal
from tests.faults.poison import with_poison
from tests.faults.schedule import Step, bursts, drawn, seed_of_run
from tests.faults.test_brokers_fail import fence
from tests.kafka.broker import Kafka

SLOTS = 4
LEAST_WAIT = 3
"""Seconds between two steps."""
ROUND = 600.0
"""Seconds of load between two comparisons."""
LEAST_PROGRESS = 10.0
"""Seconds without a commit that are too many while a majority of brokers is there."""
WEIGHTS = {
    "kill": 6, "restart": 3, "pause": 3, "take away": 2, "add": 4, "broker stops": 2,
    "broker dies": 2, "all brokers die": 1, "long road": 2, "cut": 3, "stall": 1, "poison": 2,
    "folder deleted": 1, "tables cut": 1, "fence": 2,
}  # fmt: skip


class Soak:
    """What a schedule can do to a shop. Slot 0 is spared whatever would end its process."""

    def __init__(self, shop: Ordeal, road: Detour, load: Load) -> None:
        self.shop, self.road, self.load = shop, road, load
        self.at: dict[int, Member] = {}

    def start(self, slot: int) -> None:
        self.at[slot] = self.shop.fleet.start(slot, LADDER_BROKERS=self.road.bootstrap)

    def others(self) -> dict[int, Member]:
        return {slot: member for slot, member in self.at.items() if slot and member.runs}

    async def do(self, step: Step) -> None:
        began = time.monotonic()
        await self._deeds[step.what](self, step.to)
        await self.shop.recovered(f"{step.what} {step.to}", began)

    async def kill(self, slots: tuple[int, ...]) -> None:
        for slot in set(slots) & {*self.others()}:
            self.at[slot].signal(signal.SIGKILL)
            await self.at[slot].ended()
            self.start(slot)

    async def restart(self, slots: tuple[int, ...]) -> None:
        for slot in set(slots) & {*self.others()}:
            await self.at[slot].quit()
            self.start(slot)

    async def pause(self, slots: tuple[int, ...]) -> None:
        paused = [self.at[slot] for slot in set(slots) & {*self.others()}]
        for member in paused:
            member.signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(2 * self.shop.fleet.settings.session_timeout)
        finally:
            for member in paused:
                member.signal(signal.SIGCONT)

    async def take_away(self, slots: tuple[int, ...]) -> None:
        for slot in set(slots) & {*self.others()}:
            await self.at[slot].quit()

    async def add(self, slots: tuple[int, ...]) -> None:
        for slot in set(slots) - {*self.others(), 0}:
            self.start(slot)

    async def broker_stops(self, nodes: tuple[int, ...]) -> None:
        await self._without(nodes[0], self.shop.cluster.stop)

    async def broker_dies(self, nodes: tuple[int, ...]) -> None:
        await self._without(nodes[0], self.shop.cluster.kill)

    async def _without(self, node: int, end: Callable[[int], None]) -> None:
        node = 1 + node % 3
        await asyncio.to_thread(end, node)
        await self.shop.recovered(f"broker {node} is away")
        await asyncio.to_thread(self.shop.cluster.start)

    async def all_brokers_die(self, _: tuple[int, ...]) -> None:
        with self.shop.progress.excused():
            await asyncio.to_thread(self.shop.cluster.kill)
            await asyncio.sleep(60)
            await asyncio.to_thread(self.shop.cluster.start)
            await self.shop.recovered("all brokers were away")

    async def long_road(self, _: tuple[int, ...]) -> None:
        self.road.delay = 0.1
        try:
            await self.load.reaches(150)
        finally:
            self.road.delay = 0.0

    async def cut(self, _: tuple[int, ...]) -> None:
        self.road.cut()

    async def stall(self, _: tuple[int, ...]) -> None:
        with self.shop.progress.excused():
            self.road.open.clear()
            try:
                await asyncio.sleep(60)
            finally:
                self.road.open.set()
            await self.shop.recovered("the road was blocked")

    async def poison(self, _: tuple[int, ...]) -> None:
        self.load.also.append(lambda: with_poison(self.shop))

    async def folder_deleted(self, slots: tuple[int, ...]) -> None:
        for slot in set(slots) & {*self.others()}:
            shutil.rmtree(self.at[slot].folder, ignore_errors=True)
        await self.kill(slots)

    async def tables_cut(self, slots: tuple[int, ...]) -> None:
        for slot in set(slots) & {*self.others()}:
            for table in self.at[slot].folder.glob("[0-9]/*.sst"):
                os.truncate(table, table.stat().st_size // 2)
        await self.kill(slots)

    async def fence(self, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            await fence(self.shop.fleet.settings, number)

    _deeds: dict[str, Callable[[Soak, tuple[int, ...]], Awaitable[None]]] = {  # noqa: RUF012
        "kill": kill, "restart": restart, "pause": pause, "take away": take_away, "add": add,
        "broker stops": broker_stops, "broker dies": broker_dies,
        "all brokers die": all_brokers_die, "long road": long_road, "cut": cut, "stall": stall,
        "poison": poison, "folder deleted": folder_deleted, "tables cut": tables_cut,
        "fence": fence,
    }  # fmt: skip


def steps(minutes: float, chance: random.Random) -> list[Step]:
    """More than fit into the time, when the soak ends."""
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    later = [
        Step(
            round(chance.uniform(LEAST_WAIT, 6), 2),
            chance.choices(kinds, weights)[0],
            tuple(sorted(chance.sample(range(SLOTS), chance.randint(1, 2)))),
        )
        for _ in range(int(minutes * 60 / LEAST_WAIT))
    ]
    return bursts(chance, 20, "kill", SLOTS) + later


@asynccontextmanager
async def shop_under_soak(seed: int) -> AsyncIterator[tuple[Ordeal, Detour]]:
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    cluster = Kafka(folder / "kafka", brokers=3, heap="256m", quick=True, detours=True)
    try:
        await asyncio.to_thread(cluster.start)
        async with (
            detour(cluster) as road,
            ordeal(cluster, f"soak {seed}", f"soak-{seed}", folder, seed=seed) as shop,
        ):
            yield shop, road
    finally:
        cluster.kill()
        shutil.rmtree(folder, ignore_errors=True)


async def soak(minutes: float, seed: int) -> bool:
    """Whether everything was right, and something was committed every ten seconds."""
    end = time.monotonic() + 60 * minutes
    async with shop_under_soak(seed) as (shop, road):
        planned = drawn(shop.name, seed, partial(steps, minutes))
        coming = iter(planned)
        soaked: Soak | None = None
        memory = Memory()
        while time.monotonic() < end and shop.deeds < len(planned):
            turn = min(end, time.monotonic() + ROUND)
            async with shop.under_load() as load:
                if soaked is None:
                    soaked = Soak(shop, road, load)
                    for slot in range(3):
                        soaked.start(slot)
                    await shop.fleet.ready()
                soaked.load = load
                async with memory.watching(shop.fleet):
                    while time.monotonic() < turn and (step := next(coming, None)):
                        await asyncio.sleep(step.wait)
                        await soaked.do(step)
            await shop.fleet.ready_again()
            for slot, member in soaked.others().items():
                print(f"  worker {slot} leaves for the comparison", flush=True)
                await member.stop()
            await shop.fleet.ready()
            await shop.trial.at_rest()
            await shop.compare()
            print(f"{time.monotonic() - shop.began:.0f} s: {dict(shop.trial.compared)}", flush=True)
            for slot in (1, 2):
                soaked.start(slot)
            await shop.fleet.ready_again()
        shop.notes += memory.report()
        await shop.conclude()
        quick = shop.progress.longest <= LEAST_PROGRESS
        if not quick:
            until = time.strftime("%H:%M:%S", time.gmtime(shop.progress.longest_until))
            shop.notes.append(
                f"nothing was committed for {shop.progress.longest:.1f} s until {until} UTC"
            )
    return quick


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=seed_of_run(random.randrange(10_000)))
    chosen = parser.parse_args()
    # The load's own clients meet dead brokers all the time, and say so thousands of times.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    return 0 if asyncio.run(soak(chosen.minutes, chosen.seed)) else 1


if __name__ == "__main__":
    sys.exit(main())
