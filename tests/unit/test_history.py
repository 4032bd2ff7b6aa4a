"""History: exact whatever comes when, bounded, and gone with whom it is about."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka.structs import TopicPartition

from app.api.ports import Figures
from app.core.change import Change, Trigger
from app.core.customer import Moved, Slot, stranger
from app.core.instants import DAY
from app.stream import history as module
from app.stream import history_reader as reading
from app.stream import history_rows as rows
from app.stream.history import SHARE, History, Turns
from app.stream.shared import Shared
from app.stream.store import Store
from app.stream.transaction import Out
from app.wire import stage_change
from app.wire.record import HOT, RecordCodec
from tests.shop import at, ladder, rules_of

RULES = rules_of(ladder("low: inquiries >= 1\nhigh: purchases >= 1", id="climb"))
TOPIC = "changes.climb"
PLACE = TopicPartition(TOPIC, 0)
CODEC = RecordCodec(RULES.ladders)
DAY_ONE = at("2026-03-01")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "0", Shared(cache=8 << 20, buffers=8 << 20))
    yield store
    store.close()


@pytest.fixture
def history(store: Store) -> History:
    return new(store, level=True)


def new(store: Store, *, level: bool) -> History:
    history = History(store, RULES, {"climb": TOPIC}, Turns(lambda: 0.0))
    history.level = level
    if level:
        history.behind.clear()
    return history


def said(
    customer: str,
    sequence: int,
    *,
    life: int = 1,
    day: int = 0,
    held: int = 60,
    trigger: Trigger | None = None,
) -> Out:
    up = sequence % 2 == 1
    change = Change(
        customer=customer, life=life, ladder="climb", version=1, sequence=sequence,
        time=DAY_ONE + day * DAY, from_="low" if sequence > 1 else None,
        to="high" if up else "low", direction="up", passed=[], cause="event", trigger=trigger,
        because=None, since=DAY_ONE, held=held if sequence > 1 else None, next=None, suggest=None,
        quiet=False,
    )  # fmt: skip
    return Out(customer.encode(), stage_change.encode(change))


def known(store: Store, customer: str, sequence: int, life: int = 1) -> Slot:
    """Store the record of somebody who made so many moves."""
    c = stranger(DAY_ONE, life, 1)
    c.due, c.sequences = 0, [sequence]
    store.write([(HOT + customer.encode(), CODEC.encode(c))], None)
    return Slot(customer, c)


def take(history: History, begin: int, *outs: Out, erased: tuple[str, ...] = ()) -> None:
    history.take({"climb": list(outs)}, {PLACE: begin}, erased)


def sequences(history: History, slot: Slot) -> tuple[list[int], bool]:
    values, complete = history.of(slot)
    return [json.loads(value)["data"]["sequence"] for value in values], complete


def day(history: History, number: int = 0) -> Any:
    figures = Figures(0, 0, {})
    today = DAY_ONE // DAY + number
    history.add_days(figures, "climb", today, 1)
    return figures.days.get(today)


def test_what_a_small_batch_says_is_there_at_once(history: History, store: Store) -> None:
    take(history, 7, said("a", 1), said("b", 1), said("a", 2))
    assert sequences(history, known(store, "a", 2)) == ([1, 2], True)
    assert sequences(history, known(store, "b", 1)) == ([1], True)
    assert history.positions == {TOPIC: 10}
    assert day(history).moves == {"": {"high": 2}, "low": {"low": 1}}
    assert sum(day(history).held["low"].values()) == 1


def test_a_change_that_a_credit_caused_is_kept_without_the_id_of_who_was_brought(
    history: History, store: Store
) -> None:
    slot = known(store, "brings", 2)
    credit = Trigger("/loyalty-ladder", "credit/brought/1/r2", "referral.converted")
    take(history, 7, said("brings", 1, trigger=credit))
    read = msgspec.defstruct("R", ["value"])(said("brings", 2, trigger=credit).value)
    reading._Reader(history, 0, {})._take([read], {TOPIC: 9})
    ids = [json.loads(value)["data"]["trigger"]["id"] for value in history.of(slot)[0]]
    assert ids == [f"credit/sha256:{sha256(b'brought').hexdigest()}/1/r2"] * 2


def test_a_large_batch_is_left_to_the_reader_and_so_is_all_that_follows(
    history: History, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    take(history, 7, said("a", 1), said("a", 2))
    take(history, 10, said("a", 3))
    assert (history.level, history.behind.is_set(), history.positions) == (False, True, {})
    assert history.turns.busy()
    assert sequences(history, known(store, "a", 3)) == ([], False)


def test_more_than_its_share_of_the_time_is_left_to_the_reader() -> None:
    now = 0.0
    turns = Turns(lambda: now)
    assert turns.may()
    turns.spend(1.0)
    assert not turns.may()
    now = 0.5 / SHARE
    assert not turns.may()
    now = 1.5 / SHARE
    assert turns.may()


def test_a_batch_beyond_the_share_is_left_to_the_reader(history: History) -> None:
    history.turns.spend(1.0)
    take(history, 7, said("a", 1))
    assert (history.level, history.turns.busy(), history.positions) == (False, True, {})


def test_an_offset_that_nobody_knows_is_left_to_the_reader(history: History) -> None:
    take(history, -1, said("a", 1))
    assert (history.level, history.positions) == (False, {})


def test_small_batches_are_put_together_once_there_is_enough_of_them(
    history: History, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PUT_AT_ONCE", 3)
    take(history, 7, said("a", 1), said("a", 2))
    assert (rows.changes_of(store, "a"), rows.positions(store)) == ([], {})
    take(history, 11, said("b", 1))
    assert len(rows.changes_of(store, "a") + rows.changes_of(store, "b")) == 3
    assert rows.positions(store) == {TOPIC: 12}
    take(history, 13, said("a", 3))
    history.leave(0)
    assert (len(rows.changes_of(store, "a")), rows.positions(store)) == (3, {TOPIC: 14})


def test_what_was_taken_in_is_put_before_the_reader_goes_on(history: History, store: Store) -> None:
    take(history, 7, said("a", 1))
    history.turns.spend(1.0)
    take(history, 9, said("a", 2))
    assert (history.positions, len(rows.changes_of(store, "a"))) == ({TOPIC: 8}, 1)


def test_it_is_level_once_the_reader_has_reached_the_last_batch_that_was_left_to_it(
    history: History,
) -> None:
    """Also while more is written all the time: there need be no lull in which nothing is."""
    history.turns.spend(1.0)
    take(history, 7, said("a", 1), said("a", 2))
    assert not history.reached({TOPIC: 8})
    assert history.reached({TOPIC: 9})
    assert not history.behind.is_set()
    history.turns.spend(-2.0)
    take(history, 10, said("a", 3))
    assert (history.level, day(history).moves) == (True, {"low": {"high": 1}})


def test_it_is_not_level_before_what_was_there_when_the_partition_opened_is_read(
    store: Store,
) -> None:
    history = new(store, level=False)
    history.read_to({TOPIC: 5})
    assert not history.reached({TOPIC: 4})
    assert history.reached({TOPIC: 5})


def test_after_an_offset_that_nobody_knows_it_is_level_only_beyond_the_next_one(
    history: History,
) -> None:
    take(history, -1, said("a", 1))
    history.read_to({TOPIC: 5})
    assert not history.reached({TOPIC: 5})
    take(history, 7, said("a", 2))
    assert not history.reached({TOPIC: 7})
    assert history.reached({TOPIC: 8})


def test_what_the_reader_took_first_is_not_counted_twice(history: History) -> None:
    entry = rows.read_entry(said("a", 1).value or b"")
    history.put([(entry, b"x")], {TOPIC: 8})
    take(history, 7, said("a", 1))
    assert day(history).moves == {"": {"high": 1}}


def test_it_is_complete_for_whoever_has_all_rows_even_while_others_miss_some(
    store: Store,
) -> None:
    behind = new(store, level=False)
    values = [said("a", n) for n in (1, 2)]
    behind.put([(rows.read_entry(v.value or b""), v.value or b"") for v in values], {TOPIC: 2})
    assert sequences(behind, known(store, "a", 2)) == ([1, 2], True)
    assert sequences(behind, known(store, "a", 3)) == ([1, 2], False)


def test_the_last_64_are_kept_for_each_customer_and_no_more(history: History, store: Store) -> None:
    for number in range(1, 101):
        take(history, 2 * number, said("a", number), said("ab", number))
    slot = known(store, "a", 100)
    assert sequences(history, slot) == (list(range(37, 101)), True)
    assert len(rows.changes_of(store, "a")) == 64


def test_days_are_kept_for_twice_as_long_as_anybody_may_ask(history: History, store: Store) -> None:
    for number in range(rows.DAYS + 5):
        take(history, number, said("a", 1, day=number))
    assert day(history) is not None
    store.write(rows.days_too_many(store, "climb"), None)
    assert day(history, 4) is None
    assert day(history, 5) is not None


def test_who_is_erased_leaves_nothing_even_of_the_same_batch(
    history: History, store: Store
) -> None:
    take(history, 1, said("a", 1), said("ab", 1))
    take(history, 3, said("a", 2), erased=("a",))
    assert rows.changes_of(store, "a") == []
    assert len(rows.changes_of(store, "ab")) == 1


def test_who_comes_back_after_an_erasure_has_only_the_new_life(
    history: History, store: Store
) -> None:
    take(history, 1, said("a", 1), said("a", 2))
    slot = known(store, "a", 1, life=2)
    take(history, 3, said("a", 3), said("a", 1, life=2), erased=("a",))
    assert sequences(history, slot) == ([1], True)
    assert [rows.life_in(key) for key, _ in rows.changes_of(store, "a")] == [2]


async def test_what_was_erased_elsewhere_is_swept_away(history: History, store: Store) -> None:
    take(history, 1, said("gone", 1), said("here", 1), said("", 1), said("moved", 1))
    known(store, "here", 1)
    moved = Slot("moved", Moved("here", 1, [1]))
    store.write(CODEC.changed_rows(moved), None)
    history.leave(0)
    await reading._sweep(history)
    assert rows.changes_of(store, "gone") == []
    assert len(rows.changes_of(store, "here")) == len(rows.changes_of(store, "moved")) == 1


@pytest.mark.parametrize(("came_back_at", "swept"), [(7, True), (8, True), (10, False)])
def test_a_store_that_others_wrote_to_meanwhile_is_swept_again(
    history: History, store: Store, came_back_at: int, swept: bool
) -> None:
    """Offset 8 is the marker of the last transaction here; whoever writes adds two or more."""
    history.enter(5)
    assert not history.swept, "a store that was never left in good order"
    history.swept = True
    history.leave(7)
    again = new(store, level=False)
    again.enter(came_back_at)
    assert again.swept is swept
    killed = new(store, level=False)
    killed.enter(came_back_at)
    assert not killed.swept


def test_the_reader_passes_lives_that_are_over_but_counts_their_moves(store: Store) -> None:
    history = new(store, level=False)
    known(store, "back", 1, life=2)
    known(store, "here", 1)
    reader = reading._Reader(history, 0, {})
    outs = [said("gone", 1), said("back", 1), said("back", 1, life=2), said("here", 1)]
    records = [msgspec.defstruct("R", ["value"])(out.value) for out in outs]
    reader._take([*records, msgspec.defstruct("R", ["value"])(b"no change")], {TOPIC: 9})
    kept = [len(rows.changes_of(store, who)) for who in ("gone", "back", "here")]
    assert kept == [0, 1, 1]
    assert day(history).moves == {"": {"high": 4}}
    assert rows.positions(store) == {TOPIC: 9}


class Consumer:
    """Has one record, which can be read from the moment its transaction is committed."""

    def __init__(self, value: bytes | None) -> None:
        self.left = [value]
        self.asked = asyncio.Event()

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        self.asked.set()
        found, self.left = self.left, []
        return {PLACE: [msgspec.defstruct("R", ["value"])(value) for value in found]}

    async def position(self, place: TopicPartition) -> int:
        return 1


async def step(history: History, consumer: Consumer) -> asyncio.Task[None]:
    """Begin a step of the reader; it has its record, and may go on as far as it can."""
    reader = reading._Reader(history, 0, {})
    task = asyncio.create_task(reader._step(consumer))
    await consumer.asked.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    return task


async def test_a_change_that_is_committed_and_not_stored_yet_is_not_taken_for_an_erased_persons(
    store: Store,
) -> None:
    history = new(store, level=False)
    with history.committing():
        task = await step(history, Consumer(said("a", 1).value))
        assert rows.changes_of(store, "a") == []
        slot = known(store, "a", 1)
    await task
    assert sequences(history, slot) == ([1], True)


async def test_the_reader_waits_for_ever_for_a_commit_that_failed(store: Store) -> None:
    history = new(store, level=False)
    with pytest.raises(OSError, match="gone"), history.committing():
        raise OSError("gone")
    task = await step(history, Consumer(said("a", 1).value))
    assert not task.done()
    assert history.positions == {}
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("customer", ["a", "a/b/1", "é" * 128, "x/r2", "/r3"])
@pytest.mark.parametrize("life", [1, 2, 17])
def test_a_life_is_read_from_any_id(customer: str, life: int) -> None:
    entry = rows.read_entry(said(customer, 12, life=life).value or b"")
    assert (entry.subject, entry.life) == (customer, life)


async def test_a_reader_that_is_cancelled_ends(history: History) -> None:
    task = asyncio.create_task(reading.follow(history, 0, {}))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=10)
    assert task.cancelled()
