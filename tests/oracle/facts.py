"""Facts (contract section 3), recomputed from the lists each time they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable

from .conditions import Fact, Value
from .record import Record

Cuts = dict[tuple[int, ...], int | None]  # (p, n) -> the spend of the last top spender

PLAIN = (
    "purchases", "spend", "units", "registered", "inquiries",
    "card", "reviews", "positives", "negatives", "testimonials",
    "defences", "referrals_sent", "referrals", "referral_revenue", "average_order",
    "gap_days", "gap_spread",
)  # fmt: skip


def fact(record: Record, asked: Fact, today: int, cuts: Cuts) -> Value:
    """The value of a fact on the calendar day `today`."""
    name = asked.name
    if name.startswith("profile."):
        return record.attributes.get(name.removeprefix("profile."))
    if name == "top_spender":
        cut = cuts.get(asked.args)
        return cut is not None and spend_in(record, asked.args[1], today) >= cut
    if name.endswith("_in"):
        (window,) = asked.args
        return total(record, name.removesuffix("_in"), lambda day: today < day + window)
    if name in OTHERS:
        return OTHERS[name](record)
    return total(record, name, lambda day: True)


def spend_in(record: Record, window: int, today: int) -> int:
    return total(record, "spend", lambda day: today < day + window)


def total(record: Record, name: str, within: Callable[[int], bool]) -> int:
    """A counter, of what is dated on the days that are `within`."""
    orders = [o for o in record.orders if not o.void and within(o.day)]
    reviews = [r for r in record.reviews if within(r.day)]
    if name == "purchases":
        return len(orders)
    if name == "spend":
        return sum(o.worth() for o in orders)
    if name == "units":
        return sum(o.units for o in orders)
    if name == "reviews":
        return len(reviews)
    if name in ("positives", "negatives"):
        return sum(r.mood == name.removesuffix("s") for r in reviews)
    if name in ("testimonials", "defences"):
        return sum(r.kind == name.removesuffix("s") for r in reviews)
    if name == "inquiries":
        return sum(within(day) for day in record.inquiries)
    if name == "events":
        return sum(within(day) for day in record.events)
    if name == "need":
        return max((need for day, need in record.needs if within(day)), default=0)
    if name == "referrals":
        return sum(within(c.day) for c in record.conversions)
    assert name == "referral_revenue", name
    return sum(a for c in record.conversions for day, a in c.revenue if within(day))


def average_order(record: Record) -> int | None:
    orders = [o for o in record.orders if not o.void]
    return sum(o.worth() for o in orders) // len(orders) if orders else None


def gaps(record: Record) -> list[int]:
    days = sorted({o.day for o in record.orders if o.known and not o.void})[-12:]
    return [days[i + 1] - days[i] for i in range(len(days) - 1)] if len(days) >= 3 else []


def gap_days(record: Record) -> float | None:
    found = gaps(record)
    return sum(found) / len(found) if found else None


def gap_spread(record: Record) -> float | None:
    found = gaps(record)
    if not found:
        return None
    mean = sum(found) / len(found)
    return math.sqrt(sum((gap - mean) ** 2 for gap in found) / len(found)) / mean


OTHERS: dict[str, Callable[[Record], Value]] = {
    "registered": lambda record: record.registered,
    "card": lambda record: record.card,
    "referrals_sent": lambda record: record.sent,
    "average_order": average_order,
    "gap_days": gap_days,
    "gap_spread": gap_spread,
}


def cut(records: list[Record], share: int, window: int, today: int) -> int | None:
    """The spend of the customer at rank ceil(p * m / 100) of the m who spent anything."""
    spends = sorted((spend_in(record, window, today) for record in records), reverse=True)
    spends = [spend for spend in spends if spend > 0]
    if not spends:
        return None
    return spends[-(-share * len(spends) // 100) - 1]
