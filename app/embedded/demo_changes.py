"""A few of the stage changes as they are published: as many as a person can read."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.core.change import Change
from app.settings import Settings
from app.stream import clients
from app.wire.stage_change import decode

PACE = 0.3
"""Seconds for a person to read one."""
TRIES = 10
"""Partitions that are asked for something new at a time."""
WAIT_MS = 300


async def glimpse(settings: Settings, ladders: Sequence[str]) -> AsyncGenerator[Change, None]:
    """Yield one of the newest stage changes now and then, of each ladder in turn, for ever."""
    places = [
        TopicPartition(settings.changes_topic(ladder), number)
        for number in range(settings.partitions)
        for ladder in ladders
    ]
    seen = dict.fromkeys(places, 0)
    async with clients.consumer(settings) as consumer:
        consumer.assign(places)
        for place in places:
            consumer.seek(place, 0)
        # Nothing is fetched but what is shown: the embedded broker answers a fetch at once, also
        # when there is nothing, so that a consumer that just waits would keep both busy.
        consumer.pause(*places)
        turn = 0
        while True:
            await asyncio.sleep(PACE)
            with contextlib.suppress(KafkaError):
                for _ in range(TRIES):
                    place = places[turn % len(places)]
                    turn += 1
                    if (change := await _newest(consumer, place, seen)) is not None:
                        yield change
                        break


async def _newest(
    consumer: Any, place: TopicPartition, seen: dict[TopicPartition, int]
) -> Change | None:
    """Read what a partition's latest transaction ended with, if it has not been seen."""
    end = (await consumer.end_offsets([place]))[place]
    if end <= seen[place]:
        return None
    seen[place] = end
    # The last offset is that of the transaction's marker.
    consumer.seek(place, max(0, end - 2))
    consumer.resume(place)
    found = await consumer.getmany(place, timeout_ms=WAIT_MS, max_records=1)
    consumer.pause(place)
    return decode(found[place][0].value) if found.get(place) else None
