"""Workers that are killed on the embedded broker, where nobody else would expel them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.embedded.broker import EmbeddedBroker
from tests.faults.fleet import Member
from tests.faults.setting_up import FEW, trial
from tests.faults.verdict import Trial
from tests.system.test_embedded_smoke import each_header_once


@pytest.fixture
async def shop(
    embedded_broker: EmbeddedBroker, unique: str, tmp_path: Path
) -> AsyncIterator[Trial]:
    # One topic: so its order is that of time, whatever of it was read before the kill.
    made = await trial(embedded_broker.bootstrap, unique, tmp_path, seed=5, few=FEW, lanes=1)
    yield made
    made.fleet.kill()


async def tell(shop: Trial) -> None:
    await shop.tell(each_header_once(shop.tale.chapter(100, 10)))


def kill(member: Member) -> None:
    member.process.kill()
    member.process.wait()


async def test_a_worker_that_was_killed_has_its_partitions_again_when_it_is_started_again(
    shop: Trial,
) -> None:
    await tell(shop)
    first = shop.fleet.start()
    await shop.at_rest()
    await tell(shop)
    kill(first)
    await shop.fleet.ready(shop.fleet.start())
    await shop.at_rest()
    await shop.check()
    assert shop.compared["changes"] > 100


async def test_of_two_workers_one_is_killed_and_the_other_has_all_until_it_is_back(
    shop: Trial,
) -> None:
    await tell(shop)
    killed, other = shop.fleet.start(0), shop.fleet.start(1)
    await shop.fleet.ready(killed, other)
    await tell(shop)
    kill(killed)
    await shop.fleet.ready(other)
    await tell(shop)
    await shop.at_rest()
    await shop.fleet.ready(shop.fleet.start(0), other)
    await shop.at_rest()
    await shop.check()
    assert shop.compared["changes"] > 100
