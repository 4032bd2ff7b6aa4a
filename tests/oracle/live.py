"""Customers as a worker meets them: events in any order, each customer at an instant of its own."""

from __future__ import annotations

from .reading import Settings
from .record import Record
from .settle import Occasion
from .world import World

Seen = list[tuple[int, int, int | None]]


class Live(World):
    """The clock moves nobody. A customer is brought to an instant by its own events (section 5)."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings, every_day=False)

    def advance(self, to: int) -> None:
        self.now = to if self.now is None else max(self.now, to)

    def finish(self, until: int | None) -> None:
        super().finish(until)
        for record in self.records.values():
            assert self.now is not None
            self.pass_due(record, self.now)

    def reach(self, record: Record, to: int) -> int:
        self.pass_due(record, to)
        record.as_of = max(record.as_of, to)
        return record.as_of

    def pass_due(self, record: Record, to: int) -> None:
        """Evaluate every due instant up to `to`; as of moves where one changed something."""
        if record.as_of == -1:  # made just now: nothing is known that could be due
            return
        for at in self.due.instants(record, record.as_of):
            if at > to:
                break
            before = stood(record)
            self.settle(record, Occasion(at, "clock"))
            if stood(record) != before:
                record.as_of = at


def stood(record: Record) -> Seen:
    """All that a due instant may change: rungs, standings, graces."""
    return [(stand.rung, stand.standing, stand.grace) for stand in record.stands.values()]
