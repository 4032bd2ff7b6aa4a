"""What a worker's metrics say of its work: how far it is, who stands where, and how they moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from app.core.ladder import Ladder
from app.offline.summary import Arrival, LadderCount, count_ladder
from app.ops import metrics as m

_DONE_WITH = {
    m.EVENTS_APPLIED.name,
    m.EVENTS_REPEATED.name,
    m.EVENTS_DROPPED.name,
    m.DEAD_LETTERS.name,
}
Step = tuple[str, str, str]
"""A ladder, the rung left and the rung entered; '' is none."""


class Numbers(msgspec.Struct):
    """One reading. `lag` and `due` have an entry for each place that has told of itself."""

    done: int = 0
    customers: dict[tuple[str, str], int] = msgspec.field(default_factory=dict)
    steps: Counter[Step] = msgspec.field(default_factory=Counter)
    refused: Counter[str] = msgspec.field(default_factory=Counter)
    lag: dict[tuple[str, str], float] = msgspec.field(default_factory=dict)
    due: dict[str, float] = msgspec.field(default_factory=dict)

    @property
    def changes(self) -> int:
        return self.steps.total()

    @property
    def people(self) -> int:
        """Customers known. Of the built-in ladders two have a rung that everybody stands on."""
        sums: Counter[str] = Counter()
        for (ladder, _), number in self.customers.items():
            sums[ladder] += number
        return max(sums.values(), default=0)

    def nothing_left(self, partitions: int, topics: int) -> bool:
        """Tell whether everything sent was applied, and what is due by then evaluated."""
        heard = len(self.lag) >= partitions * topics and len(self.due) >= partitions
        return heard and not any(self.lag.values()) and not any(self.due.values())


def read(text: str) -> Numbers:
    """Read what `/metrics` gives."""
    found = Numbers()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            _take(found, sample.name, sample.labels, sample.value)
    return found


def _take(found: Numbers, name: str, labels: dict[str, str], value: float) -> None:
    if name in _DONE_WITH:
        found.done += int(value)
    if name == m.DEAD_LETTERS.name and value:
        found.refused[labels["reason"]] += int(value)
    elif name == m.CUSTOMERS.name:
        found.customers[labels["ladder"], labels["rung"]] = int(value)
    elif name == m.STAGE_CHANGES.name:
        found.steps[labels["ladder"], labels["from"], labels["to"]] += int(value)
    elif name == m.LAG.name:
        found.lag[labels["topic"], labels["partition"]] = value
    elif name == m.DUE_BEHIND.name:
        found.due[labels["partition"]] = value


def ladders_of(numbers: Numbers, ladders: Sequence[Ladder]) -> tuple[LadderCount, ...]:
    """Customers and moves by rung, as a backtest counts them."""
    customers = dict(numbers.customers)
    arrivals: Counter[Arrival] = Counter()
    places = {ladder.id: _places(ladder) for ladder in ladders}
    for ladder in ladders:
        placed = sum(customers.get((ladder.id, rung.id), 0) for rung in ladder.rungs)
        customers[ladder.id, ""] = numbers.people - placed
    segments = {ladder.id for ladder in ladders if ladder.kind == "segment"}
    for (ladder_id, before, after), number in numbers.steps.items():
        place = places[ladder_id]
        up = "up" if place[after] > place[before] else "down"
        arrivals[ladder_id, after, "moved" if ladder_id in segments else up] += number
    return tuple(count_ladder(ladder, customers, arrivals, {}) for ladder in ladders)


def _places(ladder: Ladder) -> dict[str, int]:
    return {"": -1} | {rung.id: place for place, rung in enumerate(ladder.rungs)}
