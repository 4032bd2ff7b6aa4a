"""What earlier versions have stored is read by the engine, and means the same there.

Rows of `tests/faults/recorded` and of random scenarios are described by Python's codec and by the
engine, byte for byte the same; so they are again once the engine has written them as version 3.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.msgpack import Ext

from app import _engine
from app.core.customer import Customer
from app.core.due import NEVER, NoCuts
from app.core.explain import describe
from app.core.rules import Rules
from app.wire import handed
from app.wire.definition import read_folder
from app.wire.record import HOT, TRACES, RecordCodec, Unreadable
from tests import told
from tests.core_backtest import Backtest
from tests.faults import recorded
from tests.oracle.run import Scenario
from tests.oracle.scenarios import crowded_scenario, random_scenario
from tests.partitions import Rows
from tests.shop import BUILT_IN, DAY, Shop, at, ladder, rules_of

ENGINE_VERSION = 3
FIRST, BEYOND = map(int, os.environ.get("ENGINE_SEEDS", "100:160").split(":"))


def records_of(rules: Rules) -> _engine.Records:
    return _engine.Records(
        handed.definitions(rules.ladders), handed.shop(rules), handed.day_starts(rules.calendar)
    )


def described(rules: Rules, held: dict[bytes, bytes], now: int) -> dict[str, bytes | None]:
    """What Python says of everybody in a store; None of who was absorbed."""
    rows = Rows(rules)
    rows.held = held
    said: dict[str, bytes | None] = {}
    for id in ids_in(held):
        slot = rows.load(id)
        there = isinstance(slot.record, Customer)
        said[id] = msgspec.json.encode(describe(rules, slot, id, now, NoCuts())) if there else None
    return said


def ids_in(held: dict[bytes, bytes]) -> Iterator[str]:
    return (key[1:].decode() for key in held if key[:1] == HOT)


def check(rules: Rules, held: dict[bytes, bytes], now: int) -> None:
    engine = records_of(rules)
    said = described(rules, held, now)
    assert {id: engine.describe(id, held, now) for id in said} == said
    upgraded = engine.upgrade(held)
    assert {row[0] for row in upgraded.values()} == {ENGINE_VERSION}
    assert set(upgraded) <= set(held)
    assert {key for key in held if key[:1] in (HOT, TRACES)} <= set(upgraded)
    assert {id: engine.describe(id, upgraded, now) for id in said} == said
    assert engine.upgrade(upgraded) == upgraded


@pytest.fixture(params=[1, 2])
def version(request: pytest.FixtureRequest) -> int:
    found: int = request.param
    return found


def recorded_rows(version: int) -> dict[bytes, bytes]:
    """What of a changelog is left once it is compacted."""
    held: dict[bytes, bytes] = {}
    for topic, _, _, key, value, _ in recorded.read(version)["records"]:
        place, row = recorded.unpacked(key), recorded.unpacked(value)
        if topic.endswith("-changelog") and place is not None and place[:1] in b"csorfx":
            held.pop(place, None)
            if row is not None:
                held[place] = row
    return held


def recorded_rules(version: int, folder: Path) -> Rules:
    for name, text in recorded.read(version)["ladders"].items():
        (folder / name).write_text(text)
    return rules_of(*read_folder(folder), attributes=("city", "vip"))


def test_rows_that_an_earlier_version_recorded_mean_the_same_to_the_engine(
    version: int, tmp_path: Path
) -> None:
    rules, held = recorded_rules(version, tmp_path), recorded_rows(version)
    assert {row[0] for row in held.values()} == {version}
    assert {key[:1] for key in held} >= {HOT, TRACES, b"s"}
    check(rules, held, recorded.read(version)["until"])


def rows_of(scenario: Scenario, rules: Rules) -> tuple[dict[bytes, bytes], int]:
    """What Python stores at the end of a scenario, and when that is."""
    core = Backtest(rules)
    for event, line in told.events_of(scenario)[0]:
        core.apply(event, line)
    rows = Rows(rules)
    for slot in core.slots.values():
        rows.save(slot)
    return rows.held, core.clock or 0


@pytest.mark.parametrize("seed", range(FIRST, BEYOND))
def test_rows_of_a_random_scenario_mean_the_same_to_the_engine(seed: int) -> None:
    scenario = random_scenario(seed)
    rules = told.rules_of(scenario)
    check(rules, *rows_of(scenario, rules))


@pytest.mark.parametrize("seed", [2, 4, 7])  # reviews, referrals, orders
def test_rows_of_somebody_with_a_long_memory_mean_the_same_to_the_engine(seed: int) -> None:
    scenario = crowded_scenario(seed)
    rules = told.rules_of(scenario)
    held, now = rows_of(scenario, rules)
    assert {key[:1] for key in held} > {HOT}
    check(rules, held, now)


STEPS = ladder("a: purchases >= 1\nb: purchases_in(5) >= 2")
NOW = at("2026-03-01T09:30")


def shop_with_a_purchase() -> tuple[Rules, dict[bytes, bytes]]:
    shop = Shop(STEPS)
    shop.buy("o", NOW)
    rows = Rows(shop.rules)
    rows.save(shop.slot())
    return shop.rules, rows.held


def test_a_row_of_an_earlier_version_is_not_read_under_other_ladders() -> None:
    """Its verdicts lie by place, and another ladder may stand there."""
    _, held = shop_with_a_purchase()
    other = records_of(rules_of(ladder("a: purchases >= 1\nc: purchases >= 2")))
    with pytest.raises(ValueError, match=r"of c cannot be read: .* other ladders"):
        other.describe("c", held, NOW)


def test_a_row_of_version_3_is_read_under_other_ladders() -> None:
    """Its verdicts lie under ids: what is still there stands where it stood."""
    rules, held = shop_with_a_purchase()
    upgraded = records_of(rules).upgrade(held)
    other = records_of(rules_of(*BUILT_IN, STEPS))
    said = other.describe("c", upgraded, NOW)
    assert said is not None
    standing = msgspec.json.decode(said)["ladders"][STEPS.id]
    assert (standing["rung"], standing["sequence"]) == ("a", 1)


def test_python_refuses_rows_that_the_engine_has_written() -> None:
    rules, held = shop_with_a_purchase()
    upgraded = records_of(rules).upgrade(held)
    found = RecordCodec(rules.ladders).decode(upgraded[HOT + b"c"])
    assert isinstance(found, Unreadable)
    assert "record version 03" in found.why
    rows = Rows(rules)
    rows.held = upgraded
    with pytest.raises(ValueError, match="version 03"):
        rows.load("c")


def test_rows_of_a_newer_version_or_cut_short_are_refused_with_words() -> None:
    rules, held = shop_with_a_purchase()
    engine, key = records_of(rules), HOT + b"c"
    for row, words in (
        (b"\x04" + held[key][1:], "newer version"),
        (held[key][:-1], "too early"),
        (b"", "empty"),
    ):
        with pytest.raises(ValueError, match=f"what is stored of c cannot be read: .*{words}"):
            engine.describe("c", {key: row}, NOW)


def test_sums_beyond_64_bits_are_read_as_the_extension_that_holds_them() -> None:
    shop = Shop(STEPS)
    shop.buy("o", NOW)
    c = shop.record()
    c.due, sum_ = NEVER, 1 << 100
    c.bought.sums[1] = [Ext(1, sum_.to_bytes(16, "big", signed=True))]  # type: ignore[list-item]
    engine, held = records_of(shop.rules), {HOT + b"c": RecordCodec(shop.rules.ladders).encode(c)}
    for rows in (held, engine.upgrade(held)):
        said = engine.describe("c", rows, NOW)
        assert said is not None
        assert f'"spend":{sum_},'.encode() in said


def test_small_customers_take_under_400_bytes_under_ten_ladders() -> None:
    shop = Shop(*BUILT_IN)
    for number, day in enumerate((0, 20, 45)):
        shop.buy(f"order-{number}", NOW + day * DAY, amount=1_250_000)
    rows = Rows(shop.rules)
    rows.save(shop.slot())
    upgraded = records_of(shop.rules).upgrade(rows.held)
    assert sum(len(key) + len(row) for key, row in upgraded.items()) < 400
