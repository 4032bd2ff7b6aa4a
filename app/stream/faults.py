"""Named places at which a test can make a worker die, fail or hang: `LADDER_FAULT=point:nth:how`.

`how` is `kill` (SIGKILL to the process itself), `raise` or `hang`; `nth` counts from 1. Without
the variable every point is a call that returns at once.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Mapping

POINTS = (
    "after-producer-init",
    "during-restore",
    "before-begin",
    "after-begin",
    "after-changes-sent",
    "after-changelog-sent",
    "after-acks",
    "after-offsets",
    "before-commit",
    "after-commit-before-store",
    "after-store",
)
"""In the order in which a partition passes them."""


class FaultInjected(Exception):
    """A test asked for this failure."""


class Faults:
    """The points that are armed; counts how often each was passed."""

    def __init__(self, armed: Mapping[str, tuple[int, str]]) -> None:
        self._armed = dict(armed)
        self._passed: Counter[str] = Counter()

    async def reach(self, point: str) -> None:
        """Pass a point: nothing happens unless it is armed and this is the time."""
        if point not in self._armed:
            return
        nth, how = self._armed[point]
        self._passed[point] += 1
        if self._passed[point] != nth:
            return
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif how == "raise":
            raise FaultInjected(f"{point}, time {nth}")
        await asyncio.Event().wait()


def parse(text: str) -> Faults:
    """Read `point:nth:how`, comma separated; raises ValueError for anything else."""
    armed: dict[str, tuple[int, str]] = {}
    for part in filter(None, text.split(",")):
        point, nth, how = part.split(":")
        if point not in POINTS or how not in ("kill", "raise", "hang"):
            raise ValueError(f"LADDER_FAULT: {part!r} is not point:nth:kill|raise|hang")
        armed[point] = (int(nth), how)
    return Faults(armed)
