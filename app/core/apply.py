"""The one entry to the rules: an event, a handover or the clock meets a customer's record.

All of it works on the caller's own copy of a `Slot`, in place. Given the same slot and the same
event it always does the same: there is no clock, no randomness and no input or output here.
"""

from app.core.customer import Customer, Slot
from app.core.due import NEVER, Cutter, next_instant
from app.core.due import advance as advance_customer
from app.core.fold import admit, fold, fold_admitted, look_at
from app.core.move import CLOCK, evaluate
from app.core.receive import receive
from app.core.refusals import examine
from app.core.rules import Rules
from app.core.verdict import Applied, Dropped, Forwarded, Outbox, Repeated, Verdict

__all__ = [
    "Applied",
    "Dropped",
    "Forwarded",
    "Outbox",
    "Repeated",
    "Verdict",
    "admit",
    "advance",
    "examine",
    "fold",
    "fold_admitted",
    "next_due",
    "receive",
    "recut",
]


def advance(rules: Rules, slot: Slot, until: int, cutter: Cutter, out: Outbox) -> None:
    """Evaluate everything due for a customer up to and at an instant."""
    if isinstance(slot.record, Customer) and advance_customer(
        rules, slot.id, slot.record, until, cutter, out.changes
    ):
        slot.touched = True


def recut(rules: Rules, slot: Slot, instant: int, cutter: Cutter, out: Outbox) -> None:
    """Look at a customer again under the top-spender cuts taken at a day boundary."""
    c = slot.record
    if not isinstance(c, Customer):
        return
    advance(rules, slot, instant, cutter, out)
    look = look_at(rules, slot, c, instant, cutter, CLOCK)
    if instant >= c.as_of and evaluate(look, rules.top_ladders, out.changes):
        c.as_of = instant
        c.due = None
        slot.touched = True


def next_due(rules: Rules, slot: Slot) -> int | None:
    """Return the next instant at which something may change, None if time alone changes nothing."""
    c = slot.record
    if not isinstance(c, Customer):
        return None
    if c.due is None:
        c.due = next_instant(rules, c, c.as_of)
    return None if c.due == NEVER else c.due
