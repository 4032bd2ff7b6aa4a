"""How much memory workers hold, and whether it grows."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import linear_regression

import psutil

from tests.faults.fleet import Fleet

EVERY = 5.0
WARM = 120.0
"""Seconds of a worker's life that say nothing about growth: caches fill."""
ENOUGH = 20

Seen = tuple[float, float]
"""Seconds, MiB."""


class Memory:
    """Resident set sizes by process, looked at every few seconds."""

    def __init__(self) -> None:
        self._seen: dict[int, list[Seen]] = defaultdict(list)

    @asynccontextmanager
    async def watching(self, fleet: Fleet) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch(fleet))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _watch(self, fleet: Fleet) -> None:
        while True:
            for member in fleet.running:
                with contextlib.suppress(psutil.Error):
                    held = psutil.Process(member.process.pid).memory_info().rss / 2**20
                    self._seen[member.process.pid].append((time.monotonic(), held))
            await asyncio.sleep(EVERY)

    def report(self) -> list[str]:
        """A line for each worker that lived long enough for a slope."""
        lines = []
        for number, seen in self._seen.items():
            grown = [one for one in seen if one[0] >= seen[0][0] + WARM]
            if len(grown) >= ENOUGH:
                lines.append(
                    f"worker process {number}: {max(held for _, held in seen):.0f} MiB at most, "
                    f"{slope(grown):+.1f} MiB per hour over {grown[-1][0] - grown[0][0]:.0f} s, "
                    f"{slope(grown[len(grown) // 2 :]):+.1f} in the second half"
                )
        return lines


def slope(seen: Sequence[Seen]) -> float:
    """MiB per hour, by least squares."""
    return 3600 * linear_regression([at for at, _ in seen], [held for _, held in seen]).slope
