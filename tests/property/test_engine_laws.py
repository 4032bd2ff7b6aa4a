"""Laws of the rules through the engine's seam: bytes in, bytes out, whatever happens."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.instants import parse_instant
from app.offline.backtest import Backtest
from app.wire.definition import read_folder
from tests import told
from tests.oracle.run import Scenario
from tests.oracle.scenarios import random_scenario
from tests.property.streams import LAW

SCENARIOS = st.integers(0, 100_000).map(random_scenario)
Outcome = tuple[bytes, bytes]


def folded(scenario: Scenario) -> Backtest:
    rules, until = told.rules_of(scenario), told.until_of(scenario)
    return told.folded(rules, told.lines_of(scenario), until)


def outcome(tested: Backtest) -> Outcome:
    """The stage changes and the customers, as they are written."""
    return told.written(tested.write_changes), told.written(tested.write_customers)


def with_events(scenario: Scenario, events: Iterable[dict[str, Any]]) -> Scenario:
    return replace(scenario, events=list(events))


def instant_of(event: Any) -> object:
    """When an event happened; of what is none, something of its own."""
    time = event.get("time") if isinstance(event, dict) else None
    instant = parse_instant(time) if isinstance(time, str) else None
    return json.dumps(event) if instant is None else instant


@LAW
@given(SCENARIOS)
def test_the_same_events_give_the_same_bytes(scenario: Scenario) -> None:
    assert outcome(folded(scenario)) == outcome(folded(scenario))


@LAW
@given(SCENARIOS)
def test_an_event_that_comes_twice_changes_nothing(scenario: Scenario) -> None:
    twice = with_events(scenario, (each for event in scenario.events for each in (event, event)))
    assert outcome(folded(twice)) == outcome(folded(scenario))


@LAW
@given(scenario=SCENARIOS, order=st.randoms(use_true_random=False))
def test_lines_may_stand_in_any_order_where_no_two_have_one_time(
    scenario: Scenario, order: Any
) -> None:
    by_time = {instant_of(event): event for event in scenario.events}
    one = with_events(scenario, by_time.values())
    shuffled = [*by_time.values()]
    order.shuffle(shuffled)
    assert outcome(folded(with_events(scenario, shuffled))) == outcome(folded(one))


@LAW
@given(SCENARIOS)
def test_changes_count_without_gaps_and_join_on(scenario: Scenario) -> None:
    last: dict[tuple[str, str, str], dict[str, Any]] = {}
    tested = folded(scenario)
    for change in told.changes_of(tested):
        data = change["data"]
        ladder, ending = data["ladder"], change["id"].rpartition("/r")
        life = ending[2] if ending[0].endswith(f"/{data['sequence']}") else "1"
        key = (change["subject"], life, ladder)
        before = last.get(key)
        assert data["sequence"] == (before["data"]["sequence"] + 1 if before else 1)
        assert data["from"] == (before["data"]["to"] if before else None)
        assert data["from"] != data["to"]
        left = before if before and data["from"] else None
        assert data["since"] == (left["time"] if left else None)
        last[key] = change
    standing = {
        (customer, ladder): told_of["rung"]
        for customer, view in told.customers_of(tested).items()
        for ladder, told_of in view["ladders"].items()
        if told_of["rung"]
    }
    assert standing == {
        (who, ladder): change["data"]["to"]
        for (who, _, ladder), change in last.items()
        if change["data"]["to"]
    }


@LAW
@given(SCENARIOS)
def test_what_was_passed_lies_between_in_the_order_of_the_ladder(scenario: Scenario) -> None:
    ladders = {ladder.id: ladder for ladder in read_folder(scenario.ladders)}
    for change in told.changes_of(folded(scenario)):
        data = change["data"]
        ladder = ladders[data["ladder"]]
        places = {rung.id: place for place, rung in enumerate(ladder.rungs, 1)} | {None: 0}
        low, high = sorted((places[data["from"]], places[data["to"]]))
        between = [ladder.rungs[step].id for step in ladder.steps if low <= step < high]
        if ladder.kind == "segment" or ladder.climb == "free":
            between = []
        assert data["passed"] == (between if data["direction"] == "up" else between[::-1])
