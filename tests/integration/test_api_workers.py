"""The API of running workers on Kafka, held against the stage changes that they published."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from app.stream.keys import partition_of
from tests.faults.fleet import Fleet, Member
from tests.faults.rest import PATIENCE, until
from tests.faults.tale import Told
from tests.kafka.broker import Kafka

CUSTOMERS = [f"c-{number}" for number in range(24)] + ["a/b c?d#é%41", "ạ🎁" * 60]
ERASED, REBORN, ABSORBED, SURVIVOR = CUSTOMERS[:4]
PARTITIONS = 4


def event(number: int, kind: str, customer: str, day: int, **data: Any) -> Told:
    body = {
        "specversion": "1.0", "id": f"e-{number}", "source": "/test", "type": kind,
        "subject": customer, "time": f"2026-03-{day:02}T{number % 24:02}:30:00Z", "data": data,
    }  # fmt: skip
    return Told(0, customer.encode(), json.dumps(body).encode())


def bought(number: int, customer: str, day: int) -> Told:
    return event(
        number, "purchase.completed", customer, day,
        order_id=f"o-{number}", amount=90_000_000, currency="VND",
    )  # fmt: skip


def story() -> list[Told]:
    """Purchases on two days, then an erasure, a customer who comes back after one, a merge."""
    told = [bought(n, who, 1 + n % 2) for n, who in enumerate(CUSTOMERS * 2)]
    told += [event(900 + n, "profile.erased", who, 5) for n, who in enumerate([ERASED, REBORN])]
    told += [event(910, "profile.merged", ABSORBED, 6, into=SURVIVOR), bought(920, REBORN, 7)]
    return told


class Published:
    """What the stage-change topics say."""

    def __init__(self, changes: list[dict[str, Any]]) -> None:
        self.changes = changes

    def of(self, customer: str) -> list[dict[str, Any]]:
        """The changes of the life that a customer is in, oldest first."""
        mine = [each for each in self.changes if each["subject"] == customer]
        newest = max((life(each) for each in mine), default=1)
        mine = [each for each in mine if life(each) == newest]
        return sorted(mine, key=lambda each: (each["time"], each["data"]["ladder"]))

    def standing(self, ladder: str) -> dict[str, str]:
        """Who stands on which rung."""
        found: dict[str, str | None] = {}
        for each in self.changes:
            if each["data"]["ladder"] == ladder:
                found[each["subject"]] = each["data"]["to"]
        return {who: rung for who, rung in found.items() if rung is not None}

    def moves(self, ladder: str) -> Counter[tuple[str, str | None, str | None]]:
        return Counter(
            (each["time"][:10], each["data"]["from"], each["data"]["to"])
            for each in self.changes
            if each["data"]["ladder"] == ladder
        )


def life(change: dict[str, Any]) -> int:
    _, found, number = change["id"].rpartition("/r")
    return int(number) if found and number.isdigit() else 1


async def published(fleet: Fleet) -> Published:
    names = [f"{fleet.settings.changes_prefix}.{ladder}" for ladder in fleet.ladders]
    return Published([json.loads(record.value) for record in await fleet.read(*names)])


@pytest.fixture
async def fleet(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = Fleet(
        kafka.bootstrap, unique, tmp_path,
        partitions=PARTITIONS, lanes=1, LADDER_CLOCK="event",
        LADDER_SESSION_TIMEOUT="15",  # who died is asked for while nobody has taken over yet
    )  # fmt: skip
    await fleet.create()
    yield fleet
    fleet.kill()


async def asked(member: Member, path: str) -> Any:
    status, body = await member.get(path)
    assert status == 200, body
    return json.loads(body)


async def of(member: Member, customer: str, rest: str = "") -> Any:
    return await asked(member, f"/v1/customers/{quote(customer, safe='')}{rest}")


async def complete(member: Member) -> None:
    """Wait until every history is rebuilt, on every worker."""

    async def all_of_it() -> bool:
        status, body = await member.get("/v1/ladders/raving-fan")
        told = json.loads(body) if status == 200 else {}
        return bool(told.get("complete") and told["moves_complete"])

    await until("histories are complete", all_of_it)


async def follow(member: Member, until_id: str) -> dict[str, dict[str, Any]]:
    """The changes that the worker's stream tells, up to a certain one."""
    found: dict[str, dict[str, Any]] = {}
    url = f"http://127.0.0.1:{member.port}/v1/changes"
    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(None)) as client,
        client.get(url) as answer,
    ):
        while until_id not in found:
            line = await answer.content.readline()
            if line.startswith(b"data: ") and b'"specversion"' in line:
                change = json.loads(line[6:])
                found[change["id"]] = change
    return found


