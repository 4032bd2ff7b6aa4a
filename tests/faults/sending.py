"""A chapter that is sent little by little while a test does something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.stream import clients
from tests.faults.rest import until
from tests.faults.tale import Chapter
from tests.faults.verdict import Trial

SLICE = 10
"""Records that are sent together; between two slices workers get a turn."""
PAUSE = 0.02


class Sending:
    """`sent` counts; with `hurry` set the rest goes out at once."""

    def __init__(self, trial: Trial, chapter: Chapter) -> None:
        self.trial, self.chapter = trial, chapter
        self.sent = 0
        self.hurry = False

    async def reaches(self, count: int) -> None:
        """Wait until so many more are out; says how far a test is without looking at a clock."""
        goal = min(self.sent + count, len(self.chapter.told))

        async def there() -> bool:
            return self.sent >= goal

        await until(f"{goal} are sent", there)

    async def run(self) -> None:
        trial, topics = self.trial, self.trial.fleet.settings.topics
        async with clients.producer(trial.fleet.settings, max_request_size=2 << 20) as producer:
            while self.sent < len(self.chapter.told):
                these = self.chapter.told[self.sent : self.sent + SLICE]
                futures = [
                    await producer.send(
                        topics[one.lane],
                        one.value,
                        key=one.key,
                        partition=one.partition,
                        headers=[*one.headers],
                    )
                    for one in these
                ]
                for future in futures:
                    at = await future
                    trial.places.append((at.topic, at.partition, at.offset))
                self.sent += len(these)
                await asyncio.sleep(0 if self.hurry else PAUSE)


@asynccontextmanager
async def sending(trial: Trial, chapter: Chapter) -> AsyncIterator[Sending]:
    """Sends while the block runs; at its end the rest, and then the clocks are moved on."""
    trial.reckoning.follow(chapter)
    these = Sending(trial, chapter)
    task = asyncio.create_task(these.run())
    try:
        yield these
        these.hurry = True
        await task
    finally:
        task.cancel()
    await trial.end_chapter()
