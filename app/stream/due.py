"""The index of what is due: one local row for each customer that something is due for.

It is derived from the hot rows, of which `due_bytes` reads the instant, and never goes to the
changelog. Entries may be out of date: who takes one asks the customer's record. So a look that
changes nothing moves the entry and leaves the record; a mark then says where the entry is, so that
it is found when the customer is erased.
"""

from collections.abc import Iterable

from app.wire.record import due_bytes

_PREFIX = b"\x00d"
_MARK = b"\x00i"
_AT = len(_PREFIX)
_ID = _AT + 8

Row = tuple[bytes, bytes | None]


def entry(instant: int, customer: bytes) -> bytes:
    """Return the key of an entry; its value is empty. Instants in µs, ids in UTF-8."""
    return _PREFIX + instant.to_bytes(8, "big") + customer


def split(key: bytes) -> tuple[int, bytes]:
    """Return the instant and the customer of an entry."""
    return int.from_bytes(key[_AT:_ID], "big"), key[_ID:]


def mark(customer: bytes) -> bytes:
    """Return the key of a mark; its value is the instant of the customer's entry."""
    return _MARK + customer


def instant_of(value: bytes | None) -> int:
    """Return the instant that a mark has, 0 without one."""
    return int.from_bytes(value or b"", "big")


def is_entry(key: bytes) -> bool:
    """Tell an entry's key from others."""
    return key.startswith(_PREFIX)


def everything() -> list[tuple[bytes, bytes]]:
    """Return the keys, end excluded, of all entries and of all marks."""
    return [(prefix, prefix[:-1] + bytes([prefix[-1] + 1])) for prefix in (_PREFIX, _MARK)]


def customer_in(key: bytes) -> bytes:
    """Return whose an entry or a mark is."""
    return key[_ID:] if key.startswith(_PREFIX) else key[_AT:]


def between(first: int, last: int) -> tuple[bytes, bytes]:
    """Return the keys, end excluded, of all entries from the first to the last instant."""
    return entry(max(first, 0), b""), entry(max(last, -1) + 1, b"")


def key_of(key: bytes, row: bytes) -> bytes | None:
    """Return the key of the entry that belongs to a hot row, None if nothing is due."""
    instant = due_bytes(row)
    return _PREFIX + instant + key[1:] if instant else None


def put_first(rows: Iterable[Row]) -> list[Row]:
    """Order local rows so that a write that is cut short takes nobody out of the index.

    Of a key that comes more than once the last holds. An entry that stays too long harms nobody.
    """
    return sorted(dict(rows).items(), key=lambda row: row[1] is None)
