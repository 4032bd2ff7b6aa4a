"""The credit for a referral: contract section 2, *Credit*."""

from app.core.address import Address, address_of
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
from app.core.handover import Named
from app.core.people import is_one_with
from app.core.rules import Rules

SOURCE = "/loyalty-ladder"


def life_ending(life: int) -> str:
    """Return what every id of a customer's later records ends in: nothing for the first."""
    return f"/r{life}" if life > 1 else ""


def hide_referrer(slot: Slot, c: Customer, time: int) -> Named | None:
    """Keep of who brought the customer no more than the address, and let him know once.

    Else his id would stay here when he is erased. He may be nobody yet: the credit makes him known.
    """
    signup = c.signup
    if signup is None or not isinstance(signup.referrer, str):
        return None
    referrer = signup.referrer
    signup.referrer = address_of(referrer)
    if signup.credit is not None:
        signup.credit.referrer = signup.referrer
    return None if referrer == slot.id else Named(referrer, time)


def settle_credit(rules: Rules, slot: Slot, c: Customer, event: Event) -> CreditHandover | None:
    """Tell the referrer, after an event, that the referral has converted or is so no longer.

    A signup or a purchase converts, a refund reverses; a merge does neither and leaves it to them.
    """
    signup = c.signup
    if signup is None or not isinstance(signup.referrer, Address):
        return None
    credit = signup.credit
    converted = credit is not None and credit.converted
    has_bought = c.counted_until >= signup.day
    if isinstance(event.data, PurchaseRefunded):
        if credit is None or not converted or has_bought or is_one_with(slot, signup.referrer):
            return None
        return _send(credit, signup.referrer, event, ReferralReversed(credit.customer))
    if not isinstance(event.data, Registered | PurchaseCompleted) or converted or not has_bought:
        return None
    if is_one_with(slot, signup.referrer):
        return None
    if credit is None:
        credit = signup.credit = Credit(slot.id, c.life, signup.referrer)
    amount = _earliest(c, signup.day)
    data = ReferralConverted(credit.customer, amount, rules.rates.base)
    return _send(credit, signup.referrer, event, data)


def _earliest(c: Customer, since: int) -> int:
    """Return the worth of the earliest order that counts, dated on or after a day."""
    orders: list[Order] = [
        order for _, order in c.orders.contents() if not order.void and order.day >= since
    ]
    return worth(min(orders, key=lambda order: order.day)) if orders else 0


def _send(
    credit: Credit, referrer: Address, event: Event, data: ReferralConverted | ReferralReversed
) -> CreditHandover:
    credit.k += 1
    credit.converted = isinstance(data, ReferralConverted)
    id = f"credit/{credit.customer}/{credit.k}{life_ending(credit.life)}"
    sent = Event(SOURCE, id, "", event.time, data)
    return CreditHandover("", event.time, sent, address=referrer)
