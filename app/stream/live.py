"""Stage changes of all workers as they are committed, for whoever looks on.

One consumer for all who look, while anybody does. It reads a sample where there is more than
people can read, so that looking on takes as little of a busy worker as of a quiet one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from app.api.ports import TooMany
from app.stream.recent import Recent, Seen
from app.stream.unhurried import unhurried
from app.wire.credit_trigger import without_referred

log = structlog.get_logger(__name__)

MOST_FOLLOWERS = 50
TAIL = 12
"""Offsets before the end of each partition at which reading begins; some are markers."""
AT_A_TIME = 100
"""Changes that are read in one go."""
FAR = 300
"""Offsets behind the end from which on some are left out."""
PAUSE = 0.25
HEARTBEAT = 15.0
FETCH_BYTES = 32 * 1024
RETRY_SECONDS = 3.0
Said = tuple[bytes, ...] | int


class _Change(msgspec.Struct):
    """What is read of a stage change."""

    class Data(msgspec.Struct):
        """Its data."""

        ladder: str
        to: str | None

    subject: str
    data: Data


_read = msgspec.json.Decoder(_Change).decode


class _Follower:
    """Somebody who looks: what waits for them, at most as much as they were shown at first."""

    def __init__(self, ladder: str | None) -> None:
        self.woken = asyncio.Event()
        self.ladder = ladder
        self._waiting: deque[bytes] = deque()
        self._left_out = 0

    def take(self, changes: Iterable[Seen], left_out: int = 0) -> None:
        for change in changes:
            if self.ladder in (None, change.ladder):
                self._waiting.append(change.value)
        while len(self._waiting) > 2 * AT_A_TIME:
            self._waiting.popleft()
            left_out += 1
        self._left_out += left_out
        if self._waiting or self._left_out:
            self.woken.set()

    def given(self) -> Iterable[Said]:
        """Return what waited, and forget it."""
        self.woken.clear()
        left_out, self._left_out = self._left_out, 0
        waiting = tuple(self._waiting)
        self._waiting.clear()
        return [*([left_out] if left_out else []), waiting]


class Live:
    """Implements `app.api.ports.Changes`. `topics` names the topic of each ladder."""

    def __init__(
        self, client: Mapping[str, Any], topics: Mapping[str, str], partitions: int
    ) -> None:
        self._client = client
        self._places = [TopicPartition(t, n) for t in topics.values() for n in range(partitions)]
        self._followers: set[_Follower] = set()
        self._recent = Recent()
        self._reading: asyncio.Task[None] | None = None
        self._over = False

    async def follow(self, ladder: str | None) -> AsyncGenerator[Said, None]:
        if len(self._followers) >= MOST_FOLLOWERS:
            raise TooMany
        follower = _Follower(ladder)
        follower.take(self._recent.of(ladder))
        self._followers.add(follower)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        try:
            yield ()
            while not self._over:
                with suppress(TimeoutError):
                    await asyncio.wait_for(follower.woken.wait(), HEARTBEAT)
                for said in follower.given():
                    yield said
        finally:
            self._followers.discard(follower)
            if not self._followers:
                await self._stop_reading()

    async def close(self) -> None:
        """Let everybody go."""
        self._over = True
        for follower in self._followers:
            follower.woken.set()
        await self._stop_reading()

    async def _stop_reading(self) -> None:
        reading, self._reading = self._reading, None
        self._recent.clear()
        if reading is not None:
            reading.cancel()
            await asyncio.wait([reading])

    async def _read(self) -> None:
        while True:
            try:
                await self._read_on()
            except (KafkaError, OSError, TimeoutError) as error:
                log.warning(
                    "stage changes cannot be followed yet",
                    action="changes-unread",
                    error=repr(error),
                )
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                # Nobody waits for this task; without a word people would look at nothing.
                log.exception("stage changes cannot be followed", action="changes-given-up")
                return

    async def _read_on(self) -> None:
        consumer = unhurried(
            AIOKafkaConsumer(
                **self._client,
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="latest",
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_wait_ms=int(PAUSE * 1000),
            )
        )
        try:
            await consumer.start()
            consumer.assign(self._places)
            await self._begin(consumer)
            while True:
                left_out = await self._pass_by(consumer)
                found = await consumer.getmany(timeout_ms=int(PAUSE * 1000), max_records=AT_A_TIME)
                self._tell(_in_order(found), left_out)
                await asyncio.sleep(PAUSE)
        finally:
            await consumer.stop()

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Show the newest of what is there already."""
        begins = await consumer.beginning_offsets(self._places)
        ends = await consumer.end_offsets(self._places)
        for place in self._places:
            consumer.seek(place, max(begins[place], ends[place] - TAIL))
        records: list[Any] = []
        for place in self._places:
            while await consumer.position(place) < ends[place]:
                for some in (await consumer.getmany(timeout_ms=100)).values():
                    records += some
        self._recent.clear()
        self._recent.add(_in_order({None: records}))
        for follower in self._followers:
            follower.take(self._recent.of(follower.ladder))

    async def _pass_by(self, consumer: AIOKafkaConsumer) -> int:
        """Leave out what is more than a sample; about how many that were."""
        left_out = 0
        for place in self._places:
            end = consumer.last_stable_offset(place)
            if end is None or end < 0:
                continue
            far = end - await consumer.position(place)
            if far > FAR:
                consumer.seek(place, end - TAIL)
                self._recent.pass_by((place.topic, place.partition))
                left_out += far - TAIL
        return left_out

    def _tell(self, changes: Sequence[Seen], left_out: int) -> None:
        self._recent.add(changes)
        for follower in self._followers:
            follower.take(changes, left_out)


def _in_order(found: Mapping[Any, Sequence[Any]]) -> list[Seen]:
    """Return changes in the order in which they were written."""
    records = [record for some in found.values() for record in some]
    records.sort(key=lambda record: record.timestamp)
    changes = []
    for record in records:
        with suppress(msgspec.MsgspecError, TypeError, UnicodeDecodeError):
            read = _read(record.value)
            shown = without_referred(record.value)
            left, place = read.data.to is None, (record.topic, record.partition)
            changes.append(Seen(read.data.ladder, read.subject, left, shown, place))
    return changes
