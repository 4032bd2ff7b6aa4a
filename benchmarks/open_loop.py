"""From a purchase to the stage change that it causes, at a steady rate that waits for nobody.

An event's time is the moment at which it is due, not the one at which the sender came to it, so a
hold-up anywhere counts against every event that it delays (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable

import msgspec
from confluent_kafka import Consumer, TopicPartition

from app.core.instants import SECOND, parse_instant
from benchmarks.figures import Round
from benchmarks.sender import Load, Told
from benchmarks.shop import PARTITIONS, ROOT

QUIET = 30.0
"""Seconds without any stage change after which no more are expected."""
MAKING = 240.0
"""Seconds for the sender to make its events."""


class _Trigger(msgspec.Struct):
    type: str


class _Data(msgspec.Struct):
    trigger: _Trigger | None = None


class _Change(msgspec.Struct):
    time: str
    data: _Data


_decode = msgspec.json.Decoder(_Change).decode


class Listener:
    """Reads what is committed in a topic, in a thread, while it is a context.

    `seen` has for each change that a purchase of `since` or later caused: its time, the wait (µs).
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.topic = topic
        self.since = 0
        self.seen: list[tuple[int, int]] = []
        self.last = time.monotonic()
        self._error: Exception | None = None
        self._stop = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "listener",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
            }
        )
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Listener:
        self._consumer.assign([TopicPartition(self.topic, n, 0) for n in range(PARTITIONS)])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._consumer.close()

    def check(self) -> None:
        """Raise what ended the thread, if something did."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                message = self._consumer.poll(0.1)
                if message is not None:
                    self._take(message)
        except Exception as error:
            self._error = error

    def _take(self, message: object) -> None:
        now = time.time_ns() // 1000
        if message.error() is not None:  # type: ignore[attr-defined]
            return  # librdkafka goes on by itself
        change = _decode(message.value())  # type: ignore[attr-defined]
        self.last = time.monotonic()
        trigger = change.data.trigger
        if trigger is not None and trigger.type == "purchase.completed":
            due = parse_instant(change.time) or 0
            if due >= self.since:
                self.seen.append((due, now - due))


async def timed(
    load: Load,
    topic: str,
    warm_up: float,
    usage: Callable[[], float],
    settled: Callable[[Told, Listener], Awaitable[None]],
) -> Round:
    """Send a load and time the changes in a topic; events of the warm-up do not count.

    `usage` gives the processor seconds of what is measured, and raises when it has ended;
    `settled` waits until nothing more is to come.
    """
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.sender", msgspec.json.encode(load).decode(),
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert sender.stdin is not None
    assert sender.stdout is not None
    try:
        async with asyncio.timeout(MAKING):
            await _line(sender.stdout)
        with Listener(load.bootstrap, topic) as listener:
            listener.since = begin = time.time_ns() // 1000 + SECOND // 2
            before = usage()
            sender.stdin.write(b"%d\n" % begin)
            async with asyncio.timeout(3 * load.count / load.rate + 60):
                told = msgspec.json.decode(await _line(sender.stdout), type=Told)
            seconds = (time.time_ns() // 1000 - begin) / SECOND
            after = usage()
            await settled(told, listener)
            listener.check()
    finally:
        if sender.returncode is None:
            sender.kill()
        await sender.wait()
    first = begin + int(warm_up * SECOND)
    waits = sorted(wait / 1000 for due, wait in listener.seen if due >= first)
    return _figures(waits, told, (after - before) / seconds)


async def all_changes(told: Told, listener: Listener) -> None:
    """Wait until as many changes came as the purchases cause; raises TimeoutError without."""
    while len(listener.seen) < told.changes:
        listener.check()
        if time.monotonic() - listener.last > QUIET:
            raise TimeoutError(
                f"{len(listener.seen)} of {told.changes} stage changes came, "
                f"and none more for {QUIET:g} s"
            )
        await asyncio.sleep(0.1)


async def _line(stream: asyncio.StreamReader) -> bytes:
    line = await stream.readline()
    if not line:
        raise ValueError("the sender of the load ended: its message is above")
    return line


def _figures(waits: list[float], told: Told, cores: float) -> Round:
    if not waits:
        raise ValueError("no stage change came of the events after the warm-up")
    return {
        "p50 ms": _percentile(waits, 0.5),
        "p99 ms": _percentile(waits, 0.99),
        "p99.9 ms": _percentile(waits, 0.999),
        "greatest ms": waits[-1],
        "changes timed": len(waits),
        "sender's own delay, p99 ms": told.late_p99,
        "cores used": cores,
    }


def _percentile(ordered: list[float], share: float) -> float:
    """Take the nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
