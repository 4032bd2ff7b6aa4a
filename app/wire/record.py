"""A customer's record as bytes: the rows of the store, which are the records of the changelog.

| key | value |
|---|---|
| `c` + id | the hot row: counters, days, recent ids and orders, verdicts; or a forwarding |
| `s`, `o`, `r`, `f` + id | older ids of events, orders, reviews, referred customers |
| `x` + SHA-256 of the id | what outlives a record: the marker of an erasure, absorbed ids |

A hot row is a version byte, the next due instant (8 bytes, big endian, 0 for none; so that the
index of due customers is rebuilt without decoding), a kind byte, and MessagePack. The others are
a version byte and MessagePack. Decoding never raises: what cannot be read is `Unreadable`.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any, TypeVar
from zlib import crc32

import msgspec

from app.core.book import Book, Shelf
from app.core.customer import (
    Bought,
    Customer,
    Erased,
    Hold,
    Moved,
    Signup,
    Slot,
    book_of_events,
    book_of_orders,
    book_of_referrals,
    book_of_reviews,
)
from app.core.due import NEVER
from app.core.events import Attribute
from app.core.ladder import Ladder
from app.core.series import Peaks, Series

VERSION = 1
HOT = b"c"
TRACES = b"x"
_OLDER = (b"s", b"o", b"r", b"f")
_DUE = slice(1, 9)
_CUSTOMER, _MOVED = b"\0", b"\1"
_BODY = 10
_STORED_HOT, _STORED_TRACES = 1 << 4, 1 << 5

Row = tuple[bytes, bytes | None]
"""A key and its value; None deletes it."""
MultiGet = Callable[[list[bytes]], Sequence[bytes | None]]


class Unreadable(msgspec.Struct, frozen=True):
    """Bytes that are no record of this program, or of a newer one, or of other ladders."""

    why: str


class _Recent(msgspec.Struct, array_like=True, gc=False):
    ids: bytes = b""
    entries: bytes = b""
    skip: int = 0


class _Hot(msgspec.Struct, array_like=True, gc=False):
    """`parts` has a bit for each older part that exists, in the order of `_OLDER`."""

    layout: int
    parts: int
    as_of: int
    life: int
    seen: bytes
    seen_skip: int
    orders: _Recent
    reviews: _Recent
    referrals: _Recent
    bought: Bought
    asked: Series
    reviewed: Series
    brought: Series
    wanted: Peaks
    happened: Series
    sent: int
    card: str | None
    signup: Signup | None
    attributes: dict[str, Attribute]
    forgotten_until: int
    rungs: bytearray
    standings: bytearray
    since: list[int]
    sequences: list[int]
    holds: dict[int, Hold]


class _Moved(msgspec.Struct, array_like=True, gc=False):
    layout: int
    into: str
    life: int
    sequences: list[int]


class _Traces(msgspec.Struct, array_like=True, gc=False):
    erased: Erased | None
    aliases: tuple[str, ...]


_encode = msgspec.msgpack.Encoder().encode
_hot = msgspec.msgpack.Decoder(_Hot)
_moved = msgspec.msgpack.Decoder(_Moved)
_shelf = msgspec.msgpack.Decoder(Shelf)
_traces = msgspec.msgpack.Decoder(_Traces)
_VERSION = bytes([VERSION])
_WRONG = (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, OverflowError)


def due_of(hot_row: bytes) -> int:
    """Return the next due instant of a hot row, 0 for none."""
    return int.from_bytes(hot_row[_DUE], "big")


def layout_of(ladders: Iterable[Ladder]) -> int:
    """Return the number under which the places of these ladders and rungs are stored."""
    names = "\n".join(
        "\t".join((ladder.id, *(rung.id for rung in ladder.rungs))) for ladder in ladders
    )
    return crc32(names.encode())


class RecordCodec:
    """Reads and writes records for one set of ladders, in their order."""

    def __init__(self, ladders: Sequence[Ladder]) -> None:
        """Verdicts are stored by place, so rows of another set of ladders are unreadable."""
        self._ladders = len(ladders)
        self._layout = layout_of(ladders)

    def load(self, ids: Iterable[str], multi_get: MultiGet) -> dict[str, Slot]:
        """Read the slots of customers, with at most two look-ups for all of them.

        Raises ValueError naming the row if one cannot be read.
        """
        slots = {customer: Slot(customer) for customer in ids}
        wanted: list[bytes] = []
        owners: list[Slot] = []
        hot_rows = multi_get([HOT + customer.encode() for customer in slots])
        for slot, row in zip(slots.values(), hot_rows, strict=True):
            for key in self._set_hot(slot, row):
                wanted.append(key)
                owners.append(slot)
        if wanted:
            for slot, key, row in zip(owners, wanted, multi_get(wanted), strict=True):
                if row is not None:
                    _set_further(slot, key[:1], row)
        return slots

    def _set_hot(self, slot: Slot, row: bytes | None) -> list[bytes]:
        """Decode a hot row into its slot; returns the keys of the further rows to read."""
        if row is None:
            return [_traces_key(slot.id)]
        record = self.decode(row)
        if isinstance(record, Unreadable):
            raise ValueError(f"stored record of a customer cannot be read: {record.why}")
        slot.record = record
        slot.stored = _STORED_HOT
        keys = []
        if isinstance(record, Customer):
            parts = _parts_of(row)
            slot.stored |= parts & 15
            encoded = slot.id.encode()
            keys = [kind + encoded for bit, kind in enumerate(_OLDER) if parts >> bit & 1]
            if parts & _STORED_TRACES:
                keys.append(_traces_key(slot.id))
        else:
            keys = [_traces_key(slot.id)]
        return keys

    def decode(self, row: bytes) -> Customer | Moved | Unreadable:
        """Read a hot row; older parts are left empty. Never raises."""
        if row[:1] != _VERSION or len(row) < _BODY:
            return Unreadable(f"record version {row[:1].hex() or 'none'}, this reads {VERSION}")
        try:
            if row[_BODY - 1 : _BODY] == _MOVED:
                moved = _moved.decode(row[_BODY:])
                if moved.layout != self._layout or len(moved.sequences) > self._ladders:
                    return Unreadable("written under other ladders")
                return Moved(moved.into, moved.life, moved.sequences)
            return self._customer(_hot.decode(row[_BODY:]), due_of(row))
        except _WRONG as error:
            return Unreadable(str(error))

    def _customer(self, hot: _Hot, due: int) -> Customer | Unreadable:
        if hot.layout != self._layout:
            return Unreadable("written under other ladders")
        columns = (hot.rungs, hot.standings, hot.since, hot.sequences)
        if any(len(column) != self._ladders for column in columns):
            return Unreadable("verdicts do not fit the ladders")
        return Customer(
            as_of=hot.as_of,
            life=hot.life,
            seen=_with(book_of_events(), hot.seen, b"", hot.seen_skip),
            orders=_with(book_of_orders(), *_fields(hot.orders)),
            reviews=_with(book_of_reviews(), *_fields(hot.reviews)),
            referrals=_with(book_of_referrals(), *_fields(hot.referrals)),
            bought=hot.bought,
            asked=hot.asked,
            reviewed=hot.reviewed,
            brought=hot.brought,
            wanted=hot.wanted,
            happened=hot.happened,
            sent=hot.sent,
            card=hot.card,
            signup=hot.signup,
            attributes=hot.attributes,
            forgotten_until=hot.forgotten_until,
            rungs=hot.rungs,
            standings=hot.standings,
            since=hot.since,
            sequences=hot.sequences,
            holds=hot.holds,
            due=due or NEVER,
        )

    def encode(self, c: Customer, *, traces: bool = False) -> bytes:
        """Write a customer's hot row; `c.due` has been brought up to date."""
        parts = _parts(c) | (_STORED_TRACES if traces else 0)
        hot = _Hot(
            self._layout,
            parts,
            c.as_of,
            c.life,
            c.seen.recent.ids,
            c.seen.skip,
            _recent(c.orders),
            _recent(c.reviews),
            _recent(c.referrals),
            c.bought,
            c.asked,
            c.reviewed,
            c.brought,
            c.wanted,
            c.happened,
            c.sent,
            c.card,
            c.signup,
            c.attributes,
            c.forgotten_until,
            c.rungs,
            c.standings,
            c.since,
            c.sequences,
            c.holds,
        )
        due = 0 if c.due is None or c.due == NEVER else c.due
        return _VERSION + due.to_bytes(8, "big") + _CUSTOMER + _encode(hot)

    def changed_rows(self, slot: Slot) -> list[Row]:
        """Return what is to be written for a touched slot, and count it as stored."""
        rows: list[Row] = []
        record = slot.record
        encoded = slot.id.encode()
        traces = slot.erased is not None or bool(slot.aliases)
        if traces or slot.stored & _STORED_TRACES:
            value = _VERSION + _encode(_Traces(slot.erased, slot.aliases)) if traces else None
            rows.append((_traces_key(slot.id), value))
        stored = _STORED_TRACES if traces else 0
        if isinstance(record, Customer):
            rows.append((HOT + encoded, self.encode(record, traces=traces)))
            stored |= _STORED_HOT | _parts(record)
            rows.extend(_older_rows(record, encoded, slot.stored))
        else:
            if isinstance(record, Moved):
                rows.append((HOT + encoded, self._encode_moved(record)))
                stored |= _STORED_HOT
            elif slot.stored & _STORED_HOT:
                rows.append((HOT + encoded, None))
            rows.extend(
                (kind + encoded, None) for bit, kind in enumerate(_OLDER) if slot.stored >> bit & 1
            )
        slot.stored, slot.touched = stored, False
        return rows

    def _encode_moved(self, moved: Moved) -> bytes:
        body = _encode(_Moved(self._layout, moved.into, moved.life, moved.sequences))
        return _VERSION + bytes(8) + _MOVED + body

    def encode_whole(self, c: Customer) -> bytes:
        """Write a record with its older parts in one, for a handover."""
        older = [book.older for book in _books(c)]
        return _encode((self.encode(c), older))

    def decode_whole(self, data: bytes) -> Customer | Unreadable:
        """Read what `encode_whole` wrote. Never raises."""
        try:
            hot, older = _whole.decode(data)
        except _WRONG as error:
            return Unreadable(str(error))
        record = self.decode(hot)
        if isinstance(record, Moved):
            return Unreadable("a forwarding, where a customer's record should be")
        if isinstance(record, Customer):
            for book, shelf in zip(_books(record), older, strict=False):
                book.older = shelf
                book.older_changed = bool(shelf.ids)
        return record


