"""The made-up part of the demo: what a shop also hears of people, from a fixed seed.

Every event here has the source `/demo/made-up`. Who buys more is warmer: registers, reviews,
recommends and defends more often. So every rung of every built-in ladder is reached by somebody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import NamedTuple, TypeVar

from app.embedded.demo_purchases import DAY, OPEN_FOR, OPENS, Purchase

T = TypeVar("T")

SOURCE = "/demo/made-up"
SEED = "loyalty ladder"
BEGIN = 849_398_400
"""1996-12-01, seconds since 1970: nobody was heard of before."""
END = 899_251_200
"""1998-07-01: the last purchase was the day before."""
INTERESTS = ("music", "travel", "family", "kids", "sport", "outdoors", "home", "food", "reading")
PLACES = ("gym", "cinema", "market", "park", "library")
NEEDS = ("problem", "solution", "brand", "decision")
RATINGS = (5, 5, 5, 4, 4, 4.5, 3, 3, 2, 1)


class MadeUp(NamedTuple):
    """An event of ours, time in seconds since 1970, UTC."""

    time: int
    id: str
    type: str
    subject: str
    data: Mapping[str, object]


class Dice:
    """Chance that falls the same way each time. Only `random()` is promised to stay as it is."""

    def __init__(self, *names: object) -> None:
        self._random = Random("/".join(map(str, (SEED, *names)))).random  # noqa: S311  a demo

    def chance(self, likelihood: float) -> bool:
        return self._random() < likelihood

    def whole(self, low: int, high: int) -> int:
        """Return a number from low to high, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._random() * len(choices))]

    def some(self, choices: Sequence[T], most: int) -> list[T]:
        """Return up to so many different ones."""
        picked = [self.pick(choices) for _ in range(self.whole(0, most))]
        return list(dict.fromkeys(picked))


