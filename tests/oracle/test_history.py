"""Laws of stage changes: what is told of a customer joins on, and folds to where they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from .clock import SECOND, parse_time
from .history import of, rungs_at, tracks_of
from .live import Live
from .run import (
    Result,
    events_of,
    in_time,
    run,
    run_as_they_come,
    settings_of,
    told,
)
from .scenarios import late_scenario, random_scenario
from .world import World

TELLINGS: list[Callable[[int], Result]] = [
    cache(lambda seed: run(random_scenario(seed))),
    cache(lambda seed: run_as_they_come(late_scenario(seed))),
]
SEEDS = [3, 10, 17, 33, 41]
AT_LAST = parse_time("2199-12-31T00:00:00Z") or 0

every_telling = pytest.mark.parametrize("tell", TELLINGS, ids=["in order", "as they come"])
every_seed = pytest.mark.parametrize("seed", SEEDS)


def instant(text: str) -> int:
    at = parse_time(text)
    assert at is not None
    return at


@every_telling
@every_seed
def test_the_changes_of_a_ladder_join_on_without_gaps(
    tell: Callable[[int], Result], seed: int
) -> None:
    tracks = tracks_of(tell(seed).changes)
    assert tracks
    for track in tracks.values():
        assert [each["data"]["sequence"] for each in track] == [*range(1, len(track) + 1)]
        before: dict[str, Any] | None = None
        for change in track:
            expected: list[Any] = [None, None, None]
            if before is not None:
                expected[0] = before["data"]["to"]
                if expected[0] is not None:
                    held = instant(change["time"]) - instant(before["time"])
                    expected[1:] = [before["time"], held // SECOND]
            assert of(change, "from", "since", "held_seconds") == expected
            before = change


@every_telling
@every_seed
def test_the_changes_fold_to_where_everybody_stands(
    tell: Callable[[int], Result], seed: int
) -> None:
    result = tell(seed)
    last = {
        (who, ladder): track[-1] for (who, _, ladder), track in tracks_of(result.changes).items()
    }
    for who in sorted({subject for subject, _ in last} | {*result.customers}):
        folded = rungs_at(result.changes, who, AT_LAST)
        if who not in result.customers:
            assert not any(folded.values())
            continue
        for ladder, standing in result.customers[who]["ladders"].items():
            assert folded.get(ladder) == standing["rung"]
            if standing["rung"] is not None:
                assert standing["since"] == last[who, ladder]["time"]
                assert standing["sequence"] == last[who, ladder]["data"]["sequence"]


@every_seed
def test_at_an_instant_everybody_stood_where_a_backtest_until_then_ends(seed: int) -> None:
    scenario = random_scenario(seed)
    changes = run(scenario).changes
    for at in sorted({change["time"] for change in changes})[:: max(1, len(changes) // 8)]:
        events = [each for each in scenario.events if comes_by(each, instant(at))]
        for who, answer in run(replace(scenario, events=events, until=at)).customers.items():
            stood = {id: standing["rung"] for id, standing in answer["ladders"].items()}
            folded = rungs_at(changes, who, instant(at))
            assert {id: folded.get(id) for id in stood} == stood


def comes_by(event: Any, at: int) -> bool:
    time = parse_time(event.get("time")) if isinstance(event, dict) else None
    return time is not None and time <= at


@pytest.mark.parametrize("seed", range(8))
def test_events_in_order_come_out_the_same_each_customer_at_its_own_instant(seed: int) -> None:
    scenario = random_scenario(seed)
    settings = settings_of(scenario, top_spenders=False)
    events, dead = events_of(settings, scenario)
    events.sort(key=in_time)
    one, other = (
        told(world, events, [*dead], scenario.until)
        for world in (World(settings, every_day=False), Live(settings))
    )
    assert one == other
