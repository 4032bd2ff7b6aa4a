"""What another customer's record sent meets the record it is addressed to."""

from msgspec.structs import replace

from app.core.book import event_key, hash_id
from app.core.customer import Customer, Moved, Slot, stranger
from app.core.due import Cutter, advance
from app.core.events import ReferralConverted, ReferralReversed, Refused
from app.core.fold import admit, fold, look_at
from app.core.handover import Absorb, Credit, Forget, Forward, Handover, Named, Redirect
from app.core.move import Occasion, evaluate
from app.core.people import (
    aliases_with,
    erase,
    is_one_with,
    let_go,
    next_stop,
    settle_here,
    unite,
)
from app.core.room import refuse_union
from app.core.rules import Rules
from app.core.verdict import DROPPED, FORWARDED, IN_TIME, LATE, NOTED, Outbox, Verdict

MOST_RETURNS = 64
"""How often an event goes on to somebody who knows nothing of its customer, and comes back.

That is the way of an event that overtook its customer's record. But where an erasure crossed with
merges, a forwarding may lead to somebody who will never know: after so many returns the customer
it names begins anew, rather than that events go to and fro for ever. A worker counts no further
while the record may still wait for a partition that is away (`app.stream.batch`).
"""


def receive(rules: Rules, slot: Slot, handover: Handover, cutter: Cutter, out: Outbox) -> Verdict:
    """Apply what another customer's record sent to this one."""
    match handover:
        case Forward():
            return _receive_forward(rules, slot, handover, cutter, out)
        case Credit():
            return _receive_credit(rules, slot, handover, cutter, out)
        case Named():
            return _receive_named(slot)
        case Absorb():
            return _receive_absorb(rules, slot, handover, cutter, out)
        case Forget():
            return _receive_forget(slot, handover)
        case Redirect():
            return _receive_redirect(slot, handover)


def _receive_forward(
    rules: Rules, slot: Slot, handover: Forward, cutter: Cutter, out: Outbox
) -> Verdict:
    event = handover.event
    if isinstance(slot.record, Moved):
        returns = _returns(slot, handover)
        if returns <= MOST_RETURNS:
            verdict = admit(rules, slot, event)
            if not isinstance(verdict, bytes):
                return verdict
            out.handovers.append(replace(handover, to=slot.record.into, returns=returns))
            return FORWARDED
        settle_here(slot, slot.record, len(rules.ladders))
        slot.touched = True
    if not is_one_with(slot, event.subject):
        out.handovers.append(replace(handover, to=event.subject))
        return FORWARDED
    return fold(rules, slot, event, cutter, out)


def _returns(slot: Slot, handover: Forward | Credit) -> int:
    """Count this as a return, too, if it came home."""
    return handover.returns + (handover.event.subject == slot.id)


def _receive_credit(
    rules: Rules, slot: Slot, handover: Credit, cutter: Cutter, out: Outbox
) -> Verdict:
    event, record = handover.event, slot.record
    if isinstance(record, Moved):
        returns = _returns(slot, handover)
        if returns > MOST_RETURNS:
            return DROPPED
        out.handovers.append(replace(handover, to=record.into, returns=returns))
        return FORWARDED
    if not is_one_with(slot, event.subject):
        out.handovers.append(replace(handover, to=event.subject))
        return FORWARDED
    if record is None and slot.erased is not None:
        return DROPPED
    data = event.data
    if not isinstance(data, ReferralConverted | ReferralReversed):
        raise TypeError(f"a credit carries {event.type}")
    if is_one_with(slot, data.referred_id):
        return DROPPED
    known = record is not None and hash_id(data.referred_id) in record.referrals
    if isinstance(data, ReferralReversed) and not known:
        return DROPPED
    if isinstance(data, ReferralConverted) and known:
        data = ReferralConverted(data.referred_id)
    return fold(rules, slot, replace(event, data=data), cutter, out)


def _receive_named(slot: Slot) -> Verdict:
    """Keep the id where it is found by its address; not that of who is erased and not back."""
    if slot.record is not None or slot.erased is None:
        slot.touched |= not slot.named
        slot.named = True
    return NOTED


def _receive_absorb(
    rules: Rules, slot: Slot, absorb: Absorb, cutter: Cutter, out: Outbox
) -> Verdict:
    if isinstance(slot.record, Moved):
        further = next_stop(slot, slot.record, absorb)
        if further is not None:
            out.handovers.append(further)
            return FORWARDED
        settle_here(slot, slot.record, len(rules.ladders))
        slot.touched = True
    # What came home out of a circle names this customer, too.
    arrived = [id for id in (*absorb.aliases, absorb.absorbed) if id != slot.id]
    if slot.erased is not None and slot.erased.instant >= absorb.time:
        instant = slot.erased.instant
        out.handovers.extend(Forget(alias, instant, instant) for alias in arrived)
        return DROPPED
    aliases, too_many = aliases_with(slot, arrived)
    refused = refuse_union(rules, slot, absorb.record, aliases)
    if refused is not None:
        return _send_home(slot, absorb, refused, out)
    slot.aliases = aliases
    slot.touched = True
    out.handovers += let_go(too_many, absorb.time)
    if absorb.absorbed in arrived and absorb.path[-1:] != (absorb.absorbed,):
        out.handovers.append(Redirect(absorb.absorbed, absorb.time, slot.id))
    if absorb.record is None:
        return IN_TIME
    return _unite(rules, slot, absorb, absorb.record, cutter, out)


def _send_home(slot: Slot, absorb: Absorb, refused: Refused, out: Outbox) -> Refused:
    """Let a record for which there is no room go back to its own id, and be a customer there.

    One that is there already, and finds no room beside what began there in the meantime, stays in
    the dead letter that is made of it.
    """
    if absorb.absorbed != slot.id:
        path = (*absorb.path, slot.id)
        out.handovers.append(
            replace(absorb, to=absorb.absorbed, path=path, lap=False, settle=True, home=True)
        )
    return refused


def _unite(
    rules: Rules, slot: Slot, absorb: Absorb, other: Customer, cutter: Cutter, out: Outbox
) -> Verdict:
    c = slot.record
    if not isinstance(c, Customer):
        c = slot.record = stranger(absorb.time, slot.next_life, len(rules.ladders))
    late = absorb.time < c.as_of
    instant = max(absorb.time, c.as_of, other.as_of)
    advance(rules, slot.id, c, instant, cutter, out.changes)
    c.as_of = instant
    unite(slot, c, other)
    if not absorb.home:
        c.seen.add(event_key(absorb.trigger.source, absorb.trigger.id))
    occasion = Occasion("merge", absorb.trigger)
    evaluate(look_at(rules, slot, c, instant, cutter, occasion), rules.all, out.changes)
    c.due = None
    return LATE if late else IN_TIME


def _receive_forget(slot: Slot, forget: Forget) -> Verdict:
    if not isinstance(slot.record, Moved):
        return DROPPED
    erase(slot, forget.instant)
    slot.touched = True
    return IN_TIME


def _receive_redirect(slot: Slot, redirect: Redirect) -> Verdict:
    if not isinstance(slot.record, Moved):
        return DROPPED
    slot.record.into = redirect.into
    slot.touched = True
    return IN_TIME
