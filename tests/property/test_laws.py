"""Laws of the rules: what holds whatever happens to customers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.apply import Applied, Repeated
from app.core.change import Change
from app.core.customer import Customer, Slot
from app.core.events import (
    ClockAdvanced,
    Event,
    ProfileMerged,
    PurchaseCompleted,
    PurchaseRefunded,
    Refused,
    Registered,
)
from app.core.ladder import Ladder
from app.core.rules import Rules
from app.wire.definition import read_folder
from tests import told
from tests.oracle.scenarios import EDGY as EDGY_FOLDER
from tests.oracle.scenarios import random_scenario
from tests.partitions import Rows
from tests.property.streams import EDGY, LAW, START, streams, told_once
from tests.shop import DAY, Shop

STEPS = next(ladder for ladder in EDGY if ladder.id == "steps")
ATTRIBUTES = ("city", "score", "likes")


def shop_of(events: Iterable[Event], *ladders: Ladder) -> Shop:
    shop = Shop(*(ladders or EDGY), attributes=ATTRIBUTES)
    for event in events:
        shop.apply(event)
    return shop


def rows(shop: Shop) -> dict[str, Any]:
    """Everything kept about everybody, as stored."""
    kept = Rows(shop.rules)
    for slot in shop.slots.values():
        slot.stored, slot.traced = 0, (None, (), "")
        for book in books(slot):
            if book.older is not None:
                book.older.changed = True
        kept.save(slot)
    return {key.hex(): value for key, value in kept.held.items()}


def books(slot: Slot) -> list[Any]:
    c = slot.record
    return [c.seen, c.orders, c.reviews, c.referrals] if isinstance(c, Customer) else []


def check_sequences(changes: Iterable[Change], now: dict[str, Slot], rules: Rules) -> None:
    """Sequences have no gaps, changes join on, and folded they give the rungs in the records."""
    last: dict[tuple[str, int, str], Change] = {}
    for change in changes:
        key = (change.customer, change.life, change.ladder)
        before = last.get(key)
        assert change.sequence == (before.sequence + 1 if before else 1)
        assert change.from_ == (before.to if before else None)
        assert change.from_ != change.to
        if before is not None and before.to is not None:
            assert change.since == before.time
            assert change.held == (change.time - before.time) // 1_000_000
        else:
            assert change.since is change.held is None
        last[key] = change
    standing = {(who, life, ladder): c.to for (who, life, ladder), c in last.items() if c.to}
    kept = {}
    for slot in now.values():
        if isinstance(slot.record, Customer):
            for ladder, place in zip(rules.ladders, slot.record.rungs, strict=True):
                if place:
                    kept[slot.id, slot.record.life, ladder.id] = ladder.rungs[place - 1].id
    assert standing == kept


@LAW
@given(streams())
def test_the_same_events_give_the_same_records_and_changes(events: list[Event]) -> None:
    read_anew = read_folder(EDGY_FOLDER)
    one, other = shop_of(events), shop_of(events, *read_anew)
    assert one.changes == other.changes
    assert rows(one) == rows(other)


@LAW
@given(events=streams(), data=st.data())
def test_a_duplicate_changes_nothing(events: list[Event], data: st.DataObject) -> None:
    shop = shop_of(())
    applied: list[Event] = []
    for event in events:
        if isinstance(shop.apply(event), Refused):
            continue
        applied.append(event)
        before, changes = rows(shop), len(shop.changes)
        again = data.draw(st.sampled_from(applied))
        verdict = shop.apply(again)
        # Of two ids that were one when they were merged nobody remembers the merge.
        wrong = Refused if isinstance(again.data, ProfileMerged) else Applied | Refused
        assert not isinstance(verdict, wrong)
        assert rows(shop) == before
        assert len(shop.changes) == changes


def test_a_duplicate_is_known_among_the_last_256_events_of_a_customer_and_not_before() -> None:
    shop = Shop(*EDGY)
    for number in range(257):
        shop.tell(Registered(), id=f"e{number}")
    assert shop.tell(Registered(), id="e1") == Repeated()
    assert shop.tell(Registered(), id="e0") == Applied()


@LAW
@given(streams(("facts", "undoing", "overriding", "people")))
def test_a_cumulative_ladder_is_climbed_only_by_passing_every_rung_between(
    events: list[Event],
) -> None:
    shop = shop_of((), STEPS)
    ids = [rung.id for rung in STEPS.rungs]
    for event in events:
        seen = len(shop.changes)
        shop.apply(event)
        for change in shop.changes[seen:]:
            low = ids.index(change.from_) if change.from_ else -1
            high = ids.index(change.to) if change.to else -1
            between = ids[min(low, high) + 1 : max(low, high) + 1]
            assert change.passed == (between if high > low else between[::-1])
        for slot in shop.slots.values():
            c = slot.record
            if isinstance(c, Customer):
                day = shop.rules.calendar.day_of(c.as_of)
                holds = [STEPS.holds(place, c, day, {}) for place in STEPS.steps]
                assert c.rungs[0] == (holds.index(False) if False in holds else len(holds))


@LAW
@given(events=streams(), cuts=st.sets(st.integers(0, 25)))
def test_a_fold_in_parts_with_storing_in_between_equals_one_fold(
    events: list[Event], cuts: set[int]
) -> None:
    whole, parts = shop_of(events), shop_of(())
    store = Rows(parts.rules)
    for number, event in enumerate(events):
        parts.apply(event)
        if number in cuts:
            for slot in parts.slots.values():
                store.save(slot)
            parts.slots = {customer: store.load(customer) for customer in parts.slots}
    assert parts.changes == whole.changes
    assert rows(parts) == rows(whole)


@pytest.mark.parametrize("seed", [18, 22, 36, 47])
def test_a_long_history_stored_and_read_after_every_event_equals_one_fold(seed: int) -> None:
    scenario = random_scenario(seed)
    rules = told.rules_of(scenario)
    whole, parts, store = Shop(rules=rules), Shop(rules=rules), Rows(rules)
    for event, _ in told.events_of(scenario)[0]:
        if isinstance(event.data, ClockAdvanced):
            continue  # it concerns no customer
        whole.apply(event)
        parts.apply(event)
        for slot in parts.slots.values():
            store.save(slot)
        parts.slots = {customer: store.load(customer) for customer in parts.slots}
    assert parts.changes == whole.changes
    assert rows(parts) == rows(whole)


@LAW
@given(streams())
def test_sequences_have_no_gaps_and_changes_fold_to_the_rungs_of_the_records(
    events: list[Event],
) -> None:
    shop = shop_of(events)
    check_sequences(shop.changes, shop.slots, shop.rules)


@LAW
@given(events=streams(), order=st.randoms(use_true_random=False))
def test_sequences_have_no_gaps_when_events_come_in_any_order(
    events: list[Event], order: Any
) -> None:
    order.shuffle(events)
    shop = shop_of(events)
    check_sequences(shop.changes, shop.slots, shop.rules)


@LAW
@given(
    events=streams(("facts", "overriding"), customers=("a",)),
    parts=st.lists(st.integers(1, 400), min_size=1, max_size=3),
)
def test_refunding_everything_equals_never_having_bought(
    events: list[Event], parts: list[int]
) -> None:
    events = [Event("/shop", "first", "a", START, Registered()), *told_once(events)]
    orders = {
        event.id: event.data.order_id
        for event in events
        if isinstance(event.data, PurchaseCompleted)
    }
    end = events[-1].time + DAY
    refunds = [
        Event("/shop", f"{id}-{number}", "a", end, PurchaseRefunded(order, part, "VND"))
        for id, order in orders.items()
        for number, part in enumerate([*parts, 1000])
    ]
    refunded = shop_of([*events, *refunds])
    never = shop_of(event for event in events if event.id not in orders)
    assert without_events(refunded.facts("a", end)) == without_events(never.facts("a", end))


def without_events(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts but not history: `events_in` counts a refund, and what became void."""
    return {name: value for name, value in facts.items() if not name.startswith("events_in")}


