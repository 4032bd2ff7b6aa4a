"""A shop without a broker, for tests of the rules: events go in, stage changes come out.

Handovers are delivered at once, as in a backtest, but the clock moves only when it is told to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.core.address import Address, address_of
from app.core.apply import (
    Applied,
    Dropped,
    Forwarded,
    Outbox,
    Repeated,
    advance,
    examine,
    fold,
    receive,
)
from app.core.change import Change
from app.core.customer import Customer, Slot
from app.core.due import Cutter, NoCuts
from app.core.events import Data, Event, PurchaseCompleted, PurchaseRefunded, Refused
from app.core.explain import describe
from app.core.facts import Cuts
from app.core.handover import Credit, Handover, Named
from app.core.instants import Calendar, format_instant, parse_instant
from app.core.ladder import Ladder
from app.core.money import Rates
from app.core.rules import Rules
from app.core.verdict import Noted
from app.wire.definition import read_folder, read_ladder

Verdict = Applied | Repeated | Dropped | Forwarded | Noted | Refused
Move = tuple[str, str | None, str | None, str]

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
BUILT_IN = read_folder()


def at(text: str) -> int:
    """An instant by its text: a date (midnight UTC), a date and hh:mm, or all of RFC 3339."""
    if "T" not in text:
        text += "T00:00:00Z"
    elif len(text) == 16:
        text += ":00Z"
    instant = parse_instant(text)
    assert instant is not None, text
    return instant


def ladder(rungs: str, *, id: str = "l", **head: str) -> Ladder:
    """A ladder of one line a rung: `name: rule`, with a `!` before the name of an override."""
    lines = [f"id: {id}", "version: 1", f"kind: {head.pop('kind', 'ladder')}"]
    if lines[-1] == "kind: ladder":
        lines += [f"climb: {head.pop('climb', 'cumulative')}", f"down: {head.pop('down', 'now')}"]
    lines += [*(f"{key}: {value}" for key, value in head.items()), "rungs:"]
    for line in rungs.strip().splitlines():
        name, rule = line.strip().split(": ", 1)
        lines += [f"  - id: {name.lstrip('!')}", f'    when: "{rule}"']
        lines += ["    override: true"] * name.startswith("!")
    return read_ladder("\n".join(lines).encode(), "ladder.yaml")


def rules_of(
    *ladders: Ladder,
    timezone: str = "UTC",
    rates: Rates | None = None,
    attributes: Iterable[str] = (),
    quiet_before: int | None = None,
) -> Rules:
    """Rules over these ladders, in dong and without rates unless told otherwise."""
    rates = rates or Rates("VND")
    return Rules(ladders, Calendar(timezone), rates, attributes, quiet_before)


class FixedCuts:
    """The same top-spender cuts on every day."""

    def __init__(self, cuts: Cuts) -> None:
        self.cuts = cuts

    def at(self, day: int) -> Cuts:
        return self.cuts


class Shop:
    """Customers by id. `told` is the time of the next event told without one.

    `sent` are the handovers that were delivered.
    """

    def __init__(
        self,
        *ladders: Ladder,
        cutter: Cutter | None = None,
        rules: Rules | None = None,
        **settings: Any,
    ) -> None:
        self.rules = rules or rules_of(*ladders, **settings)
        self.cutter = cutter or NoCuts()
        self.slots: dict[str, Slot] = {}
        self.changes: list[Change] = []
        self.sent: list[Handover] = []
        self.told = at("2026-03-01T12:00")
        self._count = 0
        self._named: dict[Address, str] = {}

    def slot(self, customer: str = "c") -> Slot:
        return self.slots.setdefault(customer, Slot(customer))

    def record(self, customer: str = "c") -> Customer:
        record = self.slot(customer).record
        assert isinstance(record, Customer)
        return record

    def tell(
        self,
        data: Data,
        time: str | int | None = None,
        *,
        customer: str = "c",
        id: str | None = None,
    ) -> Verdict:
        """Apply one event and all that follows; without a time a second after the last."""
        self._count += 1
        if time is not None:
            self.told = at(time) if isinstance(time, str) else time
        event = Event("/shop", id or f"e{self._count}", customer, self.told, data)
        self.told += SECOND
        return self.apply(event)

    def apply(self, event: Event) -> Verdict:
        refused = examine(self.rules, event, None)
        if refused is not None:
            return refused
        out = Outbox(self.changes)
        verdict = fold(self.rules, self.slot(event.subject), event, self.cutter, out)
        while out.handovers:
            handover = self._found(out.handovers.pop(0))
            self.sent.append(handover)
            verdict_there = receive(self.rules, self.slot(handover.to), handover, self.cutter, out)
            if isinstance(verdict, Forwarded):
                verdict = verdict_there
        return verdict

    def _found(self, handover: Handover) -> Handover:
        """Put the id where there is but an address."""
        if isinstance(handover, Named):
            self._named[address_of(handover.to)] = handover.to
        if isinstance(handover, Credit) and handover.address is not None:
            return handover.found(self._named[handover.address])
        return handover

    def deliver(self, handover: Handover) -> Verdict:
        """One handover alone, as if it came once more or late."""
        out = Outbox(self.changes)
        return receive(self.rules, self.slot(handover.to), handover, self.cutter, out)

    def buy(
        self,
        order: str,
        time: str | int | None = None,
        *,
        amount: int = 100,
        units: int = 1,
        currency: str = "VND",
        customer: str = "c",
    ) -> Verdict:
        data = PurchaseCompleted(order, amount, currency, units)
        return self.tell(data, time, customer=customer)

    def refund(
        self, order: str, amount: int, time: str | int | None = None, *, customer: str = "c"
    ) -> Verdict:
        return self.tell(PurchaseRefunded(order, amount, "VND"), time, customer=customer)

    def wait(self, until: str | int, customer: str = "c") -> list[Move]:
        """Let the clock run for one customer; returns the moves that it made."""
        before = len(self.changes)
        instant = at(until) if isinstance(until, str) else until
        out = Outbox(self.changes)
        advance(self.rules, self.slot(customer), instant, self.cutter, out)
        return self.moves()[before:]

    def moves(self, *ladders: str) -> list[Move]:
        """(time, from, to, cause) of every change, or of those on some ladders."""
        return [
            (format_instant(change.time), change.from_, change.to, change.cause)
            for change in self.changes
            if not ladders or change.ladder in ladders
        ]

    def seen(self, customer: str = "c", time: str | int = 0) -> dict[str, Any]:
        """What the API gives of a customer, as of an instant or of its record."""
        instant = at(time) if isinstance(time, str) else time
        return describe(self.rules, self.slot(customer), customer, instant, self.cutter)

    def facts(self, customer: str = "c", time: str | int = 0) -> dict[str, Any]:
        found: dict[str, Any] = self.seen(customer, time)["facts"]
        return found

    def rung(self, customer: str = "c", ladder: str = "l") -> str | None:
        found: str | None = self.seen(customer)["ladders"][ladder]["rung"]
        return found
