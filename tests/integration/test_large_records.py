"""Records at their limit, and sums beyond 64 bits, on real Kafka and RocksDB: nobody stops."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.core.instants import Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.stream.lookup import Lookup
from app.stream.meta import KEY, read
from app.wire.definition import read_ladder
from app.wire.record import HOT
from tests.integration.one_partition import (
    Message,
    Shop,
    TestHost,
    applied,
    event,
    expected,
    outcome,
    purchase,
    state_of,
)
from tests.kafka.broker import Kafka

NAMES = tuple(f"a{number:02}" for number in range(60))
LIMIT = 512 * 1024
LARGEST = 10**15
BEYOND_64_BITS = 18_447
SPENDERS = read_ladder(
    b"""
id: spenders
version: 1
title: {en: Spenders}
kind: ladder
climb: free
down: now
rungs:
  - {id: buyer, title: {en: Buyer}, when: "spend > 0"}
  - {id: whale, title: {en: Whale}, when: "spend_in(30) > 18400000 * 1000000000000"}
  - {id: top, title: {en: Top}, when: "top_spender(20, 30)"}
""",
    "spenders.yaml",
)


@pytest.fixture
async def shop(kafka: Kafka, unique: str, tmp_path: Path) -> Shop:
    made = Shop(kafka.bootstrap, unique, tmp_path, ladders=[SPENDERS])
    made.rules = Rules([SPENDERS], Calendar("UTC"), Rates.only("VND"), NAMES)
    return await made.create()


def when(second: int, day: int = 1) -> str:
    return f"2026-03-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def filling(customer: str, names: Sequence[str], begin: int) -> list[Message]:
    return [
        event("profile.updated", customer, when(begin + number), f"{customer}-{begin + number}",
              attributes={name: ["x" * 250] * 62})
        for number, name in enumerate(names)
    ]  # fmt: skip


def facts(shop: Shop, host: TestHost, customer: str) -> dict[str, Any]:
    """What the API tells of a customer."""
    assert host.partition is not None
    view: Any = Lookup(shop.rules, 1, lambda: {0: host.partition}).view(customer)
    found: dict[str, Any] = view["facts"]
    return found


async def after_a_restore(shop: Shop, customer: str) -> dict[str, Any]:
    """The same from a store that was lost and built anew from the changelog."""
    shutil.rmtree(shop.folder / "0")
    async with shop.running() as host:
        return facts(shop, host, customer)


def texts(found: dict[str, Any]) -> int:
    """How many attributes are there."""
    return sum(value is not None for name, value in found.items() if name.startswith("profile."))


async def test_a_record_at_its_limit_takes_no_more_and_everybody_else_goes_on(shop: Shop) -> None:
    profiles = filling("c", NAMES, 0)
    purchases = [purchase(name, when(100), name) for name in ("a", "b", "c", "d")]
    await shop.send(profiles, 2)
    await shop.send(purchases)
    async with shop.running() as host:
        await applied(shop, host)
        found = facts(shop, host, "c")
        assert facts(shop, host, "d")["purchases"] == 1
    assert await outcome(shop) == expected(shop, purchases, [], profiles)
    letters = await shop.letters()
    assert [letter[0] for letter in letters] == ["too-much"] * (60 - texts(found))
    assert [letter[2] for letter in letters] == [value for _, value in profiles[texts(found) :]]
    rows, logged = await state_of(shop)
    assert rows == logged
    assert LIMIT - 32 * 1024 < len(rows[HOT + b"c"]) <= LIMIT
    assert await after_a_restore(shop, "c") == found


async def test_a_merge_of_two_who_have_no_room_together_leaves_them_two(shop: Shop) -> None:
    merge = event("profile.merged", "a", when(60), 1, into="b")
    profiles = [*filling("a", NAMES[:25], 0), *filling("b", NAMES[25:50], 30), merge]
    purchases = [purchase(name, when(second), f"{name}{second}", 7)
                 for second in (50, 70) for name in ("a", "b")]  # fmt: skip
    await shop.send(profiles, 2)
    await shop.send(purchases)
    async with shop.running() as host:
        await applied(shop, host)
        found = [facts(shop, host, customer) for customer in ("a", "b")]
    assert [(each["spend"], texts(each)) for each in found] == [(14, 25), (14, 25)]
    assert await shop.letters() == [("too-much", 50, merge[1])]
    changes, reasons = expected(shop, purchases, [], profiles)
    assert reasons == Counter({"too-much": 1})
    assert await outcome(shop) == (changes, reasons)
    assert [await after_a_restore(shop, customer) for customer in ("a", "b")] == found


async def test_a_merge_that_was_refused_is_made_when_it_is_sent_again_with_room(shop: Shop) -> None:
    merge = event("profile.merged", "a", when(60), 1, into="b")
    await shop.send([*filling("a", NAMES[:25], 0), *filling("b", NAMES[25:50], 30), merge], 2)
    async with shop.running() as host:
        await applied(shop, host)
        assert texts(facts(shop, host, "a")) == 25
        smaller = dict.fromkeys(NAMES[:25])
        await shop.send([event("profile.updated", "a", when(70), 2, attributes=smaller), merge], 2)
        await applied(shop, host)
        assert texts(facts(shop, host, "a")) == texts(facts(shop, host, "b")) == 25
    rows, logged = await state_of(shop)
    assert rows == logged


async def test_sums_beyond_64_bits_are_exact_and_come_back_as_they_were(shop: Shop) -> None:
    purchases = [
        purchase(name, when(number), f"{name}{number}", LARGEST)
        for number in range(BEYOND_64_BITS)
        for name in ("a", "b")
    ]
    later = [purchase(name, when(0, day), f"{name}-{day}", 1) for day in (2, 3) for name in "ab"]
    await shop.send([*purchases, *later])
    async with shop.running() as host:
        await applied(shop, host)
        found = facts(shop, host, "a")
    assert found["spend"] == BEYOND_64_BITS * LARGEST + 2 > 2**64
    assert await outcome(shop) == expected(shop, [*purchases, *later])
    (whale,) = [
        change["data"]["because"]
        for change in await shop.stage_changes("spenders")
        if change["subject"] == "a" and change["data"]["to"] == "whale"
    ]
    assert whale["facts"] == {"spend_in(30)": 18_401 * LARGEST}
    rows, logged = await state_of(shop)
    assert rows == logged
    assert {cut for _, _, cut in read(logged[KEY]).cuts[20_515]} == {BEYOND_64_BITS * LARGEST + 1}
    assert await after_a_restore(shop, "a") == found
    merge = event("profile.merged", "a", when(1, 3), 1, into="b")
    await shop.send([merge], 2)
    await shop.send([purchase("a", when(2, 3), "last", 5)])
    async with shop.running() as host:
        await applied(shop, host)
        assert facts(shop, host, "a")["spend"] == 2 * (BEYOND_64_BITS * LARGEST + 2) + 5
    assert await shop.letters() == []
