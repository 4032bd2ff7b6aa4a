"""The same work by others, in the same run: CloudEvents in, three facts a customer, a change out.

Their backlogs are smaller, with as many events for each customer: they would take minutes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from typing import ClassVar

from app.core.instants import DAY
from benchmarks.case import CUSTOMERS_PER_EVENT, Case
from benchmarks.child import Child
from benchmarks.curve import follow
from benchmarks.figures import Round
from benchmarks.made_up import PURCHASES, Crowd
from benchmarks.shop import ROOT, append, delete_topics, home, new_topics, read
from benchmarks.throughput import DAYS

SETTLED = 30.0
"""Seconds to wait for the last stage changes when the offsets are committed already."""
RUNGS = 2
"""Shopper at the first purchase, customer at the second: what raving-fan makes of purchases."""


class Peer(Case):
    """A program that is given broker, name, folder, topic in, topic out."""

    program: ClassVar[str]
    more: ClassVar[tuple[str, ...]] = ()
    exact: ClassVar[bool]

    @property
    def events(self) -> int:
        raise NotImplementedError

    async def prepare(self) -> None:
        now = time.time_ns() // 1000
        self._client = {"bootstrap_servers": self.place.bootstrap}
        self._topic = f"{self.name}.purchases"
        crowd = Crowd(int(self.events * CUSTOMERS_PER_EVENT), PURCHASES)
        made = list(crowd.stream(self.events, now - DAYS * DAY, now))
        bought = Counter(each.key for each in made)
        self._changes = sum(min(count, RUNGS) for count in bought.values())
        await new_topics(self._client, [self._topic])
        await append(self._client, ((home(self._topic, each.key), *each[1:]) for each in made))

    async def measure(self, number: int) -> Round:
        name = f"{self.name}-{number}"
        folder = self.place.folder / name
        folder.mkdir()
        out = f"{name}.changes"
        await new_topics(self._client, [out])
        given = (self.place.bootstrap, name, str(folder), self._topic, out)
        child = Child(
            name,
            [sys.executable, "-m", self.program, *given, *self.more],
            folder / "log",
            {"PYTHONPATH": str(ROOT)},
        )
        with child:
            curve = await follow(self._client, child, name, [self._topic], self.events)
            changes = await self._published(out)
        await delete_topics(self._client, name)
        if self.exact and changes != self._changes:
            raise ValueError(f"{name}: {changes} changes where {self._changes} are right")
        return {
            **curve.figures(),
            "stage changes per event": changes / self.events,
            "stage changes too many or too few": abs(changes - self._changes),
        }

    async def _published(self, topic: str) -> int:
        """Count the changes once they are as many as are right, or no more come.

        The last transaction's markers reach the outputs after the offsets, on a busy machine late.
        """
        deadline = time.monotonic() + SETTLED
        while (found := len(await read(self._client, topic))) < self._changes:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.5)
        return found


class Faust(Peer):
    """What the worker's host does by itself."""

    name = "faust"
    what = "stock Faust agent with a RocksDB table, not exactly once"
    wanted: ClassVar[dict[str, str]] = {"the worker is times as fast": "≥ 30"}
    program = "benchmarks.peer_faust"
    more = ("worker", "-l", "warn", "--without-web")
    exact = False

    @property
    def events(self) -> int:
        return self.sizes.faust


class Quix(Peer):
    """The other stream processor for Python with transactions."""

    name = "quix"
    what = "Quix Streams, exactly once"
    wanted: ClassVar[dict[str, str]] = {"the worker is times as fast": "≥ 3"}
    program = "benchmarks.peer_quix"
    exact = True

    @property
    def events(self) -> int:
        return self.sizes.quix
