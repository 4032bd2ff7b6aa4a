"""A partition between a host and a producer that only take notes: no broker, a real store."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata, TopicPartition

from app.ops.registry import Metrics
from app.stream import due
from app.stream.faults import FaultInjected
from app.stream.history import History
from app.stream.meta import Meta
from app.stream.partition import Partition
from app.stream.rounds import Rounds
from app.stream.seam import Workshop, wall_clock
from app.stream.shared import Shared
from app.stream.store import Standing, Store, StoreBroken, StoreStarved
from app.stream.store_batches import LAYOUT, Row
from app.stream.transaction import CommitFailed, Out
from tests.unit.test_slots import RULES

NOBODY = {"bootstrap_servers": "127.0.0.1:1"}
TOPICS = {ladder.id: f"changes.{ladder.id}" for ladder in RULES.ladders}
EVENTS, HANDOVERS = TopicPartition("events", 0), TopicPartition("handovers", 0)


class FakeWriter:
    """Takes every batch; `held` keeps it from answering, `troubles` are raised by it."""

    def __init__(self) -> None:
        self.offsets: list[dict[str, int]] = []
        self.rows = 0
        self.begins: dict[TopicPartition, int] = {}
        self.held = asyncio.Event()
        self.held.set()
        self.troubles: list[Exception] = []
        self.commits = False

    async def commit(
        self,
        outgoing: object,
        changelog: TopicPartition,
        rows: Sequence[Out],
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        group: str,
    ) -> int:
        self.commits = True
        await self.held.wait()
        self.commits = False
        if self.troubles:
            raise self.troubles.pop(0)
        self.offsets.append({tp.topic: at.offset for tp, at in offsets.items()})
        self.rows += len(rows)
        return self.rows

    async def close(self) -> None:
        return None


class Rig:
    """A partition as it is after `open`, and what it told its host."""

    def __init__(self, folder: Path) -> None:
        self.at = {EVENTS: 0, HANDOVERS: 0}
        self.now = wall_clock()
        self.writer = FakeWriter()
        self.failures: list[BaseException] = []
        self.shop = Workshop(
            group="g", topics=("events",), handovers="handovers", dead_letters="letters",
            changes_prefix="changes", changelog="log", partitions=1, data_dir=folder,
            event_clock=True, merge_wait=0.0, remembered="", rules=RULES, client=NOBODY,
            tombstones=1, metrics=Metrics(), shared=Shared(cache=8 << 20, buffers=8 << 20),
            now=lambda: self.now,
        )  # fmt: skip
        host = SimpleNamespace(
            pause=lambda tp: None,
            resume=lambda tp: None,
            end_of=self.at.get,
            position_of=self.at.get,
            failed=lambda number, error: self.failures.append(error),
        )
        self.partition = Partition(0, self.shop, host)
        self.store = Store(folder / "0", self.shop.shared)
        self._opened(self.partition)

    def _opened(self, partition: Any) -> None:
        partition._hold.writer, partition._hold.store = self.writer, self.store
        partition._hold.rounds = Rounds(
            0, self.shop, partition._host, partition._codec, partition._inbox, partition._retries,
            writer=self.writer,  # type: ignore[arg-type]
            store=self.store, standing=Standing(LAYOUT, "log", 0, 1, 0, 0), meta=Meta(),
            positions={EVENTS: 0, HANDOVERS: 0},
            history=History(self.store, RULES, TOPICS, self.shop.turns),
        )  # fmt: skip
        partition.state = "ready"

    def offer(self, *records: ConsumerRecord) -> None:
        """Offer records of the input topic."""
        self.at[EVENTS] = records[-1].offset + 1
        self.partition.offer(EVENTS, list(records))

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110  a fake tells nobody
                await asyncio.sleep(0)


def record(offset: int, kind: str, day: int, customer: str = "c-1", **data: Any) -> ConsumerRecord:
    """An event of a day in March."""
    body = {
        "specversion": "1.0", "id": f"e-{offset}", "source": "/test", "subject": customer,
        "type": kind, "time": f"2026-03-{day:02}T00:00:00Z", "data": data,
    }  # fmt: skip
    key, value = customer.encode(), json.dumps(body).encode()
    return ConsumerRecord("events", 0, offset, 0, 0, key, value, 0, len(key), len(value), ())


def purchase(offset: int, customer: str = "c-1") -> ConsumerRecord:
    order = {"order_id": f"o-{offset}", "amount": 100, "currency": "VND"}
    return record(offset, "purchase.completed", 1, customer, **order)


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path)
    rig.partition.start()
    yield rig
    await rig.partition.close()


FAILURES = [
    StoreStarved("No space left on device"),
    StoreBroken("bad block"),
    CommitFailed(ConnectionError("away")),
    CommitFailed(TimeoutError()),
    FaultInjected("after-acks"),
]


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
async def test_a_batch_that_fails_while_the_partition_is_quiesced_leaves_it_closed(
    rig: Rig, failure: Exception
) -> None:
    """A kept partition goes on from memory only when 'ready': here it has to be opened anew."""
    rig.writer.held.clear()
    rig.writer.troubles.append(failure)
    rig.offer(purchase(0))
    await rig.until(lambda: rig.partition._hold.rounds and rig.partition._hold.rounds.size)
    quiescing = asyncio.create_task(rig.partition.quiesce())
    await rig.until(rig.partition._stop.is_set)
    rig.writer.held.set()
    await quiescing
    assert rig.partition.state == "closed"
    assert rig.partition.positions() == {EVENTS: 0, HANDOVERS: 0}
    assert rig.failures == []


async def test_a_partition_that_waits_to_be_opened_again_is_not_ready(rig: Rig) -> None:
    rig.writer.troubles.append(CommitFailed(TimeoutError()))
    rig.offer(purchase(0))
    await rig.until(lambda: not rig.partition._accepting)
    assert rig.partition.state == "restoring"
    await rig.partition.quiesce()
    assert rig.partition.state == "closed"


async def test_a_write_to_the_store_that_fails_does_not_move_where_it_stands(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreStarved("No space left on device")

    monkeypatch.setattr(rig.store, "write", full)
    rounds = rig.partition._hold.rounds
    assert rounds is not None
    rig.offer(purchase(0))
    await rig.until(lambda: not rig.partition._accepting)
    assert rig.writer.rows > 0
    assert rounds._standing.offset == 0


async def test_an_entry_of_the_due_index_is_put_before_that_in_whose_place_it_comes(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than one write takes are several: a kill between them must lose nobody."""
    written: list[Row] = []
    write = rig.store.write

    def noting(rows: Sequence[Row], standing: Standing | None) -> None:
        written.extend(row for row in rows if due.is_entry(row[0]))
        write(rows, standing)

    rig.offer(record(0, "signup.inquired", 1), record(1, "signup.inquired", 4))
    await rig.until(lambda: rig.partition.positions()[EVENTS] == 2)
    monkeypatch.setattr(rig.store, "write", noting)
    rig.offer(record(2, "clock.advanced", 9))
    await rig.until(lambda: len(written) == 2)
    assert [value for _, value in written] == [b"", None]


