"""The top-spender cuts of one partition: over its own customers, a sample of a big shop.

The cuts themselves are kept with the state. The ranking they are taken from is rebuilt in memory
after a start, in slices between batches; until that is done no cut is taken, and the last holds.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from zlib import crc32

import structlog

from app.core.customer import Customer
from app.core.facts import Cuts
from app.core.ranking import Ranking
from app.core.rules import Rules
from app.stream.meta import Meta
from app.stream.store import Store
from app.wire.record import HOT, RecordCodec

log = structlog.get_logger(__name__)

RANKED = 30_000
"""Customers of a partition that are ranked; of more, every second, fourth, ... by a hash. Each
takes some 500 bytes; with half of them a cut's rank is off by a third of one percent (1 sigma)."""
SLICE = 1_000
"""Customers that are read between two batches while the ranking is rebuilt."""
KEPT_DAYS = 30
"""Days whose cuts are kept with the state: today's, and those that late events may ask for."""
KNOWN_DAYS = 1_500
"""Days whose cuts are known while a partition is open. Under a backlog, and after an outage, what
is due for a customer lies far back when it is looked at."""
_LONGEST = 2 * 730
"""Boundaries further back than this are beyond every window, so nobody has a spend there."""
_AFTER_HOT = bytes([HOT[0] + 1])


class TopSpenders:
    """Knows the cuts of each day (a `Cutter`), and takes them as the partition's clock goes on."""

    def __init__(self, rules: Rules, meta: Meta, number: int) -> None:
        self._rules = rules
        self._meta = meta
        self._number = number
        self._ranking = Ranking(rules.tops, days_kept=1)
        self._days = sorted(meta.cuts)
        self._cuts: dict[int, Cuts] = {
            day: {(percent, days): cut for percent, days, cut in cuts}
            for day, cuts in meta.cuts.items()
        }
        if meta.cut_day is not None:
            self._ranking.resume(meta.cut_day, self.at(meta.cut_day))
        self._ranked: set[str] = set()
        self._divisor = 1
        self._day = rules.calendar.today(meta.clock) if meta.clock else None
        self._next: bytes | None = HOT if rules.tops and meta.clock else None

    def at(self, day: int) -> Cuts:
        """Return the cuts that hold for a day: none before the first boundary.

        Those of a day too old to be known are taken from the oldest that is.
        """
        cuts = self._cuts.get(day)
        if cuts is not None or not self._days:
            return cuts or {}
        place = bisect_right(self._days, day)
        if place == 0 and self._days[0] == self._meta.cut_first:
            return {}
        return self._cuts[self._days[max(place - 1, 0)]]

    @property
    def rebuilding(self) -> bool:
        return self._next is not None

    def rebuild(self, store: Store, codec: RecordCodec) -> None:
        """Take in the next customers from the store; only between batches."""
        assert self._next is not None
        rows = store.scan(self._next, _AFTER_HOT, SLICE)
        for key, row in rows:
            record = codec.decode(row)
            if isinstance(record, Customer):
                self.note(key[1:].decode(), record, record.bought.days)
        self._next = rows[-1][0] + b"\0" if len(rows) == SLICE else None

    def note(self, customer: str, c: Customer, days: Iterable[int]) -> None:
        """Take notice that a customer's spend on some days has changed."""
        if customer not in self._ranked:
            if crc32(customer.encode()) % self._divisor:
                return
            self._ranked.add(customer)
            if len(self._ranked) > RANKED:
                self._thin_out()
        self._ranking.note(customer, c, self._day or 0, days)

    def forget(self, customer: str) -> None:
        """Take notice that a customer's record is gone."""
        if customer in self._ranked:
            self._ranked.discard(customer)
            self._ranking.forget(customer)

    def _thin_out(self) -> None:
        self._divisor *= 2
        log.info(
            "top spenders are taken from a sample",
            action="top-spenders-sampled",
            partition=self._number,
            one_in=self._divisor,
        )
        for customer in [c for c in self._ranked if crc32(c.encode()) % self._divisor]:
            self.forget(customer)

    def days_to(self, position: int) -> Sequence[int]:
        """Return the days whose boundaries the clock passes on its way to an instant."""
        if not self._rules.tops or self.rebuilding:
            return ()
        today = self._rules.calendar.today(position)
        begun = self._day
        if begun is not None and today <= begun:
            return ()
        self._day = today
        if begun is None:
            return ()
        return self._rules.calendar.begun(max(begun, today - _LONGEST - 1), today)

    def turn(self, day: int, read: Callable[[str], Customer | None]) -> set[str]:
        """Take the cuts of a day at its begin; returns the customers to whom they matter.

        `read` gives a customer's record.
        """
        meta = self._meta
        flipped = self._ranking.turn(day, read)
        if meta.cut_day is None:
            meta.cut_first = day
        meta.cut_day = day
        self._days.append(day)
        self._cuts[day] = self._ranking.at(day)
        if len(self._days) > KNOWN_DAYS:
            del self._cuts[self._days.pop(0)]
        meta.cuts = {
            known: [(*top, cut) for top, cut in self._cuts[known].items()]
            for known in self._days[-KEPT_DAYS:]
        }
        return flipped
