"""`run`: a scenario in, what the contract says about it out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .answer import customer
from .clock import Days, parse_time
from .crossing import Crossing
from .ladders import Ladder, named_facts, read_ladders
from .live import Live
from .money import Rates
from .reading import TOPIC, Settings, read
from .record import Event
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


def settings_of(scenario: Scenario, top_spenders: bool = True) -> Settings:
    """Without `top_spenders`: of the ladders that do not ask who spends most."""
    ladders = [
        ladder
        for ladder in read_ladders(scenario.ladders)
        if top_spenders or not names_top_spender(ladder)
    ]
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
    world = World(settings_of(scenario), every_day)
    good, dead = events_of(world.settings, scenario)
    good.sort(key=in_time)
    return told(world, good, dead, scenario.until)


def run_as_they_come(scenario: Scenario) -> Result:
    """What one worker makes of events in the order given, late ones among them.

    Ladders that name `top_spender` are left out: their moves are promised to nobody who is late.
    What one customer owes another is delivered at once.
    """
    settings = settings_of(scenario, top_spenders=False)
    return told(Live(settings), *events_of(settings, scenario), scenario.until)


def run_crossing(scenario: Scenario) -> Result:
    """As they come, but no merge arrives before every event was applied: so they may cross."""
    settings = settings_of(scenario, top_spenders=False)
    return told(Crossing(settings), *events_of(settings, scenario), scenario.until)


def names_top_spender(ladder: Ladder) -> bool:
    return any(fact.name == "top_spender" for fact in named_facts([ladder]))


Numbered = tuple[int, Event]
Dead = list[tuple[int, str]]


def events_of(settings: Settings, scenario: Scenario) -> tuple[list[Numbered], Dead]:
    """The events with their index, as they stand; and what is refused before any record is met."""
    good: list[Numbered] = []
    dead: Dead = []
    for index, raw in enumerate(scenario.events):
        event = read(settings, raw)
        if isinstance(event, str):
            dead.append((index, event))
        else:
            good.append((index, event))
    return good, dead


def in_time(numbered: Numbered) -> tuple[int, int, int]:
    index, event = numbered
    return event.time, TOPIC.get(event.type, 0), index


def told(world: World, events: list[Numbered], dead: Dead, until: str | None) -> Result:
    """Apply the events in this order and say what came of it."""
    for index, event in events:
        reason = world.apply(event)
        if reason is not None:
            dead.append((index, reason))
    world.finish(parse_time(until) if until else None)
    return Result(
        sorted(world.changes, key=order_of),
        sorted(dead),
        {id: customer(world, world.records[id]) for id in sorted(world.records)},
    )


def order_of(change: dict[str, Any]) -> tuple[int, str, str, int]:
    data = change["data"]
    return (parse_time(change["time"]) or 0, change["subject"], data["ladder"], data["sequence"])
