"""What a partition keeps of the stage changes that it published: for one customer, and by day.

It follows the stage-change topics by their offsets. While it is level with them, what a batch said
is taken in right after the commit, and put into the store when there is enough of it, or somebody
asks. Where that would take more than a small share of the time the stream comes first: nothing is
taken, and `app.stream.history_reader` reads it from the topics when there is time. So the rows are
exact whatever happens, and `complete` says when some are missing.
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
from app.stream.store import Store
from app.stream.store_batches import Row
from app.stream.transaction import Out

AT_ONCE = 2_000
"""Changes of one batch that are taken in right away; more of them are a backlog."""
PUT_AT_ONCE = 200
"""Changes that are put together: the days to which they are added are then written once."""
SHARE, BURST_SECONDS = 0.1, 0.1
"""Of all time, what taking them in right away may take of the processor's, and how much at once."""
_UNKNOWN = 1 << 63
"""Beyond every offset."""
BUSY_SECONDS = 2.0
"""After a sign of a backlog the reader holds back for so long."""
WORKING_SECONDS = 1.0
"""After any batch it takes less of the time than at rest for so long."""


class Turns:
    """What all partitions of a process share, so that together they take little of its time.

    `used` gives the seconds of processor time that the calling thread has had: on a machine that
    has much to do, the clock also counts what others did meanwhile.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
    ) -> None:
        self.lock = asyncio.Lock()
        self.clock = clock
        self.used = used
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
    `behind` is set while there is something for the reader to read.
    """

    def __init__(self, store: Store, rules: Rules, topics: Mapping[str, str], turns: Turns) -> None:
        """`topics` names the topic of each ladder."""
        self.store = store
        self.topics = topics
        self.turns = turns
        self.positions = rows.positions(store)
        self.level = False
        self.behind = asyncio.Event()
        self.behind.set()
        self.stored = asyncio.Event()
        """All that is committed is in the store, so who a change is about can be looked up."""
        self.stored.set()
        self.swept = False
        self._taken: list[bytes] = []
        """Changes that are not put yet, and up to where they are read from the topics then."""
        self._taken_to: dict[str, int] = {}
        self._ends: dict[str, int] = {}
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
        self._put_taken()
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
            self._leave_to_reader(by_ladder, where)
            return
        began = self.turns.used()
        positions = self._taken_to or dict(self.positions)
        for ladder, outs in by_ladder.items():
            topic = self.topics[ladder]
            if where[topic] < positions.get(topic, 0):
                continue  # the reader was there first
            positions[topic] = where[topic] + len(outs)
            self._taken += [out.value or b"" for out in outs]
        self._taken_to = positions
        if len(self._taken) >= PUT_AT_ONCE:
            self._put_taken()
        self.turns.spend(self.turns.used() - began)

    def _put_taken(self) -> None:
        """Put what was taken in; after a crash it is read from the topics instead."""
        if self._taken:
            self.put([(rows.read_entry(value), value) for value in self._taken], self._taken_to)
            self._taken, self._taken_to = [], {}

    def _leave_to_reader(
        self, by_ladder: Mapping[str, Sequence[Out]], where: Mapping[str, int]
    ) -> None:
        self._put_taken()
        self.level = False
        self.behind.set()
        for ladder, outs in by_ladder.items():
            topic = self.topics[ladder]
            begin = where.get(topic, -1)
            # Where an answer was lost, only the next one tells how far the topic has to be read.
            self._ends[topic] = begin + len(outs) if begin >= 0 else _UNKNOWN

    # What the reader calls.

    def read_to(self, ends: Mapping[str, int]) -> None:
        """Say up to where the topics were written before the partition opened, or since."""
        for topic, end in ends.items():
            self._ends[topic] = max(end, self._ends.get(topic, 0))

    def reached(self, positions: Mapping[str, int]) -> bool:
        """Become level if nothing lies behind these positions, and tell whether it is.

        Nobody else writes to the topics, so that is known without asking Kafka, whose answer may
        be from before the last commit. Without waiting for a lull, which may never come.
        """
        self.level = all(positions[topic] >= end for topic, end in self._ends.items())
        if self.level:
            self.behind.clear()
        return self.level

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
        self._put_taken()
        if gone := rows.of_lives_over(self.store, customer):
            self.store.write(gone, None)

    # What is asked.

    def of(self, slot: Slot) -> tuple[list[bytes], bool]:
        """Return the changes kept of a customer, and whether none is missing."""
        self._put_taken()
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
        self._put_taken()
        figures.days = rows.days_of(self.store, ladder, today - days + 1, today)
        figures.days_complete = self.level
