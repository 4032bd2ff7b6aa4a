"""`ladder worker` as a process: how it waits, what it answers, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from app.embedded.ports import free_ports
from app.settings import Settings, load
from app.stream import clients, topic_admin, topics
from app.stream.keys import partition_of
from app.wire.definition import read_folder
from tests.kafka.broker import Kafka

PATIENCE = 60.0
PURCHASE = {
    "specversion": "1.0",
    "id": "o-1:paid",
    "source": "/shop/orders",
    "type": "purchase.completed",
    "subject": "c-42",
    "time": "2026-03-01T09:30:00Z",
    "data": {"order_id": "o-1", "amount": 100_000, "currency": "VND"},
}


class Worker:
    """A `ladder worker` of its own folder and port."""

    def __init__(self, brokers: str, name: str, folder: Path) -> None:
        (port,) = free_ports(1)
        self.env = {
            "LADDER_BROKERS": brokers,
            "LADDER_APP_ID": name,
            "LADDER_PARTITIONS": "2",
            "LADDER_REPLICATION_FACTOR": "1",
            "LADDER_TOPICS": f"{name}-in",
            "LADDER_CHANGES_PREFIX": f"{name}-changes",
            "LADDER_DEAD_LETTERS": f"{name}-dead",
            "LADDER_HANDOVERS": f"{name}-handovers",
            "LADDER_SESSION_TIMEOUT": "6",
            "LADDER_DATA_DIR": str(folder / "data"),
            "LADDER_API_PORT": str(port),
        }
        self.process: asyncio.subprocess.Process | None = None

    @property
    def settings(self) -> Settings:
        return load(self.env, None)

    async def create_topics(self) -> None:
        ladders = [ladder.id for ladder in read_folder(None)]
        async with clients.admin(self.settings) as admin:
            await topic_admin.create(admin, topics.declared(self.settings, ladders), 1)

    async def start(self, **more: str) -> Worker:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LADDER_")}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", "worker",
            env=environment | self.env | more,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return self

    async def ended(self) -> tuple[int, str]:
        """Its exit code and what it wrote to standard error."""
        assert self.process is not None
        async with asyncio.timeout(PATIENCE):
            out, err = await self.process.communicate()
        assert out == b"", "standard output is for data"
        assert self.process.returncode is not None
        return self.process.returncode, err.decode()

    async def send(self, event: dict[str, Any]) -> None:
        async with clients.producer(self.settings) as producer:
            await producer.send_and_wait(
                self.env["LADDER_TOPICS"],
                json.dumps(event).encode(),
                key=event["subject"].encode(),
            )

    async def get(self, path: str) -> tuple[int, Any]:
        async with aiohttp.ClientSession() as client:
            url = self.settings.api_url + path
            async with client.get(url) as answer:
                return answer.status, json.loads(await answer.read())

    async def until(self, path: str, status: int) -> Any:
        """Ask until it answers so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    got, body = await self.get(path)
                    if got == status:
                        return body
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.05)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)


@pytest.fixture
async def worker(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Worker]:
    worker = Worker(kafka.bootstrap, unique, tmp_path)
    yield worker
    if worker.process is not None and worker.process.returncode is None:
        worker.process.kill()
        await worker.process.wait()


async def test_it_becomes_ready_answers_and_ends_when_asked(worker: Worker) -> None:
    await worker.create_topics()
    await worker.start()
    ready = await worker.until("/health/ready", 200)
    assert {number: told["state"] for number, told in ready["partitions"].items()} == {
        "0": "ready",
        "1": "ready",
    }
    assert (await worker.get("/v1/customers/nobody"))[0] == 404
    assert (await worker.get("/stats"))[0] == 404
    assert (await worker.get("/table/customers"))[0] == 404
    worker.signal(signal.SIGTERM)
    code, said = await worker.ended()
    assert code == 0
    assert "worker ended" in said
    assert "Traceback" not in said


async def test_it_can_start_again_right_after_it_ended(worker: Worker) -> None:
    await worker.create_topics()
    for _ in range(2):
        await worker.start()
        await worker.until("/health/ready", 200)
        worker.signal(signal.SIGINT)
        assert (await worker.ended())[0] == 0


