"""The demo's events: CDNOW's purchases as they are, and around them a life that is made up."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app.core.instants import Calendar
from app.core.rules import Rules
from app.embedded.demo_events import UNTIL, Story, tell
from app.embedded.demo_people import SOURCE
from app.embedded.demo_purchases import DATA
from app.wire.definition import read_folder
from app.wire.rates import read_rates
from tests.core_backtest import Backtest, Line, read_events, run

SOME = 2_000


@cache
def some() -> Story:
    return tell(SOME)


@cache
def folded() -> Backtest:
    rates = read_rates(DATA.joinpath("rates.csv").read_bytes(), "VND")
    backtest = Backtest(Rules(read_folder(), Calendar("UTC"), rates))
    lines = ((Line("demo", number), text) for number, text in enumerate(some().lines, 1))
    events, refused = read_events(lines)
    run(backtest, events, UNTIL)
    backtest.dead_letters.extend(refused)
    return backtest


def events(story: Story) -> Iterator[dict[str, Any]]:
    for line in story.lines:
        if line.endswith(b"}"):
            yield json.loads(line)


def real(story: Story) -> list[dict[str, Any]]:
    return [event for event in events(story) if event["source"] != SOURCE]


def test_every_line_of_the_file_is_one_purchase_with_its_customer_day_units_and_cents() -> None:
    packed = DATA.joinpath("cdnow.txt.gz").read_bytes()
    rows = [line.split() for line in gzip.decompress(packed).decode().splitlines()[1:]]
    expected = Counter(
        (f"c-{customer}", f"{day[:4]}-{day[4:6]}-{day[6:]}", int(units), round(float(paid) * 100))
        for customer, day, units, paid in rows
    )
    story = tell()
    found = real(story)
    assert len(found) == story.purchases == 69_659
    assert story.customers == 23_570
    assert len({event["data"]["order_id"] for event in found}) == len(found)
    assert expected == Counter(
        (event["subject"], event["time"][:10], event["data"]["units"], event["data"]["amount"])
        for event in found
    )
    assert len(story.lines) < 1.45 * len(found)


def test_what_is_not_marked_as_made_up_is_a_purchase() -> None:
    kinds = {(event["source"], event["type"], event["data"]["currency"]) for event in real(some())}
    assert kinds == {("/shop/orders", "purchase.completed", "USD")}


def test_the_same_is_told_each_time() -> None:
    assert tell(50) == tell(50)


def test_lines_come_in_the_order_of_their_times() -> None:
    times = [event["time"] for event in events(some())]
    assert times == sorted(times)


def test_no_two_events_share_source_and_id() -> None:
    names = Counter((event["source"], event["id"]) for event in events(some()))
    assert max(names.values()) == 1


def test_every_rung_of_every_ladder_is_reached_and_somebody_stands_there_at_the_end() -> None:
    backtest = folded()
    rungs = {(ladder.id, rung.id) for ladder in backtest.rules.ladders for rung in ladder.rungs}
    reached = {(change.ladder, change.to) for change in backtest.changes}
    standing = {
        (ladder.id, ladder.rungs[place - 1].id)
        for slot in backtest.customers()
        for ladder, place in zip(backtest.rules.ladders, slot.record.rungs, strict=True)  # type: ignore[union-attr]
        if place
    }
    assert rungs - reached == set()
    assert rungs - standing == set()


def test_every_cause_but_a_changed_definition_is_seen() -> None:
    causes = {change.cause for change in folded().changes}
    assert causes == {"event", "refund", "clock", "merge", "erasure", "manual"}


def test_only_the_lines_that_are_broken_on_purpose_are_refused() -> None:
    assert Counter(letter.reason for letter in folded().dead_letters) == {
        "not-json": 1,
        "unknown-type": 1,
        "bad-data": 1,
        "no-rate": 1,
        "unknown-order": 1,
        "unknown-review": 1,
    }


@pytest.mark.parametrize("customers", [1, 2, 7])
def test_a_shop_may_be_tiny(customers: int) -> None:
    assert tell(customers).customers == customers


def test_the_origin_is_told_where_the_data_lies() -> None:
    told = DATA.joinpath("README.md").read_text()
    for file in Path(str(DATA)).iterdir():
        assert f"`{file.name}`" in told or file.name == "README.md"
    assert SOURCE in told
