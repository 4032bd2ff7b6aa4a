"""The batches of a fetch, none of which is unpacked beyond what is allowed.

Put in where aiokafka takes its own `MemoryRecords`, which keeps the bytes to itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.structs import TopicPartition

from app.stream.codecs import TooMuch, unpack
from app.stream.opened import Opened

OF_A_FETCH = 8 << 20
"""Bytes unpacked, after which the rest of a fetch is left for the next one."""
IN_ONE_GO = 16 << 20
"""Bytes unpacked, after which no further fetch is begun on in one go."""
WAITING = 64 << 20
"""Bytes that may wait in all beyond what is usual: then nothing more is taken until some are
applied. Else a large batch in each of many topics and partitions would add up.
"""
_LENGTH, _BEGIN, _MAGIC = 8, 12, 16
"""Where a batch has its length, where the bytes begin that it counts, and where its format stands;
the same in all formats.
"""
_LEAST = 26
"""Bytes of the smallest message there is."""


class Bounds:
    """In these topics at most `most` bytes are unpacked of a batch.

    `left` are those that may be in one go. `waiting` tells how many bytes wait to be applied beyond
    what waits of a topic and partition in a usual backlog.
    """

    def __init__(
        self, topics: Iterable[str], most: int, waiting: Callable[[], int] = lambda: 0
    ) -> None:
        self.topics = frozenset(topics)
        self.most = most
        self.left = IN_ONE_GO
        self._waiting = waiting
        self._told: dict[TopicPartition, int] = {}

    def begin(self) -> bool:
        """Begin to take what was fetched; tells whether there is room for it."""
        self.left = IN_ONE_GO
        return self._waiting() <= WAITING

    def is_news(self, tp: TopicPartition, offset: int) -> bool:
        """Tell whether this is another batch than the one that was last told of."""
        known = self._told.get(tp) == offset
        self._told[tp] = offset
        return not known


class Batches:
    """As aiokafka's own, until it is told its bounds."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._bounds: Bounds | None = None
        self._tp = TopicPartition("", -1)
        self._after = 0
        self._opened = 0
        self.holds = 0
        """Bytes that were unpacked of the batch at hand."""

    def bind(self, bounds: Bounds, tp: TopicPartition, offset: int) -> None:
        """Heed these bounds; the fetch began at this offset."""
        self._bounds, self._tp, self._after = bounds, tp, offset

    def size_in_bytes(self) -> int:
        return len(self._data)

    def has_next(self) -> bool:
        return self._opened < OF_A_FETCH and self._end() <= len(self._data)

    def _end(self) -> int:
        """Where the batch at hand would end: the last one of a fetch may be cut."""
        begin = self._at + _BEGIN
        return begin + int.from_bytes(self._data[self._at + _LENGTH : begin] or b"\xff")

    def next_batch(self) -> Any:
        raw = self._data[self._at : self._end()]
        self._at += len(raw)
        self.holds = 0
        if len(raw) < _LEAST:
            raise CorruptRecordException(f"a batch of {len(raw)} bytes")
        magic = raw[_MAGIC]
        batch = DefaultRecordBatch(raw) if magic >= 2 else LegacyRecordBatch(raw, magic)
        if self._bounds is None or batch.is_control_batch:
            return batch
        first = batch.base_offset if magic >= 2 else self._after
        self._after = batch.next_offset
        return Opened(batch, raw, self._tp, first, self._unpacked, self._bounds.is_news)

    def _unpacked(self, codec: int, packed: bytes) -> memoryview:
        """Raises TooMuch, Unreadable."""
        assert self._bounds is not None
        try:
            found = unpack(codec, packed, self._bounds.most)
        except TooMuch as error:
            self._spend(len(error.beginning))
            raise
        self._spend(len(found))
        return found

    def _spend(self, size: int) -> None:
        assert self._bounds is not None
        self._bounds.left -= size
        self._opened += size
        self.holds = size
