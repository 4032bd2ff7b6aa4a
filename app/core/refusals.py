"""What makes an event a dead letter, beyond its form: contract section 2, *Dead letters*.

`examine` looks at the event alone, `refuse` at the event and the record it would change.
"""

from collections.abc import Callable
from typing import Any

from app.core.book import hash_id
from app.core.customer import Customer
from app.core.events import (
    Data,
    Event,
    ProfilePlaced,
    PurchaseCompleted,
    PurchaseRefunded,
    ReferralConverted,
    ReferralReversed,
    Refused,
    ReviewRemoved,
)
from app.core.instants import format_instant
from app.core.money import Rates, convert
from app.core.rules import Rules

LARGEST_AMOUNT = 10**15
"""In minor units, before and after conversion."""


def examine(rules: Rules, event: Event, latest: int | None) -> Refused | None:
    """Refuse what no record could make right; `latest` is the latest time allowed, if any."""
    check = _CHECKS.get(type(event.data))
    refused = check(rules, event, event.data) if check else None
    if refused is not None and refused.reason != "no-rate":
        return refused
    if latest is not None and event.time > latest:
        return Refused("future", f"time {format_instant(event.time)} is more than a day ahead")
    return refused


def _convertible(
    rules: Rules, event: Event, data: PurchaseCompleted | ReferralConverted
) -> Refused | None:
    if data.currency is None or data.currency == rules.rates.base:
        return None
    factor = rules.rates.factor(data.currency, rules.calendar.day_of(event.time))
    if factor is None:
        return Refused("no-rate", _no_rate(data.currency, rules.rates))
    if data.amount is not None and convert(data.amount, factor) > LARGEST_AMOUNT:
        return Refused("bad-data", f"data.amount is over 10^15 in {rules.rates.base} minor units")
    return None


def _no_rate(currency: str, rates: Rates) -> str:
    """A shop that has none at all most likely reckons in that currency, and did not say so."""
    pair = f"from {currency} to {rates.base}"
    if currency in rates:
        return f"no rate {pair} on or before the event's date: add one to LADDER_RATES"
    return (
        f"no rate {pair}: for a shop that reckons in {currency} set LADDER_CURRENCY={currency} "
        f"(--currency {currency}), else add one to LADDER_RATES"
    )


def _placeable(rules: Rules, event: Event, data: ProfilePlaced) -> Refused | None:
    index = rules.by_id.get(data.ladder)
    if index is None:
        return Refused("unknown-ladder", "data.ladder names no ladder of this shop")
    if data.rung is None:
        return None
    for rung in rules.ladders[index].rungs:
        if rung.id == data.rung:
            if rung.override:
                return Refused("bad-data", "data.rung is an override: nobody is placed on one")
            return None
    return Refused("bad-data", f"data.rung names no rung of ladder {data.ladder}")


_CHECKS: dict[type[Data], Callable[[Rules, Event, Any], Refused | None]] = {
    PurchaseCompleted: _convertible,
    ReferralConverted: _convertible,
    ProfilePlaced: _placeable,
}


def _known_order(rules: Rules, c: Customer | None, data: PurchaseCompleted) -> Refused | None:
    if c is not None and hash_id(data.order_id) in c.orders:
        return Refused("bad-data", "data.order_id was bought already")
    return None


def _refundable(rules: Rules, c: Customer | None, data: PurchaseRefunded) -> Refused | None:
    order = c.orders.get(hash_id(data.order_id)) if c else None
    if order is None:
        return Refused("unknown-order", "data.order_id is none of the remembered orders")
    currency = order.currency or rules.rates.base
    if data.currency != currency:
        return Refused("bad-data", f"data.currency is {data.currency}, the order's is {currency}")
    return None


def _removable(rules: Rules, c: Customer | None, data: ReviewRemoved) -> Refused | None:
    if c is None or hash_id(data.review_id) not in c.reviews:
        return Refused("unknown-review", "data.review_id is none of the remembered reviews")
    return None


def _reversible(rules: Rules, c: Customer | None, data: ReferralReversed) -> Refused | None:
    if c is None or hash_id(data.referred_id) not in c.referrals:
        return Refused("unknown-referral", "data.referred_id is none of the remembered referrals")
    return None


_NEEDS: dict[type[Data], Callable[[Rules, Customer | None, Any], Refused | None]] = {
    PurchaseCompleted: _known_order,
    PurchaseRefunded: _refundable,
    ReviewRemoved: _removable,
    ReferralReversed: _reversible,
}


def refuse(rules: Rules, c: Customer | None, data: Data) -> Refused | None:
    """Refuse what does not fit the customer's record."""
    needs = _NEEDS.get(type(data))
    return needs(rules, c, data) if needs else None
