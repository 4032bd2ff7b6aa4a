"""How fast a worker with nothing on its disk takes customers over from the changelog."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from app.core.apply import Outbox, fold, next_due
from app.core.customer import Slot
from app.core.due import NoCuts
from app.core.events import Event
from app.core.instants import DAY, Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.wire.cloudevents import decode
from app.wire.definition import read_folder
from app.wire.record import HOT, RecordCodec, Row
from benchmarks.case import CUSTOMERS_PER_EVENT, Case
from benchmarks.figures import Round
from benchmarks.latency import READY, ready
from benchmarks.made_up import MIXED, Crowd
from benchmarks.shop import Shop, append, home
from benchmarks.throughput import DAYS

COPIES = 10
"""Each customer that the rules have made goes in under so many ids."""
_SETTLED = ("profile.merged", "profile.erased", "profile.placed")


class Restore(Case):
    """Records as mixed events leave them; the time is from assignment to ready, of all partitions.

    Each round restores the same changelog, as another application would, into an empty folder.
    """

    name = "restore"
    what = "restore into an empty store"
    wanted: ClassVar[dict[str, str]] = {"customers/s": "≥ 150,000"}

    async def prepare(self) -> None:
        self._rows = list(_rows(self.sizes.restored_customers // COPIES))

    async def measure(self, number: int) -> Round:
        shop = Shop(self.place.bootstrap, self.place.folder, f"{self.name}-{number}")
        await shop.create()
        topic = shop.settings.changelog
        written = (
            (home(topic, customer), HOT + customer, value)
            for copy in range(COPIES)
            for customer, value in ((b"%d" % copy + key, value) for key, value in self._rows)
        )
        await append(shop.client, written)
        with shop.worker() as worker:
            await ready(shop, worker)
            usage = worker.usage()
            customers = shop.metric("ladder_restored_records_total")
            took = await _between(shop, "partitions assigned", "partitions ready")
        await shop.delete()
        size = sum(len(value) for _, value in self._rows) / len(self._rows)
        return {
            "customers/s": customers / took,
            "customers": customers,
            "bytes a record": size,
            "RSS MB": usage.rss / 1e6,
        }


def _rows(customers: int) -> Iterator[tuple[bytes, bytes]]:
    """Give ids and hot rows of customers to whom mixed events have happened."""
    ladders = read_folder()
    rules = Rules(ladders, Calendar("UTC"), Rates.only("VND"))
    codec = RecordCodec(ladders)
    slots: dict[str, Slot] = {}
    now = time.time_ns() // 1000
    shares = {kind: share for kind, share in MIXED.items() if kind not in _SETTLED}
    crowd = Crowd(customers, shares)
    for made in crowd.stream(int(customers / CUSTOMERS_PER_EVENT), now - DAYS * DAY, now):
        event = decode(made.value, made.key)
        assert isinstance(event, Event)
        slot = slots.setdefault(event.subject, Slot(event.subject))
        fold(rules, slot, event, NoCuts(), Outbox())
    for slot in slots.values():
        next_due(rules, slot)
        rows: list[Row] = codec.changed_rows(slot)
        for key, value in rows:
            if key[:1] == HOT and value is not None:
                yield key[1:], value


async def _between(shop: Shop, begin: str, end: str) -> float:
    """Seconds between the last lines of these in the log of a worker that runs.

    It says a moment before it logs that it is ready, so the line is waited for.
    """
    deadline = time.monotonic() + READY
    while True:
        times = {line["event"]: datetime.fromisoformat(line["time"]) for line in shop.log()}
        if missing := {begin, end} - times.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the worker never logged {', '.join(sorted(missing))}")
            await asyncio.sleep(0.1)
            continue
        return (times[end] - times[begin]).total_seconds()
