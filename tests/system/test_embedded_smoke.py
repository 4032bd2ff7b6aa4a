"""The same on the embedded broker: a worker comes to what a backtest of the same events finds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.embedded.broker import EmbeddedBroker
from tests.faults.setting_up import trial
from tests.faults.tale import Chapter
from tests.faults.verdict import Trial


@pytest.fixture
async def shop(
    embedded_broker: EmbeddedBroker, unique: str, tmp_path: Path
) -> AsyncIterator[Trial]:
    made = await trial(embedded_broker.bootstrap, unique, tmp_path, seed=6, partitions=2)
    yield made
    made.fleet.kill()


def each_header_once(chapter: Chapter) -> Chapter:
    """Of headers with the same name the embedded broker keeps the last."""
    told = [replace(one, headers=tuple(dict(one.headers).items())) for one in chapter.told]
    return replace(chapter, told=told)


async def test_on_the_embedded_broker_a_worker_publishes_what_the_backtest_finds(
    shop: Trial,
) -> None:
    for _ in range(2):
        await shop.tell(each_header_once(shop.tale.chapter(250, 25)))
        worker = shop.fleet.start()
        await shop.at_rest()
        await shop.check()
        await worker.stop()
        await shop.check_stores()
    assert shop.compared["changes"] > 500
