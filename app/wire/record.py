"""A customer's record as bytes: the rows of the store, which are the records of the changelog.

| key | value |
|---|---|
| `c` + id | the hot row: counters, days, recent ids and orders, verdicts; or a forwarding |
| `s`, `o`, `r`, `f` + id | older ids of events, orders, reviews, referred customers |
| `x` + SHA-256 of the id | what outlives a record: the marker of an erasure, absorbed ids; the id |

A hot row is a version byte, a kind byte, a byte with a bit for each further row there is, four
bytes for the set of ladders its places belong to, and MessagePack. The first thing in that is the
next due instant, at a fixed place, so that the index of due customers is rebuilt without
decoding. Other rows are a version byte and MessagePack. Decoding never raises: what cannot be
read is `Unreadable`.

The id is under `x` only while somebody who keeps its SHA-256 alone may ask for it. A number of a
hot row that 64 bits do not hold is the extension type 1 with 16 bytes (`app.core.sums`); what a
referred customer brought on one day is several entries of that day where it is beyond 64 bits.
Version 1 kept who brought a customer by id, and none under `x`, and knew no numbers beyond 64 bits.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any
from zlib import crc32

import msgspec

from app.core import sums
from app.core.book import Book, Older
from app.core.customer import Customer, Erased, Moved, Slot, without_older
from app.core.due import NEVER
from app.core.ladder import Ladder

VERSION = 2
HOT = b"c"
TRACES = b"x"
_OLDER = (b"s", b"o", b"r", b"f")
_KIND, _PARTS, _LAYOUT, _BODY = 1, 2, slice(3, 7), 7
_DUE_HEAD, _DUE = _BODY + 3, _BODY + 4
"""Behind the head of the array (3 bytes); an integer's head says how long it is."""
_DUE_BYTES = {0xCF: 8, 0xCE: 4, 0xCD: 2, 0xCC: 1}
_NEVER = NEVER.to_bytes(8, "big")
_CUSTOMER, _MOVED = 0, 1
_STORED_HOT, _STORED_TRACES = 1 << 4, 1 << 5
_OLDER_PARTS = (1 << len(_OLDER)) - 1

Row = tuple[bytes, bytes | None]
"""A key and its value; None deletes it."""
MultiGet = Callable[[list[bytes]], Sequence[bytes | None]]


class Unreadable(msgspec.Struct, frozen=True):
    """Bytes that are no record of this program, or of a newer one, or of other ladders."""

    why: str


class Head(msgspec.Struct, array_like=True, gc=False):
    """The first fields of a customer's hot row: enough to say who stands where."""

    due: int
    as_of: int
    life: int
    rungs: bytes
    standings: bytes
    since: list[int]
    sequences: list[int]


_NO_TRACES = (None, (), "")


class _Traces(msgspec.Struct, array_like=True, gc=False):
    erased: Erased | None
    aliases: tuple[str, ...]
    id: str = ""


_encode = msgspec.msgpack.Encoder().encode
_customer = msgspec.msgpack.Decoder(Customer)
_moved = msgspec.msgpack.Decoder(Moved)
_head = msgspec.msgpack.Decoder(Head)
_older = msgspec.msgpack.Decoder(tuple[bytes, bytes])
_traces = msgspec.msgpack.Decoder(_Traces)
_whole = msgspec.msgpack.Decoder(tuple[bytes, list[tuple[bytes, bytes] | None]])
_VERSION = bytes([VERSION])
_VERSIONS = tuple(bytes([version]) for version in range(1, VERSION + 1))
_WRONG = (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError)


def due_of(hot_row: bytes) -> int:
    """Return the next due instant of a hot row (microseconds), 0 for none."""
    if hot_row[_KIND] == _MOVED:
        return 0
    head = hot_row[_DUE_HEAD]
    length = _DUE_BYTES.get(head)
    due = int.from_bytes(hot_row[_DUE : _DUE + length], "big") if length else head
    return 0 if due == NEVER else due


