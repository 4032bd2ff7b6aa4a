"""The product and the oracle, two readings of the contract, say the same of random scenarios.

`ORACLE_SEEDS=1000:1500` tries other seeds, and more of them.
"""

import json
import os
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.contract.test_schemas import validator
from tests.core_as_they_come import as_they_come
from tests.oracle.run import Result, Scenario, run, run_as_they_come
from tests.oracle.scenarios import crowded_scenario, late_scenario, random_scenario
from tests.told import backtest, changes_of, customers_of

FIRST, BEYOND = map(int, os.environ.get("ORACLE_SEEDS", "0:60").split(":"))
ROUNDED = ("gap_days", "gap_spread")
"""Facts that are no integers: two ways of working them out may differ in the last digit."""


def rounded(value: Any) -> Any:
    """The same value, with facts that are no integers cut to twelve digits."""
    if isinstance(value, dict):
        return {
            key: float(f"{item:.12g}") if key in ROUNDED and item is not None else rounded(item)
            for key, item in value.items()
        }
    return [rounded(item) for item in value] if isinstance(value, list) else value


def as_json(value: Any) -> Any:
    return rounded(json.loads(json.dumps(value)))


def check(scenario: Scenario) -> Result:
    expected = run(scenario)
    tested, dead = backtest(scenario)
    assert dead == sorted(expected.dead_letters)
    assert as_json(changes_of(tested)) == as_json(expected.changes)
    found = customers_of(tested)
    assert list(found) == list(expected.customers)
    for customer, answer in expected.customers.items():
        assert rounded(found[customer]) == as_json(answer)
    return expected


@pytest.mark.parametrize("seed", range(FIRST, BEYOND))
def test_a_random_scenario_comes_out_as_the_oracle_says(seed: int) -> None:
    check(random_scenario(seed))


@pytest.mark.parametrize("seed", [2, 4, 7])  # reviews, referrals, orders
def test_more_than_a_record_remembers_comes_out_as_the_oracle_says(seed: int) -> None:
    check(crowded_scenario(seed))


def test_every_stage_change_of_many_scenarios_fits_its_schema() -> None:
    schema: Draft202012Validator = validator("loyalty.stage.changed")
    causes = set()
    for seed in (10, 17, 33):
        for change in changes_of(backtest(random_scenario(seed))[0]):
            schema.validate(change)
            causes.add(change["data"]["cause"])
    assert causes == {"event", "refund", "clock", "merge", "erasure", "manual"}


@pytest.mark.parametrize("seed", range(FIRST, FIRST + (BEYOND - FIRST) // 2))
def test_events_that_come_late_come_out_as_the_oracle_says(seed: int) -> None:
    scenario = late_scenario(seed)
    expected = run_as_they_come(scenario)
    changes, dead, found = as_they_come(scenario)
    assert dead == sorted(expected.dead_letters)
    assert as_json(changes) == as_json(expected.changes)
    assert as_json(found) == as_json(expected.customers)
