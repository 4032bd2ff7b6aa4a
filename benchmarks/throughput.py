"""How fast `ladder worker` takes in a backlog, exactly once, on the cores that the broker uses too.

The clock is the wall clock, as in production: a backlog is judged in its own time.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar

from app.core.instants import DAY
from benchmarks.case import CUSTOMERS_PER_EVENT, Case
from benchmarks.child import said
from benchmarks.curve import follow
from benchmarks.figures import Round
from benchmarks.made_up import MIXED, PURCHASES, Crowd
from benchmarks.shop import ROOT, Shop

DAYS = 60
"""What the backlog spans, up to now: windows of 30 days end in it, and 60 top-spender cuts."""


class Backlog(Case):
    """Events in the six input topics before the worker starts, and an empty store."""

    shares: ClassVar[dict[str, float]] = MIXED
    only_ladder: ClassVar[str] = ""

    @property
    def events(self) -> int:
        return self.sizes.mixed

    async def prepare(self) -> None:
        shop = self.shop(self.name)
        await shop.create()
        crowd = Crowd(int(self.events * CUSTOMERS_PER_EVENT), self.shares)
        now = time.time_ns() // 1000
        await shop.fill(crowd.stream(self.events, now - DAYS * DAY, now))

    async def measure(self, number: int) -> Round:
        shop = self.shop(f"{self.name}-{number}")
        await shop.create()
        with shop.worker() as worker:
            curve = await follow(shop.client, worker, shop.name, shop.settings.topics, self.events)
            await shop.counted(self.events)
            refused = shop.metric("ladder_dead_letters_total")
            changes = shop.metric("ladder_stage_changes_total")
            batches = shop.metric("ladder_batch_records_count")
        await shop.delete()
        if refused:
            raise ValueError(f"{refused:.0f} events were refused, {said(worker.log)}")
        return {
            **curve.figures(),
            "stage changes per event": changes / self.events,
            "events per transaction": self.events / batches,
        }

    def shop(self, name: str) -> Shop:
        return Shop(
            self.place.bootstrap,
            self.place.folder,
            name,
            inputs=self.name,
            ladders=only(self.place.folder, self.only_ladder) if self.only_ladder else None,
        )


class Mixed(Backlog):
    """Ten ladders, everything that can happen."""

    name = "mixed"
    what = "ten ladders, mixed events"
    wanted: ClassVar[dict[str, str]] = {"events/s": "≥ 30,000 (aim: 45,000)"}


class OnlyPurchases(Backlog):
    """What the peers do, too."""

    name = "purchases"
    what = "only raving-fan, purchases"
    wanted: ClassVar[dict[str, str]] = {"events/s": "≥ 35,000"}
    shares = PURCHASES
    only_ladder = "raving-fan"

    @property
    def events(self) -> int:
        return self.sizes.purchases


def only(folder: Path, ladder: str) -> Path:
    """Make a folder with one of the built-in ladders in it."""
    there = folder / f"only-{ladder}"
    there.mkdir(exist_ok=True)
    name = f"{ladder}.yaml"
    (there / name).write_bytes((ROOT / "app" / "ladders" / name).read_bytes())
    return there
