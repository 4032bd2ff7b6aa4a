"""One partition on real Kafka without Faust: its topics, a host that fetches for it, readers."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import ConsumerRecord

from app.core.events import Event
from app.core.instants import Calendar
from app.core.ladder import Ladder
from app.core.money import Rates
from app.core.rules import Rules
from app.ops.registry import Metrics
from app.stream.faults import Faults
from app.stream.keys import partition_of
from app.stream.partition import Partition
from app.stream.seam import Workshop
from app.stream.shared import Shared
from app.stream.store import Store
from app.wire import stage_change
from app.wire.cloudevents import decode
from app.wire.definition import read_folder
from tests.core_backtest import Backtest, Line

LADDERS = read_folder()
Message = tuple[bytes | None, bytes | None]


def event(kind: str, subject: str, time: str, number: object, **data: object) -> Message:
    """Key and value of an event; its id is made of the kind and `number`."""
    body = {
        "specversion": "1.0",
        "id": f"{kind}-{number}",
        "source": "/test",
        "type": kind,
        "subject": subject,
        "time": time,
        "data": data,
    }
    return subject.encode(), json.dumps(body).encode()


def purchase(subject: str, time: str, number: object, amount: int = 100) -> Message:
    return event(
        "purchase.completed", subject, time, number,
        order_id=f"o-{number}", amount=amount, currency="VND",
    )  # fmt: skip


class TestHost:
    """Does for one partition what the worker does through Faust: fetch, seek, pause."""

    __test__ = False

    def __init__(self, client: Mapping[str, Any]) -> None:
        self._consumer = AIOKafkaConsumer(
            **client,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=20,
        )
        self._at: dict[TopicPartition, tuple[int, int | None]] = {}
        self._flowing: set[TopicPartition] = set()
        self._pump: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self.partition: Partition | None = None
        self.held: set[TopicPartition] = set()
        """Not resumed, whoever asks: as if its broker were slow."""

    async def bring_up(self, partition: Partition) -> None:
        """Open a partition and let it run."""
        self.partition = partition
        positions = await partition.open()
        await self._consumer.start()
        self._consumer.assign(list(positions))
        await self.seek(positions)
        partition.start()
        for tp in positions:
            self.resume(tp)
        self._pump = asyncio.create_task(self._deliver())

    async def _deliver(self) -> None:
        assert self.partition is not None
        while True:
            async with self._turn:
                flowing = list(self._flowing)
                found = await self._consumer.getmany(*flowing, timeout_ms=20) if flowing else {}
                for tp in flowing:
                    position = await self._consumer.position(tp)
                    stable = self._consumer.last_stable_offset(tp)
                    if (position, stable) != self._at[tp] or tp in found:
                        self._at[tp] = position, stable or self._at[tp][1]
                        self.partition.offer(tp, found.get(tp, []))
            await asyncio.sleep(0 if found else 0.002)

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        async with self._turn:
            ends = await self._consumer.end_offsets(list(positions))
            for tp, position in positions.items():
                self._flowing.discard(tp)
                self._consumer.seek(tp, position)
                self._at[tp] = position, ends[tp]

    def resume(self, tp: TopicPartition) -> None:
        if tp not in self.held:
            self._flowing.add(tp)

    def pause(self, tp: TopicPartition) -> None:
        self._flowing.discard(tp)

    def end_of(self, tp: TopicPartition) -> int | None:
        return self._at[tp][1]

    def position_of(self, tp: TopicPartition) -> int | None:
        return self._at[tp][0]

    def failed(self, number: int, error: BaseException) -> None:
        if not self.failure.done():
            self.failure.set_result(error)

    async def stop(self) -> None:
        if self._pump is not None:
            self._pump.cancel()
            with suppress(asyncio.CancelledError):
                await self._pump
        if self.partition is not None:
            await self.partition.close()
        await self._consumer.stop()


class Shop:
    """Topics of one test's own with `partitions` each, and what to do with them."""

    def __init__(
        self,
        bootstrap: str,
        name: str,
        folder: Path,
        *,
        partitions: int = 1,
        ladders: Sequence[Ladder] = LADDERS,
        event_clock: bool = True,
    ) -> None:
        self.name = name
        self.client = {"bootstrap_servers": bootstrap}
        self.folder = folder
        self.partitions = partitions
        self.topics = (f"{name}.purchases", f"{name}.signups", f"{name}.profiles")
        self.handovers = f"{name}.handovers"
        self.dead_letters = f"{name}.dead-letters"
        self.changes = f"{name}.changes"
        self.changelog = f"{name}-changelog"
        self.event_clock = event_clock
        self.rules = Rules(ladders, Calendar("UTC"), Rates.only("VND"), ("city",))
        self.metrics = Metrics()
        self._shared = Shared(cache=8 << 20, buffers=16 << 20)

    async def create(self) -> "Shop":
        names = (
            *self.topics,
            self.handovers,
            self.dead_letters,
            self.changelog,
            *(f"{self.changes}.{ladder.id}" for ladder in self.rules.ladders),
        )
        admin = AIOKafkaAdminClient(**self.client)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(name, self.partitions, 1) for name in names])
        finally:
            await admin.close()
        return self

    def workshop(self, faults: Faults | None = None, **more: Any) -> Workshop:
        return Workshop(
            **{
                "group": self.name,
                "topics": self.topics,
                "handovers": self.handovers,
                "dead_letters": self.dead_letters,
                "changes_prefix": self.changes,
                "changelog": self.changelog,
                "partitions": self.partitions,
                "data_dir": self.folder,
                "event_clock": self.event_clock,
                # Long, so that a slow machine does not change what is compared.
                "merge_wait": 60.0,
                "remembered": "",
                "rules": self.rules,
                "client": self.client,
                "tombstones": 604_800,
                "metrics": self.metrics,
                "shared": self._shared,
                "faults": faults or Faults({}),
                **more,
            }
        )

    @asynccontextmanager
    async def running(
        self,
        number: int = 0,
        faults: Faults | None = None,
        held: Iterable[TopicPartition] = (),
        **more: Any,
    ) -> AsyncIterator[TestHost]:
        host = TestHost(self.client)
        host.held.update(held)
        partition = Partition(number, self.workshop(faults, **more), host)
        try:
            await host.bring_up(partition)
            yield host
        finally:
            await host.stop()

    async def send(self, messages: Iterable[Message], topic: int = 0) -> None:
        """Append to an input topic, each to the partition of its key; without a key to 0."""
        parts: dict[int, list[Message]] = {}
        for key, value in messages:
            number = partition_of(key, self.partitions) if key else 0
            parts.setdefault(number, []).append((key, value))
        for number, part in parts.items():
            await self.send_to(number, part, topic)

    async def send_to(self, number: int, messages: Iterable[Message], topic: int = 0) -> None:
        """Append to one partition of an input topic, whatever the keys."""
        producer = AIOKafkaProducer(**self.client, max_batch_size=1 << 20)
        await producer.start()
        try:
            batch = producer.create_batch()
            for key, value in messages:
                if batch.append(key=key, value=value, timestamp=None) is None:
                    await producer.send_batch(batch, self.topics[topic], partition=number)
                    batch = producer.create_batch()
                    batch.append(key=key, value=value, timestamp=None)
            await producer.send_batch(batch, self.topics[topic], partition=number)
        finally:
            await producer.stop()

    async def allow(self, topic: str, size: int) -> None:
        """Set how many bytes a batch of a topic may have."""
        admin = AIOKafkaAdminClient(**self.client)
        await admin.start()
        try:
            configs = {"max.message.bytes": str(size)}
            kind = ConfigResourceType.TOPIC
            await admin.alter_configs([ConfigResource(kind, topic, configs=configs)])
        finally:
            await admin.close()

    async def delete_before(self, topic: str, offset: int) -> None:
        """Delete the oldest records of a topic, as retention would."""
        admin = AIOKafkaAdminClient(**self.client)
        await admin.start()
        try:
            place = TopicPartition(topic, 0)
            await admin.delete_records({place: RecordsToDelete(before_offset=offset)})
        finally:
            await admin.close()

    async def markers(self) -> None:
        """Wait for the markers of what was committed, which the broker writes right after it.

        Before they are there, readers do not see it; a transaction left open is not waited for.
        """
        changes = [f"{self.changes}.{ladder.id}" for ladder in self.rules.ladders]
        topics = [*changes, self.dead_letters, self.handovers, self.changelog]
        places = [TopicPartition(topic, n) for topic in topics for n in range(self.partitions)]
        async with (
            AIOKafkaConsumer(**self.client) as everything,
            AIOKafkaConsumer(**self.client, isolation_level="read_committed") as stable,
        ):
            for _ in range(100):
                if await stable.end_offsets(places) == await everything.end_offsets(places):
                    return

    async def read(self, topic: str) -> list[ConsumerRecord]:
        """Everything committed in a topic up to now."""
        consumer = AIOKafkaConsumer(**self.client, isolation_level="read_committed")
        await consumer.start()
        try:
            places = [TopicPartition(topic, number) for number in range(self.partitions)]
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            for place in places:
                consumer.seek(place, 0)
            found: list[ConsumerRecord] = []
            while any([await consumer.position(place) < ends[place] for place in places]):
                for records in (await consumer.getmany(timeout_ms=50)).values():
                    found += records
            return found
        finally:
            await consumer.stop()

    async def stage_changes(self, ladder: str) -> list[dict[str, Any]]:
        return [json.loads(record.value) for record in await self.read(f"{self.changes}.{ladder}")]

    async def letters(self) -> list[tuple[str, int, bytes | None]]:
        """Reason, original offset and value of every dead letter."""
        return [
            (
                headers["loyalty.reason"].decode(),
                int(headers["__streams.errors.offset"]),
                letter.value,
            )
            for letter in await self.read(self.dead_letters)
            for headers in (dict(letter.headers),)
        ]


