"""Counts the customers of a partition one by one, when somebody asks what they are worth.

What would cost the stream something with every event (revenue by rung, how long people stand
there) costs nothing until then. It takes its time, and a finished count serves for some minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from app.api.dwell import bucket
from app.api.ports import Census, Standing
from app.core.customer import Customer
from app.core.instants import SECOND
from app.core.rules import Rules
from app.stream.history import Turns
from app.stream.store import Store, StoreBroken, StoreClosed
from app.wire.record import HOT, RecordCodec

SLICE = 100
"""Records that are decoded in one go."""
AT_REST, IN_A_HURRY = 3.0, 60.0
"""How many times as long as it worked it sleeps."""
FRESH_SECONDS = 300.0
"""For so long a finished count is good enough."""
_PAST = bytes([HOT[0] + 1])


class CensusTaker:
    """The count of an open partition. `clock` gives its instant; `close` before the store is."""

    def __init__(
        self,
        store: Store,
        codec: RecordCodec,
        rules: Rules,
        clock: Callable[[], int],
        turns: Turns,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._codec = codec
        self._rules = rules
        self._clock = clock
        self._turns = turns
        self._now = now
        self._done: dict[str, Census] = {}
        self._done_at = 0.0
        self._counting: asyncio.Task[None] | None = None

    def of(self, ladder: str) -> Census | None:
        """Return the last count, None before the first; an old or missing one is begun anew."""
        old = not self._done or self._now() - self._done_at > FRESH_SECONDS
        if old and (self._counting is None or self._counting.done()):
            self._counting = asyncio.create_task(self._count())
        return self._done.get(ladder)

    async def close(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.wait([self._counting])

    async def _count(self) -> None:
        as_of = self._clock()
        found: list[dict[str, Standing]] = [{} for _ in self._rules.ladders]
        after = HOT
        try:
            while after:
                async with self._turns.lock:
                    began = time.monotonic()
                    after = self._slice(after, as_of, found)
                    took = time.monotonic() - began
                    await asyncio.sleep(took * (IN_A_HURRY if self._turns.busy() else AT_REST))
        except (StoreBroken, StoreClosed):
            return  # the partition finds out by itself
        self._done_at = self._now()
        self._done = {
            ladder.id: Census(as_of, rungs)
            for ladder, rungs in zip(self._rules.ladders, found, strict=True)
        }

    def _slice(self, after: bytes, as_of: int, found: list[dict[str, Standing]]) -> bytes:
        """Count some records; the key after which to go on, empty at the end."""
        rows = self._store.scan(after, _PAST, SLICE)
        for _, row in rows:
            c = self._codec.decode(row)
            if isinstance(c, Customer):
                self._add(c, as_of, found)
        return rows[-1][0] + b"\x00" if len(rows) == SLICE else b""

    def _add(self, c: Customer, as_of: int, found: list[dict[str, Standing]]) -> None:
        spend = c.bought.total(1)
        for index, ladder in enumerate(self._rules.ladders):
            if place := c.rungs[index]:
                standing = found[index].setdefault(ladder.rungs[place - 1].id, Standing(0, 0, {}))
                standing.customers += 1
                standing.spend += spend
                number = bucket((as_of - c.since[index]) // SECOND)
                standing.held[number] = standing.held.get(number, 0) + 1