async def test_missing_topics_end_it_with_one_message_and_exit_code_1(worker: Worker) -> None:
    await worker.start()
    code, said = await worker.ended()
    assert code == 1
    assert f"{worker.env['LADDER_HANDOVERS']} is missing" in said
    assert "Traceback" not in said


async def test_a_second_one_on_the_same_folder_is_told_what_works(
    worker: Worker, kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    await worker.create_topics()
    await worker.start()
    await worker.until("/health/ready", 200)
    second = Worker(kafka.bootstrap, unique, tmp_path)
    code, said = await (await second.start()).ended()
    assert code == 1
    assert f"LADDER_DATA_DIR={tmp_path}/data-2 ladder worker" in said
    assert "Traceback" not in said


async def test_a_setting_that_is_remembered_cannot_be_changed(worker: Worker) -> None:
    await worker.create_topics()
    await worker.start()
    await worker.until("/health/ready", 200)
    await worker.send(PURCHASE)
    shown = await worker.until("/v1/customers/c-42", 200)
    assert shown["facts"]["purchases"] == 1
    worker.signal(signal.SIGTERM)
    assert (await worker.ended())[0] == 0
    await worker.start(LADDER_TIMEZONE="Asia/Tokyo")
    code, said = await worker.ended()
    assert code == 1
    assert "LADDER_TIMEZONE is Asia/Tokyo, but the state was made with UTC" in said
    assert "Traceback" not in said


async def test_records_deleted_before_they_were_read_stop_it_and_are_named(
    worker: Worker,
) -> None:
    """It was paused for longer than the topic keeps its records; it must not skip them silently."""
    await worker.create_topics()
    await worker.start()
    await worker.until("/health/ready", 200)
    await worker.send(PURCHASE)
    await worker.until("/v1/customers/c-42", 200)
    worker.signal(signal.SIGSTOP)
    for number in range(10):
        await worker.send(PURCHASE | {"id": f"later-{number}"})
    place = TopicPartition(worker.env["LADDER_TOPICS"], partition_of(b"c-42", 2))
    async with clients.admin(worker.settings) as admin:
        await admin.delete_records({place: RecordsToDelete(before_offset=8)})
    worker.signal(signal.SIGCONT)
    code, said = await worker.ended()
    assert code == 1
    assert f"{place.topic}[{place.partition}]" in said
    assert "were deleted before" in said
    assert "Traceback" not in said


async def test_one_that_does_not_get_on_ends_and_says_what_it_was_doing(worker: Worker) -> None:
    await worker.create_topics()
    hang = {"LADDER_FAULT": "after-commit-before-store:1:hang"}
    await worker.start(LADDER_WATCHDOG="5", LADDER_MERGE_WAIT="0", **hang)
    await worker.until("/health/ready", 200)
    await worker.send(PURCHASE)
    code, said = await worker.ended()
    assert code == 1
    assert f"{worker.env['LADDER_TOPICS']}[{partition_of(b'c-42', 2)}]" in said
    assert "no commit for" in said
    assert "rounds.py" in said, "the stack of the task that hangs"


async def test_without_a_broker_it_says_that_it_waits_and_goes_on_when_there_is_one(
    new_kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    worker = Worker(new_kafka.bootstrap, unique, tmp_path)
    await worker.start()
    waiting = await worker.until("/health/ready", 503)
    assert "Kafka" in waiting["reasons"][0] or "starting" in waiting["reasons"][0]
    assert (await worker.get("/health/live"))[0] == 200
    worker.signal(signal.SIGTERM)
    assert (await worker.ended())[0] == 0
    await asyncio.to_thread(new_kafka.start)
    await worker.create_topics()
    await asyncio.to_thread(new_kafka.stop)
    await worker.start()
    await worker.until("/health/ready", 503)
    await asyncio.to_thread(new_kafka.start)
    await worker.until("/health/ready", 200)
    worker.signal(signal.SIGTERM)
    assert (await worker.ended())[0] == 0
