"""Sends events at a steady rate that waits for nobody; a process of its own, run by `open_loop`.

Everything is made before, so that little is left to do at the moment itself. It says `ready`, is
told on standard input when to begin (µs since 1970), and tells at the end how late it was itself.
Arguments: one, the fields of `Load` as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import NamedTuple

import msgspec
from confluent_kafka import Producer

from app.core.instants import SECOND, format_instant
from app.stream.keys import partition_of
from benchmarks.made_up import MIXED, PURCHASES, Crowd

TICK = 0.001
"""Seconds to sleep at least: what becomes due meanwhile is sent together."""


class Load(msgspec.Struct):
    """What to send: so many events at so many a second to these topics, one for each family."""

    bootstrap: str
    topics: list[str]
    mixed: bool
    customers: int
    rate: float
    count: int
    partitions: int


class Told(msgspec.Struct):
    """By how many ms the sender itself was late, and how many changes purchases alone cause."""

    late_p99: float
    late_most: float
    changes: int


class _Ready(NamedTuple):
    topic: str
    partition: int
    key: bytes
    head: bytes
    tail: bytes


def _made(load: Load) -> list[_Ready]:
    """Make the events, but for their times, which stand between head and tail."""
    crowd = Crowd(load.customers, MIXED if load.mixed else PURCHASES)
    now = time.time_ns() // 1000
    written = f'"time":"{format_instant(now)}"'.encode()
    found = []
    for _ in range(load.count):
        made = crowd.next(now)
        head, mark, tail = made.value.partition(written)
        assert mark, "an event has its time in it"
        partition = partition_of(made.key, load.partitions)
        found.append(
            _Ready(load.topics[made.family], partition, made.key, head + b'"time":"', b'"' + tail)
        )
    return found


def _send(events: list[_Ready], rate: float, begin: int, producer: Producer) -> list[int]:
    """Send each at its moment; gives by how many µs each was late."""
    late = []
    step = SECOND / rate
    for number, event in enumerate(events):
        due = begin + int(number * step)
        ahead = due - time.time_ns() // 1000
        if ahead > 0:
            producer.poll(0)
            time.sleep(max(TICK, ahead / SECOND))
        late.append(time.time_ns() // 1000 - due)
        value = event.head + format_instant(due).encode() + event.tail
        while True:
            try:
                producer.produce(event.topic, value, event.key, event.partition)
                break
            except BufferError:
                producer.poll(0.01)
    return late


def main(given: str) -> None:
    load = msgspec.json.decode(given, type=Load)
    producer = Producer({"bootstrap.servers": load.bootstrap, "linger.ms": 1, "acks": "all"})
    events = _made(load)
    for topic in load.topics:
        producer.list_topics(topic, 30)
    print("ready", flush=True)
    late = sorted(_send(events, load.rate, int(sys.stdin.readline()), producer))
    if left := producer.flush(60):
        raise SystemExit(f"{left} events could not be sent")
    bought = Counter(event.key for event in events)
    told = Told(
        late_p99=late[int(0.99 * len(late))] / 1000,
        late_most=late[-1] / 1000,
        changes=sum(min(2, times) for times in bought.values()),
    )
    print(json.dumps(msgspec.structs.asdict(told)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
