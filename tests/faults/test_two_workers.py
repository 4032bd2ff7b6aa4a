"""Several workers while events come in: one joins, one leaves, one dies, one stands still.

The shop sends everything to one topic. So within a partition events come in the order of their
times, whenever a worker looks, and the changes have to be those of the backtest to the letter.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.sending import sending
from tests.faults.setting_up import trial
from tests.faults.verdict import Trial
from tests.kafka.broker import Kafka


@pytest.fixture
async def shop(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Trial]:
    made = await trial(kafka.bootstrap, unique, tmp_path, seed=3, lanes=1)
    yield made
    made.fleet.kill()
    print(dict(made.compared))


async def conclude(shop: Trial) -> None:
    """Leave one worker, which then has everything; compare; look at all stores."""
    for member in shop.fleet.running[1:]:
        await member.stop()
    await shop.fleet.ready()
    await shop.at_rest()
    await shop.check()
    await shop.fleet.stop()
    await shop.check_stores()


async def test_workers_that_join_die_and_leave_lose_and_double_nothing(shop: Trial) -> None:
    fleet = shop.fleet
    first = fleet.start(0)
    await fleet.ready()
    async with sending(shop, shop.tale.chapter(4_000, 100)) as events:
        second = fleet.start(1)
        await fleet.ready(first, second)
        await events.reaches(100)
        first.signal(signal.SIGKILL)
        await fleet.ready(second)
        await events.reaches(100)
        third = fleet.start(0)
        await fleet.ready(second, third)
        await events.reaches(100)
        await second.stop()
        await fleet.ready(third)
    await conclude(shop)


async def test_a_worker_that_stood_still_longer_than_its_session_comes_back_without_harm(
    shop: Trial,
) -> None:
    fleet = shop.fleet
    first, second = fleet.start(0), fleet.start(1)
    await fleet.ready()
    async with sending(shop, shop.tale.chapter(4_000, 100)) as events:
        await events.reaches(200)
        first.signal(signal.SIGSTOP)
        await fleet.ready(second)
        await events.reaches(200)
        first.signal(signal.SIGCONT)
        await fleet.ready(first, second)
        await events.reaches(100)
    await conclude(shop)
