"""The topics of a cluster: looked up, compared and made, with an admin client."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from app.errors import BrokerError, TopicsError
from app.settings import Settings
from app.stream.topics import Found, Topic, problems, with_copies

EMBEDDED_CLUSTER = "MkU3OEVBNTctOEUyRi00"
"""The cluster id that every noida-db gives."""
COPIES = 3
PATIENCE = 30.0
"""Seconds for a made topic to be seen."""
_ALREADY_THERE = 36
_TOO_FEW_BROKERS = 38


async def find(admin: Any, topics: Sequence[Topic]) -> dict[str, Found]:
    """Those of the topics that are there. Asking for all topics makes none, on any broker."""
    try:
        listed = {topic["topic"]: topic for topic in await admin.describe_topics()}
        there = [topic for topic in topics if topic.name in listed]
        configs = await _configs(admin, there)
    except KafkaError as error:
        raise BrokerError(f"Kafka does not say which topics it has: {error}") from error
    return {
        topic.name: Found(len(listed[topic.name]["partitions"]), configs.get(topic.name, {}))
        for topic in there
    }


async def check(admin: Any, topics: Sequence[Topic]) -> dict[str, Found]:
    """Return the topics as they are; raises TopicsError, naming each that would do harm."""
    found = await find(admin, topics)
    wrong = problems(topics, found)
    if wrong:
        raise TopicsError(wrong)
    return found


async def copies_for(admin: Any, settings: Settings) -> int:
    """The replication factor: as set, else 1 on the embedded broker and 3 anywhere else."""
    if settings.replication_factor is not None:
        return settings.replication_factor
    try:
        cluster = await admin.describe_cluster()
    except KafkaError as error:
        raise BrokerError(f"Kafka does not describe itself: {error}") from error
    return 1 if cluster["cluster_id"] == EMBEDDED_CLUSTER else COPIES


async def create(admin: Any, topics: Sequence[Topic], copies: int) -> list[Topic]:
    """Make those that are not there, and return them; those that are there stay as they are.

    Raises TopicsError with what the cluster refused.
    """
    there = await find(admin, topics)
    missing = [topic for topic in topics if topic.name not in there]
    if not missing:
        return []
    new = [
        NewTopic(topic.name, topic.partitions, copies, topic_configs=with_copies(topic, copies))
        for topic in missing
    ]
    try:
        answer = await admin.create_topics(new)
    except KafkaError as error:
        raise BrokerError(f"Kafka does not make topics: {error}") from error
    codes = {name: (code, text) for name, code, text in answer.topic_errors}
    refused = [_refusal(name, *why, copies) for name, why in codes.items() if why[0]]
    if any(refused):
        raise TopicsError([sentence for sentence in refused if sentence])
    await _until_seen(admin, missing)
    return [topic for topic in missing if codes[topic.name][0] == 0]


async def _until_seen(admin: Any, topics: Sequence[Topic]) -> None:
    """A broker learns of a new topic some milliseconds after the controller made it."""
    try:
        async with asyncio.timeout(PATIENCE):
            while len(await find(admin, topics)) < len(topics):  # noqa: ASYNC110  nothing tells us
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise BrokerError(f"topics were made and not seen within {PATIENCE:g} s") from error


def _refusal(name: str, code: int, text: str | None, copies: int) -> str:
    if code == _ALREADY_THERE:
        return ""  # another one was quicker
    if code == _TOO_FEW_BROKERS:
        return (
            f"{name} was not made: the cluster has too few brokers for {copies} copies; "
            "LADDER_REPLICATION_FACTOR says how many there shall be"
        )
    return f"{name} was not made: {text or for_code(code).__name__}"


async def _configs(admin: Any, topics: Sequence[Topic]) -> dict[str, dict[str, str]]:
    """By topic, what is set of that which we declare; a topic we may not ask about is left out."""
    if not topics:
        return {}
    answers = await admin.describe_configs(
        [
            ConfigResource(ConfigResourceType.TOPIC, topic.name, dict.fromkeys(topic.config))
            for topic in topics
        ]
    )
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries, *_ in answer.resources
        if code == 0
    }
