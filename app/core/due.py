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


def due_after(rules: Rules, c: Customer, after: int) -> tuple[int, int]:
    """Return the first due instant after another, and the set of ladders it concerns.

    The instant is `NEVER` when nothing is to come.
    """
    today = rules.calendar.day_of(after)
    boundary, ladders = NEVER, 0
    for name, windows in rules.windows:
        days: list[int] = getattr(c, name).days
        if not days:
            continue
        newest = days[-1]
        for length, concerned in windows:
            if newest + length <= today:
                continue
            drop = days[bisect_right(days, today - length)] + length
            if drop < boundary:
                boundary, ladders = drop, concerned
            elif drop == boundary:
                ladders |= concerned
    instant = NEVER if boundary == NEVER else rules.calendar.start_of(boundary)
    for index, hold in c.holds.items():
        for end in (hold.grace, hold.until):
            if after < end < instant:
                instant, ladders = end, 1 << index
            elif end == instant:
                ladders |= 1 << index
    return instant, ladders


def advance(
    rules: Rules, customer: str, c: Customer, until: int, cutter: Cutter, out: list[Change]
) -> bool:
    """Evaluate everything due up to and at an instant, in order; tells whether anything changed."""
    if c.due is not None and until < c.due:
        return False
    seen_until = c.as_of if c.due is None else c.due - 1
    changed = False
    while True:
        instant, ladders = due_after(rules, c, seen_until)
        if instant > until:
            c.due = instant
            return changed
        day = rules.calendar.day_of(instant)
        look = Look(rules, customer, c, instant, day, cutter.at(day), CLOCK)
        if evaluate(look, ladders, out):
            c.as_of = instant
            changed = True
        seen_until = instant
