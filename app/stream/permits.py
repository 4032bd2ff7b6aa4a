"""How many partitions are at work at a time, so that quiet ones batch by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

OPEN = 3
"""More transactions at a time only wait for each other's turns in the one loop."""
PATIENCE = 3.0
"""Seconds after which one no longer counts: it waits for a broker, and others need not."""


class Permits:
    """Lets so many in at a time, in the order in which they came."""

    def __init__(self, number: int = OPEN, patience: float = PATIENCE) -> None:
        self._free = asyncio.Semaphore(number)
        self._patience = patience

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a permit while the context lasts, but not for longer than the patience."""
        await self._free.acquire()
        given_back = False

        def give_back() -> None:
            nonlocal given_back
            if not given_back:
                given_back = True
                self._free.release()

        timer = asyncio.get_running_loop().call_later(self._patience, give_back)
        try:
            yield
        finally:
            timer.cancel()
            give_back()
