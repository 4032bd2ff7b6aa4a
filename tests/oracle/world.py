"""All customers, the one clock of a backtest, and what happens as it passes (section 5)."""

from __future__ import annotations

from typing import Any

from .effects import fault, take_in
from .facts import Cuts, cut
from .ladders import named_facts
from .people import credit_due, unite
from .reading import CLOCK, Settings
from .record import Event, Record, Stand
from .settle import Occasion, leave, settle

REFUNDS = ("purchase.refunded", "review.removed", "referral.reversed")


class World:
    """`every_day`: evaluate every customer at every day boundary, also where no fact changes."""

    def __init__(self, settings: Settings, every_day: bool) -> None:
        self.settings, self.every_day = settings, every_day
        self.records: dict[str, Record] = {}
        self.into: dict[str, str] = {}  # absorbed id -> the id it was absorbed by
        self.erased: dict[str, int] = {}  # id -> instant
        self.lives: dict[str, int] = {}  # id -> how many records it has had
        self.now: int | None = None
        self.turn = 0
        self.cuts: Cuts = {}
        self.changes: list[dict[str, Any]] = []
        facts = named_facts(settings.ladders)
        self.shares = {(f.args[0], f.args[1]) for f in facts if f.name == "top_spender"}
        self.windows = {f.args[-1] for f in facts if f.args}

    # The clock

    def advance(self, to: int) -> None:
        """Evaluate every instant up to `to` at which something is due for anyone, in order."""
        if self.now is None:
            self.now = to
        while (instant := self.next_instant(self.now)) <= to:
            self.pass_instant(self.now, instant)
            self.now = instant
        self.now = max(self.now, to)

    def next_instant(self, after: int) -> int:
        due = [self.settings.days.next_boundary(after)]
        for record in self.records.values():
            due += self.ends(record)
        assert min(due) > after
        return min(due)

    def ends(self, record: Record) -> list[int]:
        """The ends of this customer's graces and placements."""
        found: list[int] = []
        for ladder in self.settings.ladders:
            stand = record.stands[ladder.id]
            if stand.grace is not None:
                found.append(stand.grace + ladder.grace)
            if stand.placed is not None and stand.placed[1] is not None:
                found.append(stand.placed[1])
        return found

    def pass_instant(self, before: int, instant: int) -> None:
        first, today = (self.settings.days.today(t) for t in (before, instant))
        everyone = self.every_day and first != today
        if first != today:
            everyone = self.take_cuts(today) or everyone
        for record in list(self.records.values()):
            dates = record.dates()
            dropping = any(
                day - window in dates
                for day in range(first + 1, today + 1)
                for window in self.windows
            )
            if everyone or dropping or instant in self.ends(record):
                self.settle(record, Occasion(instant, "clock"))

    def take_cuts(self, today: int) -> bool:
        """Take the cuts of `top_spender` for the day; true if one is not what it was."""
        before, records = self.cuts, list(self.records.values())
        self.cuts = {(p, n): cut(records, p, n, today) for p, n in self.shares}
        return before != self.cuts

    def settle(self, record: Record, at: Occasion) -> None:
        self.changes += settle(self.settings, record, at, self.cuts)

    # Who is who

    def resolve(self, id: str) -> str:
        while id in self.into:
            id = self.into[id]
        return id

    def create(self, id: str) -> Record:
        self.lives[id] = self.lives.get(id, 0) + 1
        stands = {ladder.id: Stand() for ladder in self.settings.ladders}
        self.records[id] = Record(id, self.lives[id], stands)
        return self.records[id]

    # Events

    def apply(self, event: Event) -> str | None:
        """Apply one event; the reason if it is refused."""
        if event.type == CLOCK:
            self.advance(event.time)
            return None
        id = self.resolve(event.subject)
        record = self.records.get(id)
        if max(self.erased.get(event.subject, -1), self.erased.get(id, -1)) >= event.time:
            return None
        if record is not None and record.knows(event.source, event.id):
            return None
        reason = fault(record, event)
        if reason is not None:
            return reason
        self.advance(event.time)
        self.turn += 1
        if event.type == "profile.merged":
            self.merge(event)
        elif event.type == "profile.erased":
            self.erase(id, Occasion(event.time, "erasure", event.trigger()))
        else:
            self.fold(record if record is not None else self.create(id), event)
        return None

    def fold(self, record: Record, event: Event) -> None:
        """An event of every other type: its effect, then the ladders, then a credit."""
        by_hand = None
        if event.type == "profile.placed":
            by_hand = event.data["ladder"]
            if event.data["rung"] is None and record.stands[by_hand].placed is None:
                by_hand = None
        take_in(self.settings, record, event, self.turn)
        cause = "refund" if event.type in REFUNDS else "event"
        self.settle(record, Occasion(event.time, cause, event.trigger(), by_hand))
        referral = record.referral
        if referral is not None and self.resolve(referral.referrer) != record.id:
            credit = credit_due(record, referral, event)
            if credit is not None:
                self.deliver(credit)

    def deliver(self, credit: Event) -> None:
        """A credit, right after the event that caused it."""
        id = self.resolve(credit.subject)
        record = self.records.get(id)
        if record is None:
            if id in self.erased or credit.subject in self.erased:
                return
            if credit.type == "referral.reversed":
                return
            record = self.create(id)
        if record.knows(credit.source, credit.id) or fault(record, credit) is not None:
            return
        self.turn += 1
        self.fold(record, credit)

    # People who change

    def erase(self, id: str, at: Occasion) -> None:
        record = self.records.pop(id, None)
        if record is not None:
            self.changes += leave(self.settings, record, at, self.cuts)
        names = [id, *(name for name in self.into if self.resolve(name) == id)]
        for name in names:
            self.into.pop(name, None)
            self.erased[name] = at.time
            self.lives.setdefault(name, 0)

    def merge(self, event: Event) -> None:
        absorbed, into = self.resolve(event.subject), self.resolve(event.data["into"])
        at = Occasion(event.time, "merge", event.trigger())
        if absorbed == into:
            return
        if self.erased.get(into, -1) >= event.time:
            self.erase(absorbed, at)
            return
        record = self.records.pop(absorbed, None)
        self.into[absorbed] = into
        if record is None:
            return
        self.changes += leave(self.settings, record, at, self.cuts)
        survivor = self.records.get(into) or self.create(into)
        referral = survivor.referral
        ignored = referral is None or self.resolve(referral.referrer) == into
        unite(survivor, record, keep_referral=not ignored)
        survivor.ids.append((self.turn, event.source, event.id))
        survivor.forget()
        self.settle(survivor, at)