async def tells_what_was_published(fleet: Fleet, member: Member, said: Published) -> None:
    for customer in CUSTOMERS:
        if customer in (ERASED, ABSORBED):
            continue
        history = await of(member, customer, "/history")
        assert history["complete"] is True
        assert history["changes"] == said.of(customer), customer
    for ladder in fleet.ladders:
        told = await asked(member, f"/v1/ladders/{ladder}?days=400")
        assert told["complete"] is True
        standing = Counter(said.standing(ladder).values())
        assert {r["id"]: r["customers"] for r in told["rungs"] if r["customers"]} == standing
        moves = {(m["day"], m["from"], m["to"]): m["count"] for m in told["moves"]}
        assert moves == said.moves(ladder)
        for rung in told["rungs"]:
            await lists_who_stands_there(member, ladder, rung["id"], said)


async def lists_who_stands_there(member: Member, ladder: str, rung: str, said: Published) -> None:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"rung={rung}&limit=5" + (f"&cursor={cursor}" if cursor else "")
        page = await asked(member, f"/v1/ladders/{ladder}/customers?{query}")
        found += [each["customer_id"] for each in page["customers"]]
        cursor = page["next"]
    expected = [who for who, there in said.standing(ladder).items() if there == rung]
    assert sorted(found) == sorted(expected)


async def test_any_worker_tells_what_was_published_about_anybody(fleet: Fleet) -> None:
    """Two workers; one is killed and the other takes over; then one begins with an empty folder."""
    first = fleet.start(0)
    second = fleet.start(1)
    await fleet.ready(first, second)
    *most, last = story()
    await fleet.send(most)
    await fleet.applied()
    async with asyncio.TaskGroup() as group:
        live = group.create_task(follow(first, f"raving-fan/{REBORN}/1/r2"))
        await fleet.send([last])
        await fleet.applied()
    said = await published(fleet)
    by_id = {each["id"]: each for each in said.changes}
    assert live.result().items() <= by_id.items()
    newest = max(said.changes, key=lambda each: each["time"])
    assert newest["id"] in await follow(second, newest["id"]), "what was said before is shown, too"
    for member in (first, second):
        await complete(member)
        await tells_what_was_published(fleet, member, said)
        assert (await member.get(f"/v1/customers/{ERASED}"))[0] == 404
        assert (await member.get(f"/v1/customers/{ERASED}/history"))[0] == 404
        merged = await of(member, ABSORBED, "/history")
        assert (merged["customer_id"], merged["merged_into"]) == (ABSORBED, SURVIVOR)
        assert merged["changes"] == said.of(SURVIVOR)
        assert (await of(member, ABSORBED))["merged_into"] == SURVIVOR
        then = await of(member, SURVIVOR, "/history?ladder=raving-fan&at=2026-02-28T00:00:00Z")
        assert then["rungs"] == {"raving-fan": {"rung": None, "since": None, "known": True}}
    views = {customer: await of(first, customer) for customer in CUSTOMERS[3:]}
    assert views == {customer: await of(second, customer) for customer in CUSTOMERS[3:]}

    theirs = await second.partitions()
    lost = next(c for c in CUSTOMERS[3:] if partition_of(c.encode(), PARTITIONS) in theirs)
    second.signal(signal.SIGKILL)
    await second.ended()
    status, body = await first.get(f"/v1/customers/{lost}")
    assert status == 503, body
    told = json.loads(body)
    assert told["status"] == 503
    assert told["partition"] in theirs
    gathered = await asked(first, "/v1/ladders")
    assert (gathered["complete"], set(gathered["missing"])) == (False, theirs)
    await fleet.ready(first)
    assert {customer: await of(first, customer) for customer in CUSTOMERS[3:]} == views
    await complete(first)
    await tells_what_was_published(fleet, first, said)

    await first.stop()
    shutil.rmtree(first.folder)
    third = fleet.start(0)
    await fleet.ready(third)
    await complete(third)
    await tells_what_was_published(fleet, third, said)
    await until("the census is done", lambda: counted(third))
    revenue = {
        each["id"]: each["revenue"]
        for each in (await asked(third, "/v1/ladders/raving-fan"))["rungs"]
    }
    spent: Counter[str] = Counter()
    for customer, rung in said.standing("raving-fan").items():
        spent[rung] += (await of(third, customer))["facts"]["spend"]
    assert {rung: money for rung, money in revenue.items() if money} == dict(spent)
    await third.stop()
    no_customer_is_named(fleet)


async def counted(member: Member) -> bool:
    return bool((await asked(member, "/v1/ladders/raving-fan"))["census"]["complete"])


def no_customer_is_named(fleet: Fleet) -> None:
    """In no log, whatever was asked."""
    for member in fleet.members:
        log = member.log.read_text()
        assert "/v1/customers/c" not in log
        assert not [who for who in CUSTOMERS if f'"{who}"' in log]
