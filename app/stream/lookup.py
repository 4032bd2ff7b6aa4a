"""What the API is told of this worker's partitions: always as of the last commit.

Implements `app.api.ports.Local` and `Group`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from app.api.ports import Elsewhere, Figures, NotReady, Stands, Stood, Told, Unreadable
from app.core.customer import Moved, Slot
from app.core.explain import describe
from app.core.rules import Rules
from app.stream.keys import partition_of
from app.stream.store import StoreBroken
from app.wire.record import HOT

LONGEST_CHAIN = 16
"""Merges that are followed from one id; the rules shorten chains themselves."""
SLICE = 200
"""Rows that are read in one go, before others have a turn: less than a millisecond."""
LOOKED_AT = 20_000
"""Rows that are looked at for one page of one partition, at most."""


class Lookup:
    """`local` gives the partition of a number or None, `all_local` all of this worker."""

    def __init__(
        self,
        rules: Rules,
        partitions: int,
        local: Callable[[], Mapping[int, Any]],
    ) -> None:
        self._rules = rules
        self._partitions = partitions
        self._local = local

    def view(self, customer: str) -> dict[str, object] | None:
        found = self._survivor(customer)
        if found is None:
            return None
        partition, slot = found
        return describe(self._rules, slot, customer, partition.clock(), partition.cutter)

    def history(self, customer: str) -> Told | None:
        found = self._survivor(customer)
        if found is None:
            return None
        partition, slot = found
        changes, complete = partition.hold.history.of(slot)
        names = tuple(ladder.id for ladder in self._rules.ladders)
        return Told(slot.id, complete, changes, names)

    def figures(self, ladder: str | None, days: int) -> list[Figures]:
        told = []
        for number, partition in sorted(self._local().items()):
            if partition.state != "ready":
                continue
            hold, clock = partition.hold, partition.clock()
            figures = Figures(number, clock, hold.rounds.customers)
            if ladder is not None:
                hold.history.add_days(figures, ladder, self._rules.calendar.today(clock), days)
                figures.census = hold.census.of(ladder)
            told.append(figures)
        return told

    async def stood(
        self, partition: int, ladder: str, rung: str, after: bytes, limit: int
    ) -> Stood:
        index = self._rules.by_id[ladder]
        rungs = self._rules.ladders[index].rungs
        place = next(number for number, each in enumerate(rungs, 1) if each.id == rung)
        found: list[Stands] = []
        for _ in range(LOOKED_AT // SLICE):
            hold = self._ready(partition).hold
            rows = hold.store.scan(after or HOT, bytes([HOT[0] + 1]), SLICE)
            for key, row in rows:
                head = hold.codec.head(row)
                if head is not None and head.rungs[index] == place:
                    since, sequence = head.since[index], head.sequences[index]
                    found.append(Stands(key[1:].decode(), since, sequence))
                    if len(found) == limit:
                        return Stood(found, key + b"\x00")
            if len(rows) < SLICE:
                return Stood(found, None)
            after = rows[-1][0] + b"\x00"
            await asyncio.sleep(0)
        return Stood(found, after)

    def _survivor(self, customer: str) -> tuple[Any, Slot] | None:
        """Return the record that an id leads to, and its partition; None if there is none."""
        at = customer
        for _ in range(LONGEST_CHAIN):
            partition, slot = self._find(at)
            if slot is None or slot.record is None:
                return None
            if not isinstance(slot.record, Moved):
                return partition, slot
            at = slot.record.into
        return None

    def _find(self, customer: str) -> tuple[Any, Slot | None]:
        number = partition_of(customer.encode(), self._partitions)
        try:
            partition = self._ready(number)
        except Elsewhere:
            raise Elsewhere(number, customer) from None
        try:
            return partition, partition.slot(customer)
        except (ValueError, StoreBroken) as error:
            raise Unreadable(f"partition {number}: {type(error).__name__}") from error

    def _ready(self, number: int) -> Any:
        partition = self._local().get(number)
        if partition is None:
            raise Elsewhere(number)
        if partition.state != "ready":
            raise NotReady(number)
        return partition


class Owners:
    """Who has which partition: Faust's assignor tells every worker at each assignment."""

    def __init__(self, app: Any, changelog: str, partitions: int, own_url: str) -> None:
        self._app = app
        self._changelog = changelog
        self.partitions = partitions
        self.own_url = own_url.rstrip("/")

    def owners(self) -> Mapping[int, str]:
        urls: dict[Any, str] = self._app.assignor._tps_url
        return {
            tp.partition: url.rstrip("/")
            for tp, url in list(urls.items())
            if tp.topic == self._changelog
        }
