"""The top-spender cuts of a partition: kept with the state, ranked anew after a start."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.core.apply import Outbox, fold, next_due
from app.core.customer import Customer, Slot
from app.core.due import NoCuts
from app.core.events import Event, PurchaseCompleted
from app.core.instants import DAY, Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.stream import cuts
from app.stream.cuts import TopSpenders
from app.stream.meta import Meta, read, write
from app.stream.shared import Shared
from app.stream.store import Standing, Store
from app.stream.store_batches import LAYOUT
from app.wire.definition import read_ladder
from app.wire.record import RecordCodec
from tests.shop import at

VITAL = read_ladder(
    b"""
id: vital
version: 1
title: {en: Vital}
kind: segment
rungs:
  - {id: top, title: {en: Top}, when: "top_spender(20, 30)"}
  - {id: rest, title: {en: Rest}, when: "spend > 0"}
""",
    "vital.yaml",
)
RULES = Rules([VITAL], Calendar("UTC"), Rates.only("VND"))
TODAY = 20_513
CODEC = RecordCodec(RULES.ladders)


def spent(customer: str, amount: int, day: int = TODAY) -> Slot:
    slot = Slot(customer)
    data = PurchaseCompleted(f"o-{customer}", amount, "VND")
    event = Event("/s", f"e-{customer}", customer, day * DAY + 1, data)
    fold(RULES, slot, event, NoCuts(), Outbox())
    next_due(RULES, slot)
    return slot


SLOTS = {f"c-{n}": spent(f"c-{n}", 100 * (n + 1)) for n in range(10)}


def record(customer: str) -> Customer:
    found = SLOTS[customer].record
    assert isinstance(found, Customer)
    return found


def note_all(tops: TopSpenders, slots: Mapping[str, Slot] = SLOTS) -> None:
    tops.days_to(TODAY * DAY)
    for customer in slots:
        tops.note(customer, record(customer), [TODAY])


def test_before_the_first_boundary_nobody_is_at_the_top() -> None:
    tops = TopSpenders(RULES, Meta(), 0)
    note_all(tops)
    assert tops.at(TODAY) == {}


def test_at_a_boundary_the_cut_is_taken_and_those_above_it_are_named() -> None:
    meta = Meta()
    tops = TopSpenders(RULES, meta, 0)
    note_all(tops)
    assert list(tops.days_to((TODAY + 1) * DAY)) == [TODAY + 1]
    assert tops.turn(TODAY + 1, record) == {"c-8", "c-9"}
    assert tops.at(TODAY + 1) == {(20, 30): 900}
    assert list(tops.days_to((TODAY + 1) * DAY + 5)) == []


def test_a_day_that_never_was_has_no_boundary() -> None:
    apia = Rules([VITAL], Calendar("Pacific/Apia"), Rates.only("VND"))
    tops = TopSpenders(apia, Meta(), 0)
    left_out = at("2011-12-30") // DAY
    assert list(tops.days_to(at("2011-12-28T12:00"))) == []
    passed = [left_out - 1, left_out + 1, left_out + 2]
    assert list(tops.days_to(at("2012-01-01T08:00"))) == passed


def test_the_cuts_come_back_with_the_state() -> None:
    meta = Meta()
    tops = TopSpenders(RULES, meta, 0)
    note_all(tops)
    tops.turn(TODAY + 1, record)
    meta.clock = (TODAY + 1) * DAY
    again = TopSpenders(RULES, read(write(meta)), 0)
    assert again.at(TODAY + 1) == {(20, 30): 900}
    assert again.at(TODAY + 5) == {(20, 30): 900}


def test_after_a_start_the_ranking_is_read_from_the_store_before_the_next_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuts, "SLICE", 3)
    store = Store(tmp_path / "0", Shared(cache=8 << 20, buffers=8 << 20))
    rows = [row for slot in SLOTS.values() for row in CODEC.changed_rows(slot)]
    store.write(rows, Standing(LAYOUT, "log", 0, 1, 0, 0))
    tops = TopSpenders(RULES, Meta(clock=TODAY * DAY), 0)
    slices = 0
    while tops.rebuilding:
        assert list(tops.days_to((TODAY + 1) * DAY)) == []
        tops.rebuild(store, CODEC)
        slices += 1
    store.close()
    assert slices == 4
    assert list(tops.days_to((TODAY + 1) * DAY)) == [TODAY + 1]
    assert tops.turn(TODAY + 1, record) == {"c-8", "c-9"}


def test_who_is_gone_is_ranked_no_more() -> None:
    tops = TopSpenders(RULES, Meta(), 0)
    note_all(tops)
    tops.forget("c-9")
    tops.turn(TODAY + 1, record)
    assert tops.at(TODAY + 1) == {(20, 30): 800}


def test_of_more_customers_than_are_ranked_a_sample_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cuts, "RANKED", 6)
    tops = TopSpenders(RULES, Meta(), 0)
    note_all(tops)
    assert 0 < len(tops._ranked) <= 6


def test_a_shop_without_top_spender_rules_takes_no_cuts() -> None:
    plain = Rules([], Calendar("UTC"), Rates.only("VND"))
    tops = TopSpenders(plain, Meta(clock=TODAY * DAY), 0)
    assert not tops.rebuilding
    assert list(tops.days_to((TODAY + 9) * DAY)) == []


def turned(meta: Meta, days: int) -> TopSpenders:
    """After boundaries at each of which somebody new is at the top, with as much as the day."""
    slots: dict[str, Slot] = {}

    def read(customer: str) -> Customer:
        found = slots[customer].record
        assert isinstance(found, Customer)
        return found

    tops = TopSpenders(RULES, meta, 0)
    tops.days_to(TODAY * DAY)
    for day in range(TODAY, TODAY + days):
        slots[f"d-{day}"] = spent(f"d-{day}", 1_000 * (day - TODAY + 1), day)
        tops.note(f"d-{day}", read(f"d-{day}"), [day])
        assert list(tops.days_to((day + 1) * DAY)) == [day + 1]
        tops.turn(day + 1, read)
    return tops


def test_the_cuts_of_every_day_are_known_however_far_a_backlog_reaches() -> None:
    tops = turned(Meta(), 100)
    assert tops.at(TODAY) == {}
    assert tops.at(TODAY + 1) == {(20, 30): 1_000}
    assert tops.at(TODAY + 5) == {(20, 30): 5_000}
    assert tops.at(TODAY + 200) == tops.at(TODAY + 100) == {(20, 30): 95_000}


def test_after_a_start_a_day_too_old_to_be_known_has_the_oldest_cuts_that_are() -> None:
    meta = Meta()
    tops = turned(meta, 100)
    again = TopSpenders(RULES, read(write(meta)), 0)
    assert again.at(TODAY + 90) == tops.at(TODAY + 90)
    oldest = TODAY + 100 - cuts.KEPT_DAYS + 1
    assert again.at(oldest) == tops.at(oldest)
    assert again.at(TODAY + 5) == again.at(TODAY) == again.at(oldest)


def test_no_more_days_are_known_than_may_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuts, "KNOWN_DAYS", 40)
    tops = turned(Meta(), 100)
    assert len(tops._cuts) == len(tops._days) == 40
    assert tops.at(TODAY + 5) == tops.at(TODAY + 61)