@LAW
@given(events=streams(("facts",), most=30), order=st.randoms(use_true_random=False))
def test_late_events_lead_to_the_facts_of_those_in_order(events: list[Event], order: Any) -> None:
    events = told_once(events)
    end = events[-1].time
    in_order = shop_of(events)
    order.shuffle(events)
    late = shop_of(events)
    for customer in in_order.slots:
        assert late.facts(customer, end) == in_order.facts(customer, end)


@LAW
@given(events=streams(("facts", "undoing")), order=st.randoms(use_true_random=False))
def test_a_refund_or_removal_that_comes_late_leads_to_the_same_facts(
    events: list[Event], order: Any
) -> None:
    applied = accepted(told_once(events))
    end = events[-1].time
    in_order = shop_of(applied)
    done = [event for event in applied if event.type not in UNDOING]
    undone = [event for event in applied if event.type in UNDOING]
    order.shuffle(done)
    order.shuffle(undone)
    late = shop_of([*done, *undone])
    for customer in in_order.slots:
        assert late.facts(customer, end) == in_order.facts(customer, end)


UNDOING = ("purchase.refunded", "review.removed", "referral.reversed")


def accepted(events: list[Event]) -> list[Event]:
    shop = shop_of(())
    return [event for event in events if not isinstance(shop.apply(event), Refused)]
