"""What rules can ask about a customer: contract section 3, as Python expressions.

Generated code reads facts from three names: `c` (the `Customer`), `day` (the calendar day as of
which it looks) and `cuts` (the top-spender cuts of that day, see `app.core.ranking`).
"""

from collections.abc import Mapping
from itertools import pairwise
from math import isqrt
from typing import Protocol

from app.core.customer import Customer
from app.core.series import Series, highest, within

Cuts = Mapping[tuple[int, int], int]
"""The cut in base minor units of each (percent, days) that a ladder names; absent: none yet."""

BOUGHT, ASKED, REVIEWED, BROUGHT, WANTED, HAPPENED, SENT, CARD, SIGNED, PROFILE = (
    1 << bit for bit in range(10)
)
"""Groups of facts that change together: what an event touched, what a ladder depends on."""

EVERYTHING = (1 << 10) - 1

_GAP_DATES = 12
_ROOT_BITS = 64
_FEWEST_GAP_DATES = 3


class Fact(Protocol):
    """A fact named in a rule: `purchases_in(365)` is name `purchases_in` with args (365,)."""

    @property
    def name(self) -> str: ...
    @property
    def args(self) -> tuple[int, ...]: ...


_SUMS: dict[str, tuple[str, int]] = {
    "purchases": ("bought", 0),
    "spend": ("bought", 1),
    "units": ("bought", 2),
    "inquiries": ("asked", 0),
    "reviews": ("reviewed", 0),
    "positives": ("reviewed", 1),
    "negatives": ("reviewed", 2),
    "testimonials": ("reviewed", 3),
    "defences": ("reviewed", 4),
    "referrals": ("brought", 0),
    "referral_revenue": ("brought", 1),
    "events": ("happened", 0),
}
"""Dated facts: the series and the column that hold them."""

_PLAIN = {
    "registered": "(c.signup is not None)",
    "card": "c.card",
    "referrals_sent": "c.sent",
    "average_order": "average_order(c)",
    "gap_days": "gap_days(c)",
    "gap_spread": "gap_spread(c)",
}

_GROUPS = {
    "bought": BOUGHT,
    "asked": ASKED,
    "reviewed": REVIEWED,
    "brought": BROUGHT,
    "happened": HAPPENED,
    "wanted": WANTED,
    "registered": SIGNED,
    "card": CARD,
    "referrals_sent": SENT,
    "average_order": BOUGHT,
    "gap_days": BOUGHT,
    "gap_spread": BOUGHT,
}

PLAIN_FACTS = (*(name for name in _SUMS if name != "events"), *_PLAIN)
"""Every fact that takes no window and is no attribute."""


def python_expression(fact: Fact) -> str:
    """Return the Python expression that gives the fact's value."""
    name = fact.name
    if name.startswith("profile."):
        return f"c.attributes.get({name.removeprefix('profile.')!r})"
    if name == "top_spender":
        percent, days = fact.args
        return f"top_spender(c, day, cuts, {percent}, {days})"
    if name == "need_in":
        return f"highest(c.wanted, day - {fact.args[0] - 1})"
    if name in _PLAIN:
        return _PLAIN[name]
    series, column = _SUMS[name.removesuffix("_in")]
    if name.endswith("_in"):
        return f"within(c.{series}, {column}, day - {fact.args[0] - 1})"
    return f"total(c.{series}, {column})"


def group_of(name: str) -> int:
    """Return the group of facts in which a fact changes."""
    if name.startswith("profile."):
        return PROFILE
    if name in ("top_spender", "need_in"):
        return BOUGHT if name == "top_spender" else WANTED
    return _GROUPS.get(name) or _GROUPS[_SUMS[name.removesuffix("_in")][0]]


def series_of(name: str) -> str:
    """Return the attribute of `Customer` that holds the days of a windowed fact (without `_in`)."""
    return "wanted" if name == "need" else _SUMS[name][0]


def total(series: Series, column: int) -> int:
    """Return the sum of a column over all time."""
    return series.sums[column][-1] if series.days else 0


def top_spender(c: Customer, day: int, cuts: Cuts, percent: int, days: int) -> bool:
    """Tell whether spend in the window reaches the cut of the day."""
    cut = cuts.get((percent, days))
    if cut is None:
        return False
    spend = within(c.bought, 1, day - days + 1)
    return spend > 0 and spend >= cut


def average_order(c: Customer) -> int | None:
    """Spend for each purchase, rounded down; None without one."""
    purchases = c.bought.total(0)
    return c.bought.total(1) // purchases if purchases else None


def gap_days(c: Customer) -> float | None:
    """Mean days between the last purchase dates; None with fewer than three."""
    gaps = _gaps(c)
    return sum(gaps) / len(gaps) if gaps else None


def gap_spread(c: Customer) -> float | None:
    """Population standard deviation of the gaps divided by their mean; None with fewer than three.

    The deviation is sqrt(n * sum(g^2) - sum(g)^2) / n, in integers, so that it is the float next
    to the true value: what `statistics.pstdev` gives.
    """
    gaps = _gaps(c)
    if not gaps:
        return None
    count, together = len(gaps), sum(gaps)
    spread = count * sum(gap * gap for gap in gaps) - together * together
    deviation = (isqrt(spread << 2 * _ROOT_BITS) // count) / (1 << _ROOT_BITS)
    return deviation / (together / count)


def _gaps(c: Customer) -> list[int]:
    days, kept = c.bought.days, c.bought.kept
    dates = days[-_GAP_DATES:]
    if 0 in kept[-_GAP_DATES:]:
        dates = [day for day, count in zip(days, kept, strict=True) if count][-_GAP_DATES:]
    if len(dates) < _FEWEST_GAP_DATES:
        return []
    return [later - earlier for earlier, later in pairwise(dates)]


NAMESPACE: dict[str, object] = {
    "within": within,
    "total": total,
    "highest": highest,
    "top_spender": top_spender,
    "average_order": average_order,
    "gap_days": gap_days,
    "gap_spread": gap_spread,
}
"""The globals that generated code needs."""
