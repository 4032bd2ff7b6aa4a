"""The store on real RocksDB: what it keeps, and that it notices damage."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from app.core.customer import stranger
from app.errors import DataFolderTaken, StartupRefused
from app.stream import due
from app.stream.shared import Shared
from app.stream.store import (
    ENTRIES,
    STANDING,
    Standing,
    Store,
    StoreBroken,
    StoreClosed,
    StoreStarved,
    remove,
    set_aside,
)
from app.stream.store_batches import LAYOUT
from app.wire.record import VERSION, RecordCodec

SHARED_CACHE = 7 << 20
_CODEC = RecordCodec([])
ROW = _CODEC.encode(msgspec.structs.replace(stranger(0, 1, ladders=0), due=5))
STANDS = Standing(LAYOUT, "loyalty-customers-changelog", 3, 8, 42, 1_700_000_000_000_000)


@pytest.fixture(scope="module")
def shared() -> Shared:
    return Shared(cache=SHARED_CACHE, buffers=8 << 20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "3"


@pytest.fixture
def store(path: Path, shared: Shared) -> Iterator[Store]:
    store = Store(path, shared)
    yield store
    store.close()


def test_a_new_store_stands_nowhere(store: Store) -> None:
    assert store.standing() is None


def test_values_and_where_they_stand_come_back_after_closing(path: Path, shared: Shared) -> None:
    store = Store(path, shared)
    store.write([(b"ca", b"1"), (b"cb", b"2"), (b"cc", b"3"), (b"cb", None)], STANDS)
    store.close()
    again = Store(path, shared)
    assert again.get([b"ca", b"cb", b"cc"]) == [b"1", None, b"3"]
    assert again.standing() == STANDS
    again.close()


def test_more_rows_than_one_write_takes_all_arrive(store: Store) -> None:
    keys = [b"c%06d" % number for number in range(2 * ENTRIES + 5)]
    store.write(((key, key) for key in keys), STANDS)
    assert store.get(keys) == keys


def test_a_store_that_was_filled_keeps_its_rows_and_takes_more(path: Path, shared: Shared) -> None:
    store = Store(path, shared, filling=True)
    assert store.fill({b"ca": ROW, b"cb": ROW, b"m": b"meta"}, STANDS) == 2
    assert store.fill({b"cb": None}, STANDS) == 0
    store.filled()
    store.write([(b"cc", b"3")], STANDS)
    store.close()
    again = Store(path, shared)
    assert again.get([b"ca", b"cb", b"cc", b"m"]) == [ROW, None, b"3", b"meta"]
    assert again.standing() == STANDS
    again.close()


def test_a_row_that_comes_again_leaves_nothing_behind_in_the_index(store: Store) -> None:
    """What follows a changelog would else gather an entry for each time that somebody came."""
    moved = due.entry(8, b"a")
    store.fill({b"ca": ROW, b"cb": ROW}, STANDS)
    store.write([(due.entry(5, b"a"), None), (moved, b""), (due.mark(b"a"), b"\x08")], None)
    later = _CODEC.encode(msgspec.structs.replace(stranger(0, 1, ladders=0), due=9))
    store.fill({b"ca": later, b"cb": None}, STANDS)
    assert [key for key, _ in store.scan(b"\x00d", b"\x00j", 10)] == [due.entry(9, b"a")]


def test_a_store_that_is_opened_again_uses_the_cache_that_all_share(
    path: Path, shared: Shared
) -> None:
    """RocksDB's binding would take a cache of its own from what it noted when it was made."""
    for _ in range(2):
        store = Store(path, shared)
        assert store._db.property_int_value("rocksdb.block-cache-capacity") == SHARED_CACHE
        store.close()


def test_rows_of_a_newer_version_do_not_get_into_a_store(store: Store) -> None:
    with pytest.raises(StartupRefused, match="LADDER_APP_ID"):
        store.fill({b"ca": bytes([VERSION + 1]) + ROW[1:]}, STANDS)
    assert store.get([b"ca"]) == [None]


ERASED_ID = b"Xq7Zk2Vw9LpT"


def files_with(path: Path, text: bytes) -> set[str]:
    return {file.name for file in path.iterdir() if file.is_file() and text in file.read_bytes()}


def fill_files(store: Store, times: int = 4) -> None:
    """Leave rows of many, and of who is to be erased, in several files."""
    for number in range(times):
        rows = [(b"c%05d" % one, os.urandom(200)) for one in range(number, 4000, 3)]
        store.write([(b"c" + ERASED_ID, b"%d " % number + ERASED_ID), *rows], STANDS)
        store.flush()


async def test_a_purge_leaves_nothing_in_any_file_of_who_was_erased(
    store: Store, path: Path
) -> None:
    fill_files(store)
    assert store.erasures.since() is None
    store.write([(b"c" + ERASED_ID, None)], STANDS)
    assert store.erasures.since() == STANDS.written_at
    assert files_with(path, ERASED_ID) != set()
    await store.purge()
    assert files_with(path, ERASED_ID) == set()
    assert store.erasures.since() is None
    assert len(store.scan(b"c", b"d", 10_000)) == 4000
    assert store.standing() == STANDS


async def test_that_somebody_was_erased_is_known_until_it_was_purged(
    path: Path, shared: Shared
) -> None:
    store = Store(path, shared)
    store.fill({b"ca": ROW}, STANDS)
    store.fill({b"ca": None}, STANDS)
    later = msgspec.structs.replace(STANDS, written_at=STANDS.written_at + 9)
    store.write([(b"cb", None)], later)
    store.close()
    again = Store(path, shared)
    assert again.erasures.since() == STANDS.written_at
    await again.purge()
    again.close()
    last = Store(path, shared)
    assert last.erasures.since() is None
    last.close()


