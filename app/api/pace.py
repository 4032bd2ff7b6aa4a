"""Reads give way to the stream: while it is behind and the worker is busy, few are answered.

One thread folds and answers. What it has no time for is then better asked again than waited for by
the customers whose moves are being folded.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web

from app.api.access import PROTECTED
from app.api.peers import is_forwarded
from app.api.problem import Handler, unavailable
from app.ops import metrics as m
from app.ops.registry import Metrics

BEHIND_SECONDS = 1.0
"""How old the oldest waiting record may be before reads give way."""
BUSY = 0.5
"""Of the thread's time: one that is behind and idle waits for something that no read holds up."""
SAMPLE_SECONDS = 0.5
A_SECOND = 50.0
"""Requests that are answered all the same, and as many at once: enough for people."""


class Pace:
    """`behind` gives the age of the oldest record that waits, in seconds.

    `used` gives the seconds of processor time that the calling thread has had.
    """

    def __init__(
        self,
        behind: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
    ) -> None:
        self.behind = behind
        self._clock = clock
        self._used = used
        self._seen, self._had = clock(), used()
        self._busy = False
        self._left = A_SECOND
        self._filled = clock()

    def admits(self) -> bool:
        """Tell whether a request is answered, and count it."""
        now = self._clock()
        self._left = min(A_SECOND, self._left + A_SECOND * (now - self._filled))
        self._filled = now
        if not self._gives_way(now):
            return True
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def _gives_way(self, now: float) -> bool:
        passed = now - self._seen
        if passed >= SAMPLE_SECONDS:
            had = self._used()
            self._busy = had - self._had >= BUSY * passed
            self._seen, self._had = now, had
        return self._busy and self.behind() >= BEHIND_SECONDS


def paced(pace: Pace, metrics: Metrics) -> object:
    """The middleware that asks callers to come again."""

    @web.middleware
    async def turn_away(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(PROTECTED) or _is_counted(request) or pace.admits():
            return await handler(request)
        metrics.count(m.API_TURNED_AWAY)
        raise unavailable(
            "this worker is behind, and its stream comes first; try again soon",
            behind_seconds=round(pace.behind(), 1),
        )

    return turn_away


def _is_counted(request: web.Request) -> bool:
    """Tell what another worker counted, and asks of all at once: its answer would lack this one."""
    return is_forwarded(request) and "customer" not in request.match_info
