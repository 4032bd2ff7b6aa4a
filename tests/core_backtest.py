"""Today's core over events in memory: one clock, handovers delivered at once (contract 8).

What the engine says of a history is compared with it, and tests of the worker, which folds with it,
take from it what must come out.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

import msgspec

from app.core.address import Address, address_of
from app.core.apply import (
    Applied,
    Outbox,
    Repeated,
    admit,
    advance,
    examine,
    fold_admitted,
    receive,
    recut,
)
from app.core.change import Change
from app.core.customer import Customer, Moved, Slot
from app.core.events import TYPES, ClockAdvanced, Event, Refused
from app.core.handover import Absorb, Credit, Handover, Named
from app.core.ranking import Ranking
from app.core.rules import Rules
from app.offline.backtest import DeadLetter
from app.wire.cloudevents import decode


class Line(msgspec.Struct, frozen=True, gc=False):
    """Where an event stood: the file and its line, counted from 1."""

    file: str
    number: int


class Backtest:
    """All customers of one shop, in memory. Events come in the order of their times.

    `repeated` and `dropped` count events that were applied before, and those of the erased.
    """

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.slots: dict[str, Slot] = {}
        self.clock: int | None = None
        self.dead_letters: list[DeadLetter] = []
        self.repeated = 0
        self.dropped = 0
        self._out = Outbox()
        self._ranking = Ranking(rules.tops)
        self._today: int | None = None
        self._named: dict[Address, str] = {}

    @property
    def ranking(self) -> Ranking:
        """Who spends most, and the cuts of each day."""
        return self._ranking

    @property
    def changes(self) -> list[Change]:
        """Every stage change so far, in the order in which it was found."""
        return self._out.changes

    def customers(self) -> Iterator[Slot]:
        """Yield everybody who has a record, by id."""
        for customer in sorted(self.slots):
            slot = self.slots[customer]
            if isinstance(slot.record, Customer):
                yield slot

    def apply(self, event: Event, line: Line) -> None:
        """Apply one event, and all that follows from it."""
        refused = examine(self.rules, event, None)
        if refused is not None:
            self._refuse(refused, line)
            return
        if isinstance(event.data, ClockAdvanced):
            self.advance_clock(event.time)
            return
        slot = self._slot(event.subject)
        key = admit(self.rules, slot, event)
        while isinstance(key, bytes) and isinstance(slot.record, Moved):
            slot = self._slot(slot.record.into)
            key = admit(self.rules, slot, event)
        if isinstance(key, bytes):
            self.advance_clock(event.time)
            fold_admitted(self.rules, slot, event, key, self._ranking, self._out)
            self._note(slot, event.time)
            self._deliver(line)
        elif isinstance(key, Applied):
            self.advance_clock(event.time)
        elif isinstance(key, Refused):
            self._refuse(key, line)
        elif isinstance(key, Repeated):
            self.repeated += 1
        else:
            self.dropped += 1

    def advance_clock(self, instant: int) -> None:
        """Move the clock on, taking the top-spender cuts at each day boundary on the way."""
        if self.clock is not None and instant <= self.clock:
            return
        self.clock = instant
        day = self.rules.calendar.today(instant)
        if self._today is not None and self.rules.tops:
            for passed in self.rules.calendar.begun(self._today, day):
                self._turn(passed)
        self._today = day

    def finish(self, until: int | None = None) -> None:
        """Evaluate everything due by the clock, moved on to `until`."""
        if until is not None:
            self.advance_clock(until)
        if self.clock is not None:
            for slot in self.slots.values():
                advance(self.rules, slot, self.clock, self._ranking, self._out)

    def _slot(self, customer: str) -> Slot:
        slot = self.slots.get(customer)
        if slot is None:
            slot = self.slots[customer] = Slot(customer)
        return slot

    def _turn(self, day: int) -> None:
        boundary = self.rules.calendar.start_of(day)
        for customer in sorted(self._ranking.turn(day, self._record)):
            recut(self.rules, self.slots[customer], boundary, self._ranking, self._out)

    def _record(self, customer: str) -> Customer | None:
        record = self.slots[customer].record
        return record if isinstance(record, Customer) else None

    def _deliver(self, line: Line) -> None:
        handovers = deque(self._out.handovers)
        self._out.handovers.clear()
        while handovers:
            handover = self._found(handovers.popleft())
            if handover is None:
                continue
            slot = self._slot(handover.to)
            verdict = receive(self.rules, slot, handover, self._ranking, self._out)
            if isinstance(verdict, Refused):
                self._refuse(verdict, line)
            self._note_handover(slot, handover)
            handovers.extendleft(reversed(self._out.handovers))
            self._out.handovers.clear()

    def _found(self, handover: Handover) -> Handover | None:
        """Put the id where there is but an address; None where nobody is known to have it."""
        if isinstance(handover, Named):
            self._named[address_of(handover.to)] = handover.to
        elif isinstance(handover, Credit) and handover.address is not None:
            referrer = self._named.get(handover.address)
            return None if referrer is None else handover.found(referrer)
        return handover

    def _note_handover(self, slot: Slot, handover: Handover) -> None:
        if isinstance(handover, Absorb) and isinstance(slot.record, Customer):
            self._rank(slot.id, slot.record, slot.record.bought.days)
        else:
            self._note(slot, handover.time)

    def _note(self, slot: Slot, instant: int) -> None:
        if not self.rules.tops:
            return
        if isinstance(slot.record, Customer):
            self._rank(slot.id, slot.record, (self.rules.calendar.day_of(instant),))
        else:
            self._ranking.forget(slot.id)

    def _rank(self, customer: str, c: Customer, days: Iterable[int]) -> None:
        if self._today is not None and self.rules.tops:
            self._ranking.note(customer, c, self._today, days)

    def _refuse(self, refused: Refused, line: Line) -> None:
        self.dead_letters.append(
            DeadLetter(refused.reason, refused.message, line.file, line.number)
        )


def run(
    backtest: Backtest,
    events: Iterable[tuple[Event, Line]],
    until: int | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Apply events in order and finish; `progress` hears how many were applied, now and then."""
    done = 0
    for event, line in events:
        backtest.apply(event, line)
        done += 1
        if not done & 1023:
            progress(done)
    backtest.finish(until)
    progress(done)


