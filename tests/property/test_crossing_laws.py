"""Laws of what crosses from one customer to another, in whatever order it arrives."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.apply import Outbox, advance
from app.core.customer import Customer
from app.core.due import NoCuts
from app.core.events import (
    Data,
    Event,
    Inquired,
    ProfileErased,
    ProfileMerged,
    PurchaseCompleted,
    Registered,
)
from app.core.receive import MOST_RETURNS
from tests.contract.test_oracle_agrees import as_json
from tests.core_backtest import Backtest, Line, run
from tests.oracle.run import Scenario, run_crossing
from tests.oracle.scenarios import EDGY as EDGY_FOLDER
from tests.partitions import Choose, Partitions, written
from tests.property.streams import EDGY, LAW, START, streams, told_once
from tests.property.test_laws import ATTRIBUTES, check_sequences
from tests.shop import DAY, SECOND, rules_of

RULES = rules_of(*EDGY, attributes=ATTRIBUTES)
ALONE = rules_of(*(one for one in EDGY if not one.tops), attributes=ATTRIBUTES)
"""Ladders on which nobody moves by what others spend."""

RESTS_WITHIN = 20_000
"""Steps; a merge that never comes to rest would take more."""


def event(number: int, customer: str, data: Data) -> Event:
    return Event("/shop", f"e{number}", customer, START + number * SECOND, data)


def at_random(order: Any) -> Choose:
    def choose(count: int) -> int:
        place: int = order.randrange(count)
        return place

    return choose


def merges(*pairs: str) -> list[Event]:
    """`ab` merges a into b. Before, everybody buys once; after, everybody buys again."""
    ids = sorted({*"".join(pairs)})
    said: list[tuple[str, Data]] = [
        *(
            (id, PurchaseCompleted(f"first of {id}", 10**place, "VND"))
            for place, id in enumerate(ids)
        ),
        *((pair[0], ProfileMerged(pair[1])) for pair in pairs),
        *(
            (id, PurchaseCompleted(f"second of {id}", 10**place, "VND"))
            for place, id in enumerate(ids)
        ),
    ]
    return [event(number, id, data) for number, (id, data) in enumerate(said)]


def settle(events: list[Event], choose: Choose) -> Partitions:
    partitions = Partitions(RULES, events)
    partitions.run(choose, RESTS_WITHIN)
    return partitions


def check_parts(partitions: Partitions, ids: str, parts: list[str]) -> list[str]:
    """The ids of each part are one customer who has all that any had; returns the survivors."""
    records, forwardings, facts = (
        partitions.records(), partitions.forwardings(), partitions.facts(0),
    )  # fmt: skip
    assert not partitions.refused
    assert {*forwardings, *records} == {*ids}
    assert sorted("".join(sorted({id, *slot.aliases})) for id, slot in records.items()) == parts
    for id in forwardings:
        assert end_of(forwardings, id) in records
        assert id in records[end_of(forwardings, id)].aliases
    for survivor, slot in records.items():
        worth = [10 ** ids.index(id) for id in (survivor, *slot.aliases)]
        assert facts[survivor]["purchases"] == 2 * len(worth)
        assert facts[survivor]["spend"] == 2 * sum(worth)
    check_sequences(partitions.changes, partitions.slots(), RULES)
    return sorted(records)


def end_of(forwardings: dict[str, str], id: str) -> str:
    """Where a chain of forwardings ends; it has an end."""
    seen = [id]
    while seen[-1] in forwardings:
        seen.append(forwardings[seen[-1]])
        assert seen.count(seen[-1]) == 1, f"forwardings in a circle: {seen}"
    return seen[-1]


def cross(events: list[Event], order: Any) -> Partitions:
    """Every merge is applied before any handover is delivered: they are on their way at once."""
    partitions = Partitions(RULES, events)
    while any(not handed for _, handed in partitions.waiting()):
        waiting = [one for one in partitions.waiting() if not one[1]]
        partitions.step(*waiting[order.randrange(len(waiting))])
    partitions.run(at_random(order), RESTS_WITHIN)
    return partitions


CIRCLES = [("ab", "ba"), ("ab", "bc", "ca"), ("ba", "cb", "ac"), ("ab", "bc", "cd", "da"),
           ("dc", "cb", "ba", "ad")]  # fmt: skip


@pytest.mark.parametrize("circle", CIRCLES, ids="-".join)
@given(order=st.randoms(use_true_random=False))
def test_merges_that_cross_in_a_circle_rest_at_the_smallest_id_with_all_facts(
    circle: tuple[str, ...], order: Any
) -> None:
    partitions = cross(merges(*circle), order)
    ids = "".join(sorted({*"".join(circle)}))
    assert check_parts(partitions, ids, [ids]) == ["a"]


def parted(ids: str, pairs: list[str]) -> list[str]:
    """The ids that the merges make one, as texts of sorted ids."""
    parts = [{id} for id in ids]
    for pair in pairs:
        together = [part for part in parts if part & {*pair}]
        parts = [part for part in parts if part not in together] + [set().union(*together)]
    return sorted("".join(sorted(part)) for part in parts)


PAIR = st.permutations("abcde").map(lambda ids: "".join(ids[:2]))
PAIRS = st.lists(PAIR, min_size=1, max_size=8)
EACH_ONCE = st.lists(PAIR, min_size=1, max_size=5, unique_by=lambda pair: pair[0])
"""Merges of which none is forwarded, so that no erasure told later overtakes one."""


@given(pairs=PAIRS, order=st.randoms(use_true_random=False))
@example(["ab", "ba", "bc"], random.Random(1))
@example(["ba", "cb", "ac", "dc", "ad"], random.Random(2))
def test_merges_whose_handovers_arrive_in_any_order_make_one_customer_with_all_facts(
    pairs: list[str], order: Any
) -> None:
    partitions = settle(merges(*pairs), at_random(order))
    ids = "".join(sorted({*"".join(pairs)}))
    check_parts(partitions, ids, parted(ids, pairs))


@LAW
@given(events=streams(most=20), order=st.randoms(use_true_random=False))
def test_whatever_crosses_comes_to_rest_without_gaps(events: list[Event], order: Any) -> None:
    partitions = settle(events, at_random(order))
    check_sequences(partitions.changes, partitions.slots(), RULES)
    slots, forwardings = partitions.slots(), partitions.forwardings()
    for id in forwardings:
        assert id in slots[end_of(forwardings, id)].aliases


def backtested(events: list[Event]) -> Partitions:
    """What the backtest comes to, to be asked the same."""
    tested = Backtest(RULES)
    run(tested, ((one, Line("-", number)) for number, one in enumerate(events)))
    shop = Partitions(RULES, ())
    for id, slot in tested.slots.items():
        shop.customers.add(id)
        shop.rows.save(slot)
    return shop


@LAW
@given(
    events=streams(("facts", "undoing", "overriding", "placing"), most=25),
    order=st.randoms(use_true_random=False),
)
def test_whom_no_handover_concerns_makes_exactly_the_changes_of_the_backtest(
    events: list[Event], order: Any
) -> None:
    end = events[-1].time + 50 * DAY
    tested = Backtest(ALONE)
    run(tested, ((one, Line("-", number)) for number, one in enumerate(events)), end)
    partitions = Partitions(ALONE, events)
    partitions.run(at_random(order), RESTS_WITHIN)
    for slot in partitions.slots().values():
        advance(ALONE, slot, end, NoCuts(), Outbox(partitions.changes))
    assert sorted(map(repr, partitions.changes)) == sorted(map(repr, tested.changes))
    assert sorted(refused.reason for refused in partitions.refused) == sorted(
        letter.reason for letter in tested.dead_letters
    )


@LAW
@given(
    events=streams(("facts", "undoing", "credits"), most=25),
    order=st.randoms(use_true_random=False),
)
def test_credits_that_arrive_in_any_order_lead_to_the_facts_of_the_backtest(
    events: list[Event], order: Any
) -> None:
    now = events[-1].time
    assert settle(events, at_random(order)).facts(now) == backtested(events).facts(now)


@LAW
@given(events=streams(("facts", "merging"), most=25), order=st.randoms(use_true_random=False))
def test_merges_that_arrive_in_any_order_lead_to_the_facts_of_the_backtest(
    events: list[Event], order: Any
) -> None:
    now = START + 1000 * DAY
    events = told_once(events)
    assert by_parts(settle(events, at_random(order)), now) == by_parts(backtested(events), now)


def by_parts(shop: Partitions, now: int) -> dict[frozenset[str], Any]:
    """Facts by all the ids of a customer: which of them survives depends on what comes first."""
    facts = shop.facts(now)
    return {frozenset({id, *slot.aliases}): facts[id] for id, slot in shop.records().items()}


@given(pairs=EACH_ONCE, order=st.randoms(use_true_random=False))
def test_an_erasure_while_forwards_are_on_their_way_leaves_nobody(
    pairs: list[str], order: Any
) -> None:
    events = merges(*pairs)
    ids = "".join(sorted({*"".join(pairs)}))
    erased = order.choice(parted(ids, pairs))
    partitions = Partitions(RULES, events)
    while any(not handed for _, handed in partitions.waiting()):
        partitions.step(*order.choice(partitions.waiting()))
    partitions.tell(event(1000, order.choice(erased), ProfileErased()))
    partitions.run(at_random(order), RESTS_WITHIN)
    slots = partitions.slots()
    for id in erased:
        marker = slots[id].erased
        assert slots[id].record is None
        assert marker is not None
        assert marker.instant == START + 1000 * SECOND
        partitions.tell(event(999, id, PurchaseCompleted(f"late {id}", 1, "VND")))
    partitions.run(at_random(order), RESTS_WITHIN)
    assert not {*partitions.records()} & {*erased}
    assert not any(erased.count(into) for into in partitions.forwardings().values())
    check_sequences(partitions.changes, partitions.slots(), RULES)


def test_an_erased_id_that_survives_a_crossing_goes_on_with_its_next_record() -> None:
    told: list[tuple[str, Data]] = [
        ("a", PurchaseCompleted("o", 1, "VND")),
        ("a", ProfileErased()),
        ("a", ProfileMerged("b")),
        ("b", ProfileMerged("a")),
    ]
    events = [event(number, *one) for number, one in enumerate(told)]
    partitions = cross(events, random.Random(0))
    partitions.tell(event(9, "b", PurchaseCompleted("p", 1, "VND")))
    partitions.run(at_random(random.Random(0)), RESTS_WITHIN)
    c = partitions.slots()["a"].record
    assert isinstance(c, Customer)
    assert (c.life, c.bought.total(0)) == (2, 1)
    check_sequences(partitions.changes, partitions.slots(), RULES)


def test_a_record_that_travelled_on_is_found_though_who_passed_it_on_is_forgotten() -> None:
    partitions = Partitions(RULES, [])
    for one in (
        event(1, "a", PurchaseCompleted("o", 1, "VND")),
        event(2, "b", ProfileMerged("c")),
        event(5, "c", ProfileErased()),
        event(9, "a", ProfileMerged("b")),
    ):
        partitions.tell(one)
    for who, handed_over in (
        ("b", False), ("c", True), ("a", False), ("a", False), ("b", True), ("c", False),
        ("b", True), ("c", True), ("a", True),
    ):  # fmt: skip
        partitions.step(who, handed_over)
    assert not partitions.waiting()
    assert partitions.forwardings() == {"a": "c"}
    before = partitions.steps
    partitions.tell(event(20, "a", PurchaseCompleted("p", 10, "VND")))
    partitions.run(lambda count: 0, RESTS_WITHIN)
    assert partitions.steps - before == 2
    assert partitions.facts(0)["c"]["spend"] == 11


CROWD = "abcdefghij"
WEIGHTED: list[Callable[[random.Random], Data]] = [
    lambda chance: ProfileMerged(chance.choice(CROWD)),
    lambda chance: ProfileMerged(chance.choice(CROWD)),
    lambda chance: ProfileMerged(chance.choice("xyz")),
    lambda chance: ProfileErased(),
    lambda chance: Inquired(),
    lambda chance: Registered(chance.choice(CROWD)),
    lambda chance: PurchaseCompleted(str(chance.random()), chance.randrange(9), "VND"),
]


def crowded(chance: random.Random, count: int, kinds: Sequence[int]) -> list[Event]:
    events = []
    for number in range(count):
        data = WEIGHTED[chance.choice(kinds)](chance)
        who = chance.choice(CROWD)
        if not (isinstance(data, ProfileMerged) and data.into == who):
            events.append(event(number, who, data))
    return events


MERGES_ALONE, EVERYTHING = (0, 1, 2), (0, 1, 2, 3, 4, 4, 5, 6, 6)


@pytest.mark.parametrize("kinds", [MERGES_ALONE, EVERYTHING], ids=["merges", "everything"])
@LAW
@given(seed=st.integers(0, 2**32), count=st.sampled_from([12, 40]))
def test_a_crowd_that_merges_and_is_erased_all_at_once_comes_to_rest(
    kinds: Sequence[int], seed: int, count: int
) -> None:
    chance = random.Random(seed)
    partitions = settle(crowded(chance, count, kinds), chance.randrange)
    check_sequences(partitions.changes, partitions.slots(), RULES)
    forwardings, slots = partitions.forwardings(), partitions.slots()
    for id in forwardings:
        end = slots[end_of(forwardings, id)]
        assert id in end.aliases or kinds is EVERYTHING
    owned = [alias for slot in slots.values() for alias in slot.aliases]
    assert len(owned) == len({*owned}) or kinds is EVERYTHING


@LAW
@given(seed=st.integers(0, 2**32))
@example(18)
def test_after_the_rest_an_event_for_anybody_is_applied_to_one_record_soon(seed: int) -> None:
    chance = random.Random(seed)
    partitions = settle(crowded(chance, 40, EVERYTHING), chance.randrange)
    for number, id in enumerate(CROWD + "xyz"):
        before = partitions.steps
        inquiries = total_inquiries(partitions)
        partitions.tell(event(10_000 + number, id, Inquired()))
        partitions.run(chance.randrange, RESTS_WITHIN)
        assert total_inquiries(partitions) == inquiries + 1
        assert partitions.steps - before <= MOST_RETURNS * len(CROWD)


def total_inquiries(partitions: Partitions) -> int:
    records = [slot.record for slot in partitions.records().values()]
    return sum(c.asked.total(0) for c in records if isinstance(c, Customer))


INTO = st.dictionaries(st.sampled_from("abcd"), st.sampled_from("abcd"), min_size=2).map(
    lambda goes: {id: into for id, into in goes.items() if id != into}
)


@st.composite
def crossing_streams(draw: st.DrawFn) -> list[Event]:
    """What counts in any order, and at most one merge of each customer, whom somebody knows."""
    known = [Event("/shop", f"known {id}", id, START, Inquired()) for id in "abcd"]
    events = told_once(draw(streams(("facts",), customers=tuple("abcd"), most=20)))
    for id, into in draw(INTO).items():
        place = draw(st.integers(0, len(events)))
        time = events[place - 1].time if place else START
        events.insert(place, Event("/shop", f"merge {id}", id, time, ProfileMerged(into)))
    return known + events


@LAW
@given(crossing_streams(), st.randoms(use_true_random=False))
def test_merges_that_cross_rest_where_the_oracle_says_with_the_facts_that_it_says(
    events: list[Event], order: Any
) -> None:
    scenario = Scenario(
        [json.loads(written(event)) for event in events], EDGY_FOLDER, attributes=ATTRIBUTES
    )
    expected = run_crossing(scenario)
    assert not expected.dead_letters
    partitions = cross(events, order)
    assert not partitions.refused
    found = partitions.facts(events[-1].time)
    assert [*found] == [*expected.customers]
    for id, answer in expected.customers.items():
        known = {fact: found[id][fact] for fact in answer["facts"]}
        assert as_json(known) == as_json(answer["facts"])
