"""Compressed records, unpacked up to a bound, whatever they say of their size.

A few kilobytes may stand for gigabytes. What a codec declares (gzip's length at the end, the
content size of a zstd frame, the length before a snappy block) is a claim of whoever wrote it, so
room is made in steps as it is filled, and never for more than is allowed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

import cramjam

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
"""The codecs by their number in Kafka's record format."""

_STREAMS: dict[int, Callable[[bytes, bytearray], int]] = {
    GZIP: cramjam.gzip.decompress_into,
    LZ4: cramjam.lz4.decompress_into,
    ZSTD: cramjam.zstd.decompress_into,
}
_FULL = "failed to write whole buffer"
"""What cramjam says when there is more than the room that it was given."""
_FIRST_STEP = 1 << 13
_RATIO, _STEP = 8, 4
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER = 16
"""Bytes before the blocks of snappy as Java writes it; their versions stand in the last eight."""


class TooMuch(Exception):
    """There is more than `most` bytes. `beginning` is as much of it as was unpacked."""

    def __init__(self, most: int, beginning: memoryview) -> None:
        self.most = most
        self.beginning = beginning
        super().__init__(f"more than {most} bytes")


class Unreadable(ValueError):
    """The bytes are nothing that this codec has written."""


def unpack(codec: int, packed: bytes, most: int) -> memoryview:
    """Return what was compressed. Raises TooMuch when it is more than `most` bytes, Unreadable."""
    if codec == SNAPPY:
        return _unsnapped(packed, most)
    stream = _STREAMS.get(codec)
    if stream is None:
        raise Unreadable(f"no codec has the number {codec}")
    room = min(most, max(_FIRST_STEP, _RATIO * len(packed)))
    while True:
        found = bytearray(room)
        try:
            return memoryview(found)[: stream(packed, found)]
        except cramjam.DecompressionError as error:
            if _FULL not in str(error):
                raise Unreadable(str(error)) from error
        if room == most:
            raise TooMuch(most, memoryview(found))
        room = min(most, _STEP * room)


def _unsnapped(packed: bytes, most: int) -> memoryview:
    """Snappy declares the length of a block before it, and refuses a block that is not so long."""
    blocks = _blocks(packed)
    found = bytearray(min(most, sum(length for _, length in blocks)))
    at = 0
    for block, length in blocks:
        if at + length > most:
            raise TooMuch(most, memoryview(found)[:at])
        with memoryview(found)[at : at + length] as room:
            _into(block, room)
        at += length
    return memoryview(found)


def _blocks(packed: bytes) -> list[tuple[memoryview, int]]:
    """Return the blocks with the lengths that they declare; one, but in the form of Java."""
    whole = memoryview(packed)
    if not packed.startswith(_XERIAL) or len(packed) < _XERIAL_HEADER:
        return [(whole, _declared(whole))]
    found, at = [], _XERIAL_HEADER
    while at < len(packed):
        if at + 4 > len(packed):
            raise Unreadable("a block of snappy is cut off")
        (size,) = struct.unpack_from(">i", packed, at)
        if not 0 < size <= len(packed) - at - 4:
            raise Unreadable(f"a block of snappy has {size} bytes")
        block = whole[at + 4 : at + 4 + size]
        found.append((block, _declared(block)))
        at += 4 + size
    return found


def _declared(block: memoryview) -> int:
    try:
        length: int = cramjam.snappy.decompress_raw_len(block)
    except cramjam.DecompressionError as error:
        raise Unreadable(str(error)) from error
    return length


def _into(block: memoryview, room: memoryview) -> None:
    try:
        cramjam.snappy.decompress_raw_into(block, room)
    except cramjam.DecompressionError as error:
        raise Unreadable(str(error)) from error
