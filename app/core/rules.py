"""Everything that stays the same from event to event: the ladders and the shop's settings."""

from collections.abc import Callable, Iterable
from functools import cache

import msgspec

from app.core.change import Direction
from app.core.facts import EVERYTHING, PROFILE, group_of, series_of
from app.core.instants import Calendar
from app.core.ladder import Ladder
from app.core.money import Rates


class Path(msgspec.Struct, frozen=True, gc=False):
    """What is always the same of a step from one rung to another. `next_place` is -1 for none."""

    from_: str | None
    to: str | None
    direction: Direction
    passed: list[str]
    suggest: str | None
    next_place: int
    next_rung: str
    next_rule: str


class Rules:
    """The ladders in order, and what follows from them. A set of ladders is a bit mask.

    `windows` says for each dated series which windows look at it, shortest first, each with the
    ladders that ask for it: these are the day boundaries at which somebody may move.
    """

    def __init__(
        self,
        ladders: Iterable[Ladder],
        calendar: Calendar,
        rates: Rates,
        attributes: Iterable[str] = (),
        quiet_before: int | None = None,
    ) -> None:
        """`attributes` are kept beside those that a ladder names; `quiet_before` is an instant."""
        self.ladders = tuple(ladders)
        self.calendar = calendar
        self.rates = rates
        self.quiet_before = quiet_before if quiet_before is not None else -1
        self.attributes = frozenset(attributes).union(*(lad.attributes for lad in self.ladders))
        self.by_id = {ladder.id: index for index, ladder in enumerate(self.ladders)}
        self.all = (1 << len(self.ladders)) - 1
        self.tops = sorted(frozenset[tuple[int, int]]().union(*(lad.tops for lad in self.ladders)))
        self.top_ladders = self._mask(lambda ladder: bool(ladder.tops))
        self.windows = self._windows()
        self._groups = [_groups_of(ladder) for ladder in self.ladders]
        self.touched_by = cache(self._touched_by)
        self.chosen = cache(self._chosen)
        self.path = cache(self._path)

    def _mask(self, wanted: Callable[[Ladder], bool]) -> int:
        return sum(1 << index for index, ladder in enumerate(self.ladders) if wanted(ladder))

    def _touched_by(self, groups: int) -> int:
        """Return the ladders that depend on any of the groups of facts."""
        return sum(1 << index for index, own in enumerate(self._groups) if own & groups)

    def _windows(self) -> tuple[tuple[str, tuple[tuple[int, int], ...]], ...]:
        found: dict[str, dict[int, int]] = {}
        for index, ladder in enumerate(self.ladders):
            for name, days in ladder.windows:
                of_series = found.setdefault(series_of(name), {})
                of_series[days] = of_series.get(days, 0) | 1 << index
        return tuple((series, tuple(sorted(found[series].items()))) for series in sorted(found))

    def _chosen(self, mask: int) -> tuple[tuple[int, Ladder], ...]:
        """Return the ladders of a set, each with its index."""
        return tuple(item for item in enumerate(self.ladders) if mask >> item[0] & 1)

    def _path(self, index: int, before: int, after: int) -> Path:
        """Return the step between two places of a ladder, counted from 1 (0: none)."""
        ladder = self.ladders[index]
        above = next_place(ladder, after)
        return Path(
            ladder.rungs[before - 1].id if before else None,
            ladder.rungs[after - 1].id if after else None,
            _direction(ladder, before, after),
            _passed(ladder, before, after),
            ladder.rungs[after - 1].suggest if after else None,
            above,
            ladder.rungs[above].id if above >= 0 else "",
            ladder.rungs[above].when if above >= 0 else "",
        )


def next_place(ladder: Ladder, place: int) -> int:
    """Return the list place of the next rung above a place counted from 1, -1 for none."""
    if ladder.kind == "segment" or not place:
        return -1
    return next((step for step in ladder.steps if step >= place), -1)


def _direction(ladder: Ladder, before: int, after: int) -> Direction:
    if ladder.kind == "segment":
        return "moved"
    return "up" if after > before else "down"


def _passed(ladder: Ladder, before: int, after: int) -> list[str]:
    """Name the rungs entered on the way up, lowest first, or left on the way down."""
    if ladder.kind == "segment" or ladder.climb == "free":
        return []
    low, high = min(before, after), max(before, after)
    between = [ladder.rungs[step].id for step in ladder.steps if low <= step < high]
    return between if after > before else between[::-1]


def _groups_of(ladder: Ladder) -> int:
    groups = PROFILE if ladder.attributes else 0
    for name in ladder.names:
        groups |= group_of(name)
    return groups & EVERYTHING
