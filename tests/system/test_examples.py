"""The programs in examples/ do beside a worker and Apache Kafka what they are there to show."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from app.stream import clients
from tests.faults.fleet import Fleet
from tests.faults.rest import until
from tests.kafka.broker import Kafka

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COLUMNS = "customer,order,minor_units,currency,paid,refunded\n"
CUSTOMERS = 40


@pytest.fixture
async def shop(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = await Fleet(kafka.bootstrap, unique, tmp_path).create()
    yield fleet
    fleet.kill()


class Actor:
    """`act_on_changes.py` as a process; stopped, it can be started again."""

    def __init__(self, shop: Fleet, group: str) -> None:
        self._memory = shop.folder / "done.sqlite"
        self.log = shop.folder / f"{group}.log"
        prefix = re.escape(shop.settings.changes_prefix)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, str(EXAMPLES / "act_on_changes.py"),
                 "--brokers", shop.settings.brokers, "--memory", str(self._memory),
                 "--group", f"{shop.settings.app_id}-{group}", "--topics", rf"^{prefix}\..*"],
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def done(self) -> dict[str, str]:
        """What it did, by change; each line that it wrote is one of them."""
        with closing(sqlite3.connect(self._memory)) as database:
            return dict(database.execute("SELECT change, deed FROM done"))

    def lines(self) -> list[dict[str, str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    async def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(self._process.wait, 60) == 0, self.log.read_text()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def actors() -> Iterator[list[Actor]]:
    started: list[Actor] = []
    yield started
    for actor in started:
        actor.kill()


def report(shop: Fleet, *orders: str) -> None:
    """Run the shop's backend over these lines."""
    (shop.folder / "orders.csv").write_text(COLUMNS + "\n".join(orders) + "\n")
    subprocess.run(
        [sys.executable, str(EXAMPLES / "shop_backend.py"), "--brokers", shop.settings.brokers,
         "--topic", shop.settings.topics[0], str(shop.folder / "orders.csv")],
        check=True,
    )  # fmt: skip


async def test_what_the_backend_reports_is_acted_on_once(shop: Fleet, actors: list[Actor]) -> None:
    """Reported twice, read by two groups with one memory: each deed is done once."""
    worker = shop.start()
    first = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    second = first + timedelta(hours=1)
    orders = [
        f"c-{number},o-{number}-{when.hour},125000,VND,{when.isoformat()},"
        for when in (first, second)
        for number in range(CUSTOMERS)
    ]
    orders.append(f"regrets,o-r,125000,VND,{first.isoformat()},{second.isoformat()}")
    report(shop, *orders)
    report(shop, *orders)
    await shop.applied()
    expected = await suggested(shop)
    assert len(expected) > 2 * CUSTOMERS
    assert await shop.read(shop.settings.dead_letters) == []
    for group in ("first", "second"):
        actors.append(Actor(shop, group))
        await until("everything is read", functools.partial(read_by, shop, group))
        await actors[-1].stop()
        assert actors[-1].done() == expected
    assert sorted(line["do"] for line in actors[0].lines()) == sorted(expected.values())
    assert actors[1].lines() == []
    regrets = await shop.view("regrets")
    assert regrets is not None
    assert regrets["facts"]["purchases"] == 0
    await worker.stop()


async def suggested(shop: Fleet) -> dict[str, str]:
    """What changes that are not quiet suggest, by their ids."""
    changes = [json.loads(record.value) for record in await shop.read(*topics(shop))]
    return {change["id"]: change["data"]["suggest"] for change in changes
            if change["data"]["suggest"] and not change["data"]["quiet"]}  # fmt: skip


async def read_by(shop: Fleet, group: str) -> bool:
    """Whether the group has asked for everything; librdkafka tells offsets every five seconds."""
    async with clients.admin(shop.settings) as admin, clients.consumer(shop.settings) as consumer:
        ends = await consumer.end_offsets(
            [TopicPartition(topic, number) for topic in topics(shop)
             for number in range(shop.settings.partitions)]
        )  # fmt: skip
        told = await admin.list_consumer_group_offsets(f"{shop.settings.app_id}-{group}")
        # The last offset of a partition is that of the marker of a transaction.
        return all(
            place in told and told[place].offset >= end - 1 for place, end in ends.items() if end
        )


def topics(shop: Fleet) -> list[str]:
    return [shop.settings.changes_topic(ladder) for ladder in shop.ladders]
