r"""History as it lies in a partition's store: local rows, which never go to the changelog.

| key | value |
|---|---|
| `\0h` + id + ladder + life + sequence | a stage change, with nobody else's id in it |
| `\0t` + ladder + day | what happened on a ladder on one day (`app.api.ports.Day`) |
| `\0p` | up to where the stage-change topics are taken in, by topic |
| `\0l` | where in the changelog the store stood when it was left in good order |

Ids have their length before them, so that no id is the beginning of another's.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.api.dwell import bucket
from app.api.ports import Day
from app.core.instants import Calendar, parse_instant
from app.stream.store import Store
from app.stream.store_batches import Row
from app.wire.credit_trigger import without_referred
from app.wire.record import HOT, life_of

POSITIONS = b"\x00p"
_LEFT = b"\x00l"
_CHANGE = b"\x00h"
_DAY = b"\x00t"
KEPT = 64
"""Changes that are kept for each customer and ladder."""
DAYS = 800
"""Days that are kept for each ladder: twice what may be asked for."""
MOST = 64 * KEPT
"""Rows of one customer that are read: there are at most 64 ladders."""


class Noted(msgspec.Struct, gc=False, rename={"from_": "from"}):
    """What is read of a stage change's data."""

    ladder: str
    sequence: int
    from_: str | None
    to: str | None
    held_seconds: int | None


class Entry(msgspec.Struct, gc=False):
    """What is read of a stage change."""

    id: str
    subject: str
    time: str
    data: Noted

    @property
    def life(self) -> int:
        """The how-manieth record of the customer it belongs to: the ending of its id."""
        data = self.data
        ending = self.id[len(data.ladder) + len(self.subject) + 2 + len(str(data.sequence)) :]
        return int(ending[2:]) if ending[:2] == "/r" else 1


read_entry = msgspec.json.Decoder(Entry).decode
_encode = msgspec.msgpack.Encoder().encode
_read_day = msgspec.msgpack.Decoder(Day).decode
_read_offset = msgspec.msgpack.Decoder(int).decode
_read_positions = msgspec.msgpack.Decoder(dict[str, int]).decode


def of_customer(customer: str) -> bytes:
    """Return how the keys of a customer's changes begin."""
    encoded = customer.encode()
    return _CHANGE + len(encoded).to_bytes(2, "big") + encoded


def of_ladder(customer: str, ladder: str, life: int) -> bytes:
    """Return how the keys of a customer's changes on a ladder begin, in one life."""
    return of_customer(customer) + ladder.encode() + b"\x00" + life.to_bytes(4, "big")


def life_in(key: bytes) -> int:
    return int.from_bytes(key[-8:-4], "big")


def sequence_in(key: bytes) -> int:
    return int.from_bytes(key[-4:], "big")


def changes_of(store: Store, customer: str) -> list[tuple[bytes, bytes]]:
    """Return all rows of a customer's changes: by ladder, life and sequence."""
    prefix = of_customer(customer)
    return store.scan(prefix, prefix + b"\xff", MOST)


def of_lives_over(store: Store, customer: str) -> list[Row]:
    """Return the deletion of changes in lives before the one that is in the store now."""
    hot = store.get([HOT + customer.encode()])[0]
    life = life_of(hot) if hot is not None else None
    return [
        (key, None) for key, _ in changes_of(store, customer) if life is None or life_in(key) < life
    ]


def next_customer(store: Store, after: bytes) -> tuple[bytes, str] | None:
    """Return the first key after one, and whose it is; None at the end."""
    rows = store.scan(max(after, _CHANGE), _CHANGE + b"\xff\xff", 1)
    if not rows:
        return None
    key = rows[0][0]
    begin = len(_CHANGE) + 2
    length = int.from_bytes(key[len(_CHANGE) : begin], "big")
    return key, key[begin : begin + length].decode()


def put(entry: Entry, value: bytes) -> list[Row]:
    """Return the rows that keep a change, and that drop the one which is now too many."""
    sequence = entry.data.sequence
    begin = of_ladder(entry.subject, entry.data.ladder, entry.life)
    rows: list[Row] = [(begin + sequence.to_bytes(4, "big"), without_referred(value))]
    if sequence > KEPT:
        rows.append((begin + (sequence - KEPT).to_bytes(4, "big"), None))
    return rows


def positions(store: Store) -> dict[str, int]:
    """Return up to where each topic is taken in; empty for a store without history."""
    value = store.get([POSITIONS])[0]
    return _read_positions(value) if value is not None else {}


def positions_row(found: dict[str, int]) -> Row:
    return POSITIONS, _encode(found)


def left_row(offset: int | None) -> Row:
    """Return the row that says where the store stood when it was left; None: it is in use."""
    return _LEFT, None if offset is None else _encode(offset)


def left_at(store: Store) -> int | None:
    """Return where in the changelog the store stood when it was left in good order."""
    value = store.get([_LEFT])[0]
    return None if value is None else _read_offset(value)


def day_key(ladder: str, day: int) -> bytes:
    return _DAY + ladder.encode() + b"\x00" + day.to_bytes(4, "big")


def days_of(store: Store, ladder: str, first: int, last: int) -> dict[int, Day]:
    """Return the days of a ladder from the first to the last."""
    begin, end = day_key(ladder, max(first, 0)), day_key(ladder, max(last, -1) + 1)
    rows = store.scan(begin, end, last - first + 1)
    return {int.from_bytes(key[-4:], "big"): _read_day(value) for key, value in rows}


def days_too_many(store: Store, ladder: str) -> list[Row]:
    """Return the deletion of days beyond those that are kept."""
    rows = store.scan(day_key(ladder, 0), day_key(ladder, 0xFFFFFFFF), 4 * DAYS)
    return [(key, None) for key, _ in rows[:-DAYS]]


def counted(store: Store, calendar: Calendar, entries: Iterable[Entry]) -> list[Row]:
    """Return the rows of the days to which these changes are added."""
    days: dict[bytes, Day] = {}
    for entry in entries:
        data = entry.data
        key = day_key(data.ladder, calendar.day_of(parse_instant(entry.time) or 0))
        day = days.get(key)
        if day is None:
            value = store.get([key])[0]
            day = days[key] = _read_day(value) if value is not None else Day({}, {})
        left, entered = data.from_ or "", data.to or ""
        moves = day.moves.setdefault(left, {})
        moves[entered] = moves.get(entered, 0) + 1
        if data.held_seconds is not None:
            held = day.held.setdefault(left, {})
            number = bucket(data.held_seconds)
            held[number] = held.get(number, 0) + 1
    return [(key, _encode(day)) for key, day in days.items()]
