"""A record of which nothing is measured has room for every event (`app.core.room`)."""

from __future__ import annotations

from app.core import room
from app.core.book import ID_BYTES, RECENT, hash_id
from app.core.customer import (
    REMEMBERED,
    Bought,
    Customer,
    Hold,
    Order,
    Orders,
    Referral,
    Referrals,
    Review,
    Reviews,
    Seen,
    Signup,
    Slot,
    stranger,
)
from app.core.customer import Credit as Credited
from app.core.series import LONGEST_WINDOW, Peaks, Series
from app.core.sums import GREATEST

LAST = 84_000
WIDEST = 2**64 - 1
CHARACTER = "𝄞"
LADDERS = 64


def series(columns: list[int], days: int = LONGEST_WINDOW + 1) -> Series:
    return Series([*range(LAST - days, LAST)], [[widest] * days for widest in columns])


def widest() -> Customer:
    """Everything that has a bound at it, in the most bytes that it can take."""
    c = stranger(WIDEST, 2**32, LADDERS)
    bought = series([WIDEST, GREATEST, WIDEST], LONGEST_WINDOW + 1 + REMEMBERED)
    c.bought = Bought(bought.days, bought.sums, [REMEMBERED] * len(bought.days))
    c.happened, c.asked = series([WIDEST]), series([WIDEST])
    c.reviewed, c.brought = series([WIDEST] * 5), series([WIDEST, GREATEST])
    c.wanted = Peaks([*range(LAST - LONGEST_WINDOW - 1, LAST)], [4] * (LONGEST_WINDOW + 1))
    order = Order(LAST, 10**15, 10**6, 10**15, True, "VND", 10**15, -128)
    review, referral = Review(LAST, (1, 1, 1, 1, 1)), Referral(LAST)
    kept = [hash_id(str(number)) for number in range(REMEMBERED + RECENT)]
    c.orders, c.reviews, c.referrals = Orders(), Reviews(), Referrals()
    c.orders.fill([(key, order) for key in kept])
    c.reviews.fill([(key, review) for key in kept])
    c.referrals.fill([(key, referral) for key in kept])
    c.seen = Seen()
    c.seen.fill_ids([hash_id(str(number)) for number in range(Seen.limit + RECENT)])
    c.card = CHARACTER * 64
    c.since = c.sequences = [WIDEST] * LADDERS
    c.holds = {index: Hold(WIDEST, 255, WIDEST) for index in range(LADDERS)}
    long = CHARACTER * 128
    c.signup = Signup(LAST, long, Credited(long, 2**32, long, 2**32, True))
    return c


def test_what_has_a_bound_takes_no_more_than_is_set_aside_for_it() -> None:
    c = widest()
    assert len(kept_ids(c)) == (Seen.limit + RECENT) * ID_BYTES
    size = room.size_of(Slot("c"), c)
    loose = room._loose(c)
    most = room.LARGEST_RECORD - room._AN_EVENT
    assert size <= most - room._room(c) + loose
    assert room._room(c) > 128 * 1024  # so that few are ever measured


def kept_ids(c: Customer) -> bytes:
    assert c.seen.older is not None
    return c.seen.older.ids
