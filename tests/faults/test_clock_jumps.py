"""Fault 13: the machine's clock jumps an hour forward, over midnight, and back."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.faults.conftest import Begin
from tests.faults.purchases import purchase
from tests.faults.shifted import FILE, shift_clock
from tests.faults.tale import Chapter
from tests.oracle.clock import DAY, SECOND

pytestmark = pytest.mark.slow
HOUR = 3600


def where_it_is_midnight(hour: int) -> str:
    """The zone in which this hour of UTC is midnight; the names count westwards."""
    return f"Etc/GMT+{hour}" if hour <= 12 else f"Etc/GMT-{24 - hour}"


def purchases(chance: random.Random, begin: int, end: int, count: int) -> Chapter:
    """In order between two instants: of what they cause by time alone, all falls on midnights."""
    instants = sorted(chance.randrange(begin, end) for _ in range(count))
    told = [
        purchase(f"alone-{chance.randrange(24)}", at, number) for number, at in enumerate(instants)
    ]
    return Chapter(told, end)


async def test_fault_13_the_clock_jumps_forward_and_back(begin: Begin, tmp_path: Path) -> None:
    """What is due comes with the first jump, once; what comes later finds the clock set back."""
    start = int(time.time()) // HOUR * HOUR + HOUR // 2
    midnight = start + HOUR // 2
    zone = where_it_is_midnight(midnight // HOUR % 24)
    shop = await begin("13 clock jumps", clock="wall", zone=zone)
    trial, fleet = shop.trial, shop.fleet
    chance, clock = random.Random(shop.seed), tmp_path / "clock"

    def set_to(instant: float) -> None:
        shift_clock(clock, instant - time.time())

    async def told(chapter: Chapter) -> None:
        await trial.tell(chapter)
        await trial.at_rest()
        await trial.check()
        shop.events += len(chapter.told)

    set_to(start)
    fleet.start(0, module="tests.faults.shifted", **{FILE: str(clock)})
    await told(purchases(chance, start * SECOND - 11 * DAY, start * SECOND, 300))
    before = trial.compared["changes"]
    set_to(start + HOUR)
    await told(Chapter([], (start + HOUR) * SECOND))
    assert trial.compared["changes"] > 2 * before, "midnight has moved nobody"
    later = purchases(chance, (midnight + HOUR) * SECOND, (midnight + 3 * HOUR) * SECOND, 200)
    for part in range(0, 200, 20):
        set_to(start + chance.choice((0, HOUR)))
        end = (midnight + 3 * HOUR) * SECOND if part == 180 else 0
        piece = later.told[part : part + 20]
        await trial.tell(Chapter(piece, max(end, trial.reckoning.until)))
        await fleet.applied()
        shop.deeds += 1
    set_to(midnight + 3 * HOUR)
    await told(Chapter([], (midnight + 3 * HOUR) * SECOND))
    await shop.conclude()
