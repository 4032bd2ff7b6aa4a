"""Waiting: until something is so, and until a fleet has nothing left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from app.settings import Settings
from app.stream import clients

PATIENCE = 240.0
"""Seconds for anything that a test waits for; a quiet machine needs a tenth of it."""


async def until(
    what: str | Callable[[], str], ready: Callable[[], Awaitable[object]], every: float = 0.05
) -> None:
    """Wait until something is so; `what` is said when it never is."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await ready():  # noqa: ASYNC110 (what is waited for is in other processes)
                await asyncio.sleep(every)
    except TimeoutError:
        said = what if isinstance(what, str) else what()
        raise AssertionError(f"after {PATIENCE:g} s still not: {said}") from None


async def everything_applied(settings: Settings, look: Callable[[], None]) -> None:
    """Wait until the inputs up to now, and every handover, are committed as consumed.

    `look` is called again and again, to fail when waiting is in vain.
    """
    async with clients.admin(settings) as admin, clients.consumer(settings) as consumer:
        ends = await consumer.end_offsets(places(settings, settings.topics))
        handovers = places(settings, [settings.handovers])
        consumer.assign(handovers)
        await consumer.seek_to_beginning(*handovers)
        at: Mapping[TopicPartition, int] = {}

        async def applied() -> bool:
            """What was committed, asked first, covers the handovers, asked after it."""
            nonlocal at
            look()
            at = await committed(admin, settings)
            after.update(await _after_the_last(consumer, handovers))
            return all(at.get(place, 0) >= end for place, end in {**ends, **after}.items())

        after: dict[TopicPartition, int] = {}
        await until(lambda: f"{ends} and {after} are applied; committed is {at}", applied, 0.1)


async def _after_the_last(
    consumer: Any, handovers: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """Read on to the end; gives the offset after the last record of each partition."""
    after: dict[TopicPartition, int] = {}
    ends = await consumer.end_offsets(handovers)
    while any([await consumer.position(place) < ends[place] for place in handovers]):
        for place, records in (await consumer.getmany(timeout_ms=50)).items():
            after[place] = records[-1].offset + 1
    return after


def places(settings: Settings, topics: Sequence[str]) -> list[TopicPartition]:
    return [
        TopicPartition(topic, number) for topic in topics for number in range(settings.partitions)
    ]


async def committed(admin: Any, settings: Settings) -> dict[TopicPartition, int]:
    try:
        found = await admin.list_consumer_group_offsets(settings.app_id)
    except GroupCoordinatorNotAvailableError:
        return {}  # nobody has committed anything on this broker yet
    return {place: at.offset for place, at in found.items()}


async def markers(settings: Settings, topics: Sequence[str]) -> None:
    """Wait for the markers of what was committed, which brokers write right after it.

    Before they are there, readers do not see all of what a transaction wrote.
    """
    there = places(settings, topics)
    async with (
        clients.consumer(settings) as stable,
        clients.consumer(settings, isolation_level="read_uncommitted") as everything,
    ):

        async def written() -> bool:
            found: bool = await stable.end_offsets(there) == await everything.end_offsets(there)
            return found

        await until("no transaction is open", written, 0.1)


async def stays_open(settings: Settings, topic: str) -> None:
    """Wait until the same transaction is seen open in a topic again and again."""
    there = places(settings, [topic])
    seen: list[dict[TopicPartition, int]] = []
    async with (
        clients.consumer(settings) as stable,
        clients.consumer(settings, isolation_level="read_uncommitted") as everything,
    ):

        async def hangs() -> bool:
            begins = await stable.end_offsets(there)
            ends = await everything.end_offsets(there)
            seen.append({place: at for place, at in begins.items() if at < ends[place]})
            return len(seen) > 6 and bool(set.intersection(*({*one.items()} for one in seen[-6:])))

        await until("a transaction stays open", hangs, 0.3)
