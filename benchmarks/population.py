"""Customers by the million, as the worker would have stored them: in the changelog, or on the disk.

A few thousand live through made-up events; their rows then stand for everybody's. Ids are those of
`Crowd(customers, ...)`, so its events meet them; number its events from `FIRST_FREE` on, or some
would be taken for repeats.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.core.apply import Outbox, advance, fold, next_due
from app.core.customer import Customer, Slot
from app.core.due import NoCuts
from app.core.events import Event
from app.core.instants import DAY, Calendar
from app.core.ladder import Ladder
from app.core.money import Rates
from app.core.rules import Rules
from app.settings import Settings
from app.stream import meta
from app.stream.changelog import CHUNK, Rows
from app.stream.keys import partition_of
from app.stream.remembered import encode, remember
from app.stream.shared import Shared
from app.stream.store import Standing, Store
from app.stream.store_batches import LAYOUT
from app.wire.cloudevents import decode
from app.wire.definition import read_folder
from app.wire.record import HOT, RecordCodec
from benchmarks.case import CUSTOMERS_PER_EVENT
from benchmarks.made_up import MIXED, Crowd, customer_id

TEMPLATES = 5_000
"""Customers who live through events; of more, each has the record of one of these."""
FIRST_FREE = 500_000_000
"""The number of the first event that none of them can have had."""
HISTORY_DAYS = 60
_SETTLED = ("profile.merged", "profile.erased", "profile.placed")


class Population:
    """So many customers under these ladders; nothing of the time up to `until` (µs) is due."""

    def __init__(self, customers: int, until: int, ladders: Sequence[Ladder] | None = None) -> None:
        self.customers = customers
        self.ladders = ladders or read_folder()
        self._until = until
        self._templates = self._lived(min(customers, TEMPLATES))

    def rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Give each customer's id and hot row, in the order of the ids."""
        templates = self._templates
        for number in range(self.customers):
            yield customer_id(number).encode(), templates[number % len(templates)]

    @property
    def bytes_a_record(self) -> float:
        return sum(map(len, self._templates)) / len(self._templates)

    def meta(self, settings: Settings) -> bytes:
        """Write the row that each partition keeps beside its customers, under meta.KEY."""
        made_under = remember(
            settings.timezone,
            settings.currency,
            settings.partitions,
            settings.topics,
            self.ladders,
        )
        return meta.write(
            meta.Meta(remembered=encode(made_under), customers=self._standing(settings.partitions))
        )

    def _standing(self, partitions: int) -> dict[str, dict[str, int]]:
        """Count who stands where, in a partition that is like all others."""
        each = self.customers / len(self._templates) / partitions
        codec = RecordCodec(list(self.ladders))
        found: dict[str, Counter[str]] = {ladder.id: Counter() for ladder in self.ladders}
        for row in self._templates:
            record = codec.decode(row)
            assert isinstance(record, Customer)
            for ladder, place in zip(self.ladders, record.rungs, strict=True):
                if place:
                    found[ladder.id][ladder.rungs[place - 1].id] += 1
        return {
            ladder: {rung: round(count * each) for rung, count in rungs.items()}
            for ladder, rungs in found.items()
        }

    def _lived(self, customers: int) -> list[bytes]:
        rules = Rules(list(self.ladders), Calendar("UTC"), Rates.only("VND"))
        codec = RecordCodec(list(self.ladders))
        slots: dict[str, Slot] = {}
        crowd = Crowd(customers, {k: v for k, v in MIXED.items() if k not in _SETTLED})
        begin = self._until - HISTORY_DAYS * DAY
        for made in crowd.stream(int(customers / CUSTOMERS_PER_EVENT), begin, self._until):
            event = decode(made.value, made.key)
            assert isinstance(event, Event)
            slot = slots.setdefault(event.subject, Slot(event.subject))
            fold(rules, slot, event, NoCuts(), Outbox())
        return [self._row(rules, codec, slot) for slot in slots.values()]

    def _row(self, rules: Rules, codec: RecordCodec, slot: Slot) -> bytes:
        advance(rules, slot, self._until, NoCuts(), Outbox())
        next_due(rules, slot)
        assert isinstance(slot.record, Customer)
        return codec.encode(slot.record)


def fill_stores(population: Population, settings: Settings, folder: Path) -> None:
    """Make the stores of all partitions as closed ones, in the order of their numbers.

    `stand` says whose they are before they are used. Takes about 15 s a million.
    """
    shared = Shared()
    nowhere = Standing(LAYOUT, "", -1, settings.partitions, 0, 0)
    stores = [
        Store(folder / str(number), shared, filling=True) for number in range(settings.partitions)
    ]
    waiting: list[Rows] = [{meta.KEY: population.meta(settings)} for _ in stores]
    try:
        for customer, value in population.rows():
            number = partition_of(customer, settings.partitions)
            waiting[number][HOT + customer] = value
            if len(waiting[number]) == CHUNK:
                stores[number].fill(waiting[number], nowhere)
                waiting[number] = {}
        for store, rows in zip(stores, waiting, strict=True):
            store.fill(rows, nowhere)
            store.filled()
            store._db.compact_range(None, None)
    finally:
        for store in stores:
            store.close()


def stand(settings: Settings, folder: Path, offset: int = 0) -> None:
    """Say of stores that they are those of these settings, and hold the changelog up to an offset.

    0 is right for a changelog with nothing in it.
    """
    shared = Shared()
    for number in range(settings.partitions):
        store = Store(folder / str(number), shared)
        try:
            ours = (settings.changelog, number, settings.partitions)
            store.write((), Standing(LAYOUT, *ours, offset, time.time_ns() // 1000))
        finally:
            store.close()


def linked(source: Path, target: Path) -> None:
    """Copy closed stores: what RocksDB never changes is linked, so that it takes no time."""

    def copy(one: str, other: str) -> None:
        if one.endswith(".sst"):
            os.link(one, other)
        else:
            shutil.copy2(one, other)

    shutil.copytree(source, target, copy_function=copy)
