"""A partition that stands still is noticed; one that has nothing to do is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping

import pytest
from aiokafka.structs import TopicPartition

from app.ops.registry import Metrics
from app.stream.watch import STALLED_SECONDS, STUCK_SECONDS, Watch

TP = TopicPartition("commerce.purchases", 0)


class FakePartition:
    def __init__(self) -> None:
        self.state = "ready"
        self.at = 5

    def positions(self) -> Mapping[TopicPartition, int]:
        return {TP: self.at}


class FakeAssignment:
    def __init__(self) -> None:
        self.partition = FakePartition()
        self.partitions = {0: self.partition}
        self.generation: int | None = 1
        self.end = 5
        self.failures: list[BaseException] = []
        self.reopened: list[int] = []

    def end_of(self, tp: TopicPartition) -> int:
        return self.end

    def failed(self, number: int, error: BaseException) -> None:
        self.failures.append(error)

    def reopen(self, number: int) -> None:
        self.reopened.append(number)


class Rig:
    def __init__(self) -> None:
        self.now = 0.0
        self.assignment = FakeAssignment()
        self.metrics = Metrics()
        self.watch = Watch(self.assignment, self.metrics, fenced_for=15.0, clock=lambda: self.now)

    def after(self, seconds: float) -> None:
        self.now += seconds
        self.watch.look()


@pytest.fixture
async def rig() -> Rig:
    rig = Rig()
    rig.watch.look()
    return rig


async def test_without_lag_nothing_stalls_however_long_it_is_quiet(rig: Rig) -> None:
    rig.after(STUCK_SECONDS * 10)
    rig.after(STUCK_SECONDS * 10)
    assert rig.watch.stalled == {}
    assert rig.assignment.failures == []


async def test_lag_without_a_commit_is_said_and_then_ends_the_worker(rig: Rig) -> None:
    rig.assignment.end = 9
    rig.after(STALLED_SECONDS - 1)
    assert rig.watch.stalled == {}
    rig.after(2)
    assert TP in rig.watch.stalled
    rig.after(STUCK_SECONDS)
    assert "no commit for" in str(rig.assignment.failures[0])


async def test_a_commit_ends_a_stall_even_with_lag_left(rig: Rig) -> None:
    rig.assignment.end = 9
    rig.after(STALLED_SECONDS + 1)
    assert rig.watch.stalled
    rig.assignment.partition.at = 6
    rig.after(1)
    assert rig.watch.stalled == {}


async def test_a_partition_that_left_cannot_be_stalled(rig: Rig) -> None:
    rig.assignment.end = 9
    rig.after(STALLED_SECONDS + 1)
    rig.assignment.partitions.clear()
    rig.after(1)
    assert rig.watch.stalled == {}


async def test_time_spent_restoring_is_no_stall(rig: Rig) -> None:
    rig.assignment.end = 9
    rig.after(STALLED_SECONDS - 1)
    rig.assignment.partition.state = "restoring"
    rig.after(STALLED_SECONDS)
    rig.assignment.partition.state = "ready"
    rig.after(STALLED_SECONDS - 1)
    assert rig.watch.stalled == {}


async def test_lag_is_shown_by_topic_and_partition(rig: Rig) -> None:
    rig.assignment.end = 9
    rig.after(1)
    shown = rig.metrics.text().decode()
    assert 'ladder_lag_records{partition="0",topic="commerce.purchases"} 4.0' in shown
    assert 'ladder_partitions{state="ready"} 1.0' in shown


async def test_a_fenced_partition_that_stays_assigned_is_opened_again(rig: Rig) -> None:
    rig.assignment.partition.state = "closed"
    rig.after(1)
    rig.after(14)
    assert rig.assignment.reopened == []
    rig.after(2)
    assert rig.assignment.reopened == [0]


async def test_between_assignments_nothing_is_opened(rig: Rig) -> None:
    rig.assignment.partition.state = "closed"
    rig.assignment.generation = None
    rig.after(1)
    rig.after(100)
    assert rig.assignment.reopened == []


def hung(program: str) -> subprocess.CompletedProcess[str]:
    start = (
        "import asyncio, time\n"
        "from app.stream import watch\n"
        "watch.GRACE_SECONDS, watch.HUNG_SECONDS = 0.05, 0.3\n"
        "async def main():\n"
        "    watching = watch.LoopWatch(asyncio.get_running_loop())\n"
        "    watching.start()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", f"{start}{program}asyncio.run(main())\n"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_main_loop_that_hangs_ends_the_process_and_shows_where() -> None:
    ended = hung("    time.sleep(60)\n")
    assert ended.returncode == 1
    assert "in main" in ended.stderr


def test_a_main_loop_that_turns_goes_on() -> None:
    ended = hung("    await asyncio.sleep(1.5)\n    watching.stop()\n")
    assert (ended.returncode, ended.stderr) == (0, "")
