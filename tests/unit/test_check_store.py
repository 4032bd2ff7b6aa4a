"""What the fault suite holds a store to: the changelog up to where it stands, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.stream.shared import Shared
from app.stream.store import Standing, Store
from app.stream.store_batches import LAYOUT
from tests.faults.verdict import check_store

STANDS_AT = 10


class Logged:
    """A record of the changelog."""

    partition = 0

    def __init__(self, offset: int, key: bytes, value: bytes | None) -> None:
        self.offset, self.key, self.value = offset, key, value


def check(folder: Path, rows: dict[bytes, bytes], *changelog: Logged) -> None:
    store = Store(folder / "0", Shared(1 << 20, 1 << 20))
    store.write(list(rows.items()), Standing(LAYOUT, "changelog", 0, 1, STANDS_AT, 0))
    store.close()
    logged: Sequence[Any] = changelog
    check_store(folder / "0", 0, logged)


def test_what_was_deleted_or_written_since_is_not_looked_for(tmp_path: Path) -> None:
    check(
        tmp_path, {b"ca": b"1"},
        Logged(1, b"ca", b"0"), Logged(2, b"ca", b"1"), Logged(3, b"cb", b"1"),
        Logged(4, b"cb", None), Logged(11, b"ca", b"2"), Logged(12, b"cc", b"1"),
    )  # fmt: skip


def test_what_the_changelog_forgot_since_may_be_there(tmp_path: Path) -> None:
    check(tmp_path, {b"ca": b"1"}, Logged(11, b"ca", b"2"))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ({b"ca": b"1", b"cb": b"1"}, "1 rows too many"),
        ({b"ca": b"2"}, "1 others"),
        ({}, "1 missing"),
    ],
)
def test_any_other_row_is_told(tmp_path: Path, rows: dict[bytes, bytes], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        check(tmp_path, rows, Logged(1, b"ca", b"1"), Logged(11, b"ca", b"2"))
