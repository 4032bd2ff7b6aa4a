"""Reads give way to the stream: they get what a busy worker that keeps up has time for, no more.

One thread folds and answers. What it has no time for is then better asked again than waited for by
the customers whose moves are being folded.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web

from app.api.access import PROTECTED
from app.api.problem import Handler, Refused, unavailable
from app.api.proof import is_forwarded
from app.ops import metrics as m
from app.ops.registry import Metrics

BEHIND_SECONDS = 0.5
"""How old the oldest waiting record may be before reads give way."""
BUSY = 0.5
"""Of the thread's time: one that is behind and idle waits for something that no read holds up."""
SAMPLE_SECONDS = 0.25
FEWEST, MOST = 50.0, 2_000.0
"""Requests a second: enough for people, and more than one thread can answer."""
CUT = 0.5
GROWTH = 50.0
"""Requests a second, added in each second: reads find what there is time for, and stay below."""


class Pace:
    """How many requests a second are answered: halved while the stream is held up, else growing.

    Additive increase and multiplicative decrease, as TCP shares a line: Chiu and Jain, "Analysis
    of the increase and decrease algorithms for congestion avoidance", 1989.

    `behind` gives the age of the oldest record that waits, in seconds; `used` the seconds of
    processor time that the calling thread has had.
    """

    def __init__(
        self,
        behind: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
    ) -> None:
        self.behind = behind
        self.rate = MOST
        self._clock = clock
        self._used = used
        self._seen, self._had = clock(), used()
        self._answered = 0
        self._left = FEWEST
        self._filled = clock()

    def is_spent(self) -> bool:
        """Tell whether a request that came now would be turned away."""
        now = self._clock()
        if now - self._seen >= SAMPLE_SECONDS:
            self._look(now)
        # As many at once as people need, however few of them come in a second.
        self._left = min(max(FEWEST, self.rate / 10), self._left + self.rate * (now - self._filled))
        self._filled = now
        return self.rate < MOST and self._left < 1

    def admits(self) -> bool:
        """Tell whether a request is answered, and count it."""
        if self.is_spent():
            return False
        if self.rate < MOST:
            self._left -= 1
        self._answered += 1
        return True

    def _look(self, now: float) -> None:
        """Set the rate by what was seen since the last look."""
        passed, had = now - self._seen, self._used()
        if had - self._had >= BUSY * passed and self.behind() >= BEHIND_SECONDS:
            # From what was answered: cutting a rate that nobody came near would change nothing.
            self.rate = max(FEWEST, min(self.rate, self._answered / passed) * CUT)
        else:
            self.rate = min(MOST, self.rate + GROWTH * passed)
        self._seen, self._had, self._answered = now, had, 0


def busy(pace: Pace) -> Refused:
    """Return what who is turned away is told."""
    return unavailable(
        "this worker is busy, and its stream comes first; try again soon",
        behind_seconds=round(pace.behind(), 1),
    )


def paced(pace: Pace, metrics: Metrics) -> object:
    """The middleware that asks callers to come again."""

    @web.middleware
    async def turn_away(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith(PROTECTED) or _is_counted(request) or pace.admits():
            return await handler(request)
        metrics.count(m.API_TURNED_AWAY)
        raise busy(pace)

    return turn_away


def _is_counted(request: web.Request) -> bool:
    """Tell what another worker counted, and asks of all at once: its answer would lack this one."""
    return is_forwarded(request) and "customer" not in request.match_info
