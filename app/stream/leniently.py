"""The records of an unpacked batch, read as far as they can be (Kafka's record format, version 2).

For what aiokafka does not read: the beginning of a batch that would be too large, and a batch in
which something is malformed. A record has its length before it, so one that is wrong in itself
leaves the next where it was.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

_MOST_DIGITS = 10
"""Bytes of the longest number of 64 bits."""


class Piece(msgspec.Struct):
    """A record, or as much of one as there is: what was not reached is None.

    `delta` and `later` are offset and milliseconds after those of the batch; `size` is how many
    bytes its value says to have (-1: it is null). `whole`: everything is there and right.
    """

    delta: int | None = None
    later: int = 0
    key: bytes | None = None
    size: int | None = None
    value: bytes | None = None
    headers: list[tuple[str, bytes | None]] | None = None
    whole: bool = False


class _Over(Exception):
    """The bytes end, or a number in them is nonsense."""


class _Bytes:
    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0

    def number(self) -> int:
        """Read a number as it is written with its sign at the end, seven bits to a byte."""
        found = 0
        for shift in range(0, 7 * _MOST_DIGITS, 7):
            if self.at >= len(self.data):
                raise _Over
            byte = self.data[self.at]
            self.at += 1
            found |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (found >> 1) ^ -(found & 1)
        raise _Over

    def take(self, size: int) -> memoryview:
        if not 0 <= size <= len(self.data) - self.at:
            raise _Over
        self.at += size
        return self.data[self.at - size : self.at]

    def text(self) -> bytes | None:
        size = self.number()
        return None if size == -1 else bytes(self.take(size))


def pieces(data: memoryview) -> Iterator[Piece]:
    """Give the records one after the other, the last one maybe cut; ends where no length is."""
    there = _Bytes(data)
    while there.at < len(data):
        try:
            size = there.number()
        except _Over:
            return
        rest = len(data) - there.at
        if size < 0:
            return
        yield _piece(there.take(min(size, rest)), cut=size > rest)


def _piece(data: memoryview, *, cut: bool) -> Piece:
    found, there = Piece(), _Bytes(data)
    try:
        there.take(1)
        found.later = there.number()
        found.delta = there.number()
        found.key = there.text()
        found.size = there.number()
        if found.size != -1:
            found.value = bytes(there.take(found.size))
        found.headers = [_header(there) for _ in range(_counted(there))]
    except _Over:
        return found
    found.whole = there.at == len(data) and not cut
    return found


def _counted(there: _Bytes) -> int:
    count = there.number()
    if not 0 <= count <= len(there.data):
        raise _Over
    return count


def _header(there: _Bytes) -> tuple[str, bytes | None]:
    """Read a header; a name that is no UTF-8 cannot be kept as it was."""
    name = bytes(there.take(there.number()))
    return name.decode("utf-8", "replace"), there.text()
