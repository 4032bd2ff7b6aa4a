"""What one customer owes another: credits for referrals (section 2), merges (section 6)."""

from __future__ import annotations

from fractions import Fraction

from .record import Event, Record, Referral

SOURCE = "/loyalty-ladder"


def credit_due(record: Record, referral: Referral, event: Event) -> Event | None:
    """The event to send to the referrer after `event` was applied, if any."""
    orders = [
        order
        for order in record.orders
        if order.known and not order.void and order.day >= referral.day
    ]
    if event.type in ("signup.registered", "purchase.completed"):
        if referral.converted or not orders:
            return None
        type, referral.converted = "referral.converted", True
        amount = min(orders, key=lambda order: (order.time, order.turn)).worth()
    elif event.type == "purchase.refunded":
        if not referral.converted or orders:
            return None
        type, referral.converted = "referral.reversed", False
        amount = 0
    else:
        return None
    if referral.count == 0:
        referral.name, referral.ending = record.id, record.ending()
    referral.count += 1
    id = f"credit/{referral.name}/{referral.count}{referral.ending}"
    data = {"referred_id": referral.name, "amount": amount, "factor": Fraction(1), "credit": True}
    return Event(type, SOURCE, id, referral.referrer, event.time, data)


def unite(survivor: Record, absorbed: Record, keep_referral: bool) -> None:
    """Everything kept about the absorbed customer goes to the survivor, who wins."""
    survivor.ids += absorbed.ids
    survivor.orders += [
        order
        for order in absorbed.orders
        if not (order.known and survivor.order(order.id) is not None)
    ]
    survivor.reviews += [
        review
        for review in absorbed.reviews
        if not (review.known and survivor.review(review.id) is not None)
    ]
    survivor.conversions += [
        conversion
        for conversion in absorbed.conversions
        if not (conversion.known and survivor.conversion(conversion.id) is not None)
    ]
    survivor.events += absorbed.events
    survivor.inquiries += absorbed.inquiries
    survivor.needs += absorbed.needs
    survivor.sent += absorbed.sent
    survivor.registered = survivor.registered or absorbed.registered
    survivor.card = survivor.card if survivor.card is not None else absorbed.card
    survivor.attributes = {**absorbed.attributes, **survivor.attributes}
    if not keep_referral and absorbed.referral is not None:
        survivor.referral = absorbed.referral