BLOCK = 1024 * 1024
_ORDER = {
    name: index
    for index, name in enumerate(
        ("purchase", "signup", "review", "referral", "interaction", "profile", "clock")
    )
}
_TOPIC_ORDER = {type_: _ORDER[type_.split(".", 1)[0]] for type_ in TYPES}


def topic_order(event: Event) -> int:
    """Return the place of the event's default topic among the input topics (contract section 1)."""
    return _TOPIC_ORDER[event.type]


def lines_of(name: str, stream: BinaryIO) -> Iterator[tuple[Line, bytes]]:
    """Yield the lines that say something, and where they stand."""
    number = 0
    rest = b""
    while block := stream.read(BLOCK):
        *whole, rest = (rest + block).split(b"\n")
        for text in whole:
            number += 1
            if text and not text.isspace():
                yield Line(name, number), text.rstrip(b"\r")
        rest = rest[:BLOCK]
    if rest and not rest.isspace():
        yield Line(name, number + 1), rest.rstrip(b"\r")


def read_events(
    lines: Iterable[tuple[Line, bytes]], progress: Callable[[int], None] = lambda done: None
) -> tuple[list[tuple[Event, Line]], list[DeadLetter]]:
    """Decode lines and put them in order: by time, then topic, then as they stand.

    `progress` hears the bytes read so far, now and then. Lines that are no events come back as
    dead letters.
    """
    events: list[tuple[Event, Line]] = []
    refused: list[DeadLetter] = []
    size = 0
    for count, (line, text) in enumerate(lines):
        size += len(text) + 1
        event = decode(text, keyed=False)
        if isinstance(event, Refused):
            refused.append(DeadLetter(event.reason, event.message, line.file, line.number))
        else:
            events.append((event, line))
        if not count & 4095:
            progress(size)
    events.sort(key=lambda item: (item[0].time, topic_order(item[0])))
    progress(size)
    return events, refused
