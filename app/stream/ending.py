"""How a worker ends: asked by a signal, or stopped by an error; within a time either way."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable
from typing import TypeVar

import structlog

from app.ops import last_words

log = structlog.get_logger(__name__)

T = TypeVar("T")
DEADLINE_SECONDS = 10.0
"""From the first sign of the end. Whatever is not committed by then is done again by others."""


class Ended(Exception):
    """The worker was asked to stop while something was waited for."""


class Ending:
    """Set once. `error` is None when the worker was asked to end, else what stopped it."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._event = asyncio.Event()
        self._deadline = threading.Timer(DEADLINE_SECONDS, _give_up)
        self._deadline.daemon = True

    def on_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked, number)

    def stop(self, error: BaseException) -> None:
        """Something went wrong for good. The first error is the one that is shown."""
        self._end(error)

    def _asked(self, number: int) -> None:
        log.info("asked to stop", action="stop-asked", signal=signal.Signals(number).name)
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        if not self._event.is_set():
            self.error = error
            self._event.set()
            self._deadline.start()

    async def wait(self) -> None:
        await self._event.wait()

    def over(self) -> None:
        """It ended in time."""
        self._deadline.cancel()

    async def unless(self, work: Awaitable[T]) -> T:
        """The result of the work. Raises Ended, and cancels the work, when the end comes first."""
        task = asyncio.ensure_future(work)
        end = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait([task, end], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise Ended
            return task.result()
        finally:
            for each in (task, end):
                if not each.done():
                    each.cancel()
            await asyncio.gather(task, end, return_exceptions=True)


def _give_up() -> None:
    last_words.overdue(DEADLINE_SECONDS)
    os._exit(1)
