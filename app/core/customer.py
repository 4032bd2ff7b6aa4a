"""What is known of one customer: facts, never verdicts, and beside them the place on each ladder.

Counters and days are kept whether or not a ladder asks for them, so a new rule needs no replay.
"""

from bisect import bisect_left, bisect_right
from typing import Any, ClassVar, TypeVar

import msgspec

from app.core.address import Address
from app.core.book import Book
from app.core.events import Attribute
from app.core.series import LONGEST_WINDOW, Peaks, Series

REMEMBERED = 512
"""Orders, reviews and referred ids, each (contract section 2)."""


class Order(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An order: amounts in minor units of its currency, and the rate of its own date.

    A rate is `mantissa * 10**exponent` base minor units for one minor unit of the currency.
    """

    day: int
    amount: int
    units: int
    refunded: int = 0
    void: bool = False
    currency: str = ""
    mantissa: int = 1
    exponent: int = 0


class Review(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A review: what it adds to each column of `Customer.reviewed`."""

    day: int
    adds: tuple[int, ...]


class Referral(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A conversion: the day that counts, and revenue by day in base minor units."""

    day: int
    revenue: tuple[tuple[int, int], ...] = ()


class Bought(Series, array_like=True, gc=False):
    """Purchases, spend and units by day; `kept` counts the remembered orders that are not void."""

    kept: list[int] = msgspec.field(default_factory=list)

    def add(self, day: int, amounts: tuple[int, ...]) -> None:
        """Add to a day; what is remembered of it stays."""
        self.change(day, amounts, 0)

    def change(self, day: int, amounts: tuple[int, ...], kept: int) -> None:
        """Add to a day, and to its count of remembered orders; such a day is never dropped."""
        days = self.days
        if days and day == days[-1]:
            self.kept[-1] += kept
            Series.add(self, day, amounts)
        elif not days or day > days[-1]:
            self.kept.append(kept)
            Series.add(self, day, amounts)
            self.drop_unkept(day - LONGEST_WINDOW)
        else:
            self._change_late(day, amounts, kept)

    def _change_late(self, day: int, amounts: tuple[int, ...], kept: int) -> None:
        place = bisect_left(self.days, day)
        if self.days[place] == day:
            self.kept[place] += kept
            Series.add(self, day, amounts)
        else:
            self.kept.insert(place, kept)
            Series.add(self, day, amounts)
            self.drop_unkept(self.days[-1] - LONGEST_WINDOW)

    def _drop(self, newest_out_of_reach: int) -> None:
        """Leave dropping to `drop_unkept`, which knows what is kept."""

    def drop_unkept(self, newest_out_of_reach: int) -> None:
        """Forget the days that no window reaches and no remembered order lies on, all but one."""
        if self.days[0] > newest_out_of_reach:
            return
        last = bisect_right(self.days, newest_out_of_reach) - 1
        for place in reversed(range(last)):
            if not self.kept[place]:
                for column in (self.days, self.kept, *self.sums):
                    del column[place]


class Credit(msgspec.Struct, array_like=True, gc=False):
    """What was credited to the referrer: travels with the record through a merge.

    `customer` and `life` are those under which the credit began, `k` counts what was sent.
    """

    customer: str
    life: int
    referrer: Address | str
    k: int = 0
    converted: bool = False


class Signup(msgspec.Struct, array_like=True, gc=False):
    """The first registration: its day, and who brought the customer.

    The referrer is kept by address; by id only until the referrer was told that somebody names him
    (`app.core.credit`), and in rows of version 1 until then.
    """

    day: int
    referrer: Address | str | None = None
    credit: Credit | None = None


class Hold(msgspec.Struct, array_like=True, gc=False):
    """What keeps a rung from following the rules: a grace, a placement. Places count from 1.

    `grace` is the instant at which it ends, `placed` the place held by hand, `until` the instant
    at which that ends; 0 stands for none.
    """

    grace: int = 0
    placed: int = 0
    until: int = 0


class Seen(Book[None], array_like=True, gc=False):
    """The ids of the last applied events (source and id together)."""

    limit: ClassVar[int] = 256


Dated = TypeVar("Dated", Order, Review, Referral)
"""What a book keeps in the order of its days."""
B = TypeVar("B", bound=Book[Any])
S = TypeVar("S", bound=Series)


class Orders(Book[Order], array_like=True, gc=False):
    """The last orders."""

    limit: ClassVar[int] = REMEMBERED
    decode: ClassVar[Any] = msgspec.msgpack.Decoder(list[Order])


class Reviews(Book[Review], array_like=True, gc=False):
    """The last reviews."""

    limit: ClassVar[int] = REMEMBERED
    decode: ClassVar[Any] = msgspec.msgpack.Decoder(list[Review])


class Referrals(Book[Referral], array_like=True, gc=False):
    """The last referred customers who converted."""

    limit: ClassVar[int] = REMEMBERED
    decode: ClassVar[Any] = msgspec.msgpack.Decoder(list[Referral])


class Customer(msgspec.Struct, array_like=True, gc=False):
    """Everything kept about one customer, in the order in which it is stored.

    `due` is the next instant to look at the record by time alone, None when that is to be found
    anew. Verdicts lie in columns, one entry for each ladder in the order of the rules: `rungs`
    and `standings` are places counted from 1 (0: none), `since` instants, `holds` by ladder index.
    `forgotten_until` is the newest day of an order that counts but is not remembered, -1 for none.
    """

    due: int | None
    as_of: int
    life: int
    rungs: bytearray
    standings: bytearray
    since: list[int]
    sequences: list[int]
    seen: Seen = msgspec.field(default_factory=Seen)
    orders: Orders = msgspec.field(default_factory=Orders)
    bought: Bought = msgspec.field(default_factory=Bought)
    happened: Series = msgspec.field(default_factory=Series)
    reviews: Reviews = msgspec.field(default_factory=Reviews)
    reviewed: Series = msgspec.field(default_factory=Series)
    referrals: Referrals = msgspec.field(default_factory=Referrals)
    brought: Series = msgspec.field(default_factory=Series)
    asked: Series = msgspec.field(default_factory=Series)
    wanted: Peaks = msgspec.field(default_factory=Peaks)
    sent: int = 0
    card: str | None = None
    signup: Signup | None = None
    attributes: dict[str, Attribute] = msgspec.field(default_factory=dict)
    forgotten_until: int = -1
    holds: dict[int, Hold] = msgspec.field(default_factory=dict)

    @property
    def counted_until(self) -> int:
        """The newest day of an order that counts, remembered or not; -1 without one."""
        for day, kept in zip(reversed(self.bought.days), reversed(self.bought.kept), strict=True):
            if kept:
                return max(day, self.forgotten_until)
        return self.forgotten_until


def stranger(as_of: int, life: int, ladders: int) -> Customer:
    """Make the record of somebody of whom nothing is known yet, on none of `ladders` ladders."""
    return Customer(
        None, as_of, life, bytearray(ladders), bytearray(ladders), [0] * ladders, [0] * ladders
    )


def with_own_verdicts(c: Customer) -> Customer:
    """Return a copy that the clock may move on without moving the original (facts are shared)."""
    return msgspec.structs.replace(
        c,
        rungs=bytearray(c.rungs),
        standings=bytearray(c.standings),
        since=list(c.since),
        sequences=list(c.sequences),
        holds=dict(c.holds),
    )


def twin(c: Customer) -> Customer:
    """Return a copy that may be changed, and given up, without changing the original."""
    return msgspec.structs.replace(
        with_own_verdicts(c),
        seen=_own_book(c.seen),
        orders=_own_book(c.orders),
        reviews=_own_book(c.reviews),
        referrals=_own_book(c.referrals),
        bought=msgspec.structs.replace(_own_series(c.bought), kept=[*c.bought.kept]),
        happened=_own_series(c.happened),
        reviewed=_own_series(c.reviewed),
        brought=_own_series(c.brought),
        asked=_own_series(c.asked),
        wanted=Peaks([*c.wanted.days], [*c.wanted.peaks]),
        attributes=dict(c.attributes),
    )


def _own_book(book: B) -> B:
    older = msgspec.structs.replace(book.older) if book.older else None
    return msgspec.structs.replace(book, older=older)


def _own_series(series: S) -> S:
    sums = [[*column] for column in series.sums]
    return msgspec.structs.replace(series, days=[*series.days], sums=sums)


def without_older(c: Customer) -> Customer:
    """Return the record without the older parts of its books, which are stored apart."""
    return msgspec.structs.replace(
        c,
        seen=msgspec.structs.replace(c.seen, older=None),
        orders=msgspec.structs.replace(c.orders, older=None),
        reviews=msgspec.structs.replace(c.reviews, older=None),
        referrals=msgspec.structs.replace(c.referrals, older=None),
    )


class Moved(msgspec.Struct, array_like=True, gc=False):
    """In the place of an absorbed customer's record: where its events go now."""

    into: str
    life: int
    sequences: list[int]


class Erased(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What stays of an erased customer: when, and how many records the id has had."""

    instant: int
    lives: int


class Slot(msgspec.Struct, gc=False):
    """All that is stored under one customer id. `aliases` are the ids absorbed into it.

    `named` says that somebody keeps the address of this customer, and may owe him a credit.
    `touched` says that something here is not yet stored; `stored` and `traced` are the codec's own
    notes of the rows that are (`app.wire.record`).
    """

    id: str
    record: Customer | Moved | None = None
    erased: Erased | None = None
    aliases: tuple[str, ...] = ()
    named: bool = False
    touched: bool = False
    stored: int = 0
    traced: tuple[Erased | None, tuple[str, ...], str] = (None, (), "")

    @property
    def next_life(self) -> int:
        """The how-manieth record of this id a new one would be."""
        return (self.erased.lives if self.erased else 0) + 1

    @property
    def reachable(self) -> bool:
        """Whether the id is to be found under its SHA-256, by whom keeps only the address.

        Who came back after an erasure is: whoever named the customer before it still may owe one.
        """
        return self.named or (self.erased is not None and self.record is not None)
