"""What each type of event does to the record of its customer (contract section 2)."""

from __future__ import annotations

from .reading import Settings
from .record import Conversion, Event, Order, Record, Referral, Review


def fault(record: Record | None, event: Event) -> str | None:
    """The reason why this event is refused, of those that need the record."""
    data = event.data
    if event.type == "purchase.completed":
        known = record is not None and record.order(data["order_id"]) is not None
        return "bad-data" if known else None
    if event.type == "purchase.refunded":
        order = record.order(data["order_id"]) if record is not None else None
        if order is None:
            return "unknown-order"
        return "bad-data" if order.currency != data["currency"] else None
    if event.type == "review.removed":
        known = record is not None and record.review(data["review_id"]) is not None
        return None if known else "unknown-review"
    if event.type == "referral.reversed":
        known = record is not None and record.conversion(data["referred_id"]) is not None
        return None if known else "unknown-referral"
    return None


def take_in(settings: Settings, record: Record, event: Event, turn: int) -> None:
    """The event's effect, on its own date."""
    day = settings.days.day_of(event.time)
    data = event.data
    record.ids.append((turn, event.source, event.id))
    record.events.append(day)
    if event.type == "purchase.completed":
        order = Order(data["order_id"], day, event.time, turn)
        order.amount, order.currency = data["amount"], data["currency"]
        order.factor, order.units = data["factor"], data["units"]
        record.orders.append(order)
    elif event.type == "purchase.refunded":
        refund(record, event)
    elif event.type == "signup.registered":
        by = data["referred_by"]
        if not record.registered and by is not None:
            record.referral = Referral(by, day)
        record.registered = True
    elif event.type == "signup.inquired":
        record.inquiries.append(day)
    elif event.type == "signup.card_issued":
        record.card = data["tier"]
    elif event.type == "signup.card_revoked":
        record.card = None
    elif event.type == "interaction.seen":
        record.needs.append((day, data["need"]))
    else:
        take_in_others(settings, record, event, day, turn)
    record.forget()


def take_in_others(settings: Settings, record: Record, event: Event, day: int, turn: int) -> None:
    data = event.data
    if event.type == "review.posted":
        before = record.review(data["review_id"])
        record.reviews = [review for review in record.reviews if review is not before]
        review = Review(data["review_id"], day, event.time, turn)
        review.kind, review.mood = data["kind"], data["mood"]
        record.reviews.append(review)
    elif event.type == "review.removed":
        gone = record.review(data["review_id"])
        record.reviews = [review for review in record.reviews if review is not gone]
    elif event.type == "referral.sent":
        record.sent += 1
    elif event.type == "referral.converted":
        convert_referral(record, event, day, turn)
    elif event.type == "referral.reversed":
        reversed_ = record.conversion(data["referred_id"])
        record.conversions = [c for c in record.conversions if c is not reversed_]
    elif event.type == "profile.updated":
        for name, found in data["attributes"].items():
            record.attributes.pop(name, None)
            if found is not None and name in settings.kept:
                record.attributes[name] = found
    else:
        assert event.type == "profile.placed", event.type
        place(settings, record, event)


def refund(record: Record, event: Event) -> None:
    order = record.order(event.data["order_id"])
    assert order is not None
    order.refunded = min(order.amount, order.refunded + event.data["amount"])
    order.void = order.refunded == order.amount


def convert_referral(record: Record, event: Event, day: int, turn: int) -> None:
    data = event.data
    conversion = record.conversion(data["referred_id"])
    known = conversion is not None
    if conversion is None:
        conversion = Conversion(data["referred_id"], day, event.time, turn)
        record.conversions.append(conversion)
    if data["amount"] is not None and not (known and data.get("credit")):
        amount = round(data["amount"] * data["factor"])
        conversion.revenue.append((day, amount))


def place(settings: Settings, record: Record, event: Event) -> None:
    data = event.data
    ladder = next(la for la in settings.ladders if la.id == data["ladder"])
    stand = record.stands[ladder.id]
    if data["rung"] is None:
        stand.placed = None
        return
    rung = ladder.place(data["rung"])
    assert rung is not None
    stand.placed = (rung, data["until"])