async def until(ready: Callable[[], Awaitable[bool]], host: TestHost | None = None) -> None:
    """Wait until something is so; a host that gave up ends the wait with its reason."""
    async with asyncio.timeout(60):
        while not await ready():
            if host is not None and host.failure.done():
                raise host.failure.result()
            await asyncio.sleep(0.02)


async def applied(shop: Shop, host: TestHost) -> None:
    """Wait until everything in the input topics is committed, handovers too."""
    sources = [*shop.topics, shop.handovers]
    places = [TopicPartition(topic, 0) for topic in sources]

    async def all_read() -> bool:
        assert host.partition is not None
        ends = await host._consumer.end_offsets(places)
        positions = host.partition.positions()
        return all(positions[place] >= ends[place] for place in places)

    await until(all_read, host)
    await shop.markers()
    await until(all_read, host)


Outcome = tuple[dict[str, list[dict[str, Any]]], Counter[str]]
"""Stage changes by ladder in the order of customers, and how many dead letters of each reason."""


def expected(shop: Shop, *topics: Sequence[Message]) -> Outcome:
    """What a backtest of the same events gives."""
    backtest = Backtest(shop.rules)
    events: list[tuple[int, int, int, Event]] = []
    reasons: Counter[str] = Counter()
    for order, messages in enumerate(topics):
        for place, (key, value) in enumerate(messages):
            found = decode(value, key)
            if isinstance(found, Event):
                events.append((found.time, order, place, found))
            else:
                reasons[found.reason] += 1
    for _, order, place, found in sorted(events, key=lambda event: event[:3]):
        backtest.apply(found, Line(str(order), place))
    backtest.finish()
    reasons.update(letter.reason for letter in backtest.dead_letters)
    changes = [json.loads(stage_change.encode(change)) for change in backtest.changes]
    by_ladder = {
        ladder.id: in_order(c for c in changes if c["data"]["ladder"] == ladder.id)
        for ladder in shop.rules.ladders
    }
    return by_ladder, reasons