async def test_who_is_erased_during_a_purge_is_purged_by_the_next(store: Store) -> None:
    fill_files(store)
    store.write([(b"ca", None)], STANDS)
    purge = asyncio.create_task(store.purge())
    await asyncio.sleep(0)
    later = msgspec.structs.replace(STANDS, written_at=STANDS.written_at + 9)
    store.write([(b"cb", None)], later)
    await purge
    assert store.erasures.since() == later.written_at
    await store.purge()
    assert store.erasures.since() is None


async def test_a_store_that_is_closed_during_a_purge_has_all_rows_and_is_purged_later(
    path: Path, shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(path, shared)
    fill_files(store, 40)
    store.write([(b"c" + ERASED_ID, None)], STANDS)
    loop, began, compact = asyncio.get_running_loop(), asyncio.Event(), store._compact

    def compacting() -> None:
        loop.call_soon_threadsafe(began.set)
        compact()

    monkeypatch.setattr(store, "_compact", compacting)
    purge = asyncio.create_task(store.purge())
    await began.wait()
    store.write([(b"cwritten-meanwhile", b"1")], STANDS)
    store.close()
    with pytest.raises(StoreClosed):
        await purge
    again = Store(path, shared)
    assert again.get([b"cwritten-meanwhile", b"c" + ERASED_ID]) == [b"1", None]
    assert len(again.scan(b"c", b"d", 10_000)) == 4001
    assert again.erasures.since() == STANDS.written_at
    again.close()


def test_a_scan_gives_the_rows_of_a_range_in_order_up_to_the_limit(store: Store) -> None:
    store.write([(b"c", b"3"), (b"a", b"1"), (b"d", b"4"), (b"b", b"2")], STANDS)
    assert store.scan(b"a", b"d", 10) == [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")]
    assert store.scan(b"b", b"z", 1) == [(b"b", b"2")]


def test_a_store_that_is_open_elsewhere_is_taken_not_broken(
    store: Store, path: Path, shared: Shared
) -> None:
    with pytest.raises(DataFolderTaken, match="LADDER_DATA_DIR"):
        Store(path, shared)


def test_a_damaged_block_is_noticed_when_it_is_read(path: Path, shared: Shared) -> None:
    store = Store(path, shared)
    keys = [b"c%06d" % number for number in range(20_000)]
    store.write(((key, key * 5) for key in keys), STANDS)
    store.flush()
    store.close()
    for file in path.glob("*.sst"):
        data = bytearray(file.read_bytes())
        for place in range(100, len(data) // 2, 1000):
            data[place] ^= 0xFF
        file.write_bytes(data)
    damaged = Store(path, shared)
    with pytest.raises(StoreBroken, match="Corruption"):
        damaged.get(keys)
    with pytest.raises(StoreBroken, match="Corruption"):
        damaged.scan(b"c", b"d", 30_000)
    damaged.close()


def test_a_closed_store_is_not_a_broken_one(path: Path, shared: Shared) -> None:
    store = Store(path, shared)
    store.close()
    with pytest.raises(StoreClosed):
        store.get([b"ca"])
    with pytest.raises(StoreClosed):
        store.write([(b"ca", b"1")], STANDS)
    with pytest.raises(StoreClosed):
        store.scan(b"a", b"z", 1)


def test_a_store_that_cannot_be_opened_is_broken(path: Path, shared: Shared) -> None:
    Store(path, shared).close()
    (path / "CURRENT").write_bytes(b"nonsense")
    with pytest.raises(StoreBroken):
        Store(path, shared)


def test_a_table_damaged_throughout_is_broken_and_not_taken(path: Path, shared: Shared) -> None:
    store = Store(path, shared)
    store.write([(b"c%03d" % number, b"value") for number in range(100)], STANDS)
    store.flush()
    store.close()
    for file in path.glob("*.sst"):
        data = file.read_bytes()
        file.write_bytes(bytes(byte ^ 0x55 for byte in data[:-60]) + data[-60:])
    with pytest.raises(StoreBroken, match="block checksum mismatch"):
        Store(path, shared)


def test_a_full_disk_is_no_reason_to_throw_a_store_away(store: Store) -> None:
    assert isinstance(store._trouble(Exception("IO error: No space left on device")), StoreStarved)
    assert not isinstance(store._trouble(Exception("Corruption: bad block")), StoreStarved)


def test_rows_without_a_word_where_they_stand_are_a_broken_store(store: Store) -> None:
    store.write([(b"ca", b"1")], None)
    with pytest.raises(StoreBroken, match="where they come from"):
        store.standing()


def test_an_unreadable_standing_is_a_broken_store(store: Store) -> None:
    store.write([(STANDING, b"\xc1")], None)
    with pytest.raises(StoreBroken, match="unreadable"):
        store.standing()


def test_a_store_of_a_newer_version_is_refused_with_the_way_out(store: Store) -> None:
    newer = msgspec.msgpack.encode([LAYOUT + 1, "all", "else", "may", "differ"])
    store.write([(STANDING, newer)], None)
    with pytest.raises(StartupRefused, match="LADDER_APP_ID"):
        store.standing()


def test_a_broken_store_is_set_aside_and_only_the_newest_is_kept(
    path: Path, shared: Shared
) -> None:
    for text in ("first", "second"):
        Store(path, shared).close()
        (path / "note").write_text(text)
        aside = set_aside(path)
        assert not path.exists()
        assert (aside / "note").read_text() == text


def test_a_removed_store_begins_anew(path: Path, shared: Shared) -> None:
    store = Store(path, shared)
    store.write([(b"ca", b"1")], STANDS)
    store.close()
    remove(path)
    fresh = Store(path, shared)
    assert fresh.standing() is None
    fresh.close()
