"""Topics are made, found and checked on both brokers in the same way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiokafka.admin import NewTopic

from app.embedded.ports import free_ports
from app.errors import BrokerError, TopicsError
from app.settings import Settings, load
from app.stream import clients, topic_admin
from app.stream.topics import declared, differences


@pytest.fixture(params=["kafka", "embedded_broker"])
def settings(request: pytest.FixtureRequest, unique: str) -> Settings:
    broker = request.getfixturevalue(request.param)
    return load(
        {
            "LADDER_BROKERS": broker.bootstrap,
            "LADDER_PARTITIONS": "2",
            "LADDER_REPLICATION_FACTOR": "1",
            "LADDER_APP_ID": unique[:100],
            "LADDER_TOPICS": f"{unique}.in",
            "LADDER_CHANGES_PREFIX": f"{unique}.changes",
            "LADDER_DEAD_LETTERS": f"{unique}.dead",
            "LADDER_HANDOVERS": f"{unique}.handovers",
        },
        dotenv=None,
    )


async def test_topics_made_are_as_declared(settings: Settings) -> None:
    topics = declared(settings, ["need"])
    async with clients.admin(settings) as admin:
        assert await topic_admin.create(admin, topics, 1) == list(topics)
        await topic_admin.check(admin, topics)
        assert differences(topics, await topic_admin.find(admin, topics)) == []


async def test_making_them_again_changes_nothing(settings: Settings) -> None:
    topics = declared(settings, ["need"])
    async with clients.admin(settings) as admin:
        await topic_admin.create(admin, topics, 1)
        assert await topic_admin.create(admin, topics, 1) == []


async def test_two_that_make_them_at_once_both_succeed(settings: Settings) -> None:
    topics = declared(settings, ["need"])
    async with clients.admin(settings) as one, clients.admin(settings) as other:
        made = await asyncio.gather(
            topic_admin.create(one, topics, 1), topic_admin.create(other, topics, 1)
        )
        assert sorted(t.name for each in made for t in each) == sorted(t.name for t in topics)
        await topic_admin.check(one, topics)


async def test_looking_for_a_topic_does_not_make_it(settings: Settings) -> None:
    topics = declared(settings, ["need"])
    async with clients.admin(settings) as admin:
        for _ in range(2):
            with pytest.raises(TopicsError) as raised:
                await topic_admin.check(admin, topics)
            assert len(raised.value.problems) == len(topics)


async def test_one_with_other_partitions_or_another_cleanup_is_refused(settings: Settings) -> None:
    topics = declared(settings, ["need"])
    async with clients.admin(settings) as admin:
        await admin.create_topics(
            [
                NewTopic(settings.topics[0], 3, 1),
                NewTopic(settings.handovers, 2, 1, topic_configs={"cleanup.policy": "compact"}),
            ]
        )
        await topic_admin.create(admin, topics, 1)
        with pytest.raises(TopicsError) as raised:
            await topic_admin.check(admin, topics)
    assert [problem.split()[0] for problem in raised.value.problems] == [
        settings.topics[0],
        settings.handovers,
    ]


async def test_more_copies_than_brokers_is_refused_with_the_setting_to_change(
    settings: Settings,
) -> None:
    async with clients.admin(settings) as admin:
        with pytest.raises(TopicsError, match="LADDER_REPLICATION_FACTOR"):
            await topic_admin.create(admin, declared(settings, ["need"]), 3)


async def test_the_number_of_copies_fits_the_kind_of_broker(
    settings: Settings, request: pytest.FixtureRequest
) -> None:
    unset = replace(settings, replication_factor=None)
    async with clients.admin(settings) as admin:
        copies = await topic_admin.copies_for(admin, unset)
        assert await topic_admin.copies_for(admin, settings) == 1
    assert copies == (1 if "embedded_broker" in request.node.name else 3)


async def test_where_no_broker_answers_the_setting_is_named() -> None:
    (port,) = free_ports(1)
    settings = load({"LADDER_BROKERS": f"127.0.0.1:{port}"}, dotenv=None)
    with pytest.raises(BrokerError, match="LADDER_BROKERS"):
        async with clients.admin(settings):
            pass
