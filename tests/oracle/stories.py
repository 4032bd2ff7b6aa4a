"""Events of every type, most of them plausible after those before; all by one seeded chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from .clock import DAY
from .ladders import Ladder
from .moments import written
from .reading import NEEDS

Data = dict[str, Any]
TIERS = ["silver", "gold", "diamond", "bronze"]
TEXTS = ["hue", "hanoi", "female", "male", "golf", "Đà Nẵng"]
LISTS = [["golf"], ["family", "sport"], ["home", "golf", "kids"], ["gym"], [], ["food"]]
NUMBERS = [0, 3, 5, 8, 8.5, 10, 34, 35, 36, -2, 7.0]
NAMES = [
    "distance_km", "gender", "age", "interests", "places", "likes", "score", "city", "unknown",
    "vip",
]  # fmt: skip
WEIGHTS = {
    "purchase.completed": 30, "purchase.refunded": 14, "signup.registered": 12,
    "signup.inquired": 5, "signup.card_issued": 4, "signup.card_revoked": 2,
    "review.posted": 12, "review.removed": 4, "referral.sent": 3, "referral.converted": 7,
    "referral.reversed": 3, "interaction.seen": 6, "profile.updated": 6, "profile.merged": 3,
    "profile.erased": 2, "profile.placed": 6, "clock.advanced": 1,
}  # fmt: skip


class Story:
    """What the writer of the events remembers, to refund and replace what there is."""

    def __init__(
        self, chance: random.Random, people: int, ladders: list[Ladder],
        currencies: list[str], amounts: list[int],
    ) -> None:  # fmt: skip
        self.chance, self.ladders = chance, ladders
        self.people = [f"c-{number}" for number in range(people)]
        self.currencies, self.amounts = currencies, amounts
        self.orders: list[tuple[str, str, int, str]] = []  # customer, order, amount, currency
        self.reviews: list[tuple[str, str]] = []
        self.referred: list[tuple[str, str]] = []
        self.number = 0
        self.weights = {
            name: weight * chance.choice([0.0, 0.4, 1.0, 1.0, 1.0, 3.0])
            for name, weight in WEIGHTS.items()
        }
        self.weights["purchase.completed"] += 5
        self.tellers: dict[str, Callable[[str, int], Data]] = {
            "purchase.completed": self.purchase, "signup.registered": self.signup,
            "signup.inquired": self.inquiry, "signup.card_issued": self.card,
            "review.posted": self.review, "referral.sent": self.invite,
            "referral.converted": self.conversion, "interaction.seen": self.interaction,
            "profile.updated": self.update, "profile.merged": self.merge,
            "profile.placed": self.place,
        }  # fmt: skip

    def about_people(self) -> None:
        """Little but referrals, refunds, merges and a few erasures."""
        self.people += [f"c-{number}" for number in range(len(self.people), 9)]
        self.weights = {
            "purchase.completed": 22, "purchase.refunded": 34, "signup.registered": 20,
            "profile.merged": 3, "profile.erased": 1, "referral.converted": 3,
            "referral.reversed": 2, "profile.updated": 2,
        }  # fmt: skip

    def tell(self, instant: int) -> Data:
        """One event at this instant."""
        self.number += 1
        type = self.chance.choices(list(self.weights), list(self.weights.values()))[0]
        who = self.chance.choice(self.people)
        if type == "purchase.refunded":
            who, data = self.refund(who)
        elif type == "review.removed":
            who, review = self.one_of(self.reviews, who)
            data = {"review_id": review}
        elif type == "referral.reversed":
            who, referred = self.one_of(self.referred, who)
            data = {"referred_id": referred}
        else:
            data = self.tellers[type](who, instant) if type in self.tellers else {}
        event: Data = {
            "specversion": "1.0", "id": f"e{self.number}", "type": type, "subject": who,
            "source": self.chance.choice(["/shop", "/shop", "/app"]),
            "time": written(self.chance, instant),
        }  # fmt: skip
        if data or self.chance.random() < 0.7:
            event["data"] = data
        return event

    def one_of(self, known: list[tuple[str, str]], who: str) -> tuple[str, str]:
        """One that was told of before, now and then under another customer."""
        if not known or self.chance.random() < 0.05:
            return who, "never-heard-of"
        owner, id = self.chance.choice(known[-12:])
        return (who if self.chance.random() < 0.1 else owner), id

    def purchase(self, who: str, instant: int) -> Data:
        chance = self.chance
        amount = chance.choice([*self.amounts, chance.randrange(1, max(self.amounts))])
        currency = chance.choice(self.currencies)
        order = f"o{self.number}"
        if self.orders and chance.random() < 0.06:
            order = chance.choice(self.orders)[1]
        self.orders.append((who, order, amount, currency))
        data: Data = {"order_id": order, "amount": amount, "currency": currency}
        if chance.random() < 0.5:
            data["units"] = chance.choice([1, 2, 3, 4.0, None])
        return data

    def refund(self, who: str) -> tuple[str, Data]:
        chance = self.chance
        if not self.orders:
            return who, {"order_id": "o0", "amount": 5, "currency": "VND"}
        owner, order, amount, currency = chance.choice(self.orders[-10:])
        parts = [1, *[amount] * 3, amount // 2, amount // 3, amount - 1, amount + 7]
        if chance.random() < 0.04:
            currency = chance.choice(self.currencies)
        who = who if chance.random() < 0.08 else owner
        part = max(chance.choice(parts), 1)
        return who, {"order_id": order, "amount": part, "currency": currency}

    def signup(self, who: str, instant: int) -> Data:
        kind = self.chance.random()
        if kind < 0.25:
            return {}
        if kind < 0.32:
            return {"referred_by": who}
        if kind < 0.36:
            return {"referred_by": "stranger"}
        return {"referred_by": self.chance.choice(self.people)}

    def inquiry(self, who: str, instant: int) -> Data:
        return {"channel": "phone"} if self.chance.random() < 0.5 else {"channel": None}

    def card(self, who: str, instant: int) -> Data:
        return {"tier": self.chance.choice(TIERS)}

    def review(self, who: str, instant: int) -> Data:
        chance = self.chance
        review = f"r{self.number}"
        mine = [id for owner, id in self.reviews if owner == who]
        if mine and chance.random() < 0.35:
            review = chance.choice(mine)
        self.reviews.append((who, review))
        data: Data = {"review_id": review}
        if chance.random() < 0.75:
            data["rating"] = chance.choice([1, 2, 2.0, 2.5, 3, 3.99, 4, 5])
        if chance.random() < 0.6:
            data["kind"] = chance.choice(["review", "testimonial", "defence", "complaint"])
        return data

    def invite(self, who: str, instant: int) -> Data:
        return {"referred_id": "friend"} if self.chance.random() < 0.5 else {}

    def conversion(self, who: str, instant: int) -> Data:
        chance = self.chance
        referred = chance.choice([*self.people, "friend", "neighbour", f"f{self.number}"])
        self.referred.append((who, referred))
        data: Data = {"referred_id": referred}
        if chance.random() < 0.6:
            data["amount"] = chance.choice(self.amounts)
            data["currency"] = chance.choice(self.currencies)
        return data

    def interaction(self, who: str, instant: int) -> Data:
        return {"need": self.chance.choice(list(NEEDS))}

    def update(self, who: str, instant: int) -> Data:
        chance = self.chance
        values: list[Any] = [*TEXTS, *LISTS, *NUMBERS, *LISTS, None, None, True, False]
        names = chance.sample(NAMES, chance.randrange(1, 5))
        return {"attributes": {name: chance.choice(values) for name in names}}

    def merge(self, who: str, instant: int) -> Data:
        others = [other for other in [*self.people, "stranger"] if other != who]
        return {"into": self.chance.choice(others)}

    def place(self, who: str, instant: int) -> Data:
        chance = self.chance
        ladder = chance.choice(self.ladders)
        rungs = [rung.id for rung in ladder.rungs if not rung.override]
        data: Data = {"ladder": ladder.id, "rung": chance.choice([*rungs, None])}
        if data["rung"] is not None and chance.random() < 0.6:
            until = instant + chance.choice([1, 3600_000_000, DAY, 2 * DAY, 3 * DAY, 40 * DAY])
            data["until"] = written(chance, until)
        return data
