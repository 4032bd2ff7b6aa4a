"""A scenario of the oracle, as the product takes it."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from app.core.events import Event
from app.core.explain import describe
from app.core.instants import Calendar, parse_instant
from app.core.ladder import Ladder
from app.core.money import Rates
from app.core.rules import Rules
from app.offline.backtest import Backtest, DeadLetter, Line, run
from app.offline.ndjson import read_events
from app.wire.definition import read_folder
from app.wire.stage_change import encode
from tests.oracle.run import Scenario


@cache
def ladders_of(folder: Path) -> tuple[Ladder, ...]:
    return read_folder(folder)


def rules_of(scenario: Scenario) -> Rules:
    rows = [
        ((date.fromisoformat(day) - date(1970, 1, 1)).days, currency, Decimal(rate))
        for day, currency, rate in scenario.rates
    ]
    return Rules(
        ladders_of(scenario.ladders),
        Calendar(scenario.timezone),
        Rates(scenario.currency, rows),
        scenario.attributes,
        parse_instant(scenario.quiet_before) if scenario.quiet_before else None,
    )


def events_of(scenario: Scenario) -> tuple[list[tuple[Event, Line]], list[DeadLetter]]:
    """The events in order, and the lines that are none; a line's number is its index."""
    return read_events(
        (Line("scenario", index), json.dumps(event).encode())
        for index, event in enumerate(scenario.events)
    )


def backtest(scenario: Scenario) -> tuple[Backtest, list[tuple[int, str]]]:
    """The product's backtest, and its dead letters as (index, reason)."""
    events, refused = events_of(scenario)
    tested = Backtest(rules_of(scenario))
    run(tested, events, parse_instant(scenario.until) if scenario.until else None)
    dead = [(letter.line, letter.reason) for letter in [*refused, *tested.dead_letters]]
    return tested, sorted(dead)


def changes_of(tested: Backtest) -> list[dict[str, Any]]:
    """Stage changes as JSON, in the order of `ladder backtest --changes`."""
    changes = sorted(
        tested.changes,
        key=lambda change: (change.time, change.customer, change.ladder, change.sequence),
    )
    return [json.loads(encode(change)) for change in changes]


def customers_of(tested: Backtest) -> dict[str, dict[str, Any]]:
    assert tested.clock is not None or not list(tested.customers())
    now = tested.clock or 0
    return {
        slot.id: describe(tested.rules, slot, slot.id, now, tested.ranking)
        for slot in tested.customers()
    }
