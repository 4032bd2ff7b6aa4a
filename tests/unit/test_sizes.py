"""What a topic takes is learned from what its broker refuses, and each next try is another one."""

import random
import struct

import pytest
from aiokafka.record.default_records import DefaultRecordBatch

from app.stream.giant import Giant, record_bytes
from app.stream.sizes import BATCH_BYTES, Sizes
from app.stream.topics import LARGEST_OUTPUT


def test_of_what_nobody_told_of_as_much_is_believed_as_topics_are_made_with() -> None:
    sizes = Sizes({"small": 5_000})
    assert (sizes.largest("other"), sizes.filled("other")) == (LARGEST_OUTPUT, BATCH_BYTES)
    assert (sizes.largest("small"), sizes.filled("small")) == (5_000, 5_000)


def test_where_several_records_were_too_large_fewer_are_tried_and_single_ones_as_before() -> None:
    """A letter that would fit is not to lose its value because others came with it."""
    sizes = Sizes()
    sizes.refused("t", 80_000, 9)
    assert (sizes.filled("t"), sizes.largest("t")) == (40_000, LARGEST_OUTPUT)
    assert sizes.filled("other") == BATCH_BYTES


def test_where_a_single_record_was_too_large_only_smaller_ones_are_tried() -> None:
    sizes = Sizes()
    sizes.refused("t", 80_000, 1)
    assert (sizes.filled("t"), sizes.largest("t")) == (79_999, 79_999)
    sizes.refused("t", 90_000, 1)  # another partition's, that was on its way
    assert sizes.largest("t") < 79_999


NOISE = random.Random(1).randbytes(1_000_000)
HEADERS: list[tuple[str, bytes | None]] = [("a", b"b"), ("ng\u00e0y", None)]


@pytest.mark.parametrize(("value", "packed"), [(b"0123456789" * 100_000, True), (NOISE, False)])
def test_a_giant_is_a_batch_that_every_reader_reads(value: bytes, packed: bool) -> None:
    """Compressed where that makes it smaller, with the state of its producer."""
    giant = Giant(b"k", value, HEADERS, 12_345)
    giant._set_producer_state(7, 3, 9)
    data = bytes(giant._build())
    assert giant.size() == len(data) <= record_bytes(b"k", value, HEADERS)
    assert struct.unpack_from(">i", data, 8)[0] == len(data) - 12
    batch = DefaultRecordBatch(data)
    assert batch.validate_crc()
    assert batch.is_transactional
    assert (batch.producer_id, batch.producer_epoch, batch.base_sequence) == (7, 3, 9)
    assert bool(batch.compression_type) is packed
    (record,) = batch
    assert (record.timestamp, record.key, record.value) == (12_345, b"k", value)
    assert record.headers == HEADERS
    assert (giant.record_count(), giant.closed()) == (1, True)
