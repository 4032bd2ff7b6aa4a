"""Consumer groups on the embedded broker: who died is expelled, and who lives goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import CoordinationType
from aiokafka.protocol.coordination import FindCoordinatorRequest

from app.embedded.broker import EmbeddedBroker

PARTITIONS = 6
MEMBER = """
import asyncio, sys
from aiokafka import AIOKafkaConsumer

async def consume(bootstrap, topic):
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=topic, enable_auto_commit=False,
        session_timeout_ms=6000, heartbeat_interval_ms=500,
    )
    await consumer.start()
    while True:
        await consumer.getmany(timeout_ms=100)
        print(len(consumer.assignment()), flush=True)

asyncio.run(consume(*sys.argv[1:]))
"""
"""Its session is the shortest that brokers allow."""


class Members:
    """Processes with a member each; what each prints is how many partitions it has."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._command = [sys.executable, "-c", MEMBER, bootstrap, topic]
        self._all: list[subprocess.Popen[str]] = []

    def start(self) -> subprocess.Popen[str]:
        self._all.append(subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True))
        return self._all[-1]

    def end(self) -> None:
        for process in self._all:
            process.kill()
            process.communicate()


def have(count: int, *members: subprocess.Popen[str]) -> None:
    """Read on until each has so many; the run's own time limit is the only clock."""
    for process in members:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == count:
                break
        else:
            pytest.fail("a member ended")


@pytest.fixture
async def topic(embedded_broker: EmbeddedBroker, unique: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=embedded_broker.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(unique, PARTITIONS, 1)])
    await admin.close()
    return unique


@pytest.fixture
def members(embedded_broker: EmbeddedBroker, topic: str) -> Iterator[Members]:
    made = Members(embedded_broker.bootstrap, topic)
    yield made
    made.end()


def test_who_joins_after_the_only_member_was_killed_gets_all(members: Members) -> None:
    killed = members.start()
    have(6, killed)
    killed.kill()
    have(6, members.start())


def test_what_a_killed_member_had_goes_to_all_the_others(members: Members) -> None:
    one, two, killed = (members.start() for _ in range(3))
    have(2, one, two, killed)
    killed.kill()
    have(3, one, two)


def test_one_that_stood_still_for_too_long_is_a_member_again_when_it_goes_on(
    members: Members,
) -> None:
    one, still = members.start(), members.start()
    have(3, one, still)
    still.send_signal(signal.SIGSTOP)
    have(6, one)
    still.send_signal(signal.SIGCONT)
    have(3, one)


async def test_clients_learn_no_other_address_than_the_one_they_came_to(
    embedded_broker: EmbeddedBroker, topic: str
) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=embedded_broker.bootstrap, group_id=topic)
    await consumer.start()
    try:
        client = consumer._client
        request = FindCoordinatorRequest(topic, CoordinationType.GROUP)
        coordinator = await client.send(client.get_random_node(), request)
        ports = {each.port for each in (*client.cluster.brokers(), coordinator)}
        assert ports == {embedded_broker.port}
    finally:
        await consumer.stop()
