"""What the API must say of a shop, reckoned from a backtest of its events."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from functools import cache
from typing import Any

import orjson

from app.core.change import Change
from app.core.explain import describe
from app.core.instants import DAY, Calendar, format_instant
from app.core.ladder import Ladder
from app.core.rules import Rules
from app.embedded.demo_events import UNTIL, Story
from app.embedded.demo_purchases import DATA
from app.wire.definition import read_folder
from app.wire.rates import read_rates
from app.wire.stage_change import encode
from tests.core_backtest import Backtest, Line, read_events, run

ZONE = "UTC"
WHOLE: dict[str, Any] = {"complete": True, "missing": []}


class Reckoned:
    """A shop whose whole story has been told, asked as the API is asked."""

    def __init__(self, story: Story) -> None:
        rates = read_rates(DATA.joinpath("rates.csv").read_bytes(), "VND")
        self.rules = Rules(read_folder(), Calendar(ZONE), rates)
        self.backtest = Backtest(self.rules)
        lines = ((Line("demo", number), text) for number, text in enumerate(story.lines, 1))
        run(self.backtest, read_events(lines)[0], UNTIL)
        self.changes = sorted(self.backtest.changes, key=lambda change: change.time)
        self.rungs: dict[str, dict[str, Change]] = defaultdict(dict)
        for change in self.changes:
            if change.to is None:
                self.rungs[change.ladder].pop(change.customer, None)
            else:
                self.rungs[change.ladder][change.customer] = change

    def shop(self) -> dict[str, Any]:
        return {
            **WHOLE, "as_of": format_instant(UNTIL), "today": self._day(UNTIL),
            "currency": "VND", "currency_digits": 0, "timezone": ZONE,
        }  # fmt: skip

    def ladder(self, name: str) -> Ladder | None:
        return next((each for each in self.rules.ladders if each.id == name), None)

    def ladders(self) -> dict[str, Any]:
        return {**self.shop(), "ladders": [self._outline(each) for each in self.rules.ladders]}

    def one_ladder(self, name: str, days: int = 30, summed: bool = True) -> dict[str, Any] | None:
        ladder = self.ladder(name)
        if ladder is None:
            return None
        outline = self._outline(ladder)
        for rung, told in zip(ladder.rungs, outline["rungs"], strict=True):
            told |= {"when": rung.when, "suggest": rung.suggest} | self._figures(
                name, rung.id, summed
            )
        down: Any = ladder.down.mode
        if down == "grace":
            down = {"grace_days": ladder.down.grace // DAY, "step": ladder.down.step}
        return {
            **self.shop(), **outline, "climb": ladder.climb, "down": down, "announce": False,
            "moves": self.moves(name, days), "moves_complete": True,
            "census": {"as_of": format_instant(UNTIL), "complete": True} if summed else None,
        }  # fmt: skip

    def moves(self, name: str, days: int) -> list[dict[str, Any]]:
        found: Counter[tuple[str, str | None, str | None, str]] = Counter()
        first = self._day(UNTIL - (days - 1) * DAY)
        for change in self.changes:
            day = self._day(change.time)
            if change.ladder == name and day >= first:
                found[day, change.from_, change.to, change.direction] += 1
        order = sorted(found, key=lambda key: (key[0], key[1] or "", key[2] or ""))
        keys = ("day", "from", "to", "direction")
        return [{**dict(zip(keys, way, strict=True)), "count": found[way]} for way in order]

    def standing(self, name: str, rung: str) -> list[dict[str, Any]]:
        return [
            {"customer_id": who, "since": format_instant(change.time), "sequence": change.sequence}
            for who, change in sorted(self.rungs[name].items())
            if change.to == rung
        ]

    @cache  # noqa: B019 (one shop lives as long as the run)
    def customer(self, who: str) -> dict[str, Any] | None:
        slot = self.backtest.slots.get(who)
        if slot is None or slot.record is None:
            return None
        survivor = self.backtest.slots[getattr(slot.record, "into", who)]
        return describe(self.rules, survivor, who, UNTIL, self.backtest.ranking)

    def history(self, who: str) -> list[dict[str, Any]]:
        return [told(change) for change in self.changes if change.customer == who]

    def _outline(self, ladder: Ladder) -> dict[str, Any]:
        standing = Counter(change.to for change in self.rungs[ladder.id].values())
        return {
            "id": ladder.id, "version": ladder.version, "title": dict(ladder.title),
            "kind": ladder.kind, "customers": standing.total(),
            "rungs": [
                {"id": rung.id, "title": dict(rung.title), "override": rung.override,
                 "customers": standing[rung.id]}
                for rung in ladder.rungs
            ],
        }  # fmt: skip

    @cache  # noqa: B019 (the same)
    def _figures(self, name: str, rung: str, summed: bool) -> dict[str, Any]:
        first = UNTIL - 29 * DAY
        held = [
            change.held for change in self.changes
            if change.ladder == name and change.from_ == rung
            and change.held is not None and change.time >= first - first % DAY
        ]  # fmt: skip
        here = [change for change in self.rungs[name].values() if change.to == rung]
        stood = [(UNTIL - change.time) // 1_000_000 for change in here]
        spent = (self.customer(change.customer) for change in here)
        return {
            "median_held_seconds": int(statistics.median(held)) if len(held) >= 5 else None,
            "held_cases": len(held),
            "median_standing_seconds": (
                int(statistics.median(stood)) if len(stood) >= 5 and summed else None
            ),
            "standing_cases": len(stood) if summed else None,
            "revenue": sum(view["facts"]["spend"] for view in spent if view) if summed else None,
        }

    def _day(self, instant: int) -> str:
        return format_instant(instant)[:10]


def told(change: Change) -> dict[str, Any]:
    """A change as it is on its topic."""
    event: dict[str, Any] = orjson.loads(encode(change))
    return event
