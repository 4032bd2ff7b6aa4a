"""What came of it, in numbers: customers by rung, moves and how long a rung is held."""

from collections.abc import Mapping
from statistics import median_low

import msgspec

from app.core.ladder import Ladder

Arrival = tuple[str, str, str]
"""A ladder, the rung arrived at ('' for none), and the direction."""


class RungCount(msgspec.Struct, frozen=True):
    """Who stands on a rung, how they came there, and how long those stayed who left it.

    `rung` is None for those on no rung. Stays are in seconds, None while nobody has left.
    """

    rung: str | None
    customers: int
    up: int
    down: int
    moved: int
    median_held_seconds: int | None = None


class LadderCount(msgspec.Struct, frozen=True):
    """One ladder: its rungs, lowest first, those on none before them; and the sums of the moves."""

    ladder: str
    kind: str
    rungs: tuple[RungCount, ...]

    @property
    def up(self) -> int:
        return sum(rung.up for rung in self.rungs)

    @property
    def down(self) -> int:
        return sum(rung.down for rung in self.rungs)

    @property
    def moved(self) -> int:
        return sum(rung.moved for rung in self.rungs)


def count_ladder(
    ladder: Ladder,
    customers: Mapping[tuple[str, str], int],
    arrivals: Mapping[Arrival, int],
    stays: Mapping[tuple[str, str], list[int]],
) -> LadderCount:
    """Put together what was counted by ladder and rung ('' for none)."""
    rungs = []
    for name in ("", *(rung.id for rung in ladder.rungs)):
        place = (ladder.id, name)
        held = stays.get(place)
        rungs.append(
            RungCount(
                name or None,
                customers.get(place, 0),
                arrivals.get((*place, "up"), 0),
                arrivals.get((*place, "down"), 0),
                arrivals.get((*place, "moved"), 0),
                median_low(held) if held else None,
            )
        )
    return LadderCount(ladder.id, ladder.kind, tuple(rungs))
