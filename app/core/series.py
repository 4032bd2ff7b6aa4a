"""What happened on which day: running totals by calendar day, and the windows over them.

A window sum is the difference of two running totals, found by bisection, whatever its length.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

import msgspec

LONGEST_WINDOW = 730
"""Days a window may look back (contract section 3); what is older counts in totals only."""


class Series(msgspec.Struct, array_like=True, gc=False):
    """Days in order, and for each column the running total at the end of that day.

    Days that no window can reach are dropped; the newest of them stays, as the total from which
    the windows subtract. So a total of a dropped day is lost, a window over it never asked for.
    """

    days: list[int] = msgspec.field(default_factory=list)
    sums: list[list[int]] = msgspec.field(default_factory=list)

    def add(self, day: int, amounts: tuple[int, ...]) -> None:
        """Add to a day, one amount a column."""
        days = self.days
        if not days:
            days.append(day)
            self.sums = [[amount] for amount in amounts]
        elif day == days[-1]:
            for column, amount in zip(self.sums, amounts, strict=True):
                column[-1] += amount
        elif day > days[-1]:
            days.append(day)
            for column, amount in zip(self.sums, amounts, strict=True):
                column.append(column[-1] + amount)
            if days[1] <= day - LONGEST_WINDOW:
                self._drop(day - LONGEST_WINDOW)
        else:
            self._add_late(day, amounts)

    def _add_late(self, day: int, amounts: tuple[int, ...]) -> None:
        place = bisect_left(self.days, day)
        if self.days[place] != day:
            self.days.insert(place, day)
            for column in self.sums:
                column.insert(place, column[place - 1] if place else 0)
        for column, amount in zip(self.sums, amounts, strict=True):
            if amount:
                column[place:] = [total + amount for total in column[place:]]
        if self.days[1] <= self.days[-1] - LONGEST_WINDOW:
            self._drop(self.days[-1] - LONGEST_WINDOW)

    def _drop(self, newest_out_of_reach: int) -> None:
        unreachable = max(0, bisect_right(self.days, newest_out_of_reach) - 1)
        del self.days[:unreachable]
        for column in self.sums:
            del column[:unreachable]

    def total(self, column: int) -> int:
        """Return the sum over all time."""
        return self.sums[column][-1] if self.days else 0

    def at(self, column: int, day: int) -> int:
        """Return the running total at the end of a day (exact for days that a window can reach)."""
        place = bisect_right(self.days, day)
        return self.sums[column][place - 1] if place else 0


def within(series: Series, column: int, first: int) -> int:
    """Sum a column over the days from `first` on."""
    days = series.days
    if not days or days[-1] < first:
        return 0
    sums = series.sums[column]
    if days[0] >= first:
        return sums[-1]
    return sums[-1] - sums[bisect_left(days, first) - 1]


def united(one: Series, other: Series) -> Series:
    """Add two series day by day, but for the days that no window reaches."""
    both = added_up(one, other)
    if both.days and both is not one and both is not other:
        both._drop(both.days[-1] - LONGEST_WINDOW)
    return both


def added_up(one: Series, other: Series) -> Series:
    """Add two series day by day."""
    if not one.days or not other.days:
        return one if one.days else other
    days = sorted({*one.days, *other.days})
    columns = range(len(one.sums))
    return Series(days, [[one.at(c, d) + other.at(c, d) for d in days] for c in columns])


class Peaks(msgspec.Struct, array_like=True, gc=False):
    """Days in order, and the greatest value seen on each."""

    days: list[int] = msgspec.field(default_factory=list)
    peaks: list[int] = msgspec.field(default_factory=list)

    def add(self, day: int, value: int) -> None:
        """Take in a value seen on a day."""
        place = bisect_left(self.days, day)
        if place < len(self.days) and self.days[place] == day:
            self.peaks[place] = max(self.peaks[place], value)
            return
        self.days.insert(place, day)
        self.peaks.insert(place, value)
        out_of_reach = bisect_right(self.days, self.days[-1] - LONGEST_WINDOW)
        del self.days[:out_of_reach]
        del self.peaks[:out_of_reach]


def highest(peaks: Peaks, first: int) -> int:
    """Return the greatest value on the days from `first` on; 0 if there is none."""
    days = peaks.days
    if not days or days[-1] < first:
        return 0
    return max(peaks.peaks[bisect_left(days, first) :])


def highest_of_both(one: Peaks, other: Peaks) -> Peaks:
    """Take the greater value of each day."""
    both = Peaks()
    seen: Iterable[tuple[int, int]] = sorted(
        [*zip(one.days, one.peaks, strict=True), *zip(other.days, other.peaks, strict=True)]
    )
    for day, value in seen:
        both.add(day, value)
    return both
