"""Events from lines to their topics: refuses nothing, for judging is the worker's business."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import msgspec
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from app.core.instants import format_instant
from app.errors import BrokerError, TopicsError

HEADERS = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
FAMILIES = ("purchase", "signup", "review", "referral", "interaction", "profile")
"""What the default topics are for, in their order: the first words of the types of events."""
PRODUCER = {"linger_ms": 5, "max_batch_size": 256 * 1024, "request_timeout_ms": 30_000}
"""For many small records: fuller batches, and a broker that does not answer is told in time."""
PATIENCE = 120.0
"""Seconds without one acknowledgement after which the broker is given up."""
BREATH = 1_000
"""Lines after which other tasks get a turn."""


class Address(NamedTuple):
    """Where a line goes; without a key any partition will do."""

    topic: str
    key: bytes | None


class _Envelope(msgspec.Struct, gc=False):
    type: str
    subject: str


class Router:
    """Says where a line goes: by the type of its event, keyed by its subject.

    A topic is meant for a family of types when its name ends like the default one's
    (`shop.purchases`); six topics with other names are taken in the default order. Whatever finds
    no topic goes to the first: the worker reads types, not topics.
    """

    def __init__(self, topics: Sequence[str], only: str | None = None) -> None:
        self.first = only or topics[0]
        self._topics = {} if only else _by_family(topics)
        self._decode = msgspec.json.Decoder(_Envelope).decode

    @property
    def topics(self) -> set[str]:
        return {self.first, *self._topics.values()}

    async def check(self, admin: Any) -> None:
        """Raises TopicsError when a topic is not there: some brokers would make a wrong one."""
        there = set(await admin.list_topics())
        missing = sorted(self.topics - there)
        if missing:
            raise TopicsError(
                [f"{topic} is missing: `ladder topics create` makes it" for topic in missing]
            )

    def address(self, line: bytes) -> Address:
        """Give topic and key; no key for a line without type or subject."""
        try:
            envelope = self._decode(line)
            key = envelope.subject.encode()
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return Address(self.first, None)
        family = envelope.type.partition(".")[0]
        return Address(self._topics.get(family, self.first), key or None)


def _by_family(topics: Sequence[str]) -> dict[str, str]:
    named = {
        family: topic
        for topic in topics
        for family in FAMILIES
        if topic.rpartition(".")[2] == family + "s"
    }
    if not named and len(topics) == len(FAMILIES):
        return dict(zip(FAMILIES, topics, strict=True))
    return named


class Emitter:
    """Sends lines with a producer and keeps count: sent, unkeyed, too_large.

    Only `close` says that everything arrived. Raises BrokerError when the broker does not take
    what it should.
    """

    def __init__(self, producer: Any, router: Router) -> None:
        self._producer = producer
        self.router = router
        self._failure: BaseException | None = None
        self._waiting = 0
        self._quiet = asyncio.Event()
        self.sent = 0
        self.unkeyed = 0
        self.too_large = 0

    async def send(self, line: bytes) -> None:
        """Hand one line over; waits while the broker is behind."""
        topic, key = self.router.address(line)
        if key is None:
            self.unkeyed += 1
        await self._send(topic, line, key)

    async def advance(self, until: int) -> None:
        """Move the event clock of every partition to an instant, after all that was sent so far."""
        await self.close()
        when = format_instant(until)
        event = {
            "specversion": "1.0",
            "id": f"until/{when}",
            "source": "/ladder/emit",
            "type": "clock.advanced",
            "subject": "clock",
            "time": when,
        }
        value, topic = msgspec.json.encode(event), self.router.first
        try:
            for partition in sorted(await self._producer.partitions_for(topic)):
                await self._producer.send_and_wait(
                    topic, value, partition=partition, headers=HEADERS
                )
        except KafkaError as error:
            raise BrokerError(f"Kafka does not take events for {topic}: {error}") from error

    async def close(self) -> None:
        """Return when everything sent has arrived."""
        while self._waiting and self._failure is None:
            self._quiet.clear()
            before = self._waiting
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._quiet.wait()
            except TimeoutError:
                if self._waiting >= before:
                    raise BrokerError(f"Kafka took nothing for {PATIENCE:g} s") from None
        self._raise()

    async def _send(self, topic: str, value: bytes, key: bytes | None) -> None:
        self._raise()
        try:
            future = await self._producer.send(topic, value, key=key, headers=HEADERS)
        except MessageSizeTooLargeError:
            self.too_large += 1
            return
        except KafkaError as error:
            raise BrokerError(f"Kafka does not take events for {topic}: {error}") from error
        self._waiting += 1
        future.add_done_callback(self._done)

    def _done(self, future: asyncio.Future[Any]) -> None:
        self._waiting -= 1
        error = None if future.cancelled() else future.exception()
        if isinstance(error, MessageSizeTooLargeError):
            self.too_large += 1
        elif error is not None:
            self._failure = error
        else:
            self.sent += 1
        if not self._waiting or self._failure is not None:
            self._quiet.set()

    def _raise(self) -> None:
        if self._failure is not None:
            raise BrokerError(f"Kafka did not take an event: {self._failure}") from self._failure


class Pace:
    """Not faster than so many a second; each has its own moment, so delays do not add up.

    Other tasks get a turn now and then, also when nothing is to be waited for.
    """

    def __init__(
        self,
        per_second: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        self._sleep = sleep
        self._began = clock()
        self._passed = 0

    async def turn(self) -> None:
        """Return when it is the next one's turn."""
        wait = 0.0
        if self._per_second is not None:
            wait = self._began + self._passed / self._per_second - self._clock()
        self._passed += 1
        if wait > 0 or self._passed % BREATH == 0:
            await self._sleep(max(wait, 0.0))
