"""Requests that are turned away before they are read, as long as the worker has no time.

For aiohttp to read a request takes half of what an answer does. So before the protocol of each
connection stands one that looks at whole requests of the simplest kind; others go through, and
`paced` sees them.
"""

from __future__ import annotations

import asyncio
import math
import re

from app.api import connections
from app.api.access import PROTECTED
from app.api.connections import Doing
from app.api.pace import SAMPLE_SECONDS, Pace, busy
from app.api.problem import written
from app.api.proof import FORWARDED
from app.ops import metrics as m
from app.ops.registry import Metrics

HOLD_SECONDS, MOST_HELD = 0.5, 200
"""How long who is turned away waits for that, and how many at once.

Else who asks again at once would take a good part of the time that answers take.
"""
_ASKS = f"GET {PROTECTED}".encode()
_PLAIN = re.compile(
    rb"GET /[!-~]* HTTP/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n)*\r\n"
)
"""One whole request, as every client writes it. Of all else it is not sure here where it ends."""
_SPECIAL = re.compile(
    rb"\n(?:content-length|transfer-encoding|expect|upgrade|http2-settings):"
    rb"|\nconnection:(?![ \t]*keep-alive[ \t]*\r)",
    re.IGNORECASE,
)
"""What has a body, or wants more than an answer."""
_FORWARDED = re.compile(rb"\n%s:" % FORWARDED.encode(), re.IGNORECASE)
"""What another worker asks is for `paced` to decide."""


class Shedding:
    """What the connections of a server have in common."""

    def __init__(self, pace: Pace, metrics: Metrics) -> None:
        self.pace = pace
        self.metrics = metrics
        self.held = 0
        self._refusal: tuple[float, bytes] = (-math.inf, b"")

    def connection(self, behind: asyncio.Protocol) -> Connection:
        return Connection(behind, self)

    def refusal(self, now: float) -> bytes:
        """Return what who is turned away is told at a time of the loop's clock, in seconds."""
        made, said = self._refusal
        if now - made >= SAMPLE_SECONDS:
            said = written(busy(self.pace))
            self._refusal = (now, said)
        return said


class Connection(connections.Connection):
    """Hands what comes in to the protocol behind it, or answers a request in its place.

    That is right only while nothing else is being answered, and while both see the same requests.
    So a connection on which anything but plain requests without a body came, whole and one after
    the other, is handed through from then on.
    """

    def __init__(self, behind: asyncio.Protocol, shedding: Shedding) -> None:
        super().__init__(behind)
        self._shedding = shedding
        self._simple = True
        self._asked = False
        self._held: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        if self._simple and not self._asked and self._held is None and _is_plain(data):
            if _may_wait(data) and self._shedding.pace.is_spent():
                self._hold()
                return
            self._asked = True
        else:
            self._simple = False
            self._answer()
        super().data_received(data)

    def answered(self) -> None:
        self._asked = False
        super().answered()

    def eof_received(self) -> bool | None:
        self._answer()
        return super().eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        self._release()
        super().connection_lost(error)

    def _hold(self) -> None:
        self._now(Doing.ANSWERING)
        self._shedding.metrics.count(m.API_TURNED_AWAY)
        self._shedding.held += 1
        wait = HOLD_SECONDS if self._shedding.held <= MOST_HELD else 0.0
        self._held = self._loop.call_later(wait, self._answer)

    def _release(self) -> bool:
        held, self._held = self._held, None
        if held is None:
            return False
        held.cancel()
        self._shedding.held -= 1
        return True

    def _answer(self) -> None:
        if self._release() and self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._shedding.refusal(self._loop.time()))
            self._now(Doing.RESTING)


def _is_plain(data: bytes) -> bool:
    """Tell whether this is one plain request without a body, and nothing else."""
    return _PLAIN.fullmatch(data) is not None and _SPECIAL.search(data) is None


def _may_wait(data: bytes) -> bool:
    return data.startswith(_ASKS) and _FORWARDED.search(data) is None
