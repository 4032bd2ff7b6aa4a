"""Events of a shop that does not exist: contract-conformant, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple

from app.core.instants import DAY, format_instant

FAMILIES = ("purchases", "signups", "reviews", "referrals", "interactions", "profiles")
"""The input topics in their order, by the last word of their names."""
MIXED = {
    "purchase.completed": 58.0,
    "purchase.refunded": 3.0,
    "signup.registered": 6.0,
    "signup.inquired": 3.0,
    "signup.card_issued": 3.0,
    "signup.card_revoked": 0.3,
    "review.posted": 8.0,
    "review.removed": 0.3,
    "referral.sent": 3.0,
    "referral.converted": 2.0,
    "referral.reversed": 0.15,
    "interaction.seen": 9.0,
    "profile.updated": 4.0,
    "profile.merged": 0.1,
    "profile.erased": 0.05,
    "profile.placed": 0.1,
}
"""Events of each type, in a hundred."""
PURCHASES = {"purchase.completed": 100.0}
SKEW = 1.5
"""Some customers come more often: a tenth of them makes a fifth of the events."""
_AHEAD = 4096
_POOL = 5000
_LIKES = ("family", "kids", "sport", "outdoors", "home", "food", "music")


def customer_id(number: int) -> str:
    """Name a customer by a number from 0 on."""
    return f"c-{number:07d}"


class Made(NamedTuple):
    """An event: the number of its topic's family, its key and its value."""

    family: int
    key: bytes
    value: bytes


class _Impossible(Exception):
    """There is nothing yet to be refunded, removed or reversed."""


