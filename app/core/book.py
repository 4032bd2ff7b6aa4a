"""Remembered things by id: the last so many events, orders, reviews or referred customers.

Ids are kept as 16-byte hashes, packed; entries stay encoded until somebody asks for one. Both
lie in two parts: the recent, written with every change of the customer, and the older, to which
the recent are moved sixteen at a time, so that a long memory is seldom rewritten.
"""

from hashlib import blake2b
from typing import Generic, TypeVar

import msgspec

ID_BYTES = 16
RECENT = 16
"""How many entries wait in the recent part before they move."""

E = TypeVar("E", bound=msgspec.Struct)
_encode = msgspec.msgpack.Encoder().encode


def hash_id(text: str) -> bytes:
    """Return the 16 bytes under which an id is remembered; personal data cannot be read back."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).digest()


class Shelf(msgspec.Struct, array_like=True, gc=False):
    """Packed ids and, for each in the same order, an encoded entry (none for bare ids)."""

    ids: bytes = b""
    entries: bytes = b""

    def __len__(self) -> int:
        return len(self.ids) // ID_BYTES

    def find(self, key: bytes, first: int = 0) -> int:
        """Return the place of an id at or after place `first`, -1 if it is not there."""
        place = self.ids.find(key, first * ID_BYTES)
        while place % ID_BYTES and place >= 0:
            place = self.ids.find(key, place + 1)
        return place // ID_BYTES if place >= 0 else -1


class Book(Generic[E]):
    """The last `limit` things by id, oldest first."""

    __slots__ = ("_decode", "_older_entries", "limit", "older", "older_changed", "recent", "skip")

    limit: int
    _decode: msgspec.msgpack.Decoder[list[E]] | None

    def __init__(
        self,
        limit: int,
        decode: msgspec.msgpack.Decoder[list[E]] | None,
        recent: Shelf | None = None,
        skip: int = 0,
        older: Shelf | None = None,
    ) -> None:
        """`skip` is how many of the oldest in `older` are forgotten but not yet cut off."""
        self.limit = limit
        self._decode = decode
        self.recent = recent or Shelf()
        self.skip = skip
        self.older = older or Shelf()
        self.older_changed = False
        self._older_entries: list[E] | None = None

    def __len__(self) -> int:
        return len(self.older) - self.skip + len(self.recent)

    def __contains__(self, key: bytes) -> bool:
        return self.recent.find(key) >= 0 or self.older.find(key, self.skip) >= 0

    def add(self, key: bytes, entry: E | None = None) -> E | None:
        """Remember one more; returns the entry that is forgotten for it, if one is."""
        if len(self.recent) >= RECENT:
            self._shelve()
        encoded = b"" if entry is None else _encode(entry)
        self.recent = Shelf(self.recent.ids + key, self.recent.entries + encoded)
        if len(self) <= self.limit:
            return None
        self.skip += 1
        return self._entries_of_older()[self.skip - 1] if self._decode else None

    def get(self, key: bytes) -> E | None:
        """Return what is remembered under an id."""
        place = self.recent.find(key)
        if place >= 0:
            return self._entries(self.recent)[place]
        place = self.older.find(key, self.skip)
        return self._entries_of_older()[place] if place >= 0 else None

    def replace(self, key: bytes, entry: E) -> None:
        """Change what is remembered under a known id; its age stays."""
        if (place := self.recent.find(key)) >= 0:
            entries = self._entries(self.recent)
            entries[place] = entry
            self.recent = _shelf(self.recent.ids, entries)
        else:
            ids, entries = self._remembered_of_older()
            entries[Shelf(ids).find(key)] = entry
            self._set_older(ids, entries)

    def remove(self, key: bytes) -> None:
        """Forget a known id."""
        if (place := self.recent.find(key)) >= 0:
            entries = self._entries(self.recent)
            del entries[place]
            self.recent = _shelf(_without(self.recent.ids, place), entries)
        else:
            ids, entries = self._remembered_of_older()
            place = Shelf(ids).find(key)
            del entries[place]
            self._set_older(_without(ids, place), entries)

    def contents(self) -> list[tuple[bytes, E]]:
        """Return all that is remembered, oldest first."""
        entries = self._entries_of_older()[self.skip :] + self._entries(self.recent)
        return list(zip(self.keys(), entries, strict=True))

    def keys(self) -> list[bytes]:
        """Return all ids, oldest first."""
        ids = self.older.ids[self.skip * ID_BYTES :] + self.recent.ids
        return [ids[at : at + ID_BYTES] for at in range(0, len(ids), ID_BYTES)]

    def fill(self, items: list[tuple[bytes, E]]) -> None:
        """Replace everything, oldest first; `items` are at most `limit`."""
        self._set_older(b"".join(key for key, _ in items), [entry for _, entry in items])
        self.recent = Shelf()

    def fill_ids(self, keys: list[bytes]) -> None:
        """Replace everything in a book of bare ids, oldest first."""
        self.older, self.skip, self.older_changed = Shelf(b"".join(keys)), 0, True
        self.recent = Shelf()

    def _shelve(self) -> None:
        if self._decode is None:
            self.fill_ids(self.keys())
        elif self.skip:
            ids, entries = self._remembered_of_older()
            self._set_older(ids + self.recent.ids, entries + self._entries(self.recent))
        else:
            self.older = Shelf(
                self.older.ids + self.recent.ids, self.older.entries + self.recent.entries
            )
            self.older_changed, self._older_entries = True, None
        self.recent = Shelf()

    def _remembered_of_older(self) -> tuple[bytes, list[E]]:
        return self.older.ids[self.skip * ID_BYTES :], self._entries_of_older()[self.skip :]

    def _set_older(self, ids: bytes, entries: list[E]) -> None:
        self.older = _shelf(ids, entries)
        self.skip, self.older_changed, self._older_entries = 0, True, entries

    def _entries_of_older(self) -> list[E]:
        if self._older_entries is None:
            self._older_entries = self._entries(self.older)
        return self._older_entries

    def _entries(self, shelf: Shelf) -> list[E]:
        if self._decode is None:
            return []
        return self._decode.decode(b"\xdc" + len(shelf).to_bytes(2, "big") + shelf.entries)


def _shelf(ids: bytes, entries: list[E]) -> Shelf:
    return Shelf(ids, b"".join(map(_encode, entries)))


def _without(ids: bytes, place: int) -> bytes:
    return ids[: place * ID_BYTES] + ids[(place + 1) * ID_BYTES :]
