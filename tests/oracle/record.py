"""What is kept about one customer: plain lists with dates."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from .money import convert

REMEMBERED_IDS = 256
REMEMBERED = 512


@dataclass(frozen=True)
class Event:
    """An event that passed the checks that need no record; `data` holds clean values."""

    type: str
    source: str
    id: str
    subject: str
    time: int
    data: dict[str, Any]

    def trigger(self) -> dict[str, str]:
        return {"source": self.source, "id": self.id, "type": self.type}


@dataclass
class Item:
    """`turn` is the place in the order of application; `known` ends after 512 newer ones."""

    id: str
    day: int
    time: int
    turn: int
    known: bool = True


@dataclass
class Order(Item):
    amount: int = 0
    refunded: int = 0
    void: bool = False
    currency: str = ""
    factor: Fraction = Fraction(1)
    units: int = 1

    def worth(self) -> int:
        return convert(self.amount - self.refunded, self.factor)


@dataclass
class Review(Item):
    kind: str = "review"
    mood: str = "neutral"


@dataclass
class Conversion(Item):
    revenue: list[tuple[int, int]] = field(default_factory=list)  # (day, amount)


@dataclass
class Referral:
    """Who brought this customer, and what was credited for it."""

    referrer: str
    day: int
    converted: bool = False
    count: int = 0
    name: str = ""
    ending: str = ""


@dataclass
class Stand:
    """On one ladder. Places are places in the list of all rungs; -1 is none."""

    standing: int = -1
    rung: int = -1
    since: int | None = None
    sequence: int = 0
    grace: int | None = None  # since when the target is below the standing
    placed: tuple[int, int | None] | None = None  # place, until


@dataclass
class Record:
    id: str
    life: int
    stands: dict[str, Stand]
    as_of: int = -1  # used where events may come late
    ids: list[tuple[int, str, str]] = field(default_factory=list)  # turn, source, id
    orders: list[Order] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    conversions: list[Conversion] = field(default_factory=list)
    events: list[int] = field(default_factory=list)  # days
    inquiries: list[int] = field(default_factory=list)  # days
    needs: list[tuple[int, int]] = field(default_factory=list)  # day, need
    sent: int = 0
    registered: bool = False
    card: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    referral: Referral | None = None

    def ending(self) -> str:
        return f"/r{self.life}" if self.life > 1 else ""

    def knows(self, source: str, id: str) -> bool:
        return any((s, i) == (source, id) for _, s, i in self.ids)

    def dates(self) -> set[int]:
        """Every day on which anything is dated."""
        days = {*self.events, *self.inquiries, *(day for day, _ in self.needs)}
        for item in [*self.orders, *self.reviews, *self.conversions]:
            days.add(item.day)
        for conversion in self.conversions:
            days |= {day for day, _ in conversion.revenue}
        return days

    def order(self, id: str) -> Order | None:
        return next((o for o in self.orders if o.known and o.id == id), None)

    def review(self, id: str) -> Review | None:
        return next((r for r in self.reviews if r.known and r.id == id), None)

    def conversion(self, id: str) -> Conversion | None:
        return next((c for c in self.conversions if c.known and c.id == id), None)

    def forget(self) -> None:
        """Keep to the limits: the newest by date are remembered, the others only count."""
        self.ids = sorted(self.ids)[-REMEMBERED_IDS:]
        forget_old(self.orders)
        forget_old(self.reviews)
        forget_old(self.conversions)


def forget_old(items: list[Order] | list[Review] | list[Conversion]) -> None:
    known: list[Item] = [item for item in items if item.known]
    known.sort(key=lambda item: (item.day, item.turn))
    for item in known[:-REMEMBERED]:
        item.known = False
