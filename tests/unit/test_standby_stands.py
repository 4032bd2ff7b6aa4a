"""A copy's store says where it stands together with the rows, so it may be let go at any moment."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.structs import TopicPartition

from app.stream import changelog
from app.stream.changelog import Changelog, Rows
from app.stream.standby import Copy, Standbys
from app.stream.store import Standing


class Told:
    """A store that remembers what was written, and lets something happen after a write."""

    def __init__(self) -> None:
        self.rows: Rows = {}
        self.stands: list[int] = []
        self.after: Any = lambda: None

    def fill(self, rows: Rows, standing: Standing) -> None:
        self.rows.update(rows)
        self.stands.append(standing.offset)
        self.after()

    def filled(self) -> None:
        """Nothing lasts here."""

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    place = TopicPartition("changelog", 0)
    return Copy(Changelog(client={}, place=place, partitions=1, tombstones=60), tmp_path)


@pytest.fixture
def standbys(copy: Copy) -> Standbys:
    shop: Any = SimpleNamespace(now=lambda: 1)
    found = Standbys(shop)
    found.copies[0] = copy
    return found


async def test_rows_come_with_the_offset_behind_them(standbys: Standbys, copy: Copy) -> None:
    store: Any = Told()
    copy.store, copy.position = store, 10
    store.after = standbys.copies.clear  # let go right after the write
    await standbys._advance(copy, [{b"a": b"1"}, {b"b": b"2"}], 14)
    assert store.rows == {b"a": b"1", b"b": b"2"}
    assert store.stands == [14]
    assert copy.position == 14


async def test_of_many_rows_only_the_last_say_how_far_it_came(
    standbys: Standbys, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changelog, "CHUNK", 1)
    store: Any = Told()
    copy.store, copy.position = store, 10
    await standbys._advance(copy, [{b"a": b"1"}, {b"b": b"2"}], 14)
    assert store.stands == [10, 14]


async def test_markers_alone_move_it_too(standbys: Standbys, copy: Copy) -> None:
    store: Any = Told()
    copy.store, copy.position = store, 10
    await standbys._advance(copy, [], 11)
    assert (store.stands, copy.position) == ([11], 11)
