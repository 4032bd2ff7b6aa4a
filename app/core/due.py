"""When to look again: the instants at which something may change by time alone (contract 5).

These are the day boundaries at which a window drops something, the ends of graces and the ends of
placements. A look that changes nothing leaves the record as it was, so it may be repeated.
"""

from bisect import bisect_right
from typing import Protocol

from app.core.change import Change
from app.core.customer import Customer
from app.core.facts import Cuts
from app.core.move import CLOCK, Look, evaluate
from app.core.rules import Rules

NEVER = 1 << 62
"""Later than every instant."""


class Cutter(Protocol):
    """Knows the top-spender cuts of every day."""

    def at(self, day: int) -> Cuts:
        """Return the cuts that hold for a calendar day."""
        ...


class NoCuts:
    """Before the first day boundary nobody is a top spender."""

    def at(self, day: int) -> Cuts:
        """Return no cut."""
        return {}


def _boundaries(
    rules: Rules, c: Customer, today: int, last: int
) -> tuple[list[tuple[int, int]], int]:
    """Return the days after `today` up to `last` on which a window drops something.

    Each comes with the set of ladders it concerns; second is the first such day after `last`. A day
    without length is no instant of its own: what it drops is dropped with that of the next one.
    """
    lasting = rules.calendar.lasting
    found: dict[int, int] = {}
    following = NEVER
    for name, windows in rules.windows:
        days: list[int] = getattr(c, name).days
        if not days:
            continue
        newest = days[-1]
        for length, concerned in windows:
            if newest + length <= today:
                continue
            place = bisect_right(days, today - length)
            while (drop := days[place] + length) <= last:
                drop = lasting(drop)
                found[drop] = found.get(drop, 0) | concerned
                place += 1
                if place == len(days):
                    break
            else:
                if drop < following:
                    following = drop
    return sorted(found.items()), following


def _next_boundary(rules: Rules, c: Customer, today: int) -> int:
    """Return the first day after `today` on which a window drops something; `NEVER` for none."""
    following = NEVER
    for name, windows in rules.windows:
        days: list[int] = getattr(c, name).days
        if not days:
            continue
        newest = days[-1]
        for length, _ in windows:
            if newest + length <= today:
                continue
            oldest = days[0] + length
            drop = oldest if oldest > today else days[bisect_right(days, today - length)] + length
            if drop < following:
                following = drop
    return following


def _timer(c: Customer, after: int) -> tuple[int, int]:
    """Return when the next grace or placement ends, and the ladders on which it does."""
    instant, ladders = NEVER, 0
    for index, hold in c.holds.items():
        for end in (hold.grace, hold.until):
            if after < end < instant:
                instant, ladders = end, 1 << index
            elif end == instant:
                ladders |= 1 << index
    return instant, ladders


def next_instant(rules: Rules, c: Customer, after: int) -> int:
    """Return the first due instant after another; `NEVER` when nothing is to come."""
    day = _next_boundary(rules, c, rules.calendar.today(after))
    boundary = NEVER if day == NEVER else rules.calendar.start_of(day)
    return min(boundary, _timer(c, after)[0]) if c.holds else boundary


def advance(
    rules: Rules, customer: str, c: Customer, until: int, cutter: Cutter, out: list[Change]
) -> bool:
    """Evaluate everything due up to and at an instant, in order; tells whether anything changed."""
    if c.due is not None and until < c.due:
        return False
    calendar = rules.calendar
    seen = c.as_of if c.due is None else c.due - 1
    if seen >= until:
        return False
    first, last = calendar.today(seen), calendar.today(until)
    if first == last and not c.holds and c.due is None:
        return False  # no day begins between the two, so it need not be known when something is due
    boundaries, following = _boundaries(rules, c, first, last)
    boundaries.append((following, 0))
    look = Look(rules, customer, c, 0, 0, {}, CLOCK)
    changed = False
    for day, ladders in boundaries:
        instant = NEVER if day == NEVER else calendar.start_of(day)
        while c.holds:
            timer, expiring = _timer(c, seen)
            if timer == instant:
                ladders |= expiring
            if timer > until or timer >= instant:
                break
            changed |= _look_again(look, timer, calendar.today(timer), expiring, cutter, out)
            seen = timer
        if instant > until:
            c.due = min(instant, _timer(c, seen)[0]) if c.holds else instant
            break
        changed |= _look_again(look, instant, day, ladders, cutter, out)
        seen = instant
    return changed


def _look_again(
    look: Look, instant: int, day: int, ladders: int, cutter: Cutter, out: list[Change]
) -> bool:
    look.instant, look.day = instant, day
    if ladders & look.rules.top_ladders:
        look.cuts = cutter.at(day)
    if not evaluate(look, ladders, out):
        return False
    look.c.as_of = instant
    return True
