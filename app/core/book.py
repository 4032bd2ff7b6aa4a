"""Remembered things by id: the last so many events, orders, reviews or referred customers.

Ids are kept as 16-byte hashes, packed; entries stay encoded until somebody asks for one. Both
lie in two parts: the recent, written with every change of the customer, and the older, to which
the recent are moved sixteen at a time, so that a long memory is seldom rewritten.
"""

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

ID_BYTES = 16
RECENT = 16
"""How many entries wait in the recent part before they move."""

E = TypeVar("E")
_encode = msgspec.msgpack.Encoder().encode


@lru_cache(maxsize=1024)  # an event's ids are asked for twice: to refuse, and to apply
def hash_id(text: str) -> bytes:
    """Return the 16 bytes under which an id is remembered; personal data cannot be read back."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).digest()


def event_key(source: str, id: str) -> bytes:
    """Return the 16 bytes under which an event is remembered."""
    return hash_id(f"{source}\0{id}")


def find(ids: bytes, key: bytes, first: int = 0) -> int:
    """Return the place of an id among packed ones, at or after place `first`; -1 for none."""
    place = ids.find(key, first * ID_BYTES)
    while place % ID_BYTES and place >= 0:
        place = ids.find(key, place + 1)
    return place // ID_BYTES if place >= 0 else -1


class Older(msgspec.Struct, gc=False):
    """The part that is stored apart.

    `decoded` are its entries, once somebody asked for one, and `each` the bytes of every one of
    them, once one was changed: entries may be long, and those beside it stay as they are.
    """

    ids: bytes = b""
    entries: bytes = b""
    changed: bool = False
    decoded: list[Any] | None = None
    each: list[bytes] | None = None


class Book(msgspec.Struct, Generic[E], array_like=True, gc=False):
    """The newest `limit` things by id, oldest first. `ids` and `entries` are the recent part.

    `skip` is how many of the oldest in `older` are forgotten but not yet cut off.
    """

    ids: bytes = b""
    entries: bytes = b""
    skip: int = 0
    older: Older | None = None

    limit: ClassVar[int]
    decode: ClassVar[msgspec.msgpack.Decoder[list[Any]] | None] = None
    """Reads a list of entries; None in a book of bare ids."""

    def __len__(self) -> int:
        older = len(self.older.ids) // ID_BYTES - self.skip if self.older else 0
        return len(self.ids) // ID_BYTES + older

    def __contains__(self, key: bytes) -> bool:
        if find(self.ids, key) >= 0:
            return True
        return self.older is not None and find(self.older.ids, key, self.skip) >= 0

    def add(self, key: bytes, entry: E | None = None) -> E | None:
        """Remember one more; returns the entry that is forgotten for it, if one is."""
        if len(self.ids) >= RECENT * ID_BYTES:
            self._shelve()
        self.ids += key
        if entry is not None:
            self.entries += _encode(entry)
        if self.older is None or len(self) <= self.limit:
            return None
        self.skip += 1
        forgotten: E | None = self._decoded(self.older)[self.skip - 1] if self.decode else None
        return forgotten

    def insert(self, key: bytes, entry: E, day_of: Callable[[E], int]) -> E | None:
        """Remember one that is older than others are: `add` for whoever comes late.

        What is forgotten is then what `add` would have forgotten had all come in order.
        """
        items = self.contents()
        place = bisect_right(items, day_of(entry), key=lambda item: day_of(item[1]))
        items.insert(place, (key, entry))
        forgotten = items.pop(0)[1] if len(items) > self.limit else None
        if self.older is None and len(items) <= RECENT:
            self.ids = b"".join(id for id, _ in items)
            self.entries = _packed([entry for _, entry in items])
        else:
            self.fill(items)
        return forgotten

    def get(self, key: bytes) -> E | None:
        """Return what is remembered under an id."""
        place = find(self.ids, key)
        if place >= 0:
            return self._recent()[place]
        if self.older is None:
            return None
        place = find(self.older.ids, key, self.skip)
        return self._decoded(self.older)[place] if place >= 0 else None

    def replace(self, key: bytes, entry: E) -> None:
        """Change what is remembered under a known id; its age stays."""
        if (place := find(self.ids, key)) >= 0:
            entries = self._recent()
            entries[place] = entry
            self.entries = _packed(entries)
        else:
            ids, entries = self._remembered_older()
            each = self._each_older()
            place = find(ids, key)
            entries[place], each[place] = entry, _encode(entry)
            self._set_older(ids, entries, each)

    def remove(self, key: bytes) -> None:
        """Forget a known id."""
        if (place := find(self.ids, key)) >= 0:
            entries = self._recent()
            del entries[place]
            self.ids, self.entries = _without(self.ids, place), _packed(entries)
        else:
            ids, entries = self._remembered_older()
            each = self._each_older()
            place = find(ids, key)
            del entries[place], each[place]
            self._set_older(_without(ids, place), entries, each)

    def contents(self) -> list[tuple[bytes, E]]:
        """Return all that is remembered, oldest first."""
        entries = self._remembered_older()[1] + self._recent()
        return list(zip(self.keys(), entries, strict=True))

    def keys(self) -> list[bytes]:
        """Return all ids, oldest first."""
        ids = self._remembered_older()[0] + self.ids
        return [ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES)]

    def fill(self, contents: list[tuple[bytes, E]]) -> None:
        """Replace everything, oldest first; `contents` are at most `limit`."""
        self.ids = self.entries = b""
        self._set_older(b"".join(key for key, _ in contents), [entry for _, entry in contents])

    def fill_ids(self, keys: list[bytes]) -> None:
        """Replace everything in a book of bare ids, oldest first."""
        self.older = Older(b"".join(keys), changed=True) if keys else None
        self.skip = 0
        self.ids = b""

    def cut(self) -> None:
        """Cut off what is forgotten: who is measured holds no more than what is remembered."""
        if self.skip and self.decode is None:
            older = self.older
            self.older = Older(older.ids[self.skip * ID_BYTES :], changed=True) if older else None
            self.skip = 0
        elif self.skip:
            ids, entries = self._remembered_older()
            self._set_older(ids, entries, self._each_older())

    def _shelve(self) -> None:
        """Move the recent part to the older, and cut off what is forgotten."""
        if self.decode is None:
            self.fill_ids(self.keys())
            return
        if self.older is None or not self.skip:
            older = self.older or Older()
            self.older = Older(older.ids + self.ids, older.entries + self.entries, True)
        else:
            ids, entries = self._remembered_older()
            self._set_older(ids + self.ids, entries + self._recent())
        self.ids = self.entries = b""

    def _remembered_older(self) -> tuple[bytes, list[E]]:
        if self.older is None:
            return b"", []
        return self.older.ids[self.skip * ID_BYTES :], self._decoded(self.older)[self.skip :]

    def _each_older(self) -> list[bytes]:
        """Return the bytes of each entry of the older part that is remembered."""
        older = self.older
        if older is None:
            return []
        if older.each is None:
            older.each = [*map(_encode, self._decoded(older))]
        return older.each[self.skip :]

    def _set_older(self, ids: bytes, entries: list[E], each: list[bytes] | None = None) -> None:
        packed = _packed(entries) if each is None else b"".join(each)
        self.older = Older(ids, packed, True, entries, each) if ids else None
        self.skip = 0

    def _decoded(self, older: Older) -> list[E]:
        if older.decoded is None:
            older.decoded = self._unpack(older.ids, older.entries)
        return older.decoded

    def _recent(self) -> list[E]:
        return self._unpack(self.ids, self.entries)

    def _unpack(self, ids: bytes, entries: bytes) -> list[E]:
        if self.decode is None:
            return []
        count = len(ids) // ID_BYTES
        return self.decode.decode(b"\xdc" + count.to_bytes(2, "big") + entries)


def _packed(entries: list[E]) -> bytes:
    return b"".join(map(_encode, entries))


def _without(ids: bytes, place: int) -> bytes:
    return ids[: place * ID_BYTES] + ids[(place + 1) * ID_BYTES :]
