"""Workers that come and go, die and stand still at random: the schedule is that of a seed.

`FAULT_SEEDS=10:20 make faults` tries others.
"""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from app.stream.faults import POINTS
from tests.faults.fleet import Fleet, Member
from tests.faults.schedule import LONG
from tests.faults.sending import sending
from tests.faults.setting_up import trial
from tests.kafka.broker import Kafka

FIRST, BEYOND = map(int, os.environ.get("FAULT_SEEDS", "0:3" if LONG else "0:1").split(":"))
SLOTS = 3
STEPS = 14 if LONG else 6
EVENTS = 12_000

pytestmark = pytest.mark.slow


class Schedule:
    """What is done to workers next, by chance; every step is printed."""

    def __init__(self, fleet: Fleet, chance: random.Random) -> None:
        self.fleet, self.chance = fleet, chance
        self.slots: dict[int, Member] = {}
        self.kills = 0

    def running(self) -> dict[int, Member]:
        return {slot: member for slot, member in self.slots.items() if member.runs}

    async def step(self) -> None:
        running = self.running()
        can = ["kill"] * bool(running) + ["leave", "pause"] * (len(running) > 1)
        can += ["join", "join", "join and die"] * (len(running) < SLOTS)
        what = self.chance.choice(can if running else ["join"])
        slot = self.chance.choice(sorted(running)) if running else 0
        if what.startswith("join"):
            slot = self.chance.choice(sorted({*range(SLOTS)} - {*running}))
        print(what, slot, flush=True)
        await self._do(what, slot)
        if self.chance.random() < 0.5 and self.running():
            await self.fleet.ready()

    async def _do(self, what: str, slot: int) -> None:
        match what:
            case "join":
                self.slots[slot] = self.fleet.start(slot)
            case "join and die":
                fault = f"{self.chance.choice(POINTS)}:{self.chance.randrange(1, 20)}:kill"
                print("  at", fault, flush=True)
                self.slots[slot] = self.fleet.start(slot, LADDER_FAULT=fault)
                self.kills += 1
            case "leave":
                await self.slots[slot].quit()
            case "kill":
                self.slots[slot].signal(signal.SIGKILL)
                await self.slots[slot].ended()
                self.kills += 1
            case "pause":
                self.slots[slot].signal(signal.SIGSTOP)
                others = [member for number, member in self.running().items() if number != slot]
                await self.fleet.taken_over(others)
                self.slots[slot].signal(signal.SIGCONT)


@pytest.mark.parametrize("seed", range(FIRST, BEYOND))
async def test_whatever_happens_to_workers_nothing_is_lost_and_nothing_comes_twice(
    kafka: Kafka, unique: str, tmp_path: Path, seed: int
) -> None:
    shop = await trial(kafka.bootstrap, unique, tmp_path, seed=seed, lanes=1)
    schedule = Schedule(shop.fleet, random.Random(seed))
    try:
        async with sending(shop, shop.tale.chapter(EVENTS, 300)) as events:
            for _ in range(STEPS):
                await schedule.step()
                await events.reaches(schedule.chance.randrange(20, 600))
        for member in schedule.running().values():
            await member.quit()
        shop.fleet.start(0)
        await shop.at_rest()
        await shop.check()
        await shop.fleet.stop()
        await shop.check_stores()
        print(seed, schedule.kills, "kills", dict(shop.compared))
    finally:
        shop.fleet.kill()
