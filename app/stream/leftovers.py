"""Stores that nobody here uses any more are deleted: they would keep who is erased from now on.

Not at once, for a partition often comes back soon, and then has little to read.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from app.stream.store import aside_of, remove

log = structlog.get_logger(__name__)

LOOK_SECONDS = 60.0
KEPT_SECONDS = 3_600.0


class Leftovers:
    """Looks once a minute. `used` gives the partitions whose stores are needed or being closed;
    None while that is not settled.
    """

    def __init__(
        self,
        folder: Path,
        used: Callable[[], Collection[int] | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._used = used
        self._clock = clock
        self._unused: dict[int, float] = {}

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        used = self._used()
        if used is None:
            return
        now = self._clock()
        stores = {int(each.name) for each in self._folder.iterdir() if each.name.isdigit()}
        self._unused = {n: self._unused.get(n, now) for n in stores - set(used)}
        for number, since in self._unused.items():
            if now - since >= KEPT_SECONDS:
                path = self._folder / str(number)
                remove(path)
                remove(aside_of(path))
                log.info(
                    "store of a partition that left was deleted",
                    action="store-deleted",
                    partition=number,
                )
