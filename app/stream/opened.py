"""One batch of a fetch, opened: its records, or what comes in their place.

A batch that would unpack to too much, and one that is no batch, come out all the same: as many
records as it has offsets, each withheld with a reason, so that each is a dead letter and what lies
behind is read on. A broker checks what producers send, but not all of it, and not every broker.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from gzip import BadGzipFile
from hashlib import sha256
from typing import Any

import msgspec
import structlog
from aiokafka.errors import KafkaError
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.structs import TopicPartition
from cramjam import DecompressionError

from app.core.events import Refused
from app.stream.codecs import TooMuch, Unreadable
from app.stream.giant import HEADER_BYTES
from app.stream.leniently import Piece, pieces
from app.wire.dead_letter import HEADERS, KEY, VALUE, left_out

log = structlog.get_logger(__name__)

LETTERS = 100_000
"""Of a batch that cannot be opened. The last of them stands for all that follow: a header may count
more records than there ever were.
"""
_MALFORMED = (
    KafkaError, ValueError, IndexError, AssertionError, OverflowError, struct.error,
    EOFError, BadGzipFile, zlib.error, DecompressionError,
)  # fmt: skip
"""What reading bytes raises that are no records."""
_CODEC = 0x07
_ATTRIBUTES = 21
"""Where a batch of version 2 has its attributes: two bytes, of which the second has the codec."""
_OLD_KEY = {0: 18, 1: 26}
"""Where a message of the older formats has its key."""

Headers = list[tuple[str, bytes | None]]


class Withheld(msgspec.Struct):
    """What comes in place of a record. `missing` are headers that tell what its letter lacks."""

    offset: int
    timestamp: int | None
    key: bytes | None
    headers: Headers
    refused: Refused
    missing: Headers


class Read(msgspec.Struct, gc=False):
    """A record that aiokafka could not read."""

    offset: int
    timestamp: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers


class Opened:
    """Stands for a batch of aiokafka's with records.

    `first` is the offset of the first one that is asked for; `unpack` unpacks within bounds, and
    `is_news` tells whether this batch was told of already.
    """

    is_control_batch = False

    def __init__(
        self,
        batch: Any,
        raw: bytes,
        tp: TopicPartition,
        first: int,
        unpack: Callable[[int, bytes], memoryview],
        is_news: Callable[[TopicPartition, int], bool],
    ) -> None:
        self._batch, self._raw, self._tp, self._first = batch, raw, tp, first
        self._unpack, self._is_news = unpack, is_news
        self._old = not isinstance(batch, DefaultRecordBatch)
        self.validate_crc = batch.validate_crc
        self.producer_id = batch.producer_id
        self.is_transactional = batch.is_transactional
        self.base_offset = first if self._old else batch.base_offset
        self.next_offset = batch.next_offset

    def __iter__(self) -> Iterator[Any]:
        last = self._first - 1
        try:
            records = self._plain()
            for record in records:
                if not last < record.offset < self.next_offset:
                    raise Unreadable("its offsets are not those of its batch")
                last = record.offset
                yield record
            return
        except TooMuch as error:
            rest = self._too_much(error.beginning, error.most)
        except _MALFORMED as error:
            rest = self._malformed(str(error), last)
        yield from rest

    def _plain(self) -> Any:
        """Return the batch as aiokafka reads it, unpacked. Raises TooMuch, or what is malformed."""
        if self._old:
            return self._checked()
        codec = self._raw[_ATTRIBUTES + 1] & _CODEC
        if not codec:
            return self._batch
        records = self._unpack(codec, self._raw[HEADER_BYTES:])
        header = bytearray(self._raw[:HEADER_BYTES])
        header[_ATTRIBUTES + 1] &= ~_CODEC
        return DefaultRecordBatch(b"".join((header, records)))

    def _checked(self) -> Any:
        """Of the older formats only the size is looked at: aiokafka unpacks them once more."""
        magic = self._raw[16]
        codec = self._raw[17] & _CODEC
        if codec:
            at = _OLD_KEY[magic]
            (key,) = struct.unpack_from(">i", self._raw, at)
            at += 4 + max(key, 0)
            (size,) = struct.unpack_from(">i", self._raw, at)
            self._unpack(codec, self._raw[at + 4 : at + 4 + max(size, 0)])
        return self._batch

    def _too_much(self, beginning: memoryview, most: int) -> Iterator[Withheld]:
        """Withhold every record; of those in the beginning more is known than the place."""
        if self._is_news(self._tp, self._first):
            log.warning(
                "a batch would unpack to too much, its records are dead letters without value",
                action="batch-not-unpacked",
                topic=self._tp.topic,
                partition=self._tp.partition,
                offset=self._first,
                last_offset=self.next_offset - 1,
                packed=len(self._raw),
                most=most,
            )
        refused = Refused(
            "too-large",
            f"the record's batch would unpack to more than {most} bytes (LADDER_UNPACKED)",
        )
        last, given = self._first - 1, 0
        for piece in () if self._old else pieces(beginning):
            offset = self._offset(piece, last)
            if offset is None or given == LETTERS - 1:
                break
            yield self._of_piece(offset, piece, refused)
            last, given = offset, given + 1
        yield from self._of_offsets(last, self.next_offset, LETTERS - given, refused)

    def _malformed(self, why: str, last: int) -> Iterator[Any]:
        """Give what can be read behind the last record that was, and withhold the others."""
        if self._is_news(self._tp, self._first):
            log.warning(
                "a batch is malformed, what cannot be read of it is dead letters without value",
                action="batch-malformed",
                topic=self._tp.topic,
                partition=self._tp.partition,
                offset=last + 1,
                last_offset=self.next_offset - 1,
                error=why,
            )
        refused = Refused("not-json", f"the record cannot be read: {why}")
        for piece in self._pieces():
            offset = self._offset(piece, last)
            if offset is None or not piece.whole:
                continue
            yield from self._of_offsets(last, offset, LETTERS, refused)
            last = offset
            headers = piece.headers or []
            yield Read(offset, self._time(piece.later), piece.key, piece.value, headers)
        yield from self._of_offsets(last, self.next_offset, LETTERS, refused)

    def _pieces(self) -> Iterator[Piece]:
        if self._old:
            return iter(())
        codec, records = self._raw[_ATTRIBUTES + 1] & _CODEC, self._raw[HEADER_BYTES:]
        try:
            return pieces(self._unpack(codec, records) if codec else memoryview(records))
        except (TooMuch, Unreadable):
            return iter(())

    def _offset(self, piece: Piece, last: int) -> int | None:
        """Return where a record is; None where it says so wrongly."""
        offset = None if piece.delta is None else self.base_offset + piece.delta
        return None if offset is None or not last < offset < self.next_offset else offset

    def _time(self, later: int | None = None) -> int | None:
        """Return the timestamp of a record, or of the batch."""
        if self._old:
            return struct.unpack_from(">q", self._raw, 18)[0] if self._raw[16] else None
        if later is None or self._batch.timestamp_type:
            return int(self._batch.max_timestamp)
        return int(self._batch.first_timestamp) + later

    def _of_piece(self, offset: int, piece: Piece, refused: Refused) -> Withheld:
        parts = [VALUE] if piece.size != -1 else []
        parts += [HEADERS] if piece.headers is None else []
        parts += [KEY] if piece.size is None else []
        size = piece.size if piece.size is not None and piece.size >= 0 else None
        digest = None if piece.value is None else sha256(piece.value).hexdigest()
        missing = left_out(parts, size, digest) if parts else []
        time, headers = self._time(piece.later), piece.headers or []
        return Withheld(offset, time, piece.key, headers, refused, missing)

    def _of_offsets(self, last: int, end: int, most: int, refused: Refused) -> Iterator[Withheld]:
        """Withhold what lies between two offsets, of which nothing is known; at most so many."""
        stop = min(end - 1, last + most)
        for offset in range(last + 1, stop + 1):
            if offset == stop < end - 1:
                rest = f"; so are {end - 1 - stop} more, up to offset {end - 1}"
                refused = Refused(refused.reason, refused.message + rest)
            missing = left_out([VALUE, HEADERS, KEY])
            yield Withheld(offset, self._time(), None, [], refused, missing)
