"""Reads what somebody published."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from benchmarks.peers.verdict import Moves
from benchmarks.shop import PARTITIONS

SETTLED = 60.0
"""Seconds to wait for the next stage change while some are missing, on a busy machine."""
MORE = 2.0
"""Seconds to wait for one too many."""


class _Data(msgspec.Struct):
    sequence: int
    to: str | None


class _Change(msgspec.Struct):
    subject: str
    data: _Data


_decode = msgspec.json.Decoder(_Change).decode


async def published(client: Mapping[str, Any], topic: str, count: int) -> Moves:
    """Read a topic until so many changes are in it and no more come, or until none comes for long.

    The last transaction's markers reach the outputs after the offsets, on a busy machine late.
    """
    return await asyncio.to_thread(_read, client["bootstrap_servers"], topic, count)


def _read(bootstrap: str, topic: str, count: int) -> Moves:
    # Not by "end of partition": how far a topic goes moves while transactions are open.
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "verdict",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    found: Moves = {}
    total = 0
    try:
        consumer.assign([TopicPartition(topic, number, 0) for number in range(PARTITIONS)])
        last = time.monotonic()
        while time.monotonic() - last < (MORE if total >= count else SETTLED):
            messages = [each for each in consumer.consume(10_000, 0.2) if each.error() is None]
            for message in messages:
                change = _decode(message.value() or b"")
                found.setdefault(change.subject, []).append((change.data.sequence, change.data.to))
            if messages:
                total += len(messages)
                last = time.monotonic()
    finally:
        consumer.close()
    return found
