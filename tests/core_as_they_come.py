"""Today's core over a scenario of the oracle, event by event in the order given."""

from __future__ import annotations

import json
from typing import Any

from app.core.events import Refused
from app.core.explain import describe
from app.core.rules import Rules
from app.wire import stage_change
from app.wire.cloudevents import decode
from tests.core_backtest import Backtest, Line
from tests.oracle.run import Scenario
from tests.told import ladders_of, rules_of, until_of

Told = tuple[list[dict[str, Any]], list[tuple[int, str]], dict[str, dict[str, Any]]]


def as_they_come(scenario: Scenario) -> Told:
    """Changes by time, dead letters as (index, reason), customers by id.

    On the ladders that do not ask who spends most.
    """
    rules = rules_of(
        scenario, tuple(each for each in ladders_of(scenario.ladders) if not each.tops)
    )
    core, dead = folded(rules, scenario)
    changes = sorted(
        core.changes, key=lambda each: (each.time, each.customer, each.ladder, each.sequence)
    )
    customers = {
        slot.id: describe(rules, slot, slot.id, core.clock or 0, core.ranking)
        for slot in core.customers()
    }
    return [json.loads(stage_change.encode(change)) for change in changes], dead, customers


def folded(rules: Rules, scenario: Scenario) -> tuple[Backtest, list[tuple[int, str]]]:
    core, dead = Backtest(rules), []
    for index, event in enumerate(scenario.events):
        decoded = decode(json.dumps(event).encode(), keyed=False)
        if isinstance(decoded, Refused):
            dead.append((index, decoded.reason))
        else:
            core.apply(decoded, Line("scenario", index))
    core.finish(until_of(scenario))
    dead += [(letter.line, letter.reason) for letter in core.dead_letters]
    return core, sorted(dead)
