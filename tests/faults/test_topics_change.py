"""Faults 10 and 11: records deleted before they were read, and a topic with one partition more."""

from __future__ import annotations

import itertools
import re
import shlex
import shutil

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewPartitions, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.stream import clients
from tests.faults import rest
from tests.faults.conftest import Begin
from tests.faults.fleet import Fleet

pytestmark = pytest.mark.slow


async def test_fault_10_input_deleted_before_it_was_read(begin: Begin) -> None:
    """The worker says which records are lost; with the command that it tells it goes on."""
    shop = await begin("10 input retention")
    trial, fleet = shop.trial, shop.fleet
    await trial.tell(trial.tale.chapter(200, 4))
    worker = fleet.start(0)
    await trial.at_rest()
    await worker.stop()

    lost = trial.tale.chapter(200, 4, bad=False)
    await fleet.send(lost.told)
    topic = fleet.settings.topics[0]
    before = await committed(fleet, topic)
    await delete(fleet, {place: at + 3 for place, at in before.items()})
    worker = fleet.start(0)
    assert await worker.ended() == 1
    told = worker.tail()
    assert "Traceback" not in told
    assert "were deleted before they were read" in told
    commands = re.findall(r"kafka-consumer-groups .*?--execute", told)
    assert commands, told
    # All that was not read is given up, so that a backtest without it can be held against this.
    async with clients.consumer(fleet.settings) as consumer:
        await delete(fleet, await consumer.end_offsets([*before]))
    fleet.members.remove(worker)
    worker = fleet.start(0)
    assert await worker.ended() == 1
    fatal = [line for line in worker.said() if line.get("action") == "fatal-error"][-1]
    for command in re.findall(r"kafka-consumer-groups .*?--execute", fatal["error"]):
        await run(fleet, command)
    assert await is_whole(fleet), "one start tells of every partition"
    fleet.members.remove(worker)
    await trial.tell(trial.tale.chapter(200, 4))
    fleet.start(0)
    await trial.at_rest()
    await trial.check()
    await fleet.stop()
    await trial.check_stores()
    shop.events, shop.verdict = len(trial.reckoning.told), "right"


async def test_fault_10_changelog_deleted(begin: Begin) -> None:
    """Where only the changelog had the state it is gone, and no worker goes on with half of it."""
    shop = await begin("10 changelog deleted")
    trial, fleet = shop.trial, shop.fleet
    await trial.tell(trial.tale.chapter(200, 4))
    worker = fleet.start(0)
    await trial.at_rest()
    await worker.stop()
    async with clients.consumer(fleet.settings) as consumer:
        changelog = rest.places(fleet.settings, [fleet.settings.changelog])
        ends = await consumer.end_offsets(changelog)
    await set_cleanup(fleet, "delete")  # brokers delete nothing from a topic that is compacted
    await delete(fleet, {place: at // 2 for place, at in ends.items()})
    await set_cleanup(fleet, "compact")
    data = worker.folder
    shutil.move(data, data.with_name("elsewhere"))
    worker = fleet.start(0)
    assert await worker.ended() == 1
    told = worker.tail()
    assert "Traceback" not in told
    assert fleet.settings.changelog in told
    assert "LADDER_APP_ID" in told
    fleet.members.remove(worker)

    # The worker that still has it in its folder goes on.
    shutil.rmtree(data)
    shutil.move(data.with_name("elsewhere"), data)
    fleet.start(0)
    await trial.tell(trial.tale.chapter(200, 4))
    await trial.at_rest()
    await trial.check()
    await fleet.stop()
    shop.events, shop.verdict = len(trial.reckoning.told), "right"


async def test_fault_11_a_topic_with_one_partition_more(begin: Begin) -> None:
    """Neither a running worker nor a new one takes it: customers would lie elsewhere."""
    shop = await begin("11 partitions raised")
    fleet = shop.fleet
    topic, partitions = fleet.settings.topics[0], fleet.settings.partitions
    worker = fleet.start(0)
    await fleet.ready()
    async with shop.under_load() as events:
        await events.reaches(200)
    async with clients.admin(fleet.settings) as admin:
        await admin.create_partitions({topic: NewPartitions(partitions + 1)})
    assert await worker.ended() == 1
    refused = fleet.start(1)
    assert await refused.ended() == 1
    for said in (worker.tail(), refused.tail()):
        assert f"{topic} has {partitions + 1} partitions and must have {partitions}" in said
        assert "LADDER_APP_ID" in said
        assert "Traceback" not in said
    shop.verdict = "refused"


async def committed(fleet: Fleet, topic: str) -> dict[TopicPartition, int]:
    async with clients.admin(fleet.settings) as admin:
        found = await rest.committed(admin, fleet.settings)
    return {place: at for place, at in found.items() if place.topic == topic}


async def is_whole(fleet: Fleet) -> bool:
    """Whether everything that comes next is there."""
    async with clients.admin(fleet.settings) as admin, clients.consumer(fleet.settings) as consumer:
        at = await rest.committed(admin, fleet.settings)
        begins = await consumer.beginning_offsets([*at])
    return all(at[place] >= begin for place, begin in begins.items())


async def delete(fleet: Fleet, before: dict[TopicPartition, int]) -> None:
    """As retention would."""
    async with clients.admin(fleet.settings) as admin:
        await admin.delete_records({
            place: RecordsToDelete(before_offset=at) for place, at in before.items()
        })  # fmt: skip


async def run(fleet: Fleet, command: str) -> None:
    """Do what a command of Kafka's own says; the tool itself is not among the test's jars."""
    program, *words = shlex.split(command)
    told = dict(itertools.pairwise(words))
    assert program == "kafka-consumer-groups"
    assert "--reset-offsets" in words
    assert "--execute" in words
    assert told["--bootstrap-server"] == fleet.settings.brokers
    topic, _, number = told["--topic"].rpartition(":")
    place = TopicPartition(topic, int(number))
    async with AIOKafkaConsumer(
        **clients.arguments(fleet.settings), group_id=told["--group"], enable_auto_commit=False
    ) as consumer:
        consumer.assign([place])
        await consumer.commit({place: int(told["--to-offset"])})


async def set_cleanup(fleet: Fleet, policy: str) -> None:
    resource = ConfigResource(
        ConfigResourceType.TOPIC, fleet.settings.changelog, {"cleanup.policy": policy}
    )
    async with clients.admin(fleet.settings) as admin:
        await admin.alter_configs([resource])
