"""An event meets the record of the customer it names."""

from app.core.book import event_key
from app.core.change import Trigger
from app.core.credit import hide_referrer, settle_credit
from app.core.customer import Customer, Hold, Moved, Slot, stranger
from app.core.due import Cutter, advance
from app.core.effects import take_in
from app.core.events import (
    Event,
    ProfileErased,
    ProfileMerged,
    ProfilePlaced,
    PurchaseRefunded,
    ReferralReversed,
    Refused,
    ReviewRemoved,
)
from app.core.facts import HAPPENED
from app.core.handover import Absorb, Forward
from app.core.move import Look, Occasion, evaluate, is_placed, leave
from app.core.people import depart, erase, is_one_with
from app.core.refusals import refuse
from app.core.room import refuse_growth
from app.core.rules import Rules
from app.core.verdict import (
    DROPPED,
    FORWARDED,
    IN_TIME,
    LATE,
    REPEATED,
    Applied,
    Dropped,
    Outbox,
    Repeated,
    Verdict,
)

_REFUNDS = (PurchaseRefunded, ReviewRemoved, ReferralReversed)
_ONCE = (1,)


def fold(rules: Rules, slot: Slot, event: Event, cutter: Cutter, out: Outbox) -> Verdict:
    """Apply an event to the customer it names. `examine` has let it pass."""
    key = admit(rules, slot, event)
    if not isinstance(key, bytes):
        return key
    return fold_admitted(rules, slot, event, key, cutter, out)


def admit(rules: Rules, slot: Slot, event: Event) -> bytes | Applied | Repeated | Dropped | Refused:
    """Say why an event will change nothing; else return the key under which it is remembered."""
    record = slot.record
    key = event_key(event.source, event.id)
    if isinstance(record, Customer) and key in record.seen:
        return REPEATED
    own = event.subject == slot.id
    if own and slot.erased is not None and event.time <= slot.erased.instant:
        return DROPPED
    if isinstance(record, Moved):
        return key
    if isinstance(event.data, ProfileMerged) and is_one_with(slot, event.data.into):
        return IN_TIME
    return refuse(rules, record, event.data) or refuse_growth(rules, slot, event, key) or key


def fold_admitted(
    rules: Rules, slot: Slot, event: Event, key: bytes, cutter: Cutter, out: Outbox
) -> Verdict:
    """Apply an event that `admit` has let pass."""
    record = slot.record
    if isinstance(record, Moved):
        out.handovers.append(Forward(record.into, event.time, event))
        return FORWARDED
    data = event.data
    if isinstance(data, ProfileMerged):
        return _merge(rules, slot, record, event, data.into, cutter, out)
    if isinstance(data, ProfileErased):
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
        # A record that came to rest here out of a circle was never looked at.
        ladders = 0 if record.as_of else rules.all
        advance(rules, slot.id, record, instant, cutter, out.changes)
    late = instant < record.as_of
    by_hand = -1
    if isinstance(event.data, ProfilePlaced):
        by_hand = _by_hand(rules, record, event.data, max(instant, record.as_of))
    day = rules.calendar.day_of(instant)
    groups = take_in(rules, record, event.data, day)
    record.happened.add(day, _ONCE)
    record.seen.add(key)
    if record.signup is not None:
        named = hide_referrer(slot, record, instant)
        credit = settle_credit(rules, slot, record, event)
        out.handovers += [owed for owed in (named, credit) if owed is not None]
    if not late:
        record.as_of = instant
    cause = Occasion(
        "refund" if isinstance(event.data, _REFUNDS) else "event", _trigger(event), by_hand
    )
    ladders |= rules.touched_by(groups | HAPPENED)
    if by_hand >= 0:
        ladders |= 1 << by_hand
    evaluate(look_at(rules, slot, record, record.as_of, cutter, cause), ladders, out.changes)
    record.due = None
    slot.touched = True
    return LATE if late else IN_TIME


def _by_hand(rules: Rules, record: Customer, data: ProfilePlaced, instant: int) -> int:
    """Return the index of the ladder on which somebody is placed or released; -1 for none."""
    index = rules.by_id[data.ladder]
    releases = is_placed(record.holds.get(index, Hold()), instant)
    return index if data.rung is not None or releases else -1


def _trigger(event: Event) -> Trigger:
    return Trigger(event.source, event.id, event.data.type)


def look_at(
    rules: Rules, slot: Slot, c: Customer, instant: int, cutter: Cutter, occasion: Occasion
) -> Look:
    day = rules.calendar.today(instant)
    return Look(rules, slot.id, c, instant, day, cutter.at(day), occasion)


def _leave(
    rules: Rules, slot: Slot, c: Customer, event: Event, cause: Occasion, at: Cutter, out: Outbox
) -> None:
    advance(rules, slot.id, c, event.time, at, out.changes)
    c.as_of = max(c.as_of, event.time)
    leave(look_at(rules, slot, c, c.as_of, at, cause), out.changes)


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
        _leave(rules, slot, record, event, Occasion("merge", trigger, leaving=True), cutter, out)
    absorb = Absorb(into, event.time, slot.id, record, slot.aliases, trigger, (slot.id,))
    depart(slot, absorb)
    out.handovers.append(absorb)
    slot.touched = True
    return LATE if late else IN_TIME


def _erase(
    rules: Rules, slot: Slot, record: Customer | None, event: Event, cutter: Cutter, out: Outbox
) -> Verdict:
    late = record is not None and event.time < record.as_of
    if record is not None:
        occasion = Occasion("erasure", _trigger(event), leaving=True)
        _leave(rules, slot, record, event, occasion, cutter, out)
    out.handovers.extend(erase(slot, event.time))
    slot.touched = True
    return LATE if late else IN_TIME
