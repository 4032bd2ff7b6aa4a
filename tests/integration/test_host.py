"""The Faust side alone, on Apache Kafka: whatever happens to workers, every record once.

Each worker is a process whose partitions copy what they are offered (`counting_host`), so that the
output shows what the host did with the group, its fetches and its rebalances.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.kafka.broker import Kafka

PARTITIONS = 4
PATIENCE = 60.0


class Worker:
    """One process of `counting_host`, and what it said so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []

    async def says(self, start: str) -> str:
        """Wait for the next line that begins so."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode():
                self.said.append(line)
                if line.startswith(start):
                    return line
        raise AssertionError(f"it ended and never said {start!r}:\n{''.join(self.said)}")

    async def ends(self) -> int:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            self.said.append((await self.process.stdout.read()).decode())
            return await self.process.wait()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


class Group:
    """An application of its own on the broker: topics, producers, workers."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self.bootstrap, self.name = bootstrap, name
        self.sources = (f"{name}-a", f"{name}-b")
        self.output = f"{name}-out"
        self.workers: list[Worker] = []
        self.sent = 0

    async def create(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        names = (*self.sources, self.output, f"{self.name}-customers-changelog")
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
        await admin.close()

    async def worker(self) -> Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.counting_host",
            self.bootstrap, self.name, ",".join(self.sources), self.output, "0",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, limit=1 << 20,
        )  # fmt: skip
        self.workers.append(Worker(process))
        return self.workers[-1]

    async def send(self, count: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=2) as producer:
            for number in range(self.sent, self.sent + count):
                source = self.sources[number % 2]
                await producer.send(source, b"%d" % number, partition=number // 2 % PARTITIONS)
        self.sent += count

    async def copied(self) -> Counter[bytes]:
        """How often each record came out; waits until as many different ones as were sent did."""
        seen: Counter[bytes] = Counter()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        )
        async with consumer:
            tps = [TopicPartition(self.output, number) for number in range(PARTITIONS)]
            consumer.assign(tps)
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    while len(seen) < self.sent or await self._behind(consumer, tps):
                        for records in (await consumer.getmany(timeout_ms=200)).values():
                            seen.update(record.value for record in records)
        return seen

    async def _behind(self, consumer: AIOKafkaConsumer, tps: list[TopicPartition]) -> bool:
        ends = await consumer.end_offsets(tps)
        return any([await consumer.position(tp) < ends[tp] for tp in tps])

    async def members(self) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        (answer,) = await admin.describe_consumer_groups([self.name])
        await admin.close()
        ((_, _, _, _, _, members, *_),) = answer.groups
        return len(members)

    async def end(self) -> None:
        for worker in self.workers:
            if worker.process.returncode is None:
                worker.process.kill()
                await worker.process.wait()


@pytest.fixture
async def group(kafka: Kafka, unique: str) -> AsyncIterator[Group]:
    group = Group(kafka.bootstrap, unique)
    await group.create()
    yield group
    await group.end()


def once(group: Group, copied: Counter[bytes]) -> None:
    """Every record that was sent came out, and none twice."""
    missing = group.sent - len(copied)
    doubled = [value for value, times in copied.items() if times > 1]
    assert (missing, doubled) == (0, [])


async def test_a_joining_and_a_leaving_worker_lose_and_double_nothing(group: Group) -> None:
    first = await group.worker()
    await first.says("consumes")
    sending = asyncio.create_task(group.send(20_000))
    second = await group.worker()
    await second.says("consumes")
    first.signal(signal.SIGTERM)
    assert await first.ends() == 0
    await sending
    once(group, await group.copied())
    second.signal(signal.SIGTERM)
    assert await second.ends() == 0


async def test_a_killed_worker_is_taken_over_from_without_loss(group: Group) -> None:
    first, second = await group.worker(), await group.worker()
    await first.says("consumes")
    await second.says("consumes")
    sending = asyncio.create_task(group.send(20_000))
    first.signal(signal.SIGKILL)
    await sending
    once(group, await group.copied())


async def test_a_worker_that_was_paused_for_too_long_comes_back_and_doubles_nothing(
    group: Group,
) -> None:
    """Its partitions are taken over while it stands still; then it is fenced and joins anew."""
    first = await group.worker()
    await first.says("started")
    second = await group.worker()
    await second.says("started")
    await group.send(2_000)
    first.signal(signal.SIGSTOP)
    sending = asyncio.create_task(group.send(10_000))
    for _ in range(PARTITIONS):
        await second.says("consumes")  # what it had, and what the paused one had
    first.signal(signal.SIGCONT)
    await sending
    await first.says("consumes")
    await group.send(2_000)
    once(group, await group.copied())


async def test_a_stopping_worker_leaves_the_group_itself(group: Group) -> None:
    """So its partitions are handed over at once, and nobody waits for a session to time out."""
    first = await group.worker()
    await first.says("started")
    second = await group.worker()
    await second.says("started")
    first.signal(signal.SIGTERM)
    assert await first.ends() == 0
    assert await group.members() == 1
    await second.says("consumes")
