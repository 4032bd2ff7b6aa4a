"""Customers in partitions of their own: events and handovers wait in line, as records do.

Every step reads a customer's rows, applies one record and writes the rows that changed, and every
handover travels as bytes: what a worker does, with neither Kafka nor RocksDB.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from app.core.address import Address, address_of
from app.core.apply import Dropped, Outbox, Verdict, examine, fold, next_due, receive
from app.core.change import Change
from app.core.customer import Customer, Moved, Slot
from app.core.due import NoCuts
from app.core.events import Event, Refused
from app.core.explain import describe
from app.core.handover import Credit, Forward, Handover, Named
from app.core.instants import format_instant
from app.core.rules import Rules
from app.wire import handover as wire
from app.wire.fields import NEEDS
from app.wire.handover import Origin
from app.wire.record import RecordCodec, Unreadable, id_in, traces_key

NEED_NAMES = {number: name for name, number in NEEDS.items()}
Choose = Callable[[int], int]


def written(event: Event) -> bytes:
    """The event as it came in: structured JSON."""
    data: dict[str, Any] = msgspec.to_builtins(event.data)
    if "need" in data:
        data["need"] = NEED_NAMES[data["need"]]
    if data.get("until") is not None:
        data["until"] = format_instant(data["until"])
    return json.dumps(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "type": event.type,
            "subject": event.subject,
            "time": format_instant(event.time),
            "data": data,
        }
    ).encode()


class Rows:
    """The store: rows by key."""

    def __init__(self, rules: Rules) -> None:
        self.codec = RecordCodec(rules.ladders)
        self.rules = rules
        self.held: dict[bytes, bytes] = {}

    def load(self, customer: str) -> Slot:
        return self.codec.load([customer], lambda keys: [*map(self.held.get, keys)])[customer]

    def save(self, slot: Slot) -> None:
        next_due(self.rules, slot)
        for key, value in self.codec.changed_rows(slot):
            if value is None:
                self.held.pop(key, None)
            else:
                self.held[key] = value


class Partitions:
    """A queue of events and a queue of handovers for each customer."""

    def __init__(self, rules: Rules, events: Iterable[Event]) -> None:
        self.rules = rules
        self.rows = Rows(rules)
        self.changes: list[Change] = []
        self.refused: list[Refused] = []
        self.events: dict[str, deque[Event]] = {}
        self.handovers: dict[str, deque[bytes]] = {}
        self.customers: set[str] = set()
        self.steps = 0
        self._ids: dict[Address, str] = {}
        for event in events:
            self.tell(event)

    def tell(self, event: Event) -> None:
        self.events.setdefault(event.subject, deque()).append(event)

    def waiting(self) -> list[tuple[str, bool]]:
        """Who has something to do: (customer, whether it is a handover)."""
        return [
            *((customer, False) for customer in sorted(self.events) if self.events[customer]),
            *((customer, True) for customer in sorted(self.handovers) if self.handovers[customer]),
        ]

    def run(self, choose: Choose, most: int) -> None:
        """Work until nothing waits; `choose` takes one of so many by its place."""
        while waiting := self.waiting():
            assert self.steps < most, f"no rest after {most} steps: {waiting}"
            self.step(*waiting[choose(len(waiting))])

    def step(self, customer: str, handed_over: bool) -> Verdict:
        self.steps += 1
        self.customers.add(customer)
        slot = self.rows.load(customer)
        out = Outbox(self.changes)
        verdict, origin = self._handover(slot, out) if handed_over else self._event(slot, out)
        if isinstance(verdict, Refused):
            self.refused.append(verdict)
        for handover in out.handovers:
            held = origin if isinstance(handover, Forward) else None
            value = wire.encode(handover, self.rows.codec, held)
            self.handovers.setdefault(self._addressee(handover), deque()).append(value)
        if slot.touched:
            self.rows.save(slot)
        return verdict

    def _addressee(self, handover: Handover) -> str:
        """In whose queue it lies: each customer stands for a partition, which addresses lead to."""
        if isinstance(handover, Named):
            self._ids[address_of(handover.to)] = handover.to
        if isinstance(handover, Credit) and handover.address is not None:
            return self._ids[handover.address]
        return handover.to

    def _event(self, slot: Slot, out: Outbox) -> tuple[Verdict, Origin]:
        event = self.events[slot.id].popleft()
        origin = Origin("in", 0, 0, event.subject.encode(), written(event), ())
        refused = examine(self.rules, event, None)
        return refused or fold(self.rules, slot, event, NoCuts(), out), origin

    def _handover(self, slot: Slot, out: Outbox) -> tuple[Verdict, Origin | None]:
        found = wire.decode(self.handovers[slot.id].popleft(), self.rows.codec)
        assert not isinstance(found, Unreadable), found
        handover, origin = found
        if isinstance(handover, Credit) and handover.address is not None:
            kept = id_in(self.rows.held.get(traces_key(handover.address.digest)))
            if kept is None:
                return Dropped(), None
            handover = handover.found(kept)
        assert handover.to == slot.id
        return receive(self.rules, slot, handover, NoCuts(), out), origin

    def slots(self) -> dict[str, Slot]:
        return {customer: self.rows.load(customer) for customer in sorted(self.customers)}

    def records(self) -> dict[str, Slot]:
        """Those who have a record."""
        slots = self.slots()
        return {id: slot for id, slot in slots.items() if isinstance(slot.record, Customer)}

    def forwardings(self) -> dict[str, str]:
        return {
            id: slot.record.into
            for id, slot in self.slots().items()
            if isinstance(slot.record, Moved)
        }

    def facts(self, now: int) -> dict[str, dict[str, Any]]:
        return {
            id: describe(self.rules, slot, id, now, NoCuts())["facts"]
            for id, slot in self.records().items()
        }
