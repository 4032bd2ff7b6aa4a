"""What each event does to the facts: contract section 2, one function a type.

An effect takes the rules, the record, what the event says, its own calendar day and its instant;
it returns the groups of facts it touched. What it could refuse was refused before
(`app.core.refusals`).
"""

from collections.abc import Callable
from typing import Any

from app.core.book import Book, hash_id
from app.core.customer import Customer, Dated, Hold, Order, Referral, Review, Signup
from app.core.events import (
    CardIssued,
    CardRevoked,
    Data,
    Inquired,
    InteractionSeen,
    ProfilePlaced,
    ProfileUpdated,
    PurchaseCompleted,
    PurchaseRefunded,
    ReferralConverted,
    ReferralReversed,
    ReferralSent,
    Registered,
    ReviewPosted,
    ReviewRemoved,
)
from app.core.facts import ASKED, BOUGHT, BROUGHT, CARD, PROFILE, REVIEWED, SENT, SIGNED, WANTED
from app.core.money import Factor, convert
from app.core.revenue import with_revenue
from app.core.rules import Rules

Effect = Callable[[Rules, Customer, Any, int], int]
_POSITIVE, _NEGATIVE = 4, 2
_AT_PAR = Factor(1, 0)


def _bought(rules: Rules, c: Customer, data: PurchaseCompleted, day: int) -> int:
    factor = rules.rates.factor(data.currency, day) or _AT_PAR
    value = convert(data.amount, factor)
    c.bought.change(day, (1, value, data.units), 1)
    if data.currency == rules.rates.base:
        order = Order(day, data.amount, data.units)
    else:
        order = Order(
            day,
            data.amount,
            data.units,
            currency=data.currency,
            mantissa=factor.mantissa,
            exponent=factor.exponent,
        )
    forgotten = _remember(c, c.orders, hash_id(data.order_id), order)
    if forgotten is not None and not forgotten.void:
        c.bought.change(forgotten.day, (0, 0, 0), -1)
        c.forgotten_until = max(c.forgotten_until, forgotten.day)
    return BOUGHT


def _remember(c: Customer, book: Book[Dated], key: bytes, entry: Dated) -> Dated | None:
    """Let a book stay in the order of days, whatever order events come in; gives what it forgets.

    So the newest by date are remembered, and those are the same however late each of them came.
    """
    if c.happened.days and entry.day < c.happened.days[-1]:
        return book.insert(key, entry, lambda other: other.day)
    return book.add(key, entry)


def worth(order: Order) -> int:
    """What is left of an order, in base minor units, at the rate of its own date."""
    return convert(order.amount - order.refunded, Factor(order.mantissa, order.exponent))


def _refunded(rules: Rules, c: Customer, data: PurchaseRefunded, day: int) -> int:
    key = hash_id(data.order_id)
    order = c.orders.get(key)
    if order is None or order.void:
        return 0
    refunded = min(order.refunded + data.amount, order.amount)
    void = refunded == order.amount
    left = Order(
        order.day,
        order.amount,
        order.units,
        refunded,
        void,
        order.currency,
        order.mantissa,
        order.exponent,
    )
    c.orders.replace(key, left)
    if void:
        discount_order(c, order)
    else:
        c.bought.add(order.day, (0, worth(left) - worth(order), 0))
    return BOUGHT


def discount_order(c: Customer, order: Order) -> None:
    """Take a remembered order out of the facts, as if it had never been (a void one is)."""
    if order.void:
        return
    c.bought.change(order.day, (-1, -worth(order), -order.units), -1)


def _registered(rules: Rules, c: Customer, data: Registered, day: int) -> int:
    if c.signup is None:
        c.signup = Signup(day, data.referred_by)
    return SIGNED


def _inquired(rules: Rules, c: Customer, data: Inquired, day: int) -> int:
    c.asked.add(day, (1,))
    return ASKED


def _card_issued(rules: Rules, c: Customer, data: CardIssued, day: int) -> int:
    c.card = data.tier
    return CARD


def _card_revoked(rules: Rules, c: Customer, data: CardRevoked, day: int) -> int:
    c.card = None
    return CARD