B = TypeVar("B", bound=Book[Any])
_whole = msgspec.msgpack.Decoder(tuple[bytes, list[Shelf]])


class _Head(msgspec.Struct, array_like=True, gc=False):
    layout: int
    parts: int


_head = msgspec.msgpack.Decoder(_Head)


def _parts_of(row: bytes) -> int:
    return _head.decode(row[_BODY:]).parts


def _traces_key(customer: str) -> bytes:
    return TRACES + sha256(customer.encode()).digest()


def _books(c: Customer) -> tuple[Book[Any], ...]:
    return (c.seen, c.orders, c.reviews, c.referrals)


def _fields(recent: _Recent) -> tuple[bytes, bytes, int]:
    return recent.ids, recent.entries, recent.skip


def _with(book: B, ids: bytes, entries: bytes, skip: int) -> B:
    book.recent = Shelf(ids, entries)
    book.skip = skip
    return book


def _recent(book: Book[Any]) -> _Recent:
    return _Recent(book.recent.ids, book.recent.entries, book.skip)


def _parts(c: Customer) -> int:
    parts = 0
    for bit, book in enumerate(_books(c)):
        if book.older.ids:
            parts |= 1 << bit
    return parts


def _older_rows(c: Customer, encoded: bytes, stored: int) -> list[Row]:
    rows: list[Row] = []
    for bit, (kind, book) in enumerate(zip(_OLDER, _books(c), strict=True)):
        if book.older_changed:
            if book.older.ids:
                rows.append((kind + encoded, _VERSION + _encode(book.older)))
            elif stored >> bit & 1:
                rows.append((kind + encoded, None))
            book.older_changed = False
    return rows


def _set_further(slot: Slot, kind: bytes, row: bytes) -> None:
    if row[:1] != _VERSION:
        raise ValueError(f"stored row of version {row[:1].hex()}, this reads {VERSION}")
    if kind == TRACES:
        traces = _traces.decode(row[1:])
        slot.erased, slot.aliases = traces.erased, traces.aliases
        slot.stored |= _STORED_TRACES
    elif isinstance(slot.record, Customer):
        _books(slot.record)[_OLDER.index(kind)].older = _shelf.decode(row[1:])
