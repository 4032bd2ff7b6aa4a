"""All customers, the one clock of a backtest, and what happens as it passes (section 5)."""

from __future__ import annotations

from typing import Any

from .due import Due
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
        self.due = Due(settings)

    # The clock

    def advance(self, to: int) -> None:
        """Evaluate every instant up to `to` at which something is due for anyone, in order."""
        if self.now is None:
            self.now = to
        while (instant := self.next_instant(self.now)) <= to:
            self.pass_instant(self.now, instant)
            self.now = instant
        self.now = max(self.now, to)

    def finish(self, until: int | None) -> None:
        """Evaluate what is due by the clock, moved on to `until`."""
        if until is not None:
            self.advance(until)

    def next_instant(self, after: int) -> int:
        due = [self.settings.days.next_boundary(after)]
        for record in self.records.values():
            due += self.due.ends(record)
        assert min(due) > after
        return min(due)

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
                for window in self.due.windows
            )
            if everyone or dropping or instant in self.due.ends(record):
                self.settle(record, Occasion(instant, "clock"))

    def take_cuts(self, today: int) -> bool:
        """Take the cuts of `top_spender` for the day; true if one is not what it was."""
        before, records = self.cuts, list(self.records.values())
        self.cuts = {(p, n): cut(records, p, n, today) for p, n in self.shares}
        return before != self.cuts

    def reach(self, record: Record, to: int) -> int:
        """Evaluate what was due for a customer before something that happens at `to`.

        Gives the instant as of which that is judged. Here the clock has brought everybody there.
        """
        return to

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
        if self.erased.get(event.subject, -1) >= event.time:
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
            self.erase(id, event, "erasure", event.time)
        else:
            self.fold(record if record is not None else self.create(id), event)
        return None

    def fold(self, record: Record, event: Event) -> None:
        """An event of every other type: its effect, then the ladders, then a credit."""
        at = self.reach(record, event.time)
        by_hand = None
        if event.type == "profile.placed":
            by_hand = event.data["ladder"]
            if event.data["rung"] is None and record.stands[by_hand].placed is None:
                by_hand = None
        take_in(self.settings, record, event, self.turn)
        cause = "refund" if event.type in REFUNDS else "event"
        self.settle(record, Occasion(at, cause, event.trigger(), by_hand))
        referral = record.referral
        if referral is not None and self.resolve(referral.referrer) != record.id:
            credit = credit_due(record, referral, event)
            if credit is not None:
                self.deliver(credit)

    def deliver(self, credit: Event) -> None:
        """A credit, right after the event that caused it."""
        id = self.resolve(credit.subject)
        record = self.records.get(id)
        if self.erased.get(credit.subject, -1) >= credit.time:
            return
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

    def leave(self, id: str, event: Event, cause: str) -> tuple[Record | None, int]:
        """Take a customer's record away; second is the instant as of which it left."""
        record = self.records.pop(id, None)
        if record is None:
            return None, event.time
        at = self.reach(record, event.time)
        occasion = Occasion(at, cause, event.trigger())
        self.changes += leave(self.settings, record, occasion, self.cuts)
        return record, at

    def erase(self, id: str, event: Event, cause: str, instant: int) -> None:
        """`instant` is that of the erasure; a merge into who is erased may be older."""
        self.leave(id, event, cause)
        names = [id, *(name for name in self.into if self.resolve(name) == id)]
        for name in names:
            self.into.pop(name, None)
            self.erased[name] = max(instant, self.erased.get(name, instant))
            self.lives.setdefault(name, 0)

    def merge(self, event: Event) -> None:
        absorbed, into = self.resolve(event.subject), self.resolve(event.data["into"])
        if absorbed == into:
            return
        if self.erased.get(into, -1) >= event.time:
            self.erase(absorbed, event, "merge", self.erased[into])
            return
        record, left = self.leave(absorbed, event, "merge")
        self.into[absorbed] = into
        if record is None:
            return
        self.take(into, record, event, left)

    def take(self, into: str, absorbed: Record, event: Event, left: int) -> None:
        """The survivor takes the record in that left its own id as of `left`."""
        survivor = self.records.get(into) or self.create(into)
        at = self.reach(survivor, left)
        referral = survivor.referral
        ignored = referral is None or self.resolve(referral.referrer) == into
        unite(survivor, absorbed, keep_referral=not ignored)
        survivor.ids.append((self.turn, event.source, event.id))
        survivor.forget()
        self.settle(survivor, Occasion(at, "merge", event.trigger()))
