"""A consumer that waits where its broker does not.

Kafka holds a fetch for which it has nothing until something comes, or the wait asked for is over.
The embedded broker answers at once, so a consumer with nothing to read would ask 750 times a
second and keep two processes busy. Kafka's own answers are never early without records.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.protocol.fetch import FetchRequest

EARLY = 0.05
"""Seconds; less than any wait that our consumers ask for."""
PAUSE = 0.02
"""Seconds, which is what the first record after a silence may be late."""


def unhurried(
    consumer: Any,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Any:
    """Return the consumer, which from now on pauses after an empty answer that came early."""
    send = consumer._client.send

    async def paced(node: Any, request: Any, *more: Any, **named: Any) -> Any:
        began = clock()
        answer = await send(node, request, *more, **named)
        if isinstance(request, FetchRequest) and clock() - began < EARLY and _is_empty(answer):
            await sleep(PAUSE)
        return answer

    consumer._client.send = paced
    return consumer


def _is_empty(answer: Any) -> bool:
    """The bytes of a partition's records are the last of what is said of it."""
    return not any(partition[-1] for _, partitions in answer.topics for partition in partitions)
