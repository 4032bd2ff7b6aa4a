"""A scenario of the oracle, as the product takes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from app.core.events import Event
from app.core.instants import Calendar, parse_instant
from app.core.ladder import Ladder
from app.core.money import Rates
from app.core.rules import Rules
from app.offline.backtest import Backtest, DeadLetter
from app.offline.ndjson import STDIN
from app.wire.definition import read_folder
from tests.core_backtest import Line, read_events
from tests.oracle.run import Scenario


@cache
def ladders_of(folder: Path) -> tuple[Ladder, ...]:
    return read_folder(folder)


@cache
def calendar_of(timezone: str) -> Calendar:
    """One for all scenarios of a zone: it keeps the days that it has looked up."""
    return Calendar(timezone)


def rules_of(scenario: Scenario, ladders: tuple[Ladder, ...] | None = None) -> Rules:
    """The rules of a scenario, or those of some of its ladders alone."""
    rows = [
        ((date.fromisoformat(day) - date(1970, 1, 1)).days, currency, Decimal(rate))
        for day, currency, rate in scenario.rates
    ]
    return Rules(
        ladders_of(scenario.ladders) if ladders is None else ladders,
        calendar_of(scenario.timezone),
        Rates(scenario.currency, rows),
        scenario.attributes,
        parse_instant(scenario.quiet_before) if scenario.quiet_before else None,
    )


def lines_of(scenario: Scenario) -> bytes:
    """The events as a file of NDJSON."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in scenario.events)


def until_of(scenario: Scenario) -> int | None:
    return parse_instant(scenario.until) if scenario.until else None


def events_of(scenario: Scenario) -> tuple[list[tuple[Event, Line]], list[DeadLetter]]:
    """The events in order, and the lines that are none; a line's number is its index."""
    return read_events(
        (Line("scenario", index), json.dumps(event).encode())
        for index, event in enumerate(scenario.events)
    )


def backtest(scenario: Scenario) -> tuple[Backtest, list[tuple[int, str]]]:
    """The product's backtest, and its dead letters as (index, reason)."""
    tested = folded(rules_of(scenario), lines_of(scenario), until_of(scenario))
    return tested, sorted((letter.line - 1, letter.reason) for letter in tested.dead_letters())


def folded(rules: Rules, lines: bytes, until: int | None) -> Backtest:
    """What the engine makes of NDJSON."""
    tested = Backtest(rules)
    tested.read([STDIN], BytesIO(lines))
    tested.fold(until)
    return tested


def written(write: Callable[[BinaryIO], None]) -> bytes:
    """What is written of a backtest: `written(tested.write_changes)`."""
    stream = BytesIO()
    write(stream)
    return stream.getvalue()


def changes_of(tested: Backtest) -> list[dict[str, Any]]:
    """Stage changes as JSON, in the order of `ladder backtest --changes`."""
    return [json.loads(line) for line in written(tested.write_changes).splitlines()]


def customers_of(tested: Backtest) -> dict[str, dict[str, Any]]:
    """Customers as the API gives them, by id."""
    lines = written(tested.write_customers).splitlines()
    return {customer["customer_id"]: customer for customer in map(json.loads, lines)}
