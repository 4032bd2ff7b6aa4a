"""What a partition did is in the metrics once it is committed, and not before."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.ops import metrics as m
from app.stream.transaction import Fenced
from tests.unit.test_partition_alone import EVENTS, Rig, record

WEEK = 7 * 86_400


class Counted(Rig):
    def shown(self, name: str, **labels: str) -> float | None:
        """The value of a series, None when it is not there."""
        for family in text_string_to_metric_families(self.shop.metrics.text().decode()):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    def rounds_done(self) -> bool:
        """Also the counting, which comes after the commit."""
        return self.shown(m.LAST_COMMIT.name, partition="0") is not None


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Counted]:
    rig = Counted(tmp_path)
    rig.partition.start()
    yield rig
    await rig.partition.close()


async def test_a_batch_is_counted_when_it_is_committed(rig: Counted) -> None:
    before = time.time()
    rig.writer.held.clear()
    rig.offer(record(0, "signup.inquired", 1), record(1, "signup.inquired", 20))
    await rig.until(lambda: rig.partition.arrived() == 0)
    assert not rig.rounds_done()
    rig.writer.held.set()
    await rig.until(rig.rounds_done)
    of_type = {"topic": "events", "type": "signup.inquired"}
    assert rig.shown(m.RECORDS_IN.name, **of_type) == 2
    assert rig.shown(m.EVENTS_APPLIED.name, type="signup.inquired") == 2
    assert (rig.shown(m.LAST_COMMIT.name, partition="0") or 0) >= before
    assert rig.shown(m.CACHE_LOOKUPS.name, result="miss") == 1


async def test_a_stay_that_ended_is_counted_under_the_rung_that_was_left(rig: Counted) -> None:
    """The window of seven days ran out between the two events."""
    rig.offer(record(0, "signup.inquired", 1), record(1, "signup.inquired", 20))
    await rig.until(rig.rounds_done)
    rung = {"ladder": "asked", "rung": "curious"}
    assert rig.shown(f"{m.DWELL.name}_sum", **rung) == WEEK
    assert rig.shown(f"{m.DWELL.name}_count", **rung) == 1


async def test_a_customer_who_comes_again_is_at_hand(rig: Counted) -> None:
    rig.offer(record(0, "signup.inquired", 1))
    await rig.until(rig.rounds_done)
    rig.offer(record(1, "signup.inquired", 2))
    await rig.until(lambda: rig.shown(m.CACHE_LOOKUPS.name, result="hit") == 1)
    assert rig.shown(m.CACHE_LOOKUPS.name, result="miss") == 1


async def test_once_all_is_committed_nothing_waits(rig: Counted) -> None:
    rig.offer(record(0, "signup.inquired", 1))
    await rig.until(rig.rounds_done)
    await rig.until(lambda: rig.partition.arrived() is None)
    assert rig.partition.positions()[EVENTS] == 1
    sizes = rig.partition.sizes(10)
    assert sizes is not None
    assert sizes[0] > 0
    await rig.until(lambda: rig.shown(m.LAST_EVALUATED.name, partition="0") is not None)


async def test_a_partition_that_was_taken_over_is_counted(rig: Counted) -> None:
    rig.writer.troubles.append(Fenced("another"))
    rig.offer(record(0, "signup.inquired", 1))
    await rig.until(lambda: rig.partition.state == "closed")
    assert rig.shown(m.PARTITIONS_FENCED.name) == 1
    assert not rig.rounds_done()


async def test_no_series_of_a_partition_is_left_when_it_left(rig: Counted) -> None:
    rig.offer(record(0, "signup.inquired", 1))
    await rig.until(rig.rounds_done)
    await rig.partition.close()
    assert 'partition="0"' in rig.shop.metrics.text().decode()
    rig.shop.metrics.forget(0)
    assert re.findall(r'.*partition="0".*', rig.shop.metrics.text().decode()) == []
