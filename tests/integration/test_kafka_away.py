"""Kafka goes away under running workers and comes back: what they say of it, and that they live."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.ops.outage import CLIENTS, RETRIES
from tests.faults.fleet import Fleet, Member
from tests.faults.rest import until
from tests.faults.setting_up import FEW, trial
from tests.faults.verdict import Trial
from tests.kafka.broker import Kafka

AWAY, BACK = "kafka-awaited", "kafka-back"


@pytest.fixture
async def shop(new_kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Trial]:
    await asyncio.to_thread(new_kafka.start)
    # One topic: so its order is that of time, whatever of it was read before the outage.
    made = await trial(new_kafka.bootstrap, unique, tmp_path, seed=5, few=FEW, lanes=1)
    yield made
    made.fleet.kill()


async def health(member: Member, path: str = "/health/ready") -> tuple[int, list[str]]:
    status, body = await member.get(path)
    return status, json.loads(body)["reasons"] if body else []


async def says(member: Member, status: int, begin: str) -> None:
    """Wait until it answers so, with a reason that begins so."""

    async def so() -> bool:
        got, reasons = await health(member)
        return got == status and any(each.startswith(begin) for each in reasons)

    await until(lambda: f"ready is {status} and says {begin!r}\n{member.tail()}", so)


def complaints(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines that tell of an outage once more."""
    return [
        line
        for line in lines
        if line["level"] in ("warning", "error")
        and (line["logger"].partition(".")[0] in CLIENTS or line.get("action") in RETRIES)
    ]


def told(lines: list[dict[str, Any]]) -> list[str]:
    return [line["action"] for line in lines if line.get("action") in (AWAY, BACK)]


@pytest.mark.parametrize(("ends", "begins"), [("kill", "start"), ("pause", "resume")])
async def test_an_outage_is_two_lines_and_a_reason_and_nothing_is_lost_by_it(
    shop: Trial, new_kafka: Kafka, ends: str, begins: str
) -> None:
    await shop.tell(shop.tale.chapter(100, 10))
    worker = shop.fleet.start()
    await shop.at_rest()
    await shop.tell(shop.tale.chapter(300, 20))
    before = len(worker.said())
    await asyncio.to_thread(getattr(new_kafka, ends))
    await says(worker, 503, "Kafka has not answered for ")
    assert await health(worker, "/health/live") == (200, [])
    await asyncio.to_thread(getattr(new_kafka, begins))

    async def well() -> bool:
        return await health(worker) == (200, [])

    await until(lambda: f"ready is 200 without a reason\n{worker.tail()}", well)
    await shop.at_rest()
    lines = worker.said()[before:]
    assert told(lines) == [AWAY, BACK], worker.tail()
    during = lines[: next(n for n, line in enumerate(lines) if line.get("action") == BACK)]
    assert complaints(during) == []
    await shop.check()


async def test_a_worker_that_starts_without_kafka_says_once_that_it_waits(
    new_kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    fleet = Fleet(new_kafka.bootstrap, unique, tmp_path)
    try:
        await asyncio.to_thread(new_kafka.start)
        await fleet.create()
        await asyncio.to_thread(new_kafka.stop)
        worker = fleet.start()
        await says(worker, 503, "no Kafka answers at ")
        await asyncio.to_thread(new_kafka.start)
        await fleet.ready()
        lines = worker.said()
        assert told(lines) == [AWAY, BACK]
        during = lines[: next(n for n, line in enumerate(lines) if line.get("action") == BACK)]
        assert complaints(during) == []
    finally:
        fleet.kill()


async def test_partitions_of_a_worker_that_was_killed_are_named_by_the_other(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    """For as long as the group takes it for a member."""
    fleet = Fleet(kafka.bootstrap, unique, tmp_path, LADDER_SESSION_TIMEOUT="120")
    try:
        await fleet.create()
        killed, other = fleet.start(0), fleet.start(1)
        await fleet.ready(killed, other)
        had = sorted(await killed.partitions())
        killed.process.kill()
        numbers = ", ".join(map(str, had))
        await says(other, 200, f"partitions {numbers}: the worker that has them does not answer")
        status, body = await other.get("/health/ready")
        assert (status, json.loads(body)["status"]) == (200, "degraded")
        assert await health(other, "/health/live") == (200, [])
    finally:
        fleet.kill()
