"""Random scenarios: few customers, many edges. The same seed gives the same scenario."""

from __future__ import annotations

import argparse
import json
import random
from base64 import b64encode
from pathlib import Path
from typing import Any

from .clock import DAY, Days, format_time, parse_time
from .ladders import Ladder, named_facts, read_ladders
from .moments import ODD_NIGHTS, STARTS, Moments, written
from .run import Scenario, run
from .spoilt import repeat, spoil
from .stories import Story

BUILT_IN = Path(__file__).parents[2] / "app" / "ladders"
EDGY = Path(__file__).parent / "ladders"
ZONES = [
    "UTC", "Asia/Ho_Chi_Minh", "America/New_York", "America/Sao_Paulo", "Pacific/Apia",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Lisbon", "Africa/Cairo", "America/St_Johns",
    "Antarctica/Casey",
]  # fmt: skip
CURRENCIES = ["VND", "USD", "EUR", "JPY", "KWD", "ITL"]
PRICES = {
    "VND": "0.0000393701", "USD": "1", "EUR": "1.0875", "JPY": "0.00667", "KWD": "3.25",
    "ITL": "0.00056165",
}  # fmt: skip


def random_scenario(seed: int) -> Scenario:
    """10 to 200 events of 3 to 8 customers over a few days to three years."""
    chance = random.Random(seed)
    scenario = bare(chance)
    ladders = read_ladders(scenario.ladders)
    days = Days(scenario.timezone)
    moments = moments_for(chance, ladders, days)
    count = chance.choice([10, 25, 60, 120, 200])
    horizon = chance.choice([6, 30, 120, 400, 1095])
    scale = chance.choice([1, 1, 1, 50]) * (1 if scenario.ladders == EDGY else 300)
    amounts = [0, 1, 100, 333, 500, 1000, 1500, 4999]
    currencies = [*chance.sample(CURRENCIES, chance.choice([1, 2, 4])), scenario.currency]
    story = Story(chance, chance.randrange(3, 9), ladders, currencies, [scale * a for a in amounts])
    if chance.random() < 0.25:
        story.about_people()
    for instant in moments.draw(count, horizon):
        scenario.events.append(tell(chance, story, instant, scenario.events))
    first, last = min(moments.taken), max(moments.taken)
    finish(chance, scenario, first, last)
    if chance.random() < 0.3:
        chance.shuffle(scenario.events)
    return scenario


def late_scenario(seed: int) -> Scenario:
    """A random scenario in order, of which some events come late: for `run_as_they_come`."""
    chance = random.Random(seed)
    scenario = random_scenario(seed)
    share, furthest = chance.choice([0.05, 0.2, 0.5]), chance.choice([2, 10, 60])
    placed = [
        (place + (chance.randrange(furthest) if chance.random() < share else 0), event)
        for place, event in enumerate(sorted(scenario.events, key=time_of))
    ]
    scenario.events = [event for _, event in sorted(placed, key=lambda each: each[0])]
    return scenario


def time_of(event: Any) -> int:
    """For sorting; what has no time comes first."""
    return (parse_time(event.get("time")) or 0) if isinstance(event, dict) else 0


def crowded_scenario(seed: int) -> Scenario:
    """More orders, reviews, referred ids and events than a record remembers."""
    chance = random.Random(seed)
    scenario = bare(chance)
    ladders = read_ladders(scenario.ladders)
    days = Days(scenario.timezone)
    moments = moments_for(chance, ladders, days)
    story = Story(chance, 2, ladders, [scenario.currency], [100, 400])
    many = chance.choice(["purchase.completed", "review.posted", "referral.converted"])
    start = moments.taken[0]
    for number in range(540):
        at = start + number * DAY // 2
        data = story.tellers[many]("c-0", at)
        data |= {
            "purchase.completed": {"order_id": f"o{number}"},
            "review.posted": {"review_id": f"r{number}"},
        }.get(many, {"referred_id": f"f{number}"})
        scenario.events.append(envelope(f"m{number}", many, at, data))
    undo = {"purchase.completed": "purchase.refunded", "review.posted": "review.removed"}
    for number, event in enumerate(chance.sample(scenario.events[:80], 60)):
        kind = chance.choice([many, undo.get(many, "referral.reversed")])
        later = start + 270 * DAY + number
        scenario.events.append(envelope(f"again{number}", kind, later, event["data"]))
    for event in chance.sample(scenario.events, 20):
        scenario.events.append({**event, "time": format_time(start + 275 * DAY)})
    return scenario


def envelope(id: str, type: str, instant: int, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": id, "source": "/shop", "type": type, "subject": "c-0",
        "time": format_time(instant), "data": data,
    }  # fmt: skip


def bare(chance: random.Random) -> Scenario:
    """Settings alone."""
    currency = chance.choice(["VND", "VND", "USD", "EUR"])
    scenario = Scenario([], chance.choice([BUILT_IN, EDGY, EDGY]))
    scenario.timezone = chance.choice(ZONES)
    scenario.currency = currency
    scenario.attributes = tuple(chance.sample(["city", "vip", "age"], chance.randrange(3)))
    return scenario


def moments_for(chance: random.Random, ladders: list[Ladder], days: Days) -> Moments:
    odd = ODD_NIGHTS.get(days.zone.key)
    first = odd if odd and chance.random() < 0.7 else chance.choice(STARTS)
    start = parse_time(f"{first}T12:00:00Z")
    assert start is not None
    windows = sorted({fact.args[-1] for fact in named_facts(ladders) if fact.args})
    graces = sorted({ladder.grace // DAY for ladder in ladders if ladder.grace})
    return Moments(chance, days, start, windows, graces)


def tell(chance: random.Random, story: Story, instant: int, before: list[Any]) -> Any:
    """Mostly a new event; now and then one again, or one that is spoilt."""
    kind = chance.random()
    told = [event for event in before[-30:] if isinstance(event, dict) and "id" in event]
    if kind < 0.05 and told:
        return repeat(chance, chance.choice(told), written(chance, instant))
    event = story.tell(instant)
    if "data" in event and chance.random() < 0.05:
        said = json.dumps(event.pop("data"), ensure_ascii=False)
        event["data_base64"] = b64encode(said.encode()).decode()
    return spoil(chance, event) if kind < 0.12 else event


def finish(chance: random.Random, scenario: Scenario, first: int, last: int) -> None:
    """Rates, when to be quiet, and how far the clock goes on."""
    for currency in CURRENCIES:
        if currency == scenario.currency or chance.random() < 0.15:
            continue
        for day in sorted(chance.sample(range(-2, 12), chance.randrange(1, 4))):
            on = format_time(first + day * DAY)[:10]
            rate = float(PRICES[currency]) / float(PRICES[scenario.currency])
            rate *= chance.choice([1, 1.03, 0.91])
            scenario.rates.append((on, currency, f"{rate:.8f}"))
    if chance.random() < 0.3:
        scenario.quiet_before = format_time(chance.randrange(first, last + 1))
    if chance.random() < 0.6:
        ahead = chance.choice([0, 1, 2, 4, 31, 366, 800]) * DAY + chance.choice([0, 1])
        scenario.until = format_time(last + ahead)


def main() -> None:
    """Print the stage changes of one seed, one a line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("seed", type=int)
    for change in run(random_scenario(parser.parse_args().seed)).changes:
        print(json.dumps(change, ensure_ascii=False))


if __name__ == "__main__":
    main()
