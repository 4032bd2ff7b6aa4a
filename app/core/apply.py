"""The one entry to the rules: an event, a handover or the clock meets a customer's record.

All of it works on the caller's own copy of a `Slot`, in place. Given the same slot and the same
event it always does the same: there is no clock, no randomness and no input or output here.
"""

import msgspec

from app.core.book import hash_id
from app.core.change import Change, Trigger
from app.core.credit import settle_credit
from app.core.customer import Customer, Hold, Moved, Slot, stranger
from app.core.due import NEVER, Cutter, next_instant
from app.core.due import advance as advance_customer
from app.core.effects import take_in
from app.core.events import (
    Event,
    ProfileErased,
    ProfileMerged,
    ProfilePlaced,
    PurchaseRefunded,
    ReferralConverted,
    ReferralReversed,
    Refused,
    ReviewRemoved,
)
from app.core.facts import HAPPENED
from app.core.handover import Absorb, Credit, Forget, Forward, Handover
from app.core.move import CLOCK, Look, Occasion, evaluate, is_placed, leave
from app.core.people import (
    depart,
    erase,
    is_one_with,
    next_stop,
    settle_here,
    unite,
)
from app.core.refusals import examine, refuse
from app.core.rules import Rules

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


class Applied(msgspec.Struct, frozen=True, gc=False):
    """The event is part of the record now; `late` if it came after a later one."""

    late: bool = False


class Repeated(msgspec.Struct, frozen=True, gc=False):
    """Applied before: it changed nothing."""


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """Concerns nobody any more (erased), or nothing was left to do."""


class Forwarded(msgspec.Struct, frozen=True, gc=False):
    """The customer was absorbed: the event is on its way to the survivor."""


Verdict = Applied | Repeated | Dropped | Forwarded | Refused

_IN_TIME, _LATE = Applied(False), Applied(True)
_REPEATED, _DROPPED, _FORWARDED = Repeated(), Dropped(), Forwarded()
_REFUNDS = (PurchaseRefunded, ReviewRemoved, ReferralReversed)


class Outbox(msgspec.Struct, gc=False):
    """What the caller has to publish and to deliver, in order."""

    changes: list[Change] = msgspec.field(default_factory=list)
    handovers: list[Handover] = msgspec.field(default_factory=list)


def fold(rules: Rules, slot: Slot, event: Event, cutter: Cutter, out: Outbox) -> Verdict:
    """Apply an event to the customer it names. `examine` has let it pass."""
    key = admit(rules, slot, event)
    if not isinstance(key, bytes):
        return key
    return fold_admitted(rules, slot, event, key, cutter, out)


def admit(rules: Rules, slot: Slot, event: Event) -> bytes | Repeated | Dropped | Refused:
    """Say why an event will change nothing; else return the key under which it is remembered."""
    record = slot.record
    key = hash_id(f"{event.source}\0{event.id}")
    if isinstance(record, Customer) and key in record.seen:
        return _REPEATED
    own = event.subject == slot.id
    if own and slot.erased is not None and event.time <= slot.erased.instant:
        return _DROPPED
    if isinstance(record, Moved):
        return key
    if isinstance(event.data, ProfileMerged) and is_one_with(slot, event.data.into):
        return _DROPPED
    return refuse(rules, record, event.data) or key


def fold_admitted(
    rules: Rules, slot: Slot, event: Event, key: bytes, cutter: Cutter, out: Outbox
) -> Verdict:
    """Apply an event that `admit` has let pass."""
    record = slot.record
    if isinstance(record, Moved):
        out.handovers.append(Forward(record.into, event.time, event))
        return _FORWARDED
    if isinstance(event.data, ProfileMerged):
        return _merge(rules, slot, record, event, event.data.into, cutter, out)
    if isinstance(event.data, ProfileErased):
        return _erase(rules, slot, record, event, cutter, out)
    return _apply(rules, slot, record, event, key, cutter, out)