async def test_markers_that_were_passed_are_committed_with_the_next_commit(rig: Rig) -> None:
    """What lies before them is deleted one day, and must not seem to be lost then."""
    rig.offer(purchase(0))
    await rig.until(lambda: rig.partition.positions()[EVENTS] == 1)
    rig.at[HANDOVERS] = 5
    rig.partition.offer(HANDOVERS, [])
    rig.offer(purchase(1))
    await rig.until(lambda: rig.partition.positions()[EVENTS] == 2)
    rig.offer(purchase(2))
    await rig.until(lambda: rig.partition.positions()[EVENTS] == 3)
    assert rig.writer.offsets == [
        {"events": 1, "handovers": 0},
        {"events": 2, "handovers": 5},
        {"events": 3},
    ]


async def test_markers_behind_a_batch_are_passed_when_it_is_committed(rig: Rig) -> None:
    """Lag is seen from the positions: before the commit it must not be 0."""
    rig.writer.held.clear()
    rig.offer(purchase(0))
    await rig.until(lambda: rig.writer.commits)
    rig.at[EVENTS] = 3
    rig.partition.offer(EVENTS, [])
    assert rig.partition.positions()[EVENTS] == 0
    rig.writer.held.set()
    await rig.until(lambda: rig.partition.positions()[EVENTS] == 3)
    rig.offer(purchase(3))
    await rig.until(lambda: rig.partition.positions()[EVENTS] == 4)
    assert rig.writer.offsets == [{"events": 1, "handovers": 0}, {"events": 4}]


async def test_a_partition_in_which_nothing_happens_writes_its_own_row_every_six_hours(
    rig: Rig,
) -> None:
    """Else a broker would never end the segment in which somebody lies who was erased."""
    rig.offer(purchase(0))
    await rig.until(lambda: rig.partition.positions()[EVENTS] == 1)
    rounds, rows = rig.partition._hold.rounds, rig.writer.rows
    assert rounds is not None
    await rig.partition.quiesce()
    for hours, written in ((5, 0), (2, 1), (5, 1), (2, 2)):
        rig.now += hours * 3_600_000_000
        await rounds.one()
        assert rig.writer.rows - rows == written


async def test_a_row_that_cannot_be_read_has_the_store_built_anew(rig: Rig) -> None:
    rig.store.write([(b"cbad", b"nonsense")], None)
    rig.offer(purchase(0, "good"), purchase(1, "bad"))
    await rig.until(lambda: not rig.partition._accepting)
    assert rig.failures == []
    assert rig.partition._hold.suspect
    assert rig.writer.offsets == []
