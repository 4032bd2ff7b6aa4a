"""A worker that does not get on though it could is ended; one that has nothing to do is not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping

import pytest
from aiokafka.structs import TopicPartition
from structlog.testing import capture_logs

from app.stream.watchdog import Watchdog

EARLY, LATE = TopicPartition("purchases", 0), TopicPartition("reviews", 0)
SECONDS = 60


class FakePartition:
    def __init__(self) -> None:
        self.state = "ready"
        self.stands_at = 7
        self.at = {EARLY: 5, LATE: 5}

    def positions(self) -> Mapping[TopicPartition, int]:
        return self.at


class Rig:
    """A watchdog over one partition, looking once a second."""

    def __init__(self) -> None:
        self.now = 0.0
        self.kafka = True
        self.while_asked: list[Mapping[TopicPartition, float]] = []
        self.partition = FakePartition()
        self.partitions = {0: self.partition}
        self.ends = {EARLY: 5, LATE: 5}
        self.errors: list[BaseException] = []
        self.dog = Watchdog(self, SECONDS, self.answers, clock=lambda: self.now)

    def end_of(self, tp: TopicPartition) -> int:
        return self.ends[tp]

    def stop_worker(self, error: BaseException) -> None:
        self.errors.append(error)

    async def answers(self, places: Iterable[TopicPartition]) -> bool:
        self.while_asked.append(self.dog.stalled)
        return self.kafka

    async def after(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            await self.dog.look()


@pytest.fixture
async def rig() -> Rig:
    rig = Rig()
    await rig.dog.look()
    return rig


async def test_without_lag_it_may_be_quiet_for_ever(rig: Rig) -> None:
    await rig.after(10 * SECONDS)
    assert rig.errors == []


async def test_lag_without_a_commit_ends_the_worker_and_says_what_it_was_doing(rig: Rig) -> None:
    rig.ends[EARLY] = 9
    await rig.after(SECONDS)
    assert rig.dog.stalled == {}
    with capture_logs() as said:
        await rig.after(2)
    assert "purchases[0]" in str(rig.errors[0])
    assert set(rig.dog.stalled) == {EARLY}
    (state,) = (line for line in said if line["action"] == "watchdog-partition")
    assert (state["state"], state["positions"]["purchases"], state["ends"]["purchases"]) == (
        "ready", 5, 9,
    )  # fmt: skip
    (stacks,) = (line for line in said if line["action"] == "watchdog-stacks")
    assert any("test_lag_without_a_commit" in task for task in stacks["tasks"])
    assert any("_write_down" in thread for thread in stacks["threads"])


async def test_a_topic_may_wait_while_another_of_its_partition_gets_on(rig: Rig) -> None:
    """Its records are later: a backlog of a year may lie in the other."""
    rig.ends = {EARLY: 1_000_000, LATE: 9}
    for _ in range(10):
        await rig.after(SECONDS // 2)
        rig.partition.at = {EARLY: rig.partition.at[EARLY] + 1, LATE: 5}
    assert rig.errors == []


async def test_what_is_due_moves_no_offset_and_is_work(rig: Rig) -> None:
    rig.ends[EARLY] = 9
    for _ in range(10):
        await rig.after(SECONDS // 2)
        rig.partition.stands_at += 1
    assert rig.errors == []


async def test_while_kafka_does_not_answer_nobody_is_ended_for_it(rig: Rig) -> None:
    rig.ends[EARLY] = 9
    rig.kafka = False
    await rig.after(SECONDS + 2)
    assert rig.errors == []
    assert rig.dog.stalled == {}
    assert rig.while_asked == [{}], "nothing is said of it before Kafka has answered"
    rig.kafka = True
    await rig.after(SECONDS // 2)
    assert rig.errors == []
    await rig.after(SECONDS)
    assert len(rig.errors) >= 1


async def test_time_in_which_the_process_was_paused_does_not_count(rig: Rig) -> None:
    rig.ends[EARLY] = 9
    await rig.after(SECONDS // 2)
    rig.now += 10 * SECONDS
    await rig.after(SECONDS // 2)
    assert rig.errors == []


async def test_time_spent_restoring_does_not_count(rig: Rig) -> None:
    rig.ends[EARLY] = 9
    await rig.after(SECONDS - 1)
    rig.partition.state = "restoring"
    await rig.after(2 * SECONDS)
    rig.partition.state = "ready"
    await rig.after(SECONDS - 1)
    assert rig.errors == []


async def test_a_partition_that_left_does_not_count(rig: Rig) -> None:
    rig.ends[EARLY] = 9
    await rig.after(SECONDS)
    rig.partitions.clear()
    await rig.after(SECONDS)
    assert rig.errors == []


def hung(program: str) -> subprocess.CompletedProcess[str]:
    start = (
        "import asyncio, time\n"
        "from app.stream import watchdog\n"
        "watchdog.TURN_SECONDS = 0.05\n"
        "async def main():\n"
        "    watching = watchdog.LoopWatch(asyncio.get_running_loop(), 0.3)\n"
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