class Crowd:
    """Customers who do what customers do. Nothing that they do is refused.

    Who was absorbed or erased comes no more, but for a few purchases under absorbed ids. `first`
    is the number of the first event, which its id has.
    """

    def __init__(
        self, customers: int, shares: dict[str, float], seed: int = 1, first: int = 1
    ) -> None:
        self._dice = Random(seed)
        self._customers = customers
        self._types = tuple(shares)
        self._weights = tuple(accumulate(shares.values()))
        self._ahead: list[str] = []
        self._number = first - 1
        self._gone: set[str] = set()
        self._absorbed: list[str] = []
        self._orders = _Pool(self._dice)
        self._reviews = _Pool(self._dice)
        self._friends = _Pool(self._dice)
        self._makers = {kind: getattr(self, kind.replace(".", "_")) for kind in MIXED}

    def next(self, time: int) -> Made:
        """Make the event of an instant (µs); instants do not fall."""
        if not self._ahead:
            self._ahead = self._dice.choices(self._types, cum_weights=self._weights, k=_AHEAD)
        kind = self._ahead.pop()
        self._number += 1
        try:
            customer, data = self._makers[kind](time)
        except _Impossible:
            kind = "purchase.completed"
            customer, data = self.purchase_completed(time)
        value = (
            f'{{"specversion":"1.0","id":"{self._number:09d}","source":"/bench/shop",'
            f'"type":"{kind}","subject":"{customer}","time":"{format_instant(time)}",'
            f'"datacontenttype":"application/json","data":{{{data}}}}}'
        )
        return Made(_FAMILY_OF[kind], customer.encode(), value.encode())

    def stream(self, count: int, begin: int, end: int) -> Iterator[Made]:
        """Make so many events, evenly over a time (µs)."""
        for number in range(count):
            yield self.next(begin + (end - begin) * number // count)

    # One method for each type of event: gives customer and data.

    def purchase_completed(self, time: int) -> tuple[str, str]:
        customer = self._somebody()
        if self._absorbed and self._chance(0.002):
            customer = self._absorbed[self._below(len(self._absorbed))]
        amount = (20 + self._below(480)) * 1000
        order = f"o-{self._number:09d}"
        self._orders.put(customer, f'"order_id":"{order}","amount":{amount}')
        units = 1 + self._below(4)
        data = f'"order_id":"{order}","amount":{amount},"currency":"VND","units":{units}'
        return customer, data

    def purchase_refunded(self, time: int) -> tuple[str, str]:
        customer, order = self._known(self._orders)
        return customer, f'{order},"currency":"VND"'

    def signup_registered(self, time: int) -> tuple[str, str]:
        customer, by = self._somebody(), self._somebody()
        named = self._chance(0.3) and by != customer
        return customer, f'"referred_by":"{by}"' if named else ""

    def signup_inquired(self, time: int) -> tuple[str, str]:
        return self._somebody(), '"channel":"web"'

    def signup_card_issued(self, time: int) -> tuple[str, str]:
        return self._somebody(), f'"tier":"{self._dice.choice(("silver", "gold", "diamond"))}"'

    def signup_card_revoked(self, time: int) -> tuple[str, str]:
        return self._somebody(), ""

    def review_posted(self, time: int) -> tuple[str, str]:
        customer, review = self._somebody(), f'"review_id":"v-{self._number:09d}"'
        self._reviews.put(customer, review)
        kind = self._dice.choice(("review", "review", "testimonial", "defence", "complaint"))
        return customer, f'{review},"rating":{1 + self._below(5)},"kind":"{kind}"'

    def review_removed(self, time: int) -> tuple[str, str]:
        return self._known(self._reviews)

    def referral_sent(self, time: int) -> tuple[str, str]:
        return self._somebody(), f'"referred_id":"friend-{self._number:09d}"'

    def referral_converted(self, time: int) -> tuple[str, str]:
        customer, friend = self._somebody(), f'"referred_id":"friend-{self._number:09d}"'
        self._friends.put(customer, friend)
        return customer, f'{friend},"amount":{self._below(500) * 1000},"currency":"VND"'

    def referral_reversed(self, time: int) -> tuple[str, str]:
        return self._known(self._friends)

    def interaction_seen(self, time: int) -> tuple[str, str]:
        need = self._dice.choice(("problem", "solution", "brand", "decision"))
        return self._somebody(), f'"need":"{need}"'

    def profile_updated(self, time: int) -> tuple[str, str]:
        gender = self._dice.choice(("female", "male"))
        likes = f'["{self._dice.choice(_LIKES)}","{self._dice.choice(_LIKES)}"]'
        about = f'"gender":"{gender}","age":{16 + self._below(70)},"interests":{likes}'
        return self._somebody(), f'"attributes":{{{about},"distance_km":{self._below(20)}}}'

    def profile_merged(self, time: int) -> tuple[str, str]:
        customer, into = self._somebody(), self._somebody()
        if customer == into:
            raise _Impossible
        self._gone.add(customer)
        self._absorbed.append(customer)
        return customer, f'"into":"{into}"'

    def profile_erased(self, time: int) -> tuple[str, str]:
        customer = self._somebody()
        self._gone.add(customer)
        return customer, ""

    def profile_placed(self, time: int) -> tuple[str, str]:
        until = format_instant(time + (1 + self._below(20)) * DAY)
        return self._somebody(), f'"ladder":"raving-fan","rung":"member","until":"{until}"'

    def _somebody(self) -> str:
        while True:
            customer = customer_id(int(self._customers * self._dice.random() ** SKEW))
            if customer not in self._gone:
                return customer

    def _known(self, pool: _Pool) -> tuple[str, str]:
        customer, data = pool.take()
        if customer in self._gone:
            raise _Impossible
        return customer, data

    def _below(self, limit: int) -> int:
        return int(limit * self._dice.random())

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share


class _Pool:
    """The last things that may be taken back, each with its customer."""

    def __init__(self, dice: Random) -> None:
        self._dice = dice
        self._things: list[tuple[str, str]] = []

    def put(self, customer: str, data: str) -> None:
        if len(self._things) < _POOL:
            self._things.append((customer, data))
        else:
            self._things[int(_POOL * self._dice.random())] = (customer, data)

    def take(self) -> tuple[str, str]:
        if not self._things:
            raise _Impossible
        place = int(len(self._things) * self._dice.random())
        self._things[place], self._things[-1] = self._things[-1], self._things[place]
        return self._things.pop()


_FAMILY_OF = {kind: FAMILIES.index(kind.split(".", 1)[0] + "s") for kind in MIXED}
