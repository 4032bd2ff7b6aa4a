"""One round after the other of an open partition: take, fold, commit, store.

Lives as long as the partition stays open; after any failure a new one is made from what was
committed, so nothing in here has to be undone.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from aiokafka.structs import OffsetAndMetadata, TopicPartition

from app.ops import metrics as m
from app.stream import due
from app.stream.batch import Batch
from app.stream.clock import Clock, EventClock, WallClock
from app.stream.cuts import TopSpenders
from app.stream.fetched import Record
from app.stream.history import History
from app.stream.inbox import Inbox
from app.stream.items import Item, customer_of
from app.stream.meta import KEY, Meta, write
from app.stream.offsets import Positions
from app.stream.remembered import note
from app.stream.retries import Retries
from app.stream.seam import Host, Workshop
from app.stream.shown import Shown
from app.stream.slots import Slots
from app.stream.store import Standing, Store
from app.stream.store_batches import LAYOUT, Row
from app.stream.transaction import Out, Writer
from app.wire.record import RecordCodec

DUE_AT_A_TIME = 2_000
"""Customers that something is due for, in one batch."""
DECODED = 2_000
"""Records of each topic that are decoded ahead: an event is several times its bytes."""
FOLDED, CARRIED = 25, 125
"""Events that are folded, and customers read or written, in one go: 2 to 3 ms each."""
_TOUCH = 600 * 1_000_000
_SILENT = 6 * 3_600 * 1_000_000
"""After so long the partition's own row is written though nothing has happened. A broker compacts
only segments that ended, and ends one only when something is written: in a partition that is silent
for good, the record of somebody who was erased would stay in the changelog for good."""
Entries = Sequence[tuple[int, bytes]]
"""Instants and customers of the index of what is due."""
T = TypeVar("T")


class Rounds:
    """The work of an open partition. `size` and `first` tell of the batch under way."""

    def __init__(
        self,
        number: int,
        workshop: Workshop,
        host: Host,
        codec: RecordCodec,
        inbox: Inbox,
        retries: Retries,
        *,
        writer: Writer,
        store: Store,
        standing: Standing,
        meta: Meta,
        positions: Positions,
        history: History,
    ) -> None:
        self.positions = positions
        self.size = 0
        self.first: Record | None = None
        self._number = number
        self._shop = workshop
        self._host = host
        self._codec = codec
        self._inbox = inbox
        self._retries = retries
        self._writer = writer
        self._store = store
        self._standing = standing
        self._meta = meta
        self._history = history
        self.clock: Clock = (EventClock if workshop.event_clock else WallClock)(meta.clock)
        self.tops = TopSpenders(workshop.rules, meta, number)
        self._slots = Slots(workshop.rules, codec, store.get)
        self._due_from = b""
        self._note = note(workshop.remembered)
        self._trail = workshop.trail()
        self._shown = Shown(number, workshop)
        self._committed: Positions = {}
        self._passed: Positions = {}
        self._under_way = False
        self._said_at = workshop.now()
        self._changelog = TopicPartition(workshop.changelog, number)
        self._shown.customers(meta.customers)

    @property
    def stands_at(self) -> int:
        """Where in the changelog the store stands."""
        return self._standing.offset

    def pass_markers(self, tp: TopicPartition) -> None:
        """Take notice that only transaction markers are behind what was taken of a topic."""
        position = self._host.position_of(tp)
        if position is None:
            return
        self._passed[tp] = position
        if not self._under_way:
            self._go_on()

    @property
    def customers(self) -> Mapping[str, Mapping[str, int]]:
        """How many stand on each rung of each ladder."""
        return self._meta.customers

    def _go_on(self) -> None:
        """Pass the markers: what was taken before them is committed."""
        for tp, at in self._passed.items():
            self.positions[tp] = max(self.positions[tp], at)
        self._passed.clear()

    async def one(self) -> bool:
        """Do what there is to do; tells whether there was anything."""
        async with self._shop.piece:
            now = self._shop.now()
            batch, entries, items, until = self._begin(now)
        await self._in_pieces(_customers_of(entries, items), CARRIED, self._slots.prepare)
        await self._in_pieces(entries, FOLDED, lambda some: self._look(batch, some, until))
        await self._in_pieces(items, FOLDED, lambda some: self._fold(batch, some))
        worked = await self._finish(batch, items, now)
        self._shop.metrics.count(m.DUE_EVALUATED, len(entries))
        self._under_way = False
        self._shown.behind(self.clock)
        self._go_on()
        return worked or bool(entries) or self.tops.rebuilding

    def _begin(self, now: int) -> tuple[Batch, Entries, list[Item], int]:
        """Take what there is to do: due customers with the instant up to which, and records."""
        if self.tops.rebuilding:
            self.tops.rebuild(self._store, self._codec)
        limit = self._retries.limit
        self._inbox.fill(min(limit, DECODED))
        quiet = self._inbox.quiet()
        until = self.clock.due_until(now, self._inbox.oldest(), quiet)
        entries = [] if until is None else self._due(until, min(limit, DUE_AT_A_TIME))
        items = self._inbox.take(limit)
        self._under_way = True
        self.size, self.first = len(items), items[0].record if items else None
        batch = self._batch(now)
        batch.pass_boundaries(self.clock.position)
        return batch, entries, items, until or 0

    def _due(self, until: int, limit: int) -> Entries:
        """Return the first entries of the index up to an instant; what lies before is done."""
        first, end = due.between(0, until)
        rows = self._store.scan(max(self._due_from, first), end, limit)
        if len(rows) < limit:
            self._due_from = end
            self.clock.done(until)
        else:
            self._due_from = rows[-1][0]
        return [due.split(key) for key, _ in rows]

    async def _in_pieces(
        self, things: Sequence[T], size: int, work: Callable[[Sequence[T]], None]
    ) -> None:
        """Work on some at a time; between any two, other partitions and sockets have their turn."""
        for first in range(0, len(things), size):
            await asyncio.sleep(0)
            async with self._shop.piece:
                work(things[first : first + size])

    def _look(self, batch: Batch, entries: Entries, until: int) -> None:
        for instant, customer in entries:
            batch.look(instant, customer.decode(), until)
        batch.said.take(batch.out.changes)

    def _fold(self, batch: Batch, items: Sequence[Item]) -> None:
        for item in items:
            if item.record.headers:
                self._take_traced(batch, item)
            else:
                batch.take(item)
        batch.said.take(batch.out.changes)

    def _take_traced(self, batch: Batch, item: Item) -> None:
        """Let the trace of an event go on in the changes that it causes, if it has one."""
        changes = batch.out.changes
        if changes:
            batch.said.take(changes)
        batch.take(item)
        if changes and (traced := self._trail.continued(item.record)):
            batch.said.take_traced(changes, traced)

    async def _finish(self, batch: Batch, items: Sequence[Item], now: int) -> bool:
        """Commit what came of a batch, if anything did, and store it."""
        rows: list[Row] = []
        await self._in_pieces(
            self._slots.touched(),
            CARRIED,
            lambda some: self._slots.settle(some, rows, batch.local),
        )
        local = due.put_first(batch.local)
        batch.said.take(batch.out.changes)
        moves = batch.said.moves
        silent = now - self._said_at > _SILENT
        said = bool(items or rows or batch.turned or moves or silent)
        if said:
            self._said_at = now
            self._meta.count(moves)
            await self._commit(batch, rows, local)
            self._shown.committed(batch, items)
            self._shown.worked(self._inbox, self._slots)
            if moves:
                self._shown.customers(self._meta.customers)
        elif local or now - self._standing.written_at > _TOUCH:
            self._store_rows(local, self._standing.offset)
        self._slots.keep()
        return said

    async def _commit(self, batch: Batch, rows: list[Row], local: list[Row]) -> None:
        shop, meta = self._shop, self._meta
        positions = {**self.positions, **self._inbox.positions(batch.offsets)}
        meta.remembered, meta.clock = shop.remembered, self.clock.position
        meta.positions = {tp.topic: at for tp, at in positions.items()}
        rows.append((KEY, write(meta)))
        with self._history.committing():
            began = time.monotonic()
            end = await self._writer.commit(
                self._outgoing(batch),
                self._changelog,
                [Out(key, value) for key, value in rows],
                self._offsets(positions),
                shop.group,
            )
            shop.metrics.observe(m.TRANSACTION_TIME, time.monotonic() - began)
            await shop.faults.reach("after-commit-before-store")
            self._store_rows(rows + local, self._standing.offset if end is None else end)
            self._history.take(batch.said.by_ladder, self._writer.begins, self._slots.erased)
        await shop.faults.reach("after-store")
        # Before the positions, from which the lag is seen: lag 0 and 0 behind mean all is done.
        self._shown.behind(self.clock)
        self.positions.update(positions)
        self._committed = positions
        self._trail.committed()
        self._retries.succeeded()

    def _offsets(self, positions: Positions) -> dict[TopicPartition, OffsetAndMetadata]:
        """Return what to commit: what is not committed yet; so the first time all topics.

        Else records that came and were deleted while nobody was there would be skipped silently,
        and a topic that ends in markers would seem to have lost records once they are deleted.
        """
        return {
            tp: OffsetAndMetadata(at, self._note)
            for tp, at in positions.items()
            if self._committed.get(tp) != at
        }

    def _outgoing(self, batch: Batch) -> dict[TopicPartition, list[Out]]:
        shop, number = self._shop, self._number
        outgoing = {
            TopicPartition(f"{shop.changes_prefix}.{ladder}", number): changes
            for ladder, changes in batch.said.by_ladder.items()
        }
        for there, letters in batch.letters.items():
            outgoing[TopicPartition(shop.dead_letters, there)] = letters
        for there, handovers in batch.handovers.items():
            outgoing[TopicPartition(shop.handovers, there)] = handovers
        return outgoing

    def _store_rows(self, rows: list[Row], offset: int) -> None:
        standing = Standing(
            LAYOUT,
            self._changelog.topic,
            self._number,
            self._shop.partitions,
            offset,
            self._shop.now(),
        )
        self._store.write(rows, standing)
        self._standing = standing
        entries = (key for key, value in rows if value == b"" and due.is_entry(key))
        self._due_from = min((self._due_from, *entries))

    def arrived(self) -> int | None:
        """Return when the oldest record not yet committed was written to its topic, in ms.

        Of those that were fetched; None if there is none.
        """
        waits = self._inbox.arrived()
        if not self._under_way or self.first is None:
            return waits
        first: int = self.first.timestamp
        return first if waits is None else min(first, waits)

    def due_waiting(self, limit: int) -> int:
        """Count the entries of the index that wait to be looked at, up to a limit."""
        if not self.clock.behind():
            return 0
        first, end = due.between(0, self.clock.position)
        return len(self._store.scan(max(self._due_from, first), end, limit))

    def _batch(self, now: int) -> Batch:
        return Batch(
            self._shop.rules,
            self._codec,
            self._slots,
            self.clock,
            self.tops,
            group=self._shop.group,
            number=self._number,
            partitions=self._shop.partitions,
            now=now,
            judged=not self._shop.event_clock,
        )


def _customers_of(entries: Entries, items: Iterable[Item]) -> list[str]:
    """Return everybody concerned, once."""
    found = dict.fromkeys(customer.decode() for _, customer in entries)
    found.update((customer, None) for item in items if (customer := customer_of(item.what)))
    return list(found)
