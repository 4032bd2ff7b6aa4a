"""What came of it, in numbers: customers by rung, moves and how long a rung is held."""

from collections import Counter
from collections.abc import Iterable, Mapping
from statistics import median_low

import msgspec

from app.core.change import Change
from app.core.customer import Customer, Slot
from app.core.ladder import Ladder
from app.core.rules import Rules

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


def summarise(
    rules: Rules, slots: Iterable[Slot], changes: Iterable[Change]
) -> tuple[LadderCount, ...]:
    """Count customers and moves, ladder by ladder in the order of the rules."""
    arrivals: Counter[Arrival] = Counter()
    stays: dict[tuple[str, str], list[int]] = {}
    for change in changes:
        arrivals[change.ladder, change.to or "", change.direction] += 1
        if change.from_ is not None and change.held is not None:
            stays.setdefault((change.ladder, change.from_), []).append(change.held)
    customers = count_customers(rules, slots)
    return tuple(count_ladder(ladder, customers, arrivals, stays) for ladder in rules.ladders)


def count_customers(rules: Rules, slots: Iterable[Slot]) -> dict[tuple[str, str], int]:
    """Count who stands where; '' is no rung."""
    places: Counter[tuple[int, int]] = Counter()
    for slot in slots:
        if isinstance(slot.record, Customer):
            places.update(enumerate(slot.record.rungs))
    found: dict[tuple[str, str], int] = {}
    for (index, place), count in places.items():
        ladder = rules.ladders[index]
        found[ladder.id, ladder.rungs[place - 1].id if place else ""] = count
    return found