def _review_posted(rules: Rules, c: Customer, data: ReviewPosted, day: int) -> int:
    key = hash_id(data.review_id)
    if key in c.reviews:
        _take_back_review(c, key)
    positive, negative = _feeling(data)
    adds = (1, positive, negative, int(data.kind == "testimonial"), int(data.kind == "defence"))
    c.reviewed.add(day, adds)
    _remember(c, c.reviews, key, Review(day, adds))
    return REVIEWED


def _feeling(data: ReviewPosted) -> tuple[int, int]:
    """Return (positive, negative), one of them 1 or both 0."""
    if data.kind == "complaint":
        return 0, 1
    if data.rating is None:
        return int(data.kind in ("testimonial", "defence")), 0
    return int(data.rating >= _POSITIVE), int(data.rating <= _NEGATIVE)


def _review_removed(rules: Rules, c: Customer, data: ReviewRemoved, day: int) -> int:
    _take_back_review(c, hash_id(data.review_id))
    return REVIEWED


def _take_back_review(c: Customer, key: bytes) -> None:
    review = c.reviews.get(key)
    if review is not None:
        discount_review(c, review)
        c.reviews.remove(key)


def discount_review(c: Customer, review: Review) -> None:
    """Take a remembered review out of the facts."""
    c.reviewed.add(review.day, tuple(-amount for amount in review.adds))


def _referral_sent(rules: Rules, c: Customer, data: ReferralSent, day: int) -> int:
    c.sent += 1
    return SENT


def _referral_converted(rules: Rules, c: Customer, data: ReferralConverted, day: int) -> int:
    revenue = 0
    if data.amount is not None and data.currency is not None:
        revenue = convert(data.amount, rules.rates.factor(data.currency, day) or _AT_PAR)
    key = hash_id(data.referred_id)
    known = c.referrals.get(key)
    if known is None:
        _remember(c, c.referrals, key, Referral(day, ((day, revenue),) if revenue else ()))
        c.brought.add(day, (1, revenue))
    elif revenue:
        newest = c.brought.days[-1] if c.brought.days else day
        c.referrals.replace(key, with_revenue(known, day, revenue, newest))
        c.brought.add(day, (0, revenue))
    return BROUGHT


def _referral_reversed(rules: Rules, c: Customer, data: ReferralReversed, day: int) -> int:
    key = hash_id(data.referred_id)
    known = c.referrals.get(key)
    if known is not None:
        discount_referral(c, known)
        c.referrals.remove(key)
    return BROUGHT


def discount_referral(c: Customer, referral: Referral) -> None:
    """Take a remembered conversion and its revenue out of the facts."""
    c.brought.add(referral.day, (-1, 0))
    for day, revenue in referral.revenue:
        c.brought.add(day, (0, -revenue))


def _seen(rules: Rules, c: Customer, data: InteractionSeen, day: int) -> int:
    c.wanted.add(day, data.need)
    return WANTED


def _updated(rules: Rules, c: Customer, data: ProfileUpdated, day: int) -> int:
    for name, value in data.attributes.items():
        if value is None:
            c.attributes.pop(name, None)
        elif name in rules.attributes:
            c.attributes[name] = value
    return PROFILE


def _placed(rules: Rules, c: Customer, data: ProfilePlaced, day: int) -> int:
    index = rules.by_id[data.ladder]
    hold = c.holds.get(index, Hold())
    placed = 0
    if data.rung is not None:
        placed = 1 + [rung.id for rung in rules.ladders[index].rungs].index(data.rung)
    until = data.until or 0 if placed else 0
    if placed or hold.grace:
        c.holds[index] = Hold(hold.grace, placed, until)
    else:
        c.holds.pop(index, None)
    return 0


_EFFECTS: dict[type[Data], Effect] = {
    PurchaseCompleted: _bought,
    PurchaseRefunded: _refunded,
    Registered: _registered,
    Inquired: _inquired,
    CardIssued: _card_issued,
    CardRevoked: _card_revoked,
    ReviewPosted: _review_posted,
    ReviewRemoved: _review_removed,
    ReferralSent: _referral_sent,
    ReferralConverted: _referral_converted,
    ReferralReversed: _referral_reversed,
    InteractionSeen: _seen,
    ProfileUpdated: _updated,
    ProfilePlaced: _placed,
}


def take_in(rules: Rules, c: Customer, data: Data, day: int) -> int:
    """Apply what an event says to the facts; returns the groups of facts it touched."""
    return _EFFECTS[type(data)](rules, c, data, day)
