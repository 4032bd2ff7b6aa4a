"""Times at which something is likely to go wrong: around boundaries, graces and window edges."""

from __future__ import annotations

import random
from datetime import timedelta, timezone

from .clock import DAY, EPOCH, MICRO, SECOND, Days, format_time

JITTER = [0, 0, 0, 0, -1, 1, -SECOND, SECOND, -3600 * SECOND, 3600 * SECOND, 7 * 3600 * SECOND]
STARTS = ["2019-02-27", "2021-03-26", "2023-10-27", "2011-12-27", "2024-02-28", "2018-10-30"]
ODD_NIGHTS = {
    "Pacific/Apia": "2011-12-27",  # no 30 December
    "America/St_Johns": "2010-11-04",  # a minute of the 7th, then an hour of the 6th again
    "Antarctica/Casey": "2010-03-02",  # two hours of the 5th, then an hour of the 4th again
}


class Moments:
    """`windows` are in days, `graces` too: those of the ladders of the scenario."""

    def __init__(
        self, chance: random.Random, days: Days, start: int, windows: list[int], graces: list[int]
    ) -> None:
        self.chance, self.days = chance, days
        self.windows, self.graces = windows, graces
        self.taken: list[int] = [start]

    def draw(self, count: int, horizon: int) -> list[int]:
        """`count` instants in order, most of them near an edge that an earlier one made."""
        while len(self.taken) < count:
            at = self.one()
            if self.taken[0] <= at <= self.taken[0] + horizon * DAY:
                self.taken.append(at)
        return sorted(self.taken)

    def one(self) -> int:
        chance = self.chance
        earlier = chance.choice(self.taken)
        kind = chance.random()
        if kind < 0.12:
            return earlier
        if kind < 0.35:
            return earlier + chance.randrange(1, 3 * DAY)
        return self.edge(earlier) + chance.choice(JITTER)

    def edge(self, at: int) -> int:
        """A day boundary, the end of a grace, of a window, or of a grace after a window."""
        chance = self.chance
        day = self.days.today(at)
        kind = chance.random()
        if kind < 0.3:
            return self.days.start_of(day + chance.choice([1, 1, 2, 3]))
        if kind < 0.5:
            return at + chance.choice(self.graces) * DAY
        dropped = self.days.start_of(day + chance.choice(self.windows))
        if kind < 0.8:
            return dropped
        return dropped + chance.choice(self.graces) * chance.choice([1, 1, 2]) * DAY


def written(chance: random.Random, instant: int) -> str:
    """The instant as RFC 3339, in one of the many ways to write it."""
    kind = chance.random()
    if kind < 0.6:
        return format_time(instant)
    if kind < 0.7:
        return (EPOCH + instant * MICRO).strftime("%Y-%m-%dT%H:%M:%S.%f") + "789z"
    offset = timedelta(minutes=chance.choice([420, -480, 0, 330, 845]))
    local = (EPOCH + instant * MICRO).astimezone(timezone(offset))
    return local.isoformat()