def in_order(changes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(changes, key=lambda c: (c["subject"], c["data"]["sequence"]))


async def outcome(shop: Shop) -> Outcome:
    """What the topics hold."""
    by_ladder = {
        ladder.id: in_order(await shop.stage_changes(ladder.id)) for ladder in shop.rules.ladders
    }
    return by_ladder, Counter(reason for reason, _, _ in await shop.letters())


async def state_of(shop: Shop, number: int = 0) -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """The rows of the store and those of the changelog; they have to be the same."""
    store = Store(shop.folder / str(number), Shared(cache=8 << 20, buffers=8 << 20))
    rows = dict(store.scan(b"\x01", b"\xff", 1_000_000))
    store.close()
    logged: dict[bytes, bytes] = {}
    for record in await shop.read(shop.changelog):
        if record.partition == number:
            if record.value is None:
                logged.pop(record.key, None)
            else:
                logged[record.key] = record.value
    return rows, logged


def history(customers: int, seed: int = 1, days: int = 60) -> tuple[list[Message], ...]:
    """Events of many kinds on three topics, each in time order; some lines are bad."""
    chance = random.Random(seed)
    topics: tuple[list[Message], ...] = ([], [], [])
    for step in range(customers * 12):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days) * (step / (customers * 12))
        when = at.isoformat(timespec="seconds").replace("+00:00", "Z")
        who = f"c-{chance.randrange(customers)}"
        kind = chance.randrange(20)
        if kind < 9:
            topics[0].append(purchase(who, when, step, chance.randrange(1, 10_000_000)))
        elif kind == 9 and topics[0]:
            topics[0].append(chance.choice(topics[0]))
        elif kind == 10:
            topics[0].append((who.encode(), b"{" + b"x" * chance.randrange(50)))
        elif kind == 11:
            topics[0].append(
                event("purchase.refunded", who, when, step,
                      order_id=f"o-{chance.randrange(step)}", amount=10**7, currency="VND")
            )  # fmt: skip
        elif kind < 14:
            topics[1].append(event("signup.registered", who, when, step))
        elif kind < 16:
            tier = chance.choice(["silver", "gold", "diamond"])
            topics[1].append(event("signup.card_issued", who, when, step, tier=tier))
        elif kind < 18:
            need = chance.choice(["problem", "solution", "brand", "decision"])
            topics[1].append(event("interaction.seen", who, when, step, need=need))
        else:
            topics[2].append(
                event("profile.updated", who, when, step, attributes={"city": str(step % 7)})
            )
    return topics