def due_bytes(hot_row: bytes) -> bytes:
    """Return the same as 8 bytes that sort by time, empty for none; as a restore wants it."""
    if hot_row[_DUE_HEAD] == 0xCF and hot_row[_KIND] != _MOVED:
        eight = hot_row[_DUE : _DUE + 8]
        return b"" if eight == _NEVER else eight
    due = due_of(hot_row)
    return due.to_bytes(8, "big") if due else b""


def life_of(hot_row: bytes) -> int | None:
    """Return the how-manieth record of its id a hot row belongs to; None of unreadable bytes."""
    try:
        if hot_row[_KIND] == _MOVED:
            return _moved.decode(hot_row[_BODY:]).life
        return _head.decode(hot_row[_BODY:]).life
    except (*_WRONG, IndexError):
        return None


def layout_of(ladders: Iterable[Ladder]) -> int:
    """Return the number under which the places of these ladders and rungs are stored."""
    names = "\n".join(
        "\t".join((ladder.id, *(rung.id for rung in ladder.rungs))) for ladder in ladders
    )
    return crc32(names.encode())


def traces_key(digest: bytes) -> bytes:
    """Return the key of what outlives the record of an id, by the SHA-256 of the id."""
    return TRACES + digest


def id_in(traces: bytes | None) -> str | None:
    """Return the id that such a row keeps, None for none. Raises ValueError if it is unreadable."""
    if traces is None:
        return None
    if traces[:1] not in _VERSIONS:
        raise ValueError(f"stored row of version {traces[:1].hex()}, this reads {VERSION}")
    try:
        return _traces.decode(traces[1:]).id or None
    except _WRONG as error:
        raise ValueError(f"stored row of kind {TRACES.decode()} cannot be read: {error}") from error


class RecordCodec:
    """Reads and writes records for one set of ladders, in their order."""

    def __init__(self, ladders: Sequence[Ladder]) -> None:
        """Verdicts are stored by place, so rows of another set of ladders are unreadable."""
        self._ladders = len(ladders)
        self._layout = layout_of(ladders).to_bytes(4, "big")
        self._heads = [
            bytes((VERSION, _CUSTOMER, parts)) + self._layout for parts in range(2 * _STORED_TRACES)
        ]

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
        parts = row[_PARTS]
        slot.stored |= parts
        if not parts:
            return []
        encoded = slot.id.encode()
        keys = [kind + encoded for bit, kind in enumerate(_OLDER) if parts >> bit & 1]
        if parts & _STORED_TRACES:
            keys.append(_traces_key(slot.id))
        return keys

    def decode(self, row: bytes) -> Customer | Moved | Unreadable:
        """Read a hot row; older parts are left out. Never raises."""
        if row[:1] not in _VERSIONS or len(row) < _BODY:
            return Unreadable(f"record version {row[:1].hex() or 'none'}, this reads {VERSION}")
        if row[_LAYOUT] != self._layout:
            return Unreadable("written under other ladders")
        ladders = self._ladders
        try:
            if row[_KIND] == _MOVED:
                return _moved.decode(row[_BODY:])
            c = _decode_customer(row[_BODY:])
        except _WRONG as error:
            return Unreadable(str(error))
        if not (
            row[_KIND] == _CUSTOMER
            and len(c.rungs) == ladders
            and len(c.standings) == ladders
            and len(c.since) == ladders
            and len(c.sequences) == ladders
        ):
            return Unreadable("verdicts do not fit the ladders")
        return c

    def head(self, row: bytes) -> Head | None:
        """Read the beginning of a hot row; None of a forwarding, or what cannot be read."""
        if row[:1] not in _VERSIONS or row[_KIND] != _CUSTOMER or row[_LAYOUT] != self._layout:
            return None
        try:
            return _head.decode(row[_BODY:])
        except _WRONG:
            return None

    def encode(self, c: Customer, *, traces: bool = False) -> bytes:
        """Write a customer's hot row; `c.due` has been brought up to date."""
        return self._encode_hot(c, _parts(c), _STORED_TRACES if traces else 0)

    def _encode_hot(self, c: Customer, parts: int, traces: int) -> bytes:
        if c.due is None:
            raise ValueError("the next due instant is to be found before a record is written")
        if parts:
            c = without_older(c)
        return self._heads[parts | traces] + _encode_customer(c)

    def changed_rows(self, slot: Slot) -> list[Row]:
        """Return what is to be written for a touched slot, and count it as stored."""
        rows: list[Row] = []
        record = slot.record
        encoded = slot.id.encode()
        traced = slot.erased, slot.aliases, slot.id if slot.reachable else ""
        traces = traced != _NO_TRACES
        if slot.traced != traced:
            value = _VERSION + _encode(_Traces(*traced)) if traces else None
            rows.append((_traces_key(slot.id), value))
            slot.traced = traced
        stored = _STORED_TRACES if traces else 0
        if isinstance(record, Customer):
            parts = _parts(record)
            rows.append((HOT + encoded, self._encode_hot(record, parts, stored)))
            stored |= _STORED_HOT | parts
            if parts:
                rows.extend(_older_rows(record, encoded))
        elif isinstance(record, Moved):
            rows.append((HOT + encoded, self._encode_moved(record, traces=traces)))
            stored |= _STORED_HOT
        elif slot.stored & _STORED_HOT:
            rows.append((HOT + encoded, None))
        if gone := slot.stored & ~stored & _OLDER_PARTS:
            rows.extend(
                (kind + encoded, None) for bit, kind in enumerate(_OLDER) if gone >> bit & 1
            )
        slot.stored, slot.touched = stored, False
        return rows

    def _encode_moved(self, moved: Moved, *, traces: bool) -> bytes:
        head = bytes((VERSION, _MOVED, _STORED_TRACES if traces else 0))
        return head + self._layout + _encode(moved)

    def encode_whole(self, c: Customer) -> bytes:
        """Write a record with its older parts in one, for a handover."""
        older = [(book.older.ids, book.older.entries) if book.older else None for book in _books(c)]
        c.due = NEVER
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
            for book, part in zip(_books(record), older, strict=False):
                book.older = Older(*part, changed=True) if part else None
        return record


