"""What docker-compose.yml starts, started: every command and every health check, as processes."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from app.settings import Settings
from app.stream import clients, topics
from app.wire.definition import read_folder
from tests.contract.composed import FEED
from tests.faults import rest
from tests.faults.rest import until
from tests.kafka.broker import Kafka
from tests.system.composed_processes import Machine

GIVEN = {"DEMO_CUSTOMERS": "60", "DEMO_RATE": "2000", "LADDER_CLOCK": "event"}


@pytest.fixture
def machine(new_kafka: Kafka, tmp_path: Path) -> Iterator[Machine]:
    del new_kafka  # asked for because it skips by name where there is no Kafka
    machine = Machine(tmp_path, GIVEN)
    yield machine
    machine.close()


@pytest.mark.slow
async def test_every_container_does_its_work_also_while_a_broker_is_away(machine: Machine) -> None:
    workers, brokers = machine.composed.workers, machine.composed.brokers
    machine.kafka.start()
    for name in brokers:
        await until(f"{name} is healthy", functools.partial(healthy, machine, name), 1)
    settings = replace(machine.composed.settings_of("topics"), brokers=machine.kafka.bootstrap)
    await brokers_are_as_told(machine, settings)

    assert await asyncio.to_thread(machine.run, "topics") == 0, machine.log("topics").read_text()
    await topics_have_three_copies(settings)

    assert not await healthy(machine, workers[0])
    for name in workers:
        machine.start(name)
    machine.start("prometheus")
    for name in [*workers, "prometheus"]:
        await until(f"{name} is healthy", functools.partial(healthy, machine, name), 1)
    assert await asyncio.to_thread(machine.alive, workers[0])

    machine.kafka.stop(3)
    assert not await healthy(machine, brokers[2])
    assert await asyncio.to_thread(machine.run, FEED) == 0, machine.log(FEED).read_text()
    await rest.everything_applied(settings, lambda: None)
    await until("prometheus sees both workers", lambda: seen(machine, 'sum(up{job="ladder"})', 2))
    await until(
        "and customers on rungs",
        lambda: seen(machine, 'sum(ladder_customers{ladder="raving-fan"})', 60),
    )
    await every_worker_answers_for_everybody(machine)
    for name in workers:
        assert machine.stop(name) == 0, machine.log(name).read_text()[-3000:]


async def every_worker_answers_for_everybody(machine: Machine) -> None:
    """They reach each other under the addresses that Compose tells them."""
    bearer = {"Authorization": f"Bearer {machine.composed.given['LADDER_API_TOKEN']}"}
    async with aiohttp.ClientSession(headers=bearer) as client:

        async def ask(name: str, path: str) -> Any:
            async with client.get(f"http://127.0.0.1:{machine.ports[name]}/v1/{path}") as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

        first, second = machine.composed.workers
        page = await ask(first, "ladders/raving-fan/customers?rung=customer&limit=20")
        assert page["complete"] is True
        people = [each["customer_id"] for each in page["customers"]]
        assert len(people) > 5
        for customer in people:
            path = f"customers/{quote(customer, safe='')}"
            one, other = await ask(first, path), await ask(second, path)
            assert one["ladders"] == other["ladders"]


async def healthy(machine: Machine, name: str) -> bool:
    return await asyncio.to_thread(machine.healthy, name)


async def brokers_are_as_told(machine: Machine, settings: Settings) -> None:
    async with clients.admin(settings) as admin:
        told = machine.told_brokers
        assert await _settings_of_broker(admin, told) == told


async def topics_have_three_copies(settings: Settings) -> None:
    ladders = [ladder.id for ladder in read_folder(settings.ladders)]
    names = [topic.name for topic in topics.declared(settings, ladders)]
    async with clients.admin(settings) as admin:
        made = await admin.describe_topics(names)
    places = [place for topic in made for place in topic["partitions"]]
    assert {len(place["replicas"]) for place in places} == {3}


async def _settings_of_broker(admin: Any, names: Iterable[str]) -> dict[str, str]:
    asked = ConfigResource(ConfigResourceType.BROKER, "1")
    (answer,) = await admin.describe_configs([asked])
    ((_, _, _, _, entries),) = answer.resources
    return {entry[0]: entry[1] for entry in entries if entry[0] in set(names)}


async def seen(machine: Machine, query: str, least: float) -> bool:
    """Whether Prometheus has this much, or more."""
    url = f"http://127.0.0.1:{machine.ports['prometheus']}/api/v1/query"
    async with aiohttp.ClientSession() as client, client.get(url, params={"query": query}) as got:
        result = (await got.json())["data"]["result"]
    return bool(result) and float(result[0]["value"][1]) >= least
