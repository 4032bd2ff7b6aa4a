"""Stores are purged of who was erased: what is left over first, then what lies in files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.customer import stranger
from app.core.instants import DAY, SECOND
from app.stream import due, history_rows
from app.stream.history import Turns
from app.stream.purging import AFTER_SECONDS, SLICE, Open, Purging
from app.stream.shared import Shared
from app.stream.store import Standing, Store, StoreBroken
from app.stream.store_batches import LAYOUT, Row
from app.wire.record import HOT, RecordCodec

NOW = 1_700_000_000_000_000
STANDS = Standing(LAYOUT, "log", 0, 1, 42, NOW)
GONE, HERE = b"Xq7Zk2Vw9LpT", b"b4Nf8RmY1Gdh"
"""Without four letters in common, which files would have only once."""
CODEC = RecordCodec([])


def record(life: int = 1) -> bytes:
    c = stranger(0, life, 0)
    c.due = 0
    return CODEC.encode(c)


def local(customer: bytes) -> list[Row]:
    """What a store keeps about somebody for itself alone."""
    change = history_rows.of_ladder(customer.decode(), "climb", 1) + b"\x00\x00\x00\x01"
    return [
        (due.entry(NOW, customer), b""),
        (due.entry(NOW + 900 * DAY, customer), b""),
        (due.mark(customer), b"\x05"),
        (change, b"a move"),
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "0", Shared(cache=8 << 20, buffers=8 << 20))
    store.write(
        [(HOT + GONE, record()), (HOT + HERE, record()), *local(GONE), *local(HERE)], STANDS
    )
    store.flush()
    yield store
    store.close()


def purging(store: Store, now: int, *, copy: bool) -> Purging:
    return Purging(lambda: [Open(0, store, copy)], Turns(lambda: 0.0), lambda: now)


def traces(store: Store) -> set[str]:
    """The files that have something of the erased customer in them."""
    files = [file for file in store.path.iterdir() if file.is_file()]
    return {file.name for file in files if GONE in file.read_bytes()}


@pytest.mark.parametrize("copy", [False, True])
async def test_half_a_day_after_an_erasure_nothing_is_left_of_it_in_any_file(
    store: Store, copy: bool
) -> None:
    store.write([(HOT + GONE, None)], STANDS)
    if not copy:  # whose history is deleted with the erasure
        store.write(history_rows.of_lives_over(store, GONE.decode()), None)
    await purging(store, NOW + AFTER_SECONDS * SECOND - 1, copy=copy).look()
    assert traces(store)
    await purging(store, NOW + AFTER_SECONDS * SECOND, copy=copy).look()
    assert traces(store) == set()
    kept = dict(store.scan(b"", b"\xff", 100))
    assert {HOT + HERE, *(key for key, _ in local(HERE))} <= kept.keys()


async def test_a_copy_keeps_no_changes_of_a_life_that_is_over(store: Store) -> None:
    """A copy follows the rows of records alone, and may have been at work before."""
    store.fill({HOT + GONE: None}, STANDS)
    store.fill({HOT + HERE: record(life=2)}, STANDS)
    await purging(store, NOW + DAY, copy=True).look()
    assert traces(store) == set()
    assert history_rows.changes_of(store, HERE.decode()) == []


async def test_everybody_is_looked_at_however_many_there_are(store: Store) -> None:
    crowd = [b"c-%04d" % number for number in range(3 * SLICE)]
    store.write([(due.entry(NOW + at, who), b"") for at, who in enumerate(crowd)], STANDS)
    store.write([(HOT + who, record()) for who in crowd[::2]], STANDS)
    store.write([(HOT + GONE, None)], STANDS)
    await purging(store, NOW + DAY, copy=False).look()
    ((first, end), _) = due.everything()
    left = {due.customer_in(key) for key, _ in store.scan(first, end, 10_000)}
    assert left == {HERE, *crowd[::2]}


async def test_a_store_in_which_nobody_was_erased_is_left_alone(store: Store) -> None:
    with capture_logs() as said:
        await purging(store, NOW + 9 * DAY, copy=False).look()
    assert said == []


async def test_a_purge_that_fails_is_told_and_tried_again_and_the_others_go_on(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([(HOT + GONE, None)], STANDS)

    def broken() -> None:
        raise StoreBroken("No space left on device")

    with capture_logs() as said, monkeypatch.context() as patched:
        patched.setattr(store, "flush", broken)
        await purging(store, NOW + DAY, copy=True).look()
    assert [line["action"] for line in said] == ["store-unpurged"]
    assert store.erasures.since() == NOW
    await purging(store, NOW + DAY, copy=True).look()
    assert traces(store) == set()


async def test_a_store_that_was_closed_meanwhile_is_passed_by(tmp_path: Path) -> None:
    store = Store(tmp_path / "1", Shared(cache=8 << 20, buffers=8 << 20))
    store.close()
    with capture_logs() as said:
        await purging(store, NOW, copy=False).look()
    assert said == []
