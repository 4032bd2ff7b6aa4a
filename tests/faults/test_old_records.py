"""Fault 14: a changelog and a store in which rows of every version lie that was ever written."""

from __future__ import annotations

import pytest

from app.wire.record import HOT, VERSION
from tests.faults import recorded
from tests.faults.conftest import Begin
from tests.faults.load import find_places

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", range(1, VERSION + 1))
async def test_fault_14_records_of_an_old_version(begin: Begin, version: int) -> None:
    """They come back as they were, are read where they are touched, and nobody notices."""
    record = recorded.read(version)
    hot = [recorded.unpacked(one[4]) for one in record["records"] if is_hot(one)]
    assert {value[0] for value in hot if value} == {version}
    shop = await begin(
        f"14 records of version {version}", topics=recorded.name_of(record),
        partitions=recorded.PARTITIONS, texts=record["ladders"], seed=recorded.SEED,
    )  # fmt: skip
    trial, fleet = shop.trial, shop.fleet
    await recorded.put_back(fleet, record)
    trial.reckoning.follow(recorded.chapter_of(record))
    trial.tale.goes_on(record["until"])
    for _ in range(2):  # once from the changelog, and once from the store that was made of it
        await trial.tell(trial.tale.chapter(150, 5, bad=False))
        worker = fleet.start(0)
        await trial.at_rest()
        await find_places(trial)
        await trial.check()
        await worker.stop()
    await trial.check_stores()
    shop.events, shop.verdict = len(trial.reckoning.told), "right"


def is_hot(one: list[object]) -> bool:
    key = recorded.unpacked(str(one[3])) if one[3] else None
    return str(one[0]).endswith("-changelog") and key is not None and key[:1] == HOT
