"""The demo: a broker, topics, a history sent, a worker that applies it, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress
from typing import NamedTuple, Protocol

import aiohttp

from app.core.change import Change
from app.core.ladder import Ladder
from app.embedded.demo_changes import glimpse
from app.embedded.demo_events import UNTIL, Story
from app.embedded.demo_numbers import Numbers, read
from app.embedded.demo_place import Place, Worker
from app.settings import Settings
from app.stream import clients, topic_admin
from app.stream.emit import PRODUCER, Emitter, Router
from app.stream.topics import declared

LOOK = 0.25
"""Seconds between two looks at the worker."""
SETTLED = 1.25
"""Seconds in which nothing may be left or happen: a worker tells of its lag once a second."""
PATIENCE = 180.0
"""Seconds without any progress after which the demo is given up."""
SAID_EVERY = 512


class Show(Protocol):
    """Who tells people what happens."""

    def sending(self, sent: int, of: int) -> None: ...
    def working(self, numbers: Numbers) -> None: ...
    def change(self, change: Change) -> None: ...


class Outcome(NamedTuple):
    """What the worker said at the end, and the seconds it took for all of it."""

    numbers: Numbers
    seconds: float


async def create_topics(settings: Settings, ladders: Sequence[Ladder]) -> None:
    """Raises TopicsError or BrokerError."""
    async with clients.admin(settings) as admin:
        wanted = declared(settings, [ladder.id for ladder in ladders])
        await topic_admin.create(admin, wanted, await topic_admin.copies_for(admin, settings))


async def delete_topics(settings: Settings, ladders: Sequence[Ladder]) -> None:
    """Leave others' brokers as they were."""
    async with clients.admin(settings) as admin:
        wanted = declared(settings, [ladder.id for ladder in ladders])
        await admin.delete_topics([topic.name for topic in wanted])


async def send(settings: Settings, story: Story, show: Show) -> None:
    """Send the history and, after it, move the event clock of every partition to its end.

    All of it, before the worker starts: so each topic is there when the worker merges them by
    time, and nothing is late.
    """
    async with clients.producer(settings, **PRODUCER) as producer:
        emitter = Emitter(producer, Router(settings.topics))
        for number, line in enumerate(story.lines, 1):
            await emitter.send(line)
            if number % SAID_EVERY == 0:
                show.sending(number, len(story.lines))
                await asyncio.sleep(0)
        await emitter.advance(UNTIL)
        show.sending(len(story.lines), len(story.lines))


async def follow(place: Place, worker: Worker, ladders: Sequence[Ladder], show: Show) -> Outcome:
    """Show what the worker does until it has nothing left to do. Raises DemoFailed."""
    shown = asyncio.create_task(_show_changes(place.settings, ladders, show))
    try:
        async with aiohttp.ClientSession(place.settings.api_url) as session:
            return await _until_done(place.settings, session, worker, show)
    finally:
        shown.cancel()
        with suppress(asyncio.CancelledError):
            await shown


async def _show_changes(settings: Settings, ladders: Sequence[Ladder], show: Show) -> None:
    async with aclosing(glimpse(settings, [ladder.id for ladder in ladders])) as changes:
        async for change in changes:
            show.change(change)


async def _until_done(
    settings: Settings, session: aiohttp.ClientSession, worker: Worker, show: Show
) -> Outcome:
    topics = len(settings.topics) + 1
    before = Numbers()
    began: float | None = None
    moved = time.monotonic()
    while True:
        worker.check()
        now = time.monotonic()
        numbers = await _look(session)
        if numbers is not None and began is None:
            began = moved = now
        if numbers is not None and (numbers.done, numbers.changes) != (before.done, before.changes):
            moved, before = now, numbers
            show.working(numbers)
        left = numbers is None or not numbers.nothing_left(settings.partitions, topics)
        if numbers is not None and not left and now - moved > SETTLED:
            return Outcome(numbers, moved - (began or moved))
        if left and now - moved > PATIENCE:
            raise worker.failed(f"the worker got nowhere for {PATIENCE:g} s")
        await asyncio.sleep(LOOK)


async def _look(session: aiohttp.ClientSession) -> Numbers | None:
    """None until the worker is ready."""
    try:
        async with session.get("/health/ready") as ready:
            if ready.status != 200:
                return None
        async with session.get("/metrics") as answer:
            return read(await answer.text())
    except aiohttp.ClientError:
        return None
