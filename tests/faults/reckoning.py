"""What must come of a tale: a backtest that goes along, chapter by chapter."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.customer import Moved, Slot
from app.core.events import Event
from app.core.explain import describe
from app.core.handover import Handover
from app.core.instants import format_instant
from app.core.rules import Rules
from app.wire import stage_change
from app.wire.cloudevents import decode
from tests.core_backtest import Backtest, Line
from tests.faults.tale import Chapter, Told

View = dict[str, Any]
WORKERS_ONLY = ("wrong-partition", "future")
"""Reasons that a backtest has not: it knows neither partitions nor the time of day."""


class Watched(Backtest):
    """A backtest that tells whom a handover was for."""

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.addressed: set[str] = set()

    def _note_handover(self, slot: Slot, handover: Handover) -> None:
        self.addressed.add(handover.to)
        super()._note_handover(slot, handover)


@dataclass(frozen=True)
class Letter:
    """A dead letter that must be there, once."""

    reason: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


class Reckoning:
    """`letters` has, for each record told so far that must be refused, what is to be found."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.backtest = Watched(rules)
        self.letters: dict[int, Letter] = {}
        self.told: list[Told] = []
        self.until = 0

    def follow(self, chapter: Chapter) -> None:
        """Apply a chapter, in the order of time, topic and place, and let its rest go by."""
        events: list[tuple[int, int, int, Event]] = []
        for number, told in enumerate(chapter.told, len(self.told)):
            found = decode(told.value, told.key, [*told.headers])
            if not isinstance(found, Event):
                self._refused(number, told, found.reason)
            elif told.reason in WORKERS_ONLY:
                self._refused(number, told, told.reason or "")
            else:
                events.append((found.time, told.lane, number, found))
        self.told += chapter.told
        for _, _, number, event in sorted(events, key=lambda one: one[:3]):
            self._apply(number, event)
        self.backtest.finish(chapter.until)
        self.until = chapter.until

    def _apply(self, number: int, event: Event) -> None:
        before = len(self.backtest.dead_letters)
        self.backtest.apply(event, Line("told", number))
        for letter in self.backtest.dead_letters[before:]:
            self._refused(number, self.told[number], letter.reason)

    def _refused(self, number: int, told: Told, reason: str) -> None:
        assert told.reason in (None, reason), (told.reason, reason, told.value)
        self.letters[number] = Letter(reason, told.key, told.value, told.headers)

    @property
    def top_ladders(self) -> set[str]:
        """Ladders that ask who spends most: outside the promise."""
        return {
            ladder.id
            for ladder in self.rules.ladders
            for rung in ladder.rungs
            if "top_spender" in rung.when
        }

    def changes(self, people: Sequence[str]) -> dict[tuple[str, str], list[View]]:
        """Stage changes by (ladder, customer), each in the order of publication."""
        found: defaultdict[tuple[str, str], list[View]] = defaultdict(list)
        wanted = set(people)
        for change in self.backtest.changes:
            if change.customer in wanted and change.ladder not in self.top_ladders:
                value = json.loads(stage_change.encode(change))
                found[change.ladder, change.customer].append(value)
        return dict(found)

    def survivor(self, customer: str) -> str:
        while (slot := self.backtest.slots.get(customer)) and isinstance(slot.record, Moved):
            customer = slot.record.into
        return customer

    def views(self) -> Mapping[str, View]:
        """Every customer with a record, as the API gives them at `until`, as JSON."""
        shown = {
            slot.id: describe(self.rules, slot, slot.id, self.until, self.backtest.ranking)
            for slot in self.backtest.customers()
        }
        found: dict[str, View] = json.loads(json.dumps(shown))
        return found

    def clock_event(self) -> bytes:
        """What moves the clock of a partition to `until`."""
        when = format_instant(self.until)
        event = {
            "specversion": "1.0", "id": f"until-{when}", "source": "/test", "time": when,
            "type": "clock.advanced", "subject": "clock",
        }  # fmt: skip
        return json.dumps(event).encode()
