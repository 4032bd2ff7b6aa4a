"""What happens in a shop: events of all kinds and bad records, chapter by chapter, from a seed.

Four circles of customers live side by side, by how much of a backtest must be found again
(contract section 5, What equals what): `alone` whom no handover concerns, `friends` who bring each
other and send credits, `families` who only buy, write and merge, and `crowd`, to whom everything
happens.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.bad_records import bad_records
from tests.oracle.clock import DAY, SECOND, Days, format_time
from tests.oracle.ladders import named_facts, read_ladders
from tests.oracle.moments import Moments, written
from tests.oracle.reading import TOPIC
from tests.oracle.spoilt import repeat, spoil
from tests.oracle.stories import WEIGHTS, Story

CIRCLES = {"alone": 24, "friends": 12, "families": 8, "crowd": 10}
"""How many customers each circle has."""
STRANGER = "stranger"
"""Whoever is named in `referred_by` and says nothing himself."""
RATES = [("1970-01-01", "USD", "25400"), ("1970-01-01", "EUR", "27600.5")]
_FACTS_ONLY = {
    "purchase.completed": 30, "signup.registered": 8, "signup.inquired": 5, "review.posted": 10,
    "referral.sent": 4, "referral.converted": 6, "interaction.seen": 6, "profile.merged": 5,
}  # fmt: skip
_NO_CROSSING = {"profile.merged": 0.0, "clock.advanced": 0.0}
_WEIGHTS: dict[str, dict[str, float]] = {
    "alone": {**WEIGHTS, **_NO_CROSSING},
    "friends": {**WEIGHTS, **_NO_CROSSING, "profile.erased": 0.0, "signup.registered": 25},
    "families": {**_FACTS_ONLY},
    "crowd": {**WEIGHTS, "profile.erased": 4, "profile.merged": 8},
}


@dataclass(frozen=True)
class Told:
    """One record to be sent. `lane` is the place of its topic among the input topics.

    partition None: that of the key. reason: why it must be refused, where that was arranged.
    """

    lane: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Chapter:
    """Records in the order of their times; then the clocks of all partitions move to `until`."""

    told: list[Told]
    until: int


class Tale:
    """Tells chapters that follow each other in time; the same seed tells the same."""

    def __init__(
        self,
        seed: int,
        ladders: Path,
        timezone: str,
        *,
        partitions: int,
        start: int,
        lanes: int = 6,
    ) -> None:
        self.chance = random.Random(seed)
        self.partitions = partitions
        self.lanes = lanes
        self._ladders = read_ladders(ladders)
        self._days = Days(timezone)
        self._now = start
        self._stories = {circle: self._story(circle) for circle in CIRCLES}
        self._before: dict[str, list[dict[str, Any]]] = {circle: [] for circle in CIRCLES}
        self._number = 0

    def people(self, *circles: str) -> list[str]:
        return [person for circle in circles for person in self._stories[circle].people]

    def more(self, circle: str, count: int) -> list[str]:
        """Enlarge a circle; gives everybody in it."""
        people = self._stories[circle].people
        people += [f"{circle}-{number}" for number in range(len(people), count)]
        return people

    def goes_on(self, since: int) -> None:
        """Tell of what comes after an instant, to people who have a past that was not told here."""
        self._now = since + SECOND
        for story in self._stories.values():
            story.number += 100_000

    def chapter(self, count: int, days: int, *, bad: bool = True, rest: int = 2 * DAY) -> Chapter:
        """About `count` events over so many days, and `rest` microseconds in which nothing happens.

        With bad ones: one of each kind of bad record lies among them.
        """
        instants = self._moments().draw(count, days)
        told = [self._one(instant) for instant in instants]
        if bad:
            self._number += 1
            begin = format_time(instants[0])
            for one in bad_records(f"bad-{self._number}", begin, self.partitions):
                place = self.chance.randrange(len(told) + 1)
                told.insert(place, Told(self.chance.randrange(self.lanes), **one))
        until = instants[-1] + rest
        self._now = until + SECOND
        return Chapter(told, until)

    def _story(self, circle: str) -> Story:
        amounts = [0, 1, 100, 333, 500, 1000, 1500, 4999]
        story = Story(
            self.chance, CIRCLES[circle], self._ladders, ["VND", "VND", "USD", "EUR"], amounts
        )
        story.people = [f"{circle}-{number}" for number in range(CIRCLES[circle])]
        story.weights = {**_WEIGHTS[circle]}
        return story

    def _moments(self) -> Moments:
        windows = sorted({fact.args[-1] for fact in named_facts(self._ladders) if fact.args})
        graces = sorted({ladder.grace // DAY for ladder in self._ladders if ladder.grace})
        return Moments(self.chance, self._days, self._now, windows, graces)

    def _one(self, instant: int) -> Told:
        circle = self.chance.choices(list(CIRCLES), list(CIRCLES.values()))[0]
        event = self._event(circle, instant)
        subject = event.get("subject") if isinstance(event, dict) else None
        kind = event.get("type") if isinstance(event, dict) else None
        key = subject.encode() if isinstance(subject, str) else b"nobody"
        lane = TOPIC.get(kind, 0) if isinstance(kind, str) else 0
        return Told(lane % self.lanes, key, json.dumps(event).encode())

    def _event(self, circle: str, instant: int) -> Any:
        before = self._before[circle]
        kind = self.chance.random()
        if kind < 0.05 and before and circle != "families":
            again = repeat(self.chance, self.chance.choice(before[-20:]), "")
            # A repeat with its old time would be a record out of order.
            return {**again, "time": written(self.chance, instant)}
        event = self._stories[circle].tell(instant)
        event["id"] = f"{circle}-{event['id']}"
        _TAMED[circle](event, self._stories[circle].number)
        if kind < 0.10:
            return spoil(self.chance, event)
        before.append(event)
        return event


def _alone(event: dict[str, Any], number: int) -> None:
    """Nobody brings anybody whom the story tells of."""
    data = event.get("data") or {}
    if data.get("referred_by") not in (None, event["subject"]):
        data["referred_by"] = STRANGER


def _friends(event: dict[str, Any], number: int) -> None:
    """A conversion told by the shop names nobody whose conversion the worker sends itself."""
    data = event.get("data") or {}
    if event["type"].startswith("referral.") and data.get("referred_id"):
        data["referred_id"] = f"someone-{len(data['referred_id'])}"


def _families(event: dict[str, Any], number: int) -> None:
    """Each id is told once, so that nothing depends on what arrives first after a merge."""
    data = event.get("data") or {}
    data.pop("referred_by", None)
    for name in ("order_id", "review_id", "referred_id"):
        if name in data:
            data[name] = f"{name}-{number}"
    if event["type"] == "profile.merged" and not data["into"].startswith("families-"):
        event.update(type="signup.inquired", data={})


def _crowd(event: dict[str, Any], number: int) -> None:
    """Let everything happen."""


_TAMED: dict[str, Callable[[dict[str, Any], int], None]] = {
    "alone": _alone, "friends": _friends, "families": _families, "crowd": _crowd,
}  # fmt: skip
