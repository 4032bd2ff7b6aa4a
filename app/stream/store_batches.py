"""Rows as RocksDB takes them, with the index of what is due where they come from the changelog."""

from collections.abc import Iterable, Mapping

import rocksdict

from app.errors import StartupRefused
from app.stream import due
from app.wire.record import HOT, VERSION

LAYOUT = 1
"""Raised when what lies in a store, or in the changelog, can no longer be read by older code."""

Row = tuple[bytes, bytes | None]
"""A key and its value; None deletes."""

_HOT = HOT[0]


def batch_of(rows: Iterable[Row]) -> tuple[rocksdict.WriteBatch, bool]:
    """Return the batch, and whether somebody's record is deleted by it."""
    batch = rocksdict.WriteBatch(raw_mode=True)
    put, delete = batch.put, batch.delete
    erased = False
    for key, value in rows:
        if value is None:
            erased |= key[0] == _HOT
            delete(key)
        else:
            put(key, value)
    return batch, erased


def batch_with_index(
    rows: Mapping[bytes, bytes | None], stale: Iterable[bytes]
) -> tuple[rocksdict.WriteBatch, int, bool]:
    """One pass in which a restore spends most of its time.

    Returns the batch, how many customers are in it, and whether somebody's record is deleted.
    """
    batch = rocksdict.WriteBatch(raw_mode=True)
    put, delete, key_of = batch.put, batch.delete, due.key_of
    customers = 0
    erased = False
    for key in stale:
        delete(key)
    for key, value in rows.items():
        if value is None:
            erased |= key[0] == _HOT
            delete(key)
            continue
        put(key, value)
        if key[0] == _HOT:
            customers += 1
            if value[0] > VERSION:
                raise too_new("the changelog", value[0])
            if entry := key_of(key, value):
                put(entry, b"")
    return batch, customers, erased


def too_new(what: str, layout: int) -> StartupRefused:
    """Return the refusal of what a newer program wrote."""
    return StartupRefused(
        f"{what} was written by a newer version of Loyalty Ladder (layout {layout}, this one reads "
        f"up to {LAYOUT}): start that version again, or take a new LADDER_APP_ID and replay "
        "(docs/operating.md says how)"
    )
