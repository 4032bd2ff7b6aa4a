"""What ends a worker that no longer works, after writing down what it was doing.

Faust and aiokafka keep heartbeats up whatever the main loop does, so a worker that hangs would keep
its partitions for ever. One that ended is started anew, and others take over meanwhile.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import structlog
from aiokafka.structs import TopicPartition

from app.errors import LadderError
from app.ops import last_words

log = structlog.get_logger(__name__)

LOOK_SECONDS = 1.0
PAUSED_SECONDS = 5.0
"""Between two looks, at which the process itself was paused; nobody could have worked."""
TURN_SECONDS = 5.0


class Watchdog:
    """Looks once a second for a partition that has lag and does not get on.

    `seconds` are those of a monotonic clock. `kafka_answers` tells whether the brokers of some
    partitions do: without them nobody gets on, and ending would help nobody.
    """

    def __init__(
        self,
        assignment: Any,
        seconds: float,
        kafka_answers: Callable[[Iterable[TopicPartition]], Awaitable[bool]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stalled: dict[TopicPartition, float] = {}
        """For how many seconds a partition of a topic has had lag while nothing was committed."""
        self._assignment = assignment
        self._seconds = seconds
        self._kafka_answers = kafka_answers
        self._clock = clock
        self._seen: dict[int, tuple[object, float]] = {}
        self._looked = clock()
        self._bitten = False

    async def run(self) -> None:
        while not self._bitten:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        now = self._clock()
        passed, self._looked = now - self._looked, now
        if passed > PAUSED_SECONDS:
            self._seen.clear()
        stalled = {
            tp: now - since
            for number, partition in list(self._assignment.partitions.items())
            if (since := self._still_since(number, partition, now)) + self._seconds < now
            for tp in self._lagging(partition)
        }
        if not stalled:
            return
        if await self._kafka_answers(stalled):
            self.stalled = stalled
            self._bite()
        else:
            log.warning("nothing is committed, as Kafka does not answer", action="kafka-silent")
            self._seen.clear()

    def _still_since(self, number: int, partition: Any, now: float) -> float:
        """Return since when a partition has had something to do, and did nothing.

        A commit counts whatever moved by it: of several topics one may well have to wait, and what
        is due moves none.
        """
        if partition.state != "ready" or not self._lagging(partition):
            self._seen.pop(number, None)
            return now
        signs = (dict(partition.positions()), partition.stands_at)
        seen, since = self._seen.get(number, (None, now))
        if seen != signs:
            since = now
            self._seen[number] = (signs, now)
        return since

    def _lagging(self, partition: Any) -> list[TopicPartition]:
        ends = {tp: self._assignment.end_of(tp) for tp in partition.positions()}
        return [tp for tp, at in partition.positions().items() if (ends[tp] or 0) > at]

    def _bite(self) -> None:
        self._bitten = True
        self._write_down()
        places = ", ".join(f"{tp.topic}[{tp.partition}]" for tp in self.stalled)
        age = max(self.stalled.values())
        self._assignment.stop_worker(
            LadderError(
                f"no commit for {age:.0f} s though there is lag: {places}. What the worker was "
                "doing is in the log; LADDER_WATCHDOG says how long is too long"
            )
        )

    def _write_down(self) -> None:
        for number, partition in sorted(self._assignment.partitions.items()):
            log.error(
                "partition when the watchdog bit",
                action="watchdog-partition",
                partition=number,
                state=partition.state,
                positions={f"{tp.topic}": at for tp, at in partition.positions().items()},
                ends={f"{tp.topic}": self._assignment.end_of(tp) for tp in partition.positions()},
                stands_at=partition.stands_at,
            )
        frames = sys._current_frames()
        # In one line: of many that are alike the log would leave some out.
        log.error(
            "what was under way when the watchdog bit",
            action="watchdog-stacks",
            tasks=[
                f"{task.get_name()}: {'; '.join(_frames(task.get_coro()))}"
                for task in asyncio.all_tasks()
            ],
            threads=[
                f"{thread.name}: {''.join(traceback.format_stack(frames.get(thread.ident or 0)))}"
                for thread in threading.enumerate()
            ],
        )


def _frames(at: Any) -> Iterator[str]:
    """Follow what a task awaits, down to what it hangs in; its own stack has the outermost only."""
    while at is not None:
        frame = getattr(at, "cr_frame", None) or getattr(at, "gi_frame", None)
        if frame is not None:
            yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
        at = getattr(at, "cr_await", None) or getattr(at, "gi_yieldfrom", None)


class LoopWatch:
    """A thread that ends the process when the main loop stops turning.

    It counts its own wake-ups, not the time: a process that was paused and goes on has a loop
    that is about to turn.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
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
        while not self._ended.wait(TURN_SECONDS):
            missed = 0 if self._turned else missed + 1
            if missed * TURN_SECONDS > self._seconds:
                last_words.hung(missed * TURN_SECONDS)
                os._exit(1)
            if self._turned:
                self._turned = False
                try:
                    self._loop.call_soon_threadsafe(self._turn)
                except RuntimeError:
                    return  # the loop was closed: the worker ended
