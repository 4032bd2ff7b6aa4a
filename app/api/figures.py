"""What the partitions add up to: customers, moves by day, how long rungs are held."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from app.api import shapes
from app.api.dwell import median
from app.api.ports import Day, Figures, Standing
from app.core.instants import DAY, format_instant
from app.core.ladder import Ladder


def down(ladder: Ladder) -> Any:
    """Return how a ladder lets go, as a definition says it."""
    if ladder.down.mode != "grace":
        return ladder.down.mode
    return shapes.Grace(ladder.down.grace // DAY, ladder.down.step)


def summed(figures: Sequence[Figures]) -> dict[str, Counter[str]]:
    """Return how many stand on each rung of each ladder."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in figures:
        for ladder, rungs in each.customers.items():
            counts[ladder].update(rungs)
    return counts


def rungs(
    ladder: Ladder, counts: Mapping[str, int], inside: Mapping[int, list[Day]]
) -> list[shapes.RungFigures]:
    """Return the rungs, without what only a census tells; `inside` are the days asked for."""
    held = [day.held for days in inside.values() for day in days]
    found = []
    for rung in ladder.rungs:
        stays = median(day.get(rung.id, {}) for day in held)
        found.append(
            shapes.RungFigures(
                rung.id,
                dict(rung.title),
                rung.when,
                rung.override,
                rung.suggest,
                counts.get(rung.id, 0),
                stays.seconds,
                stays.cases,
                None,
                None,
                None,
            )
        )
    return found


def moves(ladder: Ladder, inside: Mapping[int, list[Day]]) -> list[shapes.Moves]:
    """Return the moves of the days, by day, from and to."""
    place = {rung.id: number for number, rung in enumerate(ladder.rungs, 1)} | {"": 0}
    found = []
    for number in sorted(inside):
        together: Counter[tuple[str, str]] = Counter()
        for day in inside[number]:
            for left, entered in day.moves.items():
                for right, count in entered.items():
                    together[left, right] += count
        for (left, right), count in sorted(together.items()):
            up = place.get(right, 0) > place.get(left, 0)
            direction = "moved" if ladder.kind == "segment" else "up" if up else "down"
            found.append(
                shapes.Moves(day_text(number), left or None, right or None, direction, count)  # type: ignore[arg-type]
            )
    return found


def take_census(
    rungs: Sequence[shapes.RungFigures], figures: Sequence[Figures], missing: Sequence[int]
) -> shapes.CensusState:
    """Put what was counted one by one into the rungs, once it was in every partition."""
    taken = [each.census for each in figures if each.census is not None]
    as_of = format_instant(min(each.as_of for each in taken)) if taken else None
    if missing or len(taken) < len(figures):
        return shapes.CensusState(as_of, False)
    for rung in rungs:
        standing = [each.rungs.get(rung.id, Standing()) for each in taken]
        rung.revenue = sum(each.spend for each in standing)
        rung.median_standing_seconds, rung.standing_cases = median(each.held for each in standing)
    return shapes.CensusState(as_of, True)


def day_text(day: int) -> str:
    """Write a day as RFC 3339 does."""
    return format_instant(day * DAY)[:10]
