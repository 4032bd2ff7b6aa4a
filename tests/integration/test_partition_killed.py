"""A partition that is killed with SIGKILL at any step leaves nothing to undo."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from app.stream.faults import POINTS
from tests.integration.one_partition import Shop, applied, expected, history, outcome, state_of
from tests.kafka.broker import Kafka

PROGRAM = "tests.integration.partition_process"


async def run_until_killed(shop: Shop, fault: str) -> None:
    arguments = [shop.client["bootstrap_servers"], shop.name, str(shop.folder), fault]
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", PROGRAM, *arguments)
    async with asyncio.timeout(60):
        assert await process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_any_step_loses_nothing_and_doubles_nothing(
    kafka: Kafka, unique: str, tmp_path: Path, point: str
) -> None:
    shop = await Shop(kafka.bootstrap, unique, tmp_path).create()
    topics = history(10)
    for number, messages in enumerate(topics):
        await shop.send(messages, number)
    if point == "during-restore":
        async with shop.running(batch=50) as host:
            await applied(shop, host)
        (shop.folder / "0").rename(shop.folder / "gone")
    once = point in ("after-producer-init", "during-restore")
    await run_until_killed(shop, f"{point}:{1 if once else 2}:kill")
    async with shop.running() as host:
        await applied(shop, host)
    assert await outcome(shop) == expected(shop, *topics)
    rows, logged = await state_of(shop)
    assert rows == logged
