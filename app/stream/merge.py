"""The topics of a partition become one stream, in the order of event time (contract section 1).

Pure: it knows no clock, and is told what time it is.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

Item = TypeVar("Item")

TIMELESS = -1
"""The time of a record that has none (a malformed one): it is taken once it is at the head."""


class _Lane(Generic[Item]):
    """One topic: what is buffered of it, and whether it is known to have more than that."""

    __slots__ = ("dry_since", "items", "more", "times")

    def __init__(self) -> None:
        self.times: list[int] = []
        self.items: list[Item] = []
        self.more = False
        self.dry_since: float | None = None


class Merge(Generic[Item]):
    """A merge of `lanes` topics, which are numbered in the order that decides ties.

    Taken is the record with the smallest time of those at the heads of the lanes; a lane that is
    known to have more, but has nothing buffered, is waited for up to `patience` seconds each time
    that it runs dry.
    """

    def __init__(self, lanes: int, patience: float) -> None:
        self._lanes: list[_Lane[Item]] = [_Lane() for _ in range(lanes)]
        self._patience = patience

    def offer(self, lane: int, times: Sequence[int], items: Sequence[Item]) -> None:
        """Append records in the order of their offsets; times in µs, or `TIMELESS`."""
        if items:
            self._lanes[lane].times.extend(times)
            self._lanes[lane].items.extend(items)
            self._lanes[lane].dry_since = None

    def more(self, lane: int, more: bool) -> None:
        """Say whether the topic has records beyond what was offered."""
        self._lanes[lane].more = more

    def clear(self) -> None:
        """Forget what is buffered."""
        self._lanes = [_Lane() for _ in self._lanes]

    def __len__(self) -> int:
        return sum(len(lane.items) for lane in self._lanes)

    def buffered(self, lane: int) -> int:
        """Return how many records of this topic wait to be taken."""
        return len(self._lanes[lane].items)

    def oldest(self) -> int | None:
        """Return the smallest time at a head: nothing in order that is buffered is older."""
        heads = [time for lane in self._lanes if (time := _head(lane)) is not None]
        return min(heads, default=None)

    def heads(self) -> list[Item]:
        """Return the first record of each lane that has one."""
        return [lane.items[0] for lane in self._lanes if lane.items]

    def dry(self) -> bool:
        """Return whether something exists that is older than anyone here can know."""
        return any(lane.more and not lane.items for lane in self._lanes)

    def quiet(self) -> bool:
        """Return whether there is nothing more to read."""
        return not any(lane.more or lane.items for lane in self._lanes)

    def patience_ends(self) -> float | None:
        """Return when the first wait that is going on ends by itself, in the time of `take`."""
        waits = [lane.dry_since for lane in self._lanes if lane.dry_since is not None]
        return min(waits) + self._patience if waits else None

    def take(self, limit: int, now: float) -> list[Item]:
        """Remove and return the next records, at most `limit`; `now` in seconds, never falling."""
        waiting = self._note_dry(now)
        full = [(order, lane) for order, lane in enumerate(self._lanes) if lane.items]
        if len(full) == 1 and not waiting:
            return _cut(full[0][1], limit)
        return self._in_order(full, limit, waiting)

    def _note_dry(self, now: float) -> bool:
        waiting = False
        for lane in self._lanes:
            if lane.items or not lane.more:
                lane.dry_since = None
                continue
            if lane.dry_since is None:
                lane.dry_since = now
            waiting |= now - lane.dry_since < self._patience
        return waiting

    def _in_order(
        self, full: list[tuple[int, _Lane[Item]]], limit: int, waiting: bool
    ) -> list[Item]:
        """Sort a window of each lane by (greatest time up to here in the lane, lane).

        That is the order in which the smallest head is taken again and again: behind a record of
        time t, whatever is older comes right after it. What follows the end of a window, or is not
        fetched yet, is unknown: so nothing later than that end is taken.
        """
        width = len(self._lanes)
        window = max(2 * limit // max(len(full), 1), 1)
        bound = TIMELESS * width + width - 1 if waiting else None
        keyed: list[tuple[_Lane[Item], list[int]]] = []
        for order, lane in full:
            times = lane.times[:window]
            keys = [time * width + order for time in accumulate(times, max)]
            if len(lane.items) > window or lane.more:
                bound = keys[-1] if bound is None else min(bound, keys[-1])
            keyed.append((lane, keys))
        return _merge(keyed, limit, bound)


def _head(lane: _Lane[Item]) -> int | None:
    return next((time for time in lane.times if time != TIMELESS), None)


def _cut(lane: _Lane[Item], count: int) -> list[Item]:
    taken = lane.items[:count]
    del lane.items[:count], lane.times[:count]
    return taken


def _merge(keyed: list[tuple[_Lane[Item], list[int]]], limit: int, bound: int | None) -> list[Item]:
    """Take everything up to `bound` in the order of the keys, but at most `limit`."""
    if bound is not None:
        keyed = [(lane, keys[: bisect_right(keys, bound)]) for lane, keys in keyed]
    keys = [key for _, lane_keys in keyed for key in lane_keys]
    items = [item for lane, lane_keys in keyed for item in lane.items[: len(lane_keys)]]
    # A sort that finds runs in order, as these are, and merges them; it keeps ties as they are.
    chosen = sorted(range(len(keys)), key=keys.__getitem__)[:limit]
    if not chosen:
        return []
    taken = [items[index] for index in chosen]
    counts = [0] * len(keyed)
    starts = list(accumulate((len(lane_keys) for _, lane_keys in keyed), initial=0))
    if len(chosen) == len(keys):
        counts = [len(lane_keys) for _, lane_keys in keyed]
    else:
        for index in chosen:
            counts[bisect_right(starts, index) - 1] += 1
    for (lane, _), count in zip(keyed, counts, strict=True):
        _cut(lane, count)
    return taken
