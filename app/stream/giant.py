"""A batch of one record that is larger than what records are put together to: compressed.

A dead letter may be such: a record that came in a compressed batch. aiokafka compresses in the
event loop, and at a level at which a few megabytes may take seconds; this is done in a thread
before, so that the size is known, too. Only the header waits for the producer's sequence.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

HEADER_BYTES = 61
"""Of a batch, before its records."""
_GZIP = 1
"""The codec's number in Kafka's record format. Every reader has it without more packages."""
_GZIP_WINDOW = 31
"""zlib's way of saying: in the form of gzip."""
_QUICK = 1
"""Whatever the bytes are, tens of megabytes a second."""
_LENGTH, _CRC, _ATTRIBUTES, _PRODUCER = 8, 17, 21, 43
"""Where the header has them."""
_AFTER_LENGTH = 12


def record_bytes(key: bytes | None, value: bytes | None, headers: Any) -> int:
    """Return how large a batch of this record alone would be, or a few bytes more."""
    size: int = DefaultRecordBatchBuilder.estimate_size_in_bytes(key, value, headers)
    return size


class Giant(BatchBuilder):
    """Stands for aiokafka's builder of a batch; it takes no further record."""

    def __init__(
        self, key: bytes | None, value: bytes | None, headers: Any, timestamp: int
    ) -> None:
        super().__init__(0, 0, is_transactional=True)
        self._builder.append(0, timestamp, key, value, headers)
        plain = self._builder.build()
        packer = zlib.compressobj(_QUICK, wbits=_GZIP_WINDOW)
        with memoryview(plain)[HEADER_BYTES:] as records:
            packed = packer.compress(records) + packer.flush()
        if HEADER_BYTES + len(packed) < len(plain):
            plain[HEADER_BYTES:] = packed
            attributes = struct.unpack_from(">h", plain, _ATTRIBUTES)[0]
            struct.pack_into(">h", plain, _ATTRIBUTES, attributes | _GZIP)
            struct.pack_into(">i", plain, _LENGTH, len(plain) - _AFTER_LENGTH)
        self._buffer = plain
        self._relative_offset = 1
        self._closed = True

    def _set_producer_state(
        self, producer_id: int, producer_epoch: int, base_sequence: int
    ) -> None:
        state = (producer_id, producer_epoch, base_sequence)
        struct.pack_into(">qhi", self._buffer, _PRODUCER, *state)
        with memoryview(self._buffer)[_ATTRIBUTES:] as checked:
            struct.pack_into(">I", self._buffer, _CRC, calc_crc32c(checked))
