"""A client that knows no broker asks again, where aiokafka takes it for a mistake of its caller.

A broker that stood still and goes on answers before its controller counts it in again. Whoever
connects then is told of no broker at all, and finds one a moment later. aiokafka asserts that it
cannot be so, and an assertion that fails is a bug, which ends a worker.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NodeNotReadyError

AGAIN_SECONDS = 0.1

_lookup = AIOKafkaClient.coordinator_lookup


async def coordinator_lookup(client: Any, kind: Any, key: str) -> Any:
    """As the original; raises NodeNotReadyError, after which its callers try again."""
    if client.get_random_node() is None:
        await asyncio.sleep(AGAIN_SECONDS)
        raise NodeNotReadyError("no broker is known yet")
    return await _lookup(client, kind, key)


def install() -> None:
    """For every client of this process."""
    AIOKafkaClient.coordinator_lookup = coordinator_lookup
