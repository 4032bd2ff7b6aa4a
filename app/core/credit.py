"""The credit for a referral: contract section 2, *Credit*."""

from app.core.customer import Credit, Customer, Order, Slot
from app.core.effects import worth
from app.core.events import (
    Event,
    PurchaseCompleted,
    PurchaseRefunded,
    ReferralConverted,
    ReferralReversed,
    Registered,
)
from app.core.handover import Credit as CreditHandover
from app.core.rules import Rules

SOURCE = "/loyalty-ladder"


def life_ending(life: int) -> str:
    """Return what every id of a customer's later records ends in: nothing for the first."""
    return f"/r{life}" if life > 1 else ""


def settle_credit(rules: Rules, slot: Slot, c: Customer, event: Event) -> CreditHandover | None:
    """Tell the referrer, after an event, that the referral has converted or is so no longer.

    A signup or a purchase converts, a refund reverses; a merge does neither and leaves it to them.
    """
    signup = c.signup
    if signup is None or signup.referrer is None:
        return None
    if signup.referrer == slot.id or signup.referrer in slot.aliases:
        return None
    credit = signup.credit
    converted = credit is not None and credit.converted
    has_bought = c.counted_until >= signup.day
    if isinstance(event.data, PurchaseRefunded):
        if credit is None or not converted or has_bought:
            return None
        return _send(credit, event, ReferralReversed(credit.customer))
    if not isinstance(event.data, Registered | PurchaseCompleted) or converted or not has_bought:
        return None
    if credit is None:
        credit = signup.credit = Credit(slot.id, c.life, signup.referrer)
    amount = _earliest(c, signup.day)
    return _send(credit, event, ReferralConverted(credit.customer, amount, rules.rates.base))


def _earliest(c: Customer, since: int) -> int:
    """Return the worth of the earliest order that counts, dated on or after a day."""
    orders: list[Order] = [
        order for _, order in c.orders.contents() if not order.void and order.day >= since
    ]
    return worth(min(orders, key=lambda order: order.day)) if orders else 0


def _send(
    credit: Credit, event: Event, data: ReferralConverted | ReferralReversed
) -> CreditHandover:
    credit.k += 1
    credit.converted = isinstance(data, ReferralConverted)
    return CreditHandover(
        credit.referrer,
        event.time,
        Event(
            SOURCE,
            f"credit/{credit.customer}/{credit.k}{life_ending(credit.life)}",
            credit.referrer,
            event.time,
            data,
        ),
    )
