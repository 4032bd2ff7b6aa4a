"""Whether a record has room for more: contract section 2, *Dead letters*, `too-much`.

A record may have 512 KiB as stored. Most of it is bounded by what it is: days by the longest
window, orders, reviews, ids and referred customers by their number. What is not are attributes,
what referred customers brought by day, and the ids that were absorbed. So a record that holds
little of these three has room for every event, and nothing is measured. Of any other a copy takes
the event in, and the copy is measured.

Rungs, graces and placements, and what is known of a referral of the customer's own, are counted at
the most that they can be. So what the clock does, a placement or a credit never carries a record
past the limit.
"""

from collections.abc import Callable

import msgspec

from app.core import sums
from app.core.book import ID_BYTES, RECENT
from app.core.customer import (
    REMEMBERED,
    Customer,
    Seen,
    Slot,
    stranger,
    twin,
    without_older,
)
from app.core.effects import take_in
from app.core.events import Event, ProfileErased, ProfileMerged, Refused
from app.core.people import unite
from app.core.revenue import fold_old_days
from app.core.rules import Rules
from app.core.series import LONGEST_WINDOW

LARGEST_RECORD = 512 * 1024
"""Bytes of all rows of a customer together. A changelog takes a row of twice as many."""

_DAY, _NUMBER, _SUM = 5, 9, 18
"""The most bytes that a day, a number and a sum of money take."""
_DAYS = LONGEST_WINDOW + 1
_ONCE = 3 * 1024
"""What a record has once: the heads of its parts, its card, its own referral (three ids)."""
_A_LADDER = 64
_SERIES = _DAYS * (
    (_DAY + 3 * _NUMBER + _SUM)  # bought
    + 2 * (_DAY + _NUMBER)  # happened, asked
    + (_DAY + 5 * _NUMBER)  # reviewed
    + (_DAY + _NUMBER + _SUM)  # brought
    + (_DAY + 1)  # wanted
) + REMEMBERED * (_DAY + 3 * _NUMBER + _SUM)  # days of orders that are remembered
_ORDER, _REVIEW, _REFERRAL = 48, 16, 12
_BOOKS = (Seen.limit + RECENT) * ID_BYTES + (REMEMBERED + RECENT) * (
    3 * ID_BYTES + _ORDER + _REVIEW + _REFERRAL
)
_BOUNDED = _SERIES + _BOOKS + _ONCE
_AN_EVENT = 65_536 + _ONCE
"""The most that one event adds to what is not bounded by itself."""

_encode = msgspec.msgpack.Encoder().encode


def refuse_growth(rules: Rules, slot: Slot, event: Event, key: bytes) -> Refused | None:
    """Refuse an event for which the record has no room; `key` is what it is remembered under.

    Who leaves takes room from nobody; but a record that is past the limit already, as an earlier
    version may have left one, would not fit into a handover.
    """
    if isinstance(event.data, ProfileErased):
        return None
    known = slot.record if isinstance(slot.record, Customer) else None
    if known is None:
        if not slot.aliases or isinstance(event.data, ProfileMerged):
            return None
        known = stranger(event.time, slot.next_life, len(rules.ladders))
    loose = _loose(known) + _packed(slot.aliases)
    if loose <= _room(known) and sums.are_small(known):
        return None
    _cut(known)
    before = size_of(slot, known)
    if isinstance(event.data, ProfileMerged):
        return _no_room(before) if before > LARGEST_RECORD else None
    day = rules.calendar.day_of(event.time)

    def taken_in() -> Customer:
        trial = twin(known)
        take_in(rules, trial, event.data, day)
        trial.happened.add(day, (1,))
        trial.seen.add(key)
        return trial

    return _judge(slot, known, taken_in, slot.aliases, before)


def refuse_union(
    rules: Rules, slot: Slot, other: Customer | None, aliases: tuple[str, ...]
) -> Refused | None:
    """Refuse a merge for which the survivor has no room; `aliases` are all that it would have."""
    known = slot.record if isinstance(slot.record, Customer) else None
    if known is None:
        known = stranger(0, slot.next_life, len(rules.ladders))
    loose = _loose(known) + _packed(aliases) + (_loose(other) if other else 0)
    small = sums.are_small(known) and (other is None or sums.are_small(other))
    if loose <= _room(known) and small:
        return None
    _cut(known)
    if other is not None:
        _cut(other)

    def united() -> Customer:
        trial = twin(known)
        if other is not None:
            unite(slot, trial, twin(other))
        return trial

    return _judge(slot, known, united, aliases, size_of(slot, other, aliases) if other else 0)


def _cut(c: Customer) -> Customer:
    """Cut off what is forgotten, so that only what is remembered is measured."""
    for book in (c.seen, c.orders, c.reviews, c.referrals):
        book.cut()
    return c


def _judge(
    slot: Slot,
    known: Customer,
    changed: Callable[[], Customer],
    aliases: tuple[str, ...],
    before: int,
) -> Refused | None:
    """Try a change of a record; if need be, make room first by what costs no fact."""
    trial = _cut(changed())
    if not sums.fit(trial):
        return Refused("too-much", "a sum of the customer's record would need more than 128 bits")
    size = size_of(slot, trial, aliases)
    if size > LARGEST_RECORD and fold_old_days(known):
        size = size_of(slot, _cut(changed()), aliases)
    return _no_room(size) if size > max(LARGEST_RECORD, before) else None


def _no_room(size: int) -> Refused:
    return Refused(
        "too-much",
        f"the customer's record would take {size} bytes; at most {LARGEST_RECORD} are kept: "
        "attributes that are set to null make room",
    )


def size_of(slot: Slot, c: Customer, aliases: tuple[str, ...] | None = None) -> int:
    """Return at least the bytes that all rows of a customer take, and not much more.

    `aliases` are in place of the slot's own.
    """
    bare = msgspec.structs.replace(
        without_older(c), due=0, as_of=0, rungs=bytearray(), standings=bytearray(), since=[],
        sequences=[], holds={}, signup=None,
    )  # fmt: skip
    try:
        size = len(_encode(bare))
    except OverflowError:
        size = len(_encode(sums.with_packed_sums(bare)))
    for book in (c.seen, c.orders, c.reviews, c.referrals):
        if book.older is not None:
            size += len(book.older.ids) + len(book.older.entries)
    size += _packed(slot.aliases if aliases is None else aliases)
    return size + _ONCE + _A_LADDER * len(c.rungs)


def _room(c: Customer) -> int:
    """Return how much of what has no bound of its own leaves room for any event."""
    return LARGEST_RECORD - _BOUNDED - _AN_EVENT - _A_LADDER * len(c.rungs)


def _loose(c: Customer) -> int:
    """Return the bytes of attributes, and at least those of what referred customers brought."""
    size = len(_encode(c.attributes)) + len(c.referrals.entries)
    return size + len(c.referrals.older.entries) if c.referrals.older is not None else size


def _packed(aliases: tuple[str, ...]) -> int:
    return len(_encode(aliases)) if aliases else 0
