"""What a referred customer brought, by day: as much of it as a reversal has to take back exactly.

A day that no window reaches any more needs no place of its own: all such days become one. What a
day brought is kept in 64 bits, so a greater sum is several entries of that day.
"""

from collections.abc import Iterable, Iterator

from app.core.customer import Customer, Referral
from app.core.series import LONGEST_WINDOW

Revenue = tuple[tuple[int, int], ...]
"""Days in order, each with base minor units."""
_GREATEST = (1 << 64) - 1


def with_revenue(known: Referral, day: int, revenue: int, newest: int) -> Referral:
    """Add revenue on a day; `newest` is the newest day on which anybody brought anything."""
    return Referral(known.day, _by_day([*known.revenue, (day, revenue)], max(day, newest)))


def fold_old_days(c: Customer) -> bool:
    """Let the days that no window reaches any more take one place; tells whether any did."""
    if not c.brought.days:
        return False
    newest = c.brought.days[-1]
    folded = [
        (key, Referral(known.day, _by_day(known.revenue, newest)))
        for key, known in c.referrals.contents()
        if len(known.revenue) > 1 and known.revenue[1][0] <= newest - LONGEST_WINDOW
    ]
    for key, referral in folded:
        c.referrals.replace(key, referral)
    return bool(folded)


def _by_day(entries: Iterable[tuple[int, int]], newest: int) -> Revenue:
    out_of_reach = newest - LONGEST_WINDOW
    sums: dict[int, int] = {}
    for day, amount in entries:
        counted = max(day, out_of_reach)
        sums[counted] = sums.get(counted, 0) + amount
    return tuple((day, part) for day in sorted(sums) for part in _parts(sums[day]))


def _parts(amount: int) -> Iterator[int]:
    while amount > _GREATEST:
        yield _GREATEST
        amount -= _GREATEST
    yield amount
