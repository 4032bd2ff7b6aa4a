"""The engine and today's core say the same of random scenarios, byte for byte.

`ENGINE_SEEDS=1000:9000` tries other seeds, and more of them.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from io import BytesIO
from typing import Any

import msgspec
import pytest

from app.core.explain import describe
from app.core.instants import format_instant
from app.core.rules import Rules
from app.offline.backtest import DeadLetter
from app.wire import stage_change
from tests import told
from tests.core_backtest import Backtest, lines_of, read_events, run
from tests.oracle.run import Scenario
from tests.oracle.scenarios import crowded_scenario, random_scenario
from tests.shop import HOUR, at, ladder, rules_of

FIRST, BEYOND = map(int, os.environ.get("ENGINE_SEEDS", "100:160").split(":"))


def check(scenario: Scenario) -> None:
    check_lines(told.rules_of(scenario), told.lines_of(scenario), told.until_of(scenario))


def check_lines(rules: Rules, lines: bytes, until: int | None) -> list[DeadLetter]:
    """Compare all that both say; gives the dead letters."""
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
    return letters


@pytest.mark.parametrize("seed", range(FIRST, BEYOND))
def test_a_random_scenario_comes_out_of_the_engine_as_of_the_core(seed: int) -> None:
    check(random_scenario(seed))


@pytest.mark.parametrize("seed", [2, 4, 7])  # reviews, referrals, orders
def test_more_than_a_record_remembers_comes_out_of_the_engine_as_of_the_core(seed: int) -> None:
    check(crowded_scenario(seed))


NAMES = tuple(f"a{number:02}" for number in range(60))
BUYERS = ladder("low: purchases >= 1\nhigh: spend_in(30) >= 1000\ngone: events_in(9) == 0")


def full_history(seed: int) -> bytes:
    """A few customers who have more of everything than a record has room for."""
    chance, lines = random.Random(seed), []
    people, time = ("a", "b", "c", "é" * 128, "𝄞" * 128), at("2026-03-01")

    def long() -> Any:
        texts = ["x" * chance.randrange(257), "x" * 256, "é" * 200, "\u0001" * 99, "€" * 256]
        value = [chance.choice(texts) for _ in range(chance.randrange(30, 65))]
        return chance.choice([*[value] * 9, 2**40, -1.5, True, "text" * 60, None])

    def said(number: int) -> tuple[str, dict[str, Any]]:
        other = {"referred_id": f"r{chance.randrange(600)}", "currency": "VND"}
        order = {"order_id": f"o{number}", "amount": chance.randrange(10**15), "currency": "VND"}
        match chance.randrange(12):
            case 0:
                return "purchase.completed", order
            case 1:
                return "review.posted", {"review_id": f"v{number}", "rating": 5}
            case 2:
                return "signup.registered", {"referred_by": chance.choice(people)}
            case 3:
                return "signup.card_issued", {"tier": "é" * chance.randrange(65)}
            case 4 | 5:
                return "referral.converted", other | {"amount": chance.randrange(10**15)}
            case 6 if chance.random() < 0.1:
                return "profile.merged", {"into": chance.choice(people)}
            case 7 if chance.random() < 0.02:
                return "profile.erased", {}
            case _:
                names = chance.sample(NAMES, chance.randrange(1, 3))
                return "profile.updated", {"attributes": {name: long() for name in names}}

    for number in range(2_500):
        time += chance.randrange(0, 4 * HOUR)
        kind, data = said(number)
        event = {
            "specversion": "1.0", "id": f"e{number}", "source": "/s", "type": kind,
            "subject": chance.choice(people), "time": format_instant(time), "data": data,
        }  # fmt: skip
        lines.append(json.dumps(event, ensure_ascii=False))
    return "\n".join(lines).encode()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + (BEYOND - FIRST) // 10))
def test_what_a_record_has_no_room_for_comes_out_of_the_engine_as_of_the_core(seed: int) -> None:
    """To the byte: the messages of the dead letters say how large the record would be."""
    rules = rules_of(BUYERS, attributes=NAMES)
    letters = check_lines(rules, full_history(seed), None)
    assert Counter(letter.reason for letter in letters)["too-much"] > 20