def _apply(
    rules: Rules,
    slot: Slot,
    record: Customer | None,
    event: Event,
    key: bytes,
    cutter: Cutter,
    out: Outbox,
) -> Verdict:
    instant = event.time
    ladders = 0
    if record is None:
        record = stranger(instant, slot.next_life, len(rules.ladders))
        slot.record = record
        ladders = rules.all
    else:
        advance_customer(rules, slot.id, record, instant, cutter, out.changes)
    late = instant < record.as_of
    by_hand = _by_hand(rules, record, event, max(instant, record.as_of))
    day = rules.calendar.day_of(instant)
    groups = take_in(rules, record, event.data, day)
    record.happened.add(day, (1,))
    record.seen.add(key)
    handover = settle_credit(rules, slot, record, event)
    if handover is not None:
        out.handovers.append(handover)
    if late:
        day = rules.calendar.day_of(record.as_of)
    else:
        record.as_of = instant
    cause = Occasion(
        "refund" if isinstance(event.data, _REFUNDS) else "event", _trigger(event), by_hand
    )
    ladders |= rules.touched_by(groups | HAPPENED)
    if by_hand >= 0:
        ladders |= 1 << by_hand
    look = Look(rules, slot.id, record, record.as_of, day, cutter.at(day), cause)
    evaluate(look, ladders, out.changes)
    record.due = None
    slot.touched = True
    return _LATE if late else _IN_TIME


def _by_hand(rules: Rules, record: Customer, event: Event, instant: int) -> int:
    """Return the index of the ladder on which the event places or releases; -1 for none."""
    if not isinstance(event.data, ProfilePlaced):
        return -1
    index = rules.by_id[event.data.ladder]
    releases = is_placed(record.holds.get(index, Hold()), instant)
    return index if event.data.rung is not None or releases else -1


def _trigger(event: Event) -> Trigger:
    return Trigger(event.source, event.id, event.data.type)


def _look(
    rules: Rules, slot: Slot, c: Customer, instant: int, cutter: Cutter, occasion: Occasion
) -> Look:
    day = rules.calendar.day_of(instant)
    return Look(rules, slot.id, c, instant, day, cutter.at(day), occasion)


def _leave(
    rules: Rules, slot: Slot, c: Customer, event: Event, cause: Occasion, at: Cutter, out: Outbox
) -> None:
    advance_customer(rules, slot.id, c, event.time, at, out.changes)
    c.as_of = max(c.as_of, event.time)
    leave(_look(rules, slot, c, c.as_of, at, cause), out.changes)


def _merge(
    rules: Rules,
    slot: Slot,
    record: Customer | None,
    event: Event,
    into: str,
    cutter: Cutter,
    out: Outbox,
) -> Verdict:
    """Absorb this customer into another: its record leaves as a handover."""
    late = record is not None and event.time < record.as_of
    trigger = _trigger(event)
    if record is not None:
        _leave(rules, slot, record, event, Occasion("merge", trigger), cutter, out)
    absorb = Absorb(into, event.time, slot.id, record, slot.aliases, trigger, (slot.id,))
    depart(slot, absorb)
    out.handovers.append(absorb)
    slot.touched = True
    return _LATE if late else _IN_TIME


def _erase(
    rules: Rules, slot: Slot, record: Customer | None, event: Event, cutter: Cutter, out: Outbox
) -> Verdict:
    late = record is not None and event.time < record.as_of
    if record is not None:
        occasion = Occasion("erasure", _trigger(event))
        _leave(rules, slot, record, event, occasion, cutter, out)
    out.handovers.extend(erase(slot, event.time))
    slot.touched = True
    return _LATE if late else _IN_TIME