class Life:
    """One person's made-up events. Nothing happens before BEGIN, at END or after."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.dice = Dice(subject)
        self.events: list[MadeUp] = []
        self._names = 0

    def new_id(self, kind: str) -> str:
        self._names += 1
        return f"{kind}-{self.subject}-{self._names}"

    def tell(self, time: int, type_: str, **data: object) -> None:
        if BEGIN <= time < END:
            number = len(self.events) + 1
            self.events.append(MadeUp(time, f"{self.subject}/{number}", type_, self.subject, data))

    def after(self, time: int, first: int, last: int) -> int:
        """Return an instant so many days later (negative: before), while the shop is open."""
        day = time // DAY + self.dice.whole(first, last)
        return day * DAY + OPENS + self.dice.whole(0, OPEN_FOR - 1)


Friends = Callable[[Dice], str | None]
"""Somebody who recommends the shop."""


def shopper(customer: str, bought: Sequence[Purchase], friends: Friends) -> list[MadeUp]:
    """Make up the rest of the life of somebody who bought; purchases in time order."""
    life = Life(customer)
    warm = min(1.0, len(bought) / 8)
    first = bought[0].time
    if life.dice.chance(0.05):
        life.tell(life.after(first, -20, -1), "signup.inquired", channel="phone")
    if life.dice.chance(0.22):
        _introduce(life, life.after(first, -10, 3))
    if life.dice.chance(0.12 + 0.35 * warm):
        _register(life, bought, friends)
    if life.dice.chance(0.04):
        _look_around(life, life.after(first, -14, -8))
    if life.dice.chance(0.04):
        # Those who have not bought for a year come by again in the last weeks, or do not.
        _look_around(life, life.after(END, -25, -8))
    _speak(life, bought, warm)
    _recommend(life, bought, warm)
    for purchase in bought:
        if life.dice.chance(0.006):
            _give_back(life, purchase)
    return life.events


def stranger(name: str) -> list[MadeUp]:
    """Make up somebody who never bought."""
    life = Life(name)
    begin = life.after(END, -40, -5) if life.dice.chance(0.4) else life.after(BEGIN, 20, 560)
    if life.dice.chance(0.7):
        _introduce(life, begin)
    if life.dice.chance(0.25):
        life.tell(
            life.after(begin, 0, 5), "signup.inquired", channel=life.dice.pick(("web", "shop"))
        )
    if life.dice.chance(0.1):
        life.tell(life.after(begin, 1, 20), "signup.registered")
    if life.dice.chance(0.6) or not life.events:
        _look_around(life, begin)
    return life.events


def _introduce(life: Life, time: int) -> None:
    dice = life.dice
    attributes: dict[str, object] = {
        "gender": dice.pick(("female", "male")),
        "age": dice.whole(16, 74),
        "distance_km": dice.whole(5, 350) / 10,
    }
    interests, places = dice.some(INTERESTS, 2), dice.some(PLACES, 2)
    if interests:
        attributes["interests"] = interests
    if places:
        attributes["places"] = places
    life.tell(time, "profile.updated", attributes=attributes)


def _register(life: Life, bought: Sequence[Purchase], friends: Friends) -> None:
    dice, first = life.dice, bought[0].time
    time = life.after(first, -12, -1) if dice.chance(0.6) else first + dice.whole(60, 40 * DAY)
    by = friends(dice) if dice.chance(0.3) else None
    life.tell(time, "signup.registered", **({"referred_by": by} if by else {}))
    if len(bought) >= 2 and dice.chance(0.6):
        cents = sum(purchase.cents for purchase in bought)
        tier = "diamond" if cents > 50_000 else "gold" if cents > 20_000 else "silver"
        given = max(time, bought[1].time) + dice.whole(3_600, 5 * DAY)
        life.tell(given, "signup.card_issued", tier=tier)
        if dice.chance(0.05):
            life.tell(life.after(given, 30, 200), "signup.card_revoked")


def _look_around(life: Life, time: int) -> None:
    """From a problem to a decision, as far as it goes."""
    first = life.dice.whole(0, 2)
    for need in NEEDS[first : life.dice.whole(first + 1, 4)]:
        life.tell(time, "interaction.seen", need=need)
        time += life.dice.whole(600, 2 * DAY)


def _speak(life: Life, bought: Sequence[Purchase], warm: float) -> None:
    dice = life.dice
    for kind, likelihood in (
        ("review", 0.04 + 0.2 * warm),
        ("testimonial", 0.08 * warm),
        ("defence", 0.1 * warm),
        ("defence", 0.1 * warm),
        ("complaint", 0.012 + 0.01 * warm),
    ):
        if not dice.chance(likelihood):
            continue
        time = life.after(dice.pick(bought).time, 1, 30)
        review: dict[str, object] = {"review_id": life.new_id("review")}
        if kind == "review":
            review["rating"] = dice.pick(RATINGS)
        else:
            review["kind"] = kind
        life.tell(time, "review.posted", **review)
        if dice.chance(0.04) and time + 3 * DAY < END:
            life.tell(time + 3 * DAY, "review.removed", review_id=review["review_id"])


def _recommend(life: Life, bought: Sequence[Purchase], warm: float) -> None:
    dice = life.dice
    for _ in range(3):
        if not dice.chance(0.005 + 0.1 * warm):
            return
        friend = life.new_id("friend")
        time = life.after(dice.pick(bought).time, 1, 40)
        life.tell(time, "referral.sent", referred_id=friend)
        if not dice.chance(0.6):
            continue
        converted = life.after(time, 1, 60)
        paid = {"amount": dice.whole(900, 6_000), "currency": "USD"}
        life.tell(converted, "referral.converted", referred_id=friend, **paid)
        if dice.chance(0.04) and converted + 20 * DAY < END:
            life.tell(converted + 20 * DAY, "referral.reversed", referred_id=friend)


def _give_back(life: Life, purchase: Purchase) -> None:
    whole = life.dice.chance(0.5)
    cents = purchase.cents if whole else max(1, purchase.cents // 3)
    life.tell(
        purchase.time + life.dice.whole(DAY, 20 * DAY),
        "purchase.refunded",
        order_id=purchase.order_id,
        amount=max(1, cents),
        currency="USD",
    )
