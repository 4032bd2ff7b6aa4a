"""What keeps an eye on a running worker: lag, partitions that stand still, a loop that hangs.

Faust and aiokafka keep heartbeats up whatever the main loop does, so a worker that hangs would
keep its partitions for ever. Here it says that it is not alive, then ends.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from aiokafka.structs import TopicPartition

from app.errors import LadderError
from app.ops import metrics as m
from app.ops.registry import Metrics

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
STALLED_SECONDS = 120.0
"""Without a commit while there is lag: /health/live says no."""
STUCK_SECONDS = 300.0
"""The same: the worker ends, so that whoever runs it starts it anew."""
HUNG_SECONDS = 60.0
"""The main loop did not turn: the process ends at once, with every thread's stack on stderr."""
GRACE_SECONDS = 5.0


class Watch:
    """Looks at the partitions once a second. Times are seconds of a monotonic clock.

    `partitions` gives those assigned now; `fenced_for` seconds after a partition was closed
    though it is still assigned, `reopen` is called with its number.
    """

    def __init__(
        self,
        assignment: Any,
        metrics: Metrics,
        *,
        fenced_for: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._assignment = assignment
        self._metrics = metrics
        self._fenced_for = fenced_for
        self._clock = clock
        self._moved: dict[TopicPartition, tuple[int, float]] = {}
        self._closed: dict[int, float] = {}
        self.stalled: dict[TopicPartition, float] = {}
        """For how many seconds a partition of a topic has had lag and no commit."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        now = self._clock()
        states: Counter[str] = Counter()
        for number, partition in list(self._assignment.partitions.items()):
            states[partition.state] += 1
            if partition.state == "ready":
                self._look_at(partition, now)
            self._look_for_fenced(number, partition.state, now)
        for state in ("closed", "restoring", "ready", "failed"):
            self._metrics.set(m.PARTITIONS, states[state], state)
        here = self._here()
        self.stalled = {tp: age for tp, age in self.stalled.items() if tp in here}
        self._moved = {tp: seen for tp, seen in self._moved.items() if tp in here}
        stuck = max(self.stalled.values(), default=0.0)
        if stuck > STUCK_SECONDS:
            places = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in self.stalled)
            self._assignment.failed(
                -1, LadderError(f"no commit for {stuck:.0f} s though there is lag: {places}")
            )

    def _here(self) -> set[TopicPartition]:
        return {
            tp
            for partition in self._assignment.partitions.values()
            if partition.state == "ready"
            for tp in partition.positions()
        }

    def _look_at(self, partition: Any, now: float) -> None:
        for tp, position in partition.positions().items():
            end = self._assignment.end_of(tp)
            if end is None:
                continue
            self._metrics.set(m.LAG, max(0, end - position), tp.topic, str(tp.partition))
            seen, since = self._moved.get(tp, (-1, now))
            if position != seen or end <= position:
                self._moved[tp] = (position, now)
                self.stalled.pop(tp, None)
            elif now - since > STALLED_SECONDS:
                self.stalled[tp] = now - since

    def _look_for_fenced(self, number: int, state: str, now: float) -> None:
        if state != "closed" or self._assignment.generation is None:
            self._closed.pop(number, None)
        elif now - self._closed.setdefault(number, now) > self._fenced_for:
            self._closed.pop(number)
            log.warning(
                "closed but still assigned: opening again",
                action="partition-reclaimed",
                partition=number,
            )
            self._assignment.reopen(number)


class LoopWatch:
    """A thread that ends the process when the main loop stops turning.

    It counts its own wake-ups, not the time: a process that was paused and goes on has a loop
    that is about to turn.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._turned = True
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loop watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()

    def _turn(self) -> None:
        self._turned = True

    def _watch(self) -> None:
        missed = 0
        while not self._ended.wait(GRACE_SECONDS):
            missed = 0 if self._turned else missed + 1
            if missed * GRACE_SECONDS > HUNG_SECONDS:
                faulthandler.dump_traceback(file=sys.stderr)
                os._exit(1)
            if self._turned:
                self._turned = False
                try:
                    self._loop.call_soon_threadsafe(self._turn)
                except RuntimeError:
                    return  # the loop was closed: the worker ended
