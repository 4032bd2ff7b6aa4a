"""When a worker looks for cycles of garbage: rarely, and rather in a quiet moment.

A batch makes many containers and hardly a cycle: what it made dies with its last reference. To look
at every 50,000 of them takes a tenth of the time under a backlog, in pauses of 40 to 700 ms.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

THRESHOLD = 1_000_000
"""Containers more than at the last look: a batch has fewer, so that is a backlog that goes on."""
EVERY = 300.0
"""Seconds; what failures leave behind, with their batches and producers, is gone within so long."""


def tune() -> None:
    """Leave alone what was loaded, and look for cycles rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(THRESHOLD, 20, 100)


async def collect(quiet: Callable[[], bool]) -> None:
    """Look every few minutes, if it is quiet then; until cancelled."""
    while True:
        await asyncio.sleep(EVERY)
        if quiet():
            gc.collect(1)
