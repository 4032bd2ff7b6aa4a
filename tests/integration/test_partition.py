"""One partition on real Kafka and RocksDB: what it commits, and what it comes back with."""

import json
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from app.stream.faults import parse
from app.stream.meta import KEY
from app.wire.definition import read_ladder
from tests.integration.one_partition import (
    Message,
    Shop,
    applied,
    event,
    expected,
    history,
    outcome,
    purchase,
    state_of,
)
from tests.kafka.broker import Kafka

Topics = tuple[list[Message], ...]
DAY = "2026-03-{:02}T09:30:00Z"
SPENDERS = read_ladder(
    b"""
id: spenders
version: 1
title: {en: Spenders}
kind: ladder
climb: cumulative
down: {grace_days: 5, step: all}
rungs:
  - {id: buyer, title: {en: Buyer}, when: "spend_in(14) > 0"}
  - {id: top, title: {en: Top}, when: "top_spender(20, 30)"}
""",
    "spenders.yaml",
)


@pytest.fixture
async def shop(kafka: Kafka, unique: str, tmp_path: Path) -> Shop:
    return await Shop(kafka.bootstrap, unique, tmp_path).create()


async def test_purchases_become_stage_changes(shop: Shop) -> None:
    await shop.send([purchase("c-1", DAY.format(day), day) for day in (1, 2)])
    async with shop.running() as host:
        await applied(shop, host)
    changes = await shop.stage_changes("raving-fan")
    assert [(change["data"]["from"], change["data"]["to"]) for change in changes] == [
        (None, "shopper"),
        ("shopper", "customer"),
    ]
    assert [change["id"] for change in changes] == ["raving-fan/c-1/1", "raving-fan/c-1/2"]


async def test_a_bad_record_is_a_dead_letter_and_holds_nobody_up(shop: Shop) -> None:
    await shop.send(
        [
            (b"c-1", b"{nonsense"),
            purchase("c-1", DAY.format(1), 1),
            (b"other", purchase("c-1", DAY.format(1), 2)[1]),
            (None, None),
            event("purchase.refunded", "c-1", DAY.format(2), 3,
                  order_id="o-9", amount=1, currency="VND"),
        ]
    )  # fmt: skip
    async with shop.running() as host:
        await applied(shop, host)
    assert [(reason, offset) for reason, offset, _ in await shop.letters()] == [
        ("not-json", 0),
        ("key-mismatch", 2),
        ("not-json", 3),
        ("unknown-order", 4),
    ]
    assert len(await shop.stage_changes("raving-fan")) == 1


async def send_all(shop: Shop, topics: Topics) -> None:
    for number, messages in enumerate(topics):
        await shop.send(messages, number)


async def test_what_is_published_is_what_a_backtest_finds(shop: Shop) -> None:
    topics = history(40)
    await send_all(shop, topics)
    async with shop.running() as host:
        await applied(shop, host)
    assert await outcome(shop) == expected(shop, *topics)
    rows, logged = await state_of(shop)
    assert rows == logged


async def test_who_spends_most_is_found_as_in_a_backtest_from_a_backlog_of_months(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    """What is due for a customer lies weeks back when it is looked at."""
    shop = await Shop(kafka.bootstrap, unique, tmp_path, ladders=[SPENDERS]).create()
    topics = history(30, days=120)
    await send_all(shop, topics)
    async with shop.running(batch=50) as host:
        await applied(shop, host)
    found = await outcome(shop)
    assert found == expected(shop, *topics)
    assert {change["data"]["cause"] for change in found[0]["spenders"]} == {"event", "clock"}


def in_three(topics: Topics) -> list[Topics]:
    """Cut all topics at the same two instants."""
    cuts = ["2026-01-01", "2026-01-20", "2026-02-10", "2027"]
    parts: list[Topics] = []
    for begin, end in pairwise(cuts):
        parts.append(tuple([m for m in messages if begin <= when(m) < end] for messages in topics))
    return parts


def when(message: Message) -> str:
    """The time of an event; bad lines go with the first part."""
    try:
        return str(json.loads(message[1] or b"")["time"])
    except ValueError:
        return "2026-01-01T00:00:00Z"


STEPS = [
    "before-begin",
    "after-begin",
    "after-changes-sent",
    "after-changelog-sent",
    "after-acks",
    "after-offsets",
    "before-commit",
    "after-commit-before-store",
    "after-store",
]


@pytest.mark.parametrize("step", STEPS)
async def test_a_failure_at_any_step_of_a_commit_loses_nothing_and_doubles_nothing(
    shop: Shop, step: str
) -> None:
    topics = history(10)
    await send_all(shop, topics)
    async with shop.running(faults=parse(f"{step}:2:raise"), batch=50) as host:
        await applied(shop, host)
    assert await outcome(shop) == expected(shop, *topics)
    rows, logged = await state_of(shop)
    assert rows == logged


@pytest.mark.parametrize("store", ["warm", "cold", "older", "corrupt"])
async def test_a_restart_goes_on_where_it_was_whatever_store_it_finds(
    shop: Shop, store: str
) -> None:
    topics = history(20)
    first, second, third = in_three(topics)
    await send_all(shop, first)
    async with shop.running() as host:
        await applied(shop, host)
    shutil.copytree(shop.folder / "0", shop.folder / "older")
    await send_all(shop, second)
    async with shop.running() as host:
        await applied(shop, host)
    if store in ("cold", "older"):
        shutil.rmtree(shop.folder / "0")
    if store == "older":
        (shop.folder / "older").rename(shop.folder / "0")
    if store == "corrupt":
        for file in (shop.folder / "0").glob("MANIFEST*"):
            file.write_bytes(b"nonsense")
    await send_all(shop, third)
    async with shop.running() as host:
        await applied(shop, host)
    assert await outcome(shop) == expected(shop, *topics)
    rows, logged = await state_of(shop)
    assert rows == logged
    facts = {key: value for key, value in rows.items() if key != KEY}
    fresh = Shop(shop.client["bootstrap_servers"], f"{shop.name}-2", shop.folder / "second")
    await fresh.create()
    await send_all(fresh, topics)
    async with fresh.running() as host:
        await applied(fresh, host)
    again, _ = await state_of(fresh)
    assert facts == {key: value for key, value in again.items() if key != KEY}
