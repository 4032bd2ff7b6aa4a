"""The engine and today's core say the same of random scenarios, byte for byte.

`ENGINE_SEEDS=1000:9000` tries other seeds, and more of them.
"""

from __future__ import annotations

import os
from io import BytesIO

import msgspec
import pytest

from app.core.explain import describe
from app.wire import stage_change
from tests import told
from tests.core_backtest import Backtest, lines_of, read_events, run
from tests.oracle.run import Scenario
from tests.oracle.scenarios import crowded_scenario, random_scenario

FIRST, BEYOND = map(int, os.environ.get("ENGINE_SEEDS", "100:160").split(":"))


def check(scenario: Scenario) -> None:
    rules, lines, until = told.rules_of(scenario), told.lines_of(scenario), told.until_of(scenario)
    core = Backtest(rules)
    events, refused = read_events(lines_of("-", BytesIO(lines)))
    run(core, events, until)
    engine = told.folded(rules, lines, until)
    assert told.written(engine.write_changes).splitlines() == [
        stage_change.encode(change)
        for change in sorted(
            core.changes, key=lambda each: (each.time, each.customer, each.ladder, each.sequence)
        )
    ]
    now = core.clock or 0
    assert told.written(engine.write_customers).splitlines() == [
        msgspec.json.encode(describe(rules, slot, slot.id, now, core.ranking))
        for slot in core.customers()
    ]
    letters = sorted([*refused, *core.dead_letters], key=lambda letter: letter.line)
    assert engine.dead_letters() == letters
    counts = (core.clock, core.repeated, core.dropped)
    assert (engine.clock, engine.repeated, engine.dropped) == counts


@pytest.mark.parametrize("seed", range(FIRST, BEYOND))
def test_a_random_scenario_comes_out_of_the_engine_as_of_the_core(seed: int) -> None:
    check(random_scenario(seed))


@pytest.mark.parametrize("seed", [2, 4, 7])  # reviews, referrals, orders
def test_more_than_a_record_remembers_comes_out_of_the_engine_as_of_the_core(seed: int) -> None:
    check(crowded_scenario(seed))
