"""What a partition keeps of the stage changes that it published: for one customer, and by day.

It follows the stage-change topics by their offsets. While it is level with them, what a small
batch said is put into the store right after the commit. Where that would take more than a small
share of the time the stream comes first: nothing is put, and `app.stream.history_reader` reads it
from the topics when there is time. So the rows are exact whatever happens, and `complete` says when
some are missing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain

from aiokafka.structs import TopicPartition

from app.api.ports import Figures
from app.core.customer import Customer, Slot
from app.core.rules import Rules
from app.stream import history_rows as rows
from app.stream.store import Row, Store
from app.stream.transaction import Out
from app.wire.record import HOT, life_of

AT_ONCE = 1_000
"""Changes of one batch that are put right away; more of them are a backlog."""
SHARE, BURST_SECONDS = 0.04, 0.05
"""Of all time, what putting them right away may take, and how much of it at once."""
BUSY_SECONDS = 2.0
"""After a sign of a backlog the reader holds back for so long."""
WORKING_SECONDS = 1.0
"""After any batch it takes less of the time than at rest for so long."""


class Turns:
    """What all partitions of a process share, so that together they take little of its time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lock = asyncio.Lock()
        self.clock = clock
        self._busy_until = self._working_until = 0.0
        self._allowed = BURST_SECONDS
        self._seen = clock()

    def hurry(self) -> None:
        """There is a backlog."""
        self._busy_until = self.clock() + BUSY_SECONDS

    def busy(self) -> bool:
        return self.clock() < self._busy_until

    def work(self) -> None:
        """A batch was committed."""
        self._working_until = self.clock() + WORKING_SECONDS

    def working(self) -> bool:
        return self.clock() < self._working_until

    def may(self) -> bool:
        """Tell whether what was spent lately is within the share."""
        now = self.clock()
        self._allowed = min(BURST_SECONDS, self._allowed + SHARE * (now - self._seen))
        self._seen = now
        return self._allowed > 0

    def spend(self, seconds: float) -> None:
        self._allowed -= seconds


class History:
    """`level`: everything in the topics up to `positions` is in the store, and there is no more.

    `swept`: nothing is in it of people who were erased while another worker had the partition.
    `missed` counts the batches that were left to the reader, `behind` is set while there is
    something for it to read.
    """

    def __init__(self, store: Store, rules: Rules, topics: Mapping[str, str], turns: Turns) -> None:
        """`topics` names the topic of each ladder."""
        self.store = store
        self.topics = topics
        self.turns = turns
        self.positions = rows.positions(store)
        self.level = False
        self.missed = 0
        self.behind = asyncio.Event()
        self.behind.set()
        self.stored = asyncio.Event()
        """All that is committed is in the store, so who a change is about can be looked up."""
        self.stored.set()
        self.swept = False
        self._rules = rules

    def enter(self, offset: int) -> None:
        """Begin to use the store, which stands at an offset of the changelog.

        If it stands where it was left, nobody was erased elsewhere meanwhile: at most the marker
        of the last transaction was read since.
        """
        left = rows.left_at(self.store)
        self.swept = left is not None and 0 <= offset - left <= 1
        self.store.write([rows.left_row(None)], None)

    def leave(self, offset: int) -> None:
        """Say where the store stands, for whoever uses it next."""
        if self.swept:
            self.store.write([rows.left_row(offset)], None)

    # What the rounds call.

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Hold the reader back from a commit's first request until the batch is stored and taken.

        It stays held back after a failure: nobody knows then what was committed, and the partition
        opens again with another history.
        """
        self.stored.clear()
        yield
        self.stored.set()

    def take(
        self,
        by_ladder: Mapping[str, Sequence[Out]],
        begins: Mapping[TopicPartition, int],
        erased: Iterable[str],
    ) -> None:
        """Take in what a batch said, once it is committed and stored."""
        self.turns.work()
        if by_ladder:
            self._take(by_ladder, begins)
        for customer in erased:
            self.forget(customer)

    def _take(
        self, by_ladder: Mapping[str, Sequence[Out]], begins: Mapping[TopicPartition, int]
    ) -> None:
        at_once = sum(map(len, by_ladder.values())) <= AT_ONCE and self.turns.may()
        if not at_once:
            self.turns.hurry()
        where = {place.topic: begin for place, begin in begins.items()}
        known = all(where.get(self.topics[ladder], -1) >= 0 for ladder in by_ladder)
        if not (self.level and at_once and known):
            self.level = False
            self.missed += 1
            self.behind.set()
            return
        began = self.turns.clock()
        found: list[tuple[rows.Entry, bytes]] = []
        positions = dict(self.positions)
        for ladder, outs in by_ladder.items():
            topic = self.topics[ladder]
            if where[topic] < positions.get(topic, 0):
                continue  # the reader was there first
            positions[topic] = where[topic] + len(outs)
            found += [(rows.read_entry(out.value or b""), out.value or b"") for out in outs]
        self.put(found, positions)
        self.turns.spend(self.turns.clock() - began)

    def put(
        self,
        found: Sequence[tuple[rows.Entry, bytes]],
        positions: dict[str, int],
        over: Sequence[rows.Entry] = (),
    ) -> None:
        """Write changes, the days to which they are added, and up to where they came.

        `over` are changes of lives that are over: they only count.
        """
        written: list[Row] = [row for entry, value in found for row in rows.put(entry, value)]
        counting = chain((entry for entry, _ in found), over)
        days = rows.counted(self.store, self._rules.calendar, counting)
        self.store.write([*written, *days, rows.positions_row(positions)], None)
        self.positions = positions

    def forget(self, customer: str) -> None:
        """Delete what is kept of a customer's lives before the one that is in the store now."""
        hot = self.store.get([HOT + customer.encode()])[0]
        life = life_of(hot) if hot is not None else None
        gone: list[Row] = [
            (key, None)
            for key, _ in rows.changes_of(self.store, customer)
            if life is None or rows.life_in(key) < life
        ]
        if gone:
            self.store.write(gone, None)

    # What is asked.

    def of(self, slot: Slot) -> tuple[list[bytes], bool]:
        """Return the changes kept of a customer, and whether none is missing."""
        record = slot.record
        assert isinstance(record, Customer)
        values: list[bytes] = []
        complete = True
        for index, ladder in enumerate(self._rules.ladders):
            last = record.sequences[index]
            begin = rows.of_ladder(slot.id, ladder.id, record.life)
            first = max(1, last - rows.KEPT + 1)
            keys = [begin + number.to_bytes(4, "big") for number in range(first, last + 1)]
            found = [value for value in self.store.get(keys) if value is not None] if keys else []
            complete &= len(found) == len(keys)
            values += found
        # What the topics no longer have is not missing once they were read to their end.
        return values, complete or self.level

    def add_days(self, figures: Figures, ladder: str, today: int, days: int) -> None:
        """Put the last so many days of a ladder into what the API is told of a partition."""
        figures.days = rows.days_of(self.store, ladder, today - days + 1, today)
        figures.days_complete = self.level
