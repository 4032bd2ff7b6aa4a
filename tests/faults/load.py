"""Events that go on coming for as long as a fault lasts, whatever becomes of brokers."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from app.stream import clients
from app.stream.keys import partition_of
from tests.faults.fleet import Place
from tests.faults.rest import until
from tests.faults.tale import Chapter, Told
from tests.faults.verdict import Trial

EVENTS, DAYS = 200, 4
"""Of one chapter; the next is told when it is out."""
SLICE = 15
PAUSE = 0.1
UNDAUNTED = 600_000
"""Milliseconds for which the sender goes on trying: longer than any outage that a test makes."""


class Load:
    """`sent` counts. What a chapter has is told to the backtest before it is sent."""

    def __init__(self, trial: Trial, next_chapter: Callable[[], Chapter] | None = None) -> None:
        self.trial = trial
        self.sent = 0
        self.enough: bool = False
        self.slice = SLICE
        self.also: list[Callable[[], Chapter]] = []
        """Makers of single chapters that come next, before it goes on as always."""
        self._next = next_chapter or (lambda: trial.tale.chapter(EVENTS, DAYS, bad=False, rest=1))

    async def reaches(self, more: int) -> None:
        """Wait until so many more are out."""
        goal = self.sent + more

        async def out() -> bool:
            return self.sent >= goal

        await until(f"{goal} events are sent", out)

    async def run(self) -> None:
        settings = self.trial.fleet.settings
        async with clients.producer(
            settings, max_request_size=2 << 20, request_timeout_ms=UNDAUNTED
        ) as producer:
            while not self.enough:
                chapter = (self.also.pop(0) if self.also else self._next)()
                self.trial.reckoning.follow(chapter)
                rest = chapter.told
                while rest:
                    these, rest = rest[: self.slice], rest[self.slice :]
                    await self._send(producer, these)
                    await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(0 if self.enough else PAUSE)

    async def _send(self, producer: object, these: list[Told]) -> None:
        topics = self.trial.fleet.settings.topics
        futures = [
            await producer.send(  # type: ignore[attr-defined]
                topics[one.lane], one.value, key=one.key, partition=self.place(one),
                headers=[*one.headers],
            )
            for one in these
        ]  # fmt: skip
        await asyncio.gather(*futures)
        self.sent += len(these)

    def place(self, one: Told) -> int:
        return place(one, self.trial.fleet.settings.partitions)


def place(one: Told, partitions: int) -> int:
    """The partition that it is sent to."""
    if one.partition is not None:
        return one.partition
    return partition_of(one.key or b"", partitions)


@asynccontextmanager
async def load(
    trial: Trial, next_chapter: Callable[[], Chapter] | None = None
) -> AsyncIterator[Load]:
    """Events come while the block runs; at its end the clocks are moved on."""
    these = Load(trial, next_chapter)
    task = asyncio.create_task(these.run())
    try:
        yield these
        these.enough = True
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await trial.end_chapter()


async def find_places(trial: Trial) -> None:
    """Where everything told lies: a sender whose answers were lost does not know."""
    settings = trial.fleet.settings
    waiting: dict[tuple[str, int], deque[int]] = {}
    for number, told in enumerate(trial.reckoning.told):
        where = (settings.topics[told.lane], place(told, settings.partitions))
        waiting.setdefault(where, deque()).append(number)
    places: dict[int, Place] = {}
    for record in await trial.fleet.read(*settings.topics):
        queue = waiting.get((record.topic, record.partition))
        if queue and trial.reckoning.told[queue[0]].value == record.value:
            places[queue.popleft()] = (record.topic, record.partition, record.offset)
        else:
            assert is_clock(record.value), "the sender sent something twice, or lost something"
    assert not any(waiting.values()), "the sender lost something"
    trial.places = [places[number] for number in range(len(trial.reckoning.told))]


def is_clock(value: bytes | None) -> bool:
    return value is not None and json.loads(value).get("type") == "clock.advanced"