def _encode_customer(c: Customer) -> bytes:
    try:
        return _encode(c)
    except OverflowError:
        return _encode(sums.with_packed_sums(c))


def _decode_customer(body: bytes) -> Customer:
    try:
        return _customer.decode(body)
    except msgspec.ValidationError:
        return sums.unpacked(body, Customer)


def _traces_key(customer: str) -> bytes:
    return traces_key(sha256(customer.encode()).digest())


def _books(c: Customer) -> tuple[Book[Any], ...]:
    return (c.seen, c.orders, c.reviews, c.referrals)


def _parts(c: Customer) -> int:
    return (
        (c.seen.older is not None)
        | (c.orders.older is not None) << 1
        | (c.reviews.older is not None) << 2
        | (c.referrals.older is not None) << 3
    )


def _older_rows(c: Customer, encoded: bytes) -> list[Row]:
    rows: list[Row] = []
    for kind, book in zip(_OLDER, _books(c), strict=True):
        if book.older is not None and book.older.changed:
            value = _encode((book.older.ids, book.older.entries))
            rows.append((kind + encoded, _VERSION + value))
            book.older.changed = False
    return rows


def _set_further(slot: Slot, kind: bytes, row: bytes) -> None:
    if row[:1] not in _VERSIONS:
        raise ValueError(f"stored row of version {row[:1].hex()}, this reads {VERSION}")
    try:
        _read_further(slot, kind, row)
    except _WRONG as error:
        raise ValueError(f"stored row of kind {kind.decode()} cannot be read: {error}") from error


def _read_further(slot: Slot, kind: bytes, row: bytes) -> None:
    if kind == TRACES:
        traces = _traces.decode(row[1:])
        slot.erased, slot.aliases, slot.named = traces.erased, traces.aliases, bool(traces.id)
        slot.traced = traces.erased, traces.aliases, traces.id
        slot.stored |= _STORED_TRACES
    elif isinstance(slot.record, Customer):
        _books(slot.record)[_OLDER.index(kind)].older = Older(*_older.decode(row[1:]))