def receive(rules: Rules, slot: Slot, handover: Handover, cutter: Cutter, out: Outbox) -> Verdict:
    """Apply what another customer's record sent to this one."""
    match handover:
        case Forward():
            return _receive_forward(rules, slot, handover, cutter, out)
        case Credit():
            return _receive_credit(rules, slot, handover, cutter, out)
        case Absorb():
            return _receive_absorb(rules, slot, handover, cutter, out)
        case Forget():
            return _receive_forget(slot, handover)


def _astray(slot: Slot, subject: str) -> bool:
    """Tell whether what was forwarded here belongs to nobody here: the survivor was erased."""
    return not isinstance(slot.record, Moved) and not is_one_with(slot, subject)


def _receive_forward(
    rules: Rules, slot: Slot, handover: Forward, cutter: Cutter, out: Outbox
) -> Verdict:
    event = handover.event
    if _astray(slot, event.subject):
        out.handovers.append(Forward(event.subject, event.time, event))
        return _FORWARDED
    return fold(rules, slot, event, cutter, out)


def _receive_credit(
    rules: Rules, slot: Slot, handover: Credit, cutter: Cutter, out: Outbox
) -> Verdict:
    event, record = handover.event, slot.record
    if isinstance(record, Moved):
        out.handovers.append(Credit(record.into, event.time, event))
        return _FORWARDED
    if _astray(slot, event.subject):
        out.handovers.append(Credit(event.subject, event.time, event))
        return _FORWARDED
    if record is None and slot.erased is not None:
        return _DROPPED
    data = event.data
    if not isinstance(data, ReferralConverted | ReferralReversed):
        raise TypeError(f"a credit carries {event.type}")
    if is_one_with(slot, data.referred_id):
        return _DROPPED
    known = record is not None and hash_id(data.referred_id) in record.referrals
    if isinstance(data, ReferralReversed) and not known:
        return _DROPPED
    if isinstance(data, ReferralConverted) and known:
        data = ReferralConverted(data.referred_id)
    return fold(rules, slot, msgspec.structs.replace(event, data=data), cutter, out)


def _receive_absorb(
    rules: Rules, slot: Slot, absorb: Absorb, cutter: Cutter, out: Outbox
) -> Verdict:
    slot.touched = True
    if isinstance(slot.record, Moved):
        further = next_stop(slot, slot.record, absorb)
        if further is not None:
            out.handovers.append(further)
            return _FORWARDED
        settle_here(slot, slot.record, len(rules.ladders))
    if slot.erased is not None and slot.erased.instant >= absorb.time:
        instant = slot.erased.instant
        for alias in (absorb.absorbed, *absorb.aliases):
            out.handovers.append(Forget(alias, instant, instant))
        return _DROPPED
    arrived = dict.fromkeys((*slot.aliases, absorb.absorbed, *absorb.aliases))
    slot.aliases = tuple(alias for alias in arrived if alias != slot.id)
    if absorb.record is None:
        return _IN_TIME
    return _unite(rules, slot, absorb, absorb.record, cutter, out)


def _unite(
    rules: Rules, slot: Slot, absorb: Absorb, other: Customer, cutter: Cutter, out: Outbox
) -> Verdict:
    c = slot.record
    if not isinstance(c, Customer):
        c = slot.record = stranger(absorb.time, slot.next_life, len(rules.ladders))
    late = absorb.time < c.as_of
    instant = max(absorb.time, c.as_of, other.as_of)
    advance_customer(rules, slot.id, c, instant, cutter, out.changes)
    c.as_of = instant
    unite(slot, c, other)
    occasion = Occasion("merge", absorb.trigger)
    evaluate(_look(rules, slot, c, instant, cutter, occasion), rules.all, out.changes)
    c.due = None
    return _LATE if late else _IN_TIME


def _receive_forget(slot: Slot, forget: Forget) -> Verdict:
    if not isinstance(slot.record, Moved):
        return _DROPPED
    erase(slot, forget.instant)
    slot.touched = True
    return _IN_TIME


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
    look = _look(rules, slot, c, instant, cutter, CLOCK)
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
