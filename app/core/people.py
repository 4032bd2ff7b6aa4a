"""Customers who become one, and customers who are forgotten: contract section 6."""

from collections.abc import Callable

from msgspec.structs import replace

from app.core.address import Address, address_of
from app.core.book import Book
from app.core.customer import (
    Customer,
    Dated,
    Erased,
    Moved,
    Seen,
    Slot,
    stranger,
)
from app.core.effects import discount_order, discount_referral, discount_review
from app.core.handover import Absorb, Forget, Handover
from app.core.series import LONGEST_WINDOW, added_up, highest_of_both, united

MOST_ALIASES, MOST_ALIAS_BYTES = 4_096, 256 * 1024
"""Ids absorbed into one customer that are known; of more, the newest. One that is too many is let
go (`let_go`), and an event for it begins a new customer there."""
LET_GO = -1
"""In the place of an erasure's instant, for who was only let go: no event is as old."""
LONGEST_PATH = 512
"""Forwardings that a record follows before it comes to rest where it is."""


def is_one_with(slot: Slot, customer: Address | str) -> bool:
    """Tell whether an id, or an address, is this customer's own or was absorbed into it."""
    if isinstance(customer, str):
        return customer == slot.id or customer in slot.aliases
    return any(address_of(id) == customer for id in (slot.id, *slot.aliases))


def depart(slot: Slot, absorb: Absorb) -> None:
    """Leave a forwarding in the place of an absorbed customer's record."""
    record = slot.record
    sequences = record.sequences if record else []
    life = record.life if record else slot.next_life - 1
    slot.record = Moved(absorb.to, life, list(sequences))
    slot.aliases = ()


def erase(slot: Slot, instant: int) -> list[Handover]:
    """Delete all that is kept under an id but the marker; returns what its aliases are told."""
    lives = slot.record.life if slot.record else slot.next_life - 1
    told: list[Handover] = [Forget(alias, instant, instant) for alias in slot.aliases]
    earlier = slot.erased.instant if slot.erased else instant
    slot.record, slot.aliases, slot.named = None, (), False
    slot.erased = Erased(max(instant, earlier), lives)
    return told


def aliases_with(slot: Slot, arrived: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids absorbed into this customer with those that arrive, and who are too many.

    An id stands before the one that it forwards to, so none goes on over one that was let go.
    """
    known = tuple(dict.fromkeys((*slot.aliases, *arrived)))
    first, room = len(known), MOST_ALIAS_BYTES
    while first and len(known) - first < MOST_ALIASES:
        room -= len(known[first - 1].encode())
        if room < 0:
            break
        first -= 1
    return known[first:], known[:first]


def let_go(too_many: tuple[str, ...], time: int) -> list[Handover]:
    """Return what ids are told that are remembered no longer.

    They would not be told of an erasure, and forward to somebody erased for ever.
    """
    return [Forget(alias, time, LET_GO) for alias in too_many]


def next_stop(slot: Slot, moved: Moved, absorb: Absorb) -> Absorb | None:
    """Say where an absorbed record goes on to; None if it comes to rest here.

    Forwardings that run in a circle are merges that crossed: the smallest id of it survives. What a
    record saw on its way may be out of date, so a circle counts once it was gone round from its
    smallest id: nothing but coming to rest there opens it, and everybody finds the same one.
    """
    if absorb.settle:
        if moved.into in absorb.path:
            return None
        return replace(absorb, to=moved.into, path=(slot.id,), lap=False, settle=False)
    path = (*absorb.path, slot.id)
    if moved.into not in path:
        return None if len(path) > LONGEST_PATH else replace(absorb, to=moved.into, path=path)
    smallest = min(path[path.index(moved.into) :])
    if absorb.lap and path[0] == moved.into == smallest:
        return replace(absorb, to=smallest, path=path, settle=True)
    return replace(absorb, to=smallest, path=(), lap=True)


def settle_here(slot: Slot, moved: Moved, ladders: int) -> None:
    """Make an absorbed id a customer again: the one that survives merges that crossed."""
    life = moved.life if moved.sequences else moved.life + 1  # there was no record to move
    record = stranger(0, life, ladders)
    if moved.sequences:
        record.sequences = list(moved.sequences)
    slot.record = record


def unite(slot: Slot, c: Customer, other: Customer) -> None:
    """Take an absorbed customer's facts into the survivor's record; verdicts stay its own."""
    _unite_book(c.orders, other.orders, lambda order: discount_order(other, order))
    _unite_book(c.reviews, other.reviews, lambda review: discount_review(other, review))
    _unite_book(c.referrals, other.referrals, lambda known: discount_referral(other, known))
    _unite_bought(c, other)
    c.asked = united(c.asked, other.asked)
    c.reviewed = united(c.reviewed, other.reviewed)
    c.brought = united(c.brought, other.brought)
    c.happened = united(c.happened, other.happened)
    c.wanted = highest_of_both(c.wanted, other.wanted)
    c.sent += other.sent
    c.card = c.card if c.card is not None else other.card
    c.attributes = {**other.attributes, **c.attributes}
    c.forgotten_until = max(c.forgotten_until, other.forgotten_until)
    _unite_seen(c.seen, other.seen)
    _choose_signup(slot, c, other)


def _unite_book(own: Book[Dated], others: Book[Dated], discount: Callable[[Dated], None]) -> None:
    """Keep the newest by date of both; what the survivor has already counts once, as its own."""
    items = own.contents()
    known = {key for key, _ in items}
    for key, entry in others.contents():
        if key not in known:
            items.append((key, entry))
        else:
            discount(entry)
    items.sort(key=lambda item: item[1].day)
    own.fill(items[-own.limit :])


def _unite_bought(c: Customer, other: Customer) -> None:
    """Add up purchases by day, and count anew which days have a remembered order."""
    sums = added_up(c.bought, other.bought)
    had = {*_kept_days(c), *_kept_days(other)}
    kept = dict.fromkeys(sums.days, 0)
    for _, order in c.orders.contents():
        if not order.void:
            kept[order.day] += 1
    c.bought = type(c.bought)(sums.days, sums.sums, [kept[day] for day in sums.days])
    if sums.days:
        c.bought.drop_unkept(sums.days[-1] - LONGEST_WINDOW)
    lost = [day for day in had if not kept[day]]
    c.forgotten_until = max([c.forgotten_until, *lost])


def _kept_days(c: Customer) -> list[int]:
    return [d for d, kept in zip(c.bought.days, c.bought.kept, strict=True) if kept]


def _unite_seen(own: Seen, others: Seen) -> None:
    """Remember the newest of both, taken in turn: their order between the two is not known."""
    mine, theirs = own.keys()[::-1], others.keys()[::-1]
    newest_first: list[bytes] = []
    for place in range(max(len(mine), len(theirs))):
        newest_first += mine[place : place + 1] + theirs[place : place + 1]
    own.fill_ids(list(dict.fromkeys(newest_first))[: own.limit][::-1])


def _choose_signup(slot: Slot, c: Customer, other: Customer) -> None:
    """Keep the survivor's own referral if it has one that is not ignored, else take the other's."""
    if other.signup is None:
        return
    own = c.signup
    if own is None:
        c.signup = other.signup
        return
    ignored = own.referrer is None or is_one_with(slot, own.referrer)
    if ignored and other.signup.referrer is not None:
        c.signup = other.signup
