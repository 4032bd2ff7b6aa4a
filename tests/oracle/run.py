"""`run`: a scenario in, what the contract says about it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .clock import Days, format_time, parse_time
from .conditions import Fact
from .facts import PLAIN, fact
from .ladders import Ladder, named_facts, read_ladders
from .money import Rates
from .reading import TOPIC, Settings, read
from .record import Event, Record
from .world import World


@dataclass
class Scenario:
    """Events as parsed JSON, in the order of the lines of the file; settings as texts."""

    events: list[Any]
    ladders: Path
    timezone: str = "UTC"
    currency: str = "VND"
    rates: list[tuple[str, str, str]] = field(default_factory=list)  # date, currency, rate
    quiet_before: str | None = None
    attributes: tuple[str, ...] = ()
    until: str | None = None


@dataclass
class Result:
    """`dead_letters` are (index in events, reason); `customers` by id."""

    changes: list[dict[str, Any]]
    dead_letters: list[tuple[int, str]]
    customers: dict[str, dict[str, Any]]


def settings_of(scenario: Scenario) -> Settings:
    ladders = read_ladders(scenario.ladders)
    named = [f.name for f in named_facts(ladders) if f.name.startswith("profile.")]
    return Settings(
        days=Days(scenario.timezone),
        rates=Rates(scenario.currency, scenario.rates),
        ladders=ladders,
        kept={name.removeprefix("profile.") for name in named} | set(scenario.attributes),
        quiet_before=parse_time(scenario.quiet_before) if scenario.quiet_before else None,
    )


def run(scenario: Scenario, every_day: bool = False) -> Result:
    """Backtest. `every_day` skips no day boundary (slower; the result is the same)."""
    settings = settings_of(scenario)
    world = World(settings, every_day)
    dead: list[tuple[int, str]] = []
    good: list[tuple[int, int, int, Event]] = []
    for index, raw in enumerate(scenario.events):
        event = read(settings, raw)
        if isinstance(event, str):
            dead.append((index, event))
        else:
            good.append((event.time, TOPIC.get(event.type, 0), index, event))
    for _, _, index, event in sorted(good, key=lambda entry: entry[:3]):
        reason = world.apply(event)
        if reason is not None:
            dead.append((index, reason))
    until = parse_time(scenario.until) if scenario.until else None
    if until is not None:
        world.advance(until)
    return Result(
        sorted(world.changes, key=order_of),
        sorted(dead),
        {id: customer(world, world.records[id]) for id in sorted(world.records)},
    )


def order_of(change: dict[str, Any]) -> tuple[int, str, str, int]:
    data = change["data"]
    return (parse_time(change["time"]) or 0, change["subject"], data["ladder"], data["sequence"])


def customer(world: World, record: Record) -> dict[str, Any]:
    """As GET /v1/customers/{id} gives it, as far as it is asked for here."""
    settings = world.settings
    assert world.now is not None
    today = settings.days.today(world.now)
    asked = [Fact(name, name) for name in PLAIN]
    asked += [Fact(f"profile.{name}", f"profile.{name}") for name in sorted(settings.kept)]
    asked += [f for f in named_facts(settings.ladders) if f.args]
    return {
        "customer_id": record.id,
        "facts": {f.text: fact(record, f, today, world.cuts) for f in asked},
        "ladders": {ladder.id: on_ladder(record, ladder) for ladder in settings.ladders},
    }


def on_ladder(record: Record, ladder: Ladder) -> dict[str, Any]:
    stand = record.stands[ladder.id]
    placed = None
    if stand.placed is not None:
        rung, until = stand.placed
        placed = {
            "rung": ladder.rungs[rung].id,
            "until": format_time(until) if until is not None else None,
        }
    return {
        "rung": ladder.rungs[stand.rung].id if stand.rung != -1 else None,
        "since": format_time(stand.since) if stand.since is not None else None,
        "sequence": stand.sequence,
        "placed": placed,
    }
