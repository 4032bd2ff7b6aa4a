"""A shop on the broker of a benchmark: its topics, its backlog, and a worker as a child."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app import settings
from app.embedded.ports import free_ports
from app.stream import clients, meta, topic_admin
from app.stream.keys import partition_of
from app.stream.topics import declared
from app.wire.definition import read_folder
from app.wire.record import HOT
from benchmarks.child import Child
from benchmarks.made_up import FAMILIES, Made
from benchmarks.population import Population

ROOT = Path(__file__).parent.parent
PARTITIONS = 8
BATCH_BYTES = 512 * 1024
COUNTED = 60.0
"""Seconds for a worker, on a busy machine, to come to its metrics after a commit."""


class Shop:
    """Topics under one name, with what the worker's settings say of them.

    `inputs` names the shop whose input topics it reads: a backlog serves many rounds.
    """

    def __init__(
        self,
        bootstrap: str,
        folder: Path,
        name: str,
        *,
        inputs: str = "",
        ladders: Path | None = None,
        **more: str,
    ) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        self.client = {"bootstrap_servers": bootstrap}
        self._inputs = inputs or name
        self._env = {
            "LADDER_BROKERS": bootstrap,
            "LADDER_APP_ID": name,
            "LADDER_PARTITIONS": str(PARTITIONS),
            "LADDER_REPLICATION_FACTOR": "1",
            "LADDER_DATA_DIR": str(self.folder / "data"),
            "LADDER_TOPICS": ",".join(f"{self._inputs}.{family}" for family in FAMILIES),
            "LADDER_CHANGES_PREFIX": f"{name}.stage-changes",
            "LADDER_DEAD_LETTERS": f"{name}.dead-letters",
            "LADDER_HANDOVERS": f"{name}.handovers",
            "LADDER_API_PORT": str(free_ports(1)[0]),
            "LADDER_LOG_FORMAT": "json",
            **({"LADDER_LADDERS": str(ladders)} if ladders else {}),
            **more,
        }

    @cached_property
    def settings(self) -> settings.Settings:
        return settings.load(self._env, None)

    def beside(self) -> Shop:
        """Give another worker's place in the same application: folders and a port of its own."""
        other = copy.copy(self)
        other.__dict__.pop("settings", None)
        other.folder = self.folder / "beside"
        other.folder.mkdir()
        data, port = str(other.folder / "data"), str(free_ports(1)[0])
        other._env = {**self._env, "LADDER_DATA_DIR": data, "LADDER_API_PORT": port}
        return other

    async def create(self) -> None:
        """Make those of the topics that are not there."""
        ladders = [ladder.id for ladder in read_folder(self.settings.ladders)]
        async with clients.admin(self.settings) as admin:
            topics = declared(self.settings, ladders)
            await topic_admin.create(admin, topics, 1)
        await led(self.client, [topic.name for topic in topics])

    async def delete(self) -> None:
        """Delete the topics but the inputs, so that the broker has nothing of them to tidy up."""
        await delete_topics(self.client, self.name)

    async def fill(self, events: Iterable[Made]) -> None:
        """Append events to the input topics, each to the partition of its key."""
        topics = self.settings.topics
        await append(
            self.client, ((home(topics[made.family], made.key), *made[1:]) for made in events)
        )

    async def know(self, population: Population) -> None:
        """Append the records of customers to the changelog, so that a worker restores them."""
        topic = self.settings.changelog
        rows = ((home(topic, who), HOT + who, value) for who, value in population.rows())
        own = population.meta(self.settings)
        metas = ((TopicPartition(topic, n), meta.KEY, own) for n in range(PARTITIONS))
        await append(self.client, chain(rows, metas))

    def worker(self, *, through: Sequence[str] = ("-m", "app")) -> Child:
        """Start `ladder worker`; `through` is what Python runs to come to it."""
        return Child(
            self.name,
            [sys.executable, *through, "worker"],
            self.folder / "worker.log",
            {**self._env, "PYTHONPATH": str(ROOT)},
        )

    def ask(self, path: str) -> tuple[int, str]:
        """Ask the worker's API; 0 while nobody answers."""
        try:
            url = f"{self.settings.api_url}{path}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, ""
        except OSError:
            return 0, ""

    def metric(self, name: str) -> float:
        """Add up a metric over all its labels."""
        _, text = self.ask("/metrics")
        found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, found))

    async def counted(self, events: int) -> None:
        """Wait until the worker has counted what is committed: it does so a moment later."""
        deadline = time.monotonic() + COUNTED
        while (found := self.metric("ladder_batch_records_sum")) < events:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the worker's metrics say {found:.0f} of {events} events")
            await asyncio.sleep(0.1)

    def partitions_ready(self) -> int:
        """Count the partitions that the worker works on; 0 while it says that it is not ready."""
        status, text = self.ask("/health/ready")
        if status != 200:
            return 0
        parts = json.loads(text).get("partitions", {})
        return sum(each["state"] == "ready" for each in parts.values())

    def log(self) -> list[dict[str, Any]]:
        """Return what the worker logged."""
        lines = (self.folder / "worker.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


async def new_topics(client: Mapping[str, Any], names: Sequence[str]) -> None:
    """Make topics as a broker makes them."""
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    finally:
        await admin.close()
    await led(client, names)


async def led(client: Mapping[str, Any], names: Sequence[str]) -> None:
    """Return when every partition has a leader that answers."""
    places = [TopicPartition(name, number) for name in names for number in range(PARTITIONS)]
    async with AIOKafkaConsumer(**client) as consumer:
        consumer.assign(places)
        await consumer.end_offsets(places)


async def delete_topics(client: Mapping[str, Any], name: str) -> None:
    """Delete what belongs to one round; no input lies under a round's name."""
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        own = (f"{name}.", f"{name}-")
        await admin.delete_topics(
            [each for each in await admin.list_topics() if each.startswith(own)]
        )
    finally:
        await admin.close()


def home(topic: str, customer: bytes) -> TopicPartition:
    """Say where the events and the records of a customer belong."""
    return TopicPartition(topic, partition_of(customer, PARTITIONS))


async def append(
    client: Mapping[str, Any], rows: Iterable[tuple[TopicPartition, bytes, bytes]]
) -> None:
    """Append keys and values in order, each to its place."""
    async with AIOKafkaProducer(**client, max_batch_size=BATCH_BYTES, acks=1) as producer:
        batches: dict[TopicPartition, Any] = {}
        for place, key, value in rows:
            batch = batches.get(place)
            if batch is None:
                batch = batches[place] = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=None) is None:
                await producer.send_batch(batch, place.topic, partition=place.partition)
                batch = batches[place] = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        for place, batch in batches.items():
            await producer.send_batch(batch, place.topic, partition=place.partition)


def no_settings_from_outside() -> None:
    """What somebody has set for the product must not reach what is measured."""
    for name in [name for name in os.environ if name.startswith("LADDER_")]:
        del os.environ[name]
