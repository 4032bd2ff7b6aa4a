"""`kill -9` of a whole worker at every step of a partition's life and of its commits.

The points share one shop: each test tells its next chapter, kills a worker that takes it in, lets
another go on, and then compares everything told so far.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import uuid
from collections.abc import Iterator

import pytest

from app.stream.faults import POINTS
from tests.faults.setting_up import trial
from tests.faults.verdict import Trial
from tests.kafka.broker import Kafka

PARTITIONS = 3


@pytest.fixture(scope="module")
def shop(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    name = f"kill-points-{uuid.uuid4().hex[:8]}"
    folder = tmp_path_factory.mktemp("kill-points")
    made = asyncio.run(trial(kafka.bootstrap, name, folder, seed=2, partitions=PARTITIONS))
    yield made
    made.fleet.kill()
    print(dict(made.compared))


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_any_step_leaves_nothing_lost_and_nothing_twice(
    shop: Trial, point: str
) -> None:
    await shop.tell(shop.tale.chapter(150, 12, bad=point == POINTS[0]))
    if point == "during-restore":
        shutil.rmtree(shop.fleet.folder / "data-0")
    # Each partition passes each point at least once, so the last of them are in the middle.
    nth = 1 + POINTS.index(point) % PARTITIONS
    killed = shop.fleet.start(LADDER_FAULT=f"{point}:{nth}:kill", LADDER_INSTANCE_ID="one")
    assert await killed.ended() == -signal.SIGKILL, killed.tail()
    # Under the same instance id it need not wait until the dead one is missed.
    heir = shop.fleet.start(LADDER_INSTANCE_ID="one")
    await shop.at_rest()
    await shop.check()
    await heir.stop()
    await shop.check_stores()
