"""Looks at the partitions of a running worker: how they are, their lag, whether one was fenced."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

from app.ops import metrics as m
from app.ops.registry import Metrics

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0


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
        self._closed: dict[int, float] = {}

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
                self._look_at(partition)
            self._look_for_fenced(number, partition.state, now)
        for state in ("closed", "restoring", "ready", "failed"):
            self._metrics.set(m.PARTITIONS, states[state], state)

    def _look_at(self, partition: Any) -> None:
        for tp, position in partition.positions().items():
            end = self._assignment.end_of(tp)
            if end is not None:
                self._metrics.set(m.LAG, max(0, end - position), tp.topic, str(tp.partition))

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
