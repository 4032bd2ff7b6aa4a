"""A fetch is read whatever its batches are: none is unpacked beyond its bound, none ends the
reading, and each offset comes out once.
"""

from __future__ import annotations

import hashlib
import random
import struct
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import cramjam
import pytest
from aiokafka import codec
from aiokafka.consumer.fetcher import READ_COMMITTED
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from app.stream import opened
from app.stream.batches import OF_A_FETCH, WAITING, Batches, Bounds
from app.stream.codecs import TooMuch, Unreadable, unpack
from app.stream.fetched import Fetched, Kept, Unpacked
from tests.property.streams import LAW

TP = TopicPartition("purchases", 3)
MOST = 1 << 20
GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4
CODECS = (GZIP, SNAPPY, LZ4, ZSTD)
PACK: dict[int, Callable[[bytes], bytes]] = {
    GZIP: codec.gzip_encode,
    SNAPPY: codec.snappy_encode,
    LZ4: codec.lz4_encode,
    ZSTD: codec.zstd_encode,
}
Headers = list[tuple[str, bytes | None]]
Row = tuple[bytes | None, bytes | None, Headers]
GOOD: list[Row] = [(b"c-1", b"{}", []), (None, None, [("a", b"b"), ("c", None)])]
BOMB: list[Row] = [(b"c-1", b"first", [("a", b"b")]), (b"c-2", b"\x00" * 9_000_000, [])]


def batch(rows: Sequence[Row], base: int = 0, packed: int = 0) -> bytes:
    """A batch as a broker hands it out."""
    builder = DefaultRecordBatchBuilder(2, packed, 0, -1, -1, 0, 1 << 30)
    for number, (key, value, headers) in enumerate(rows):
        builder.append(number, 1_000 + number, key, value, headers)
    return placed(bytes(builder.build()), base)


def placed(data: bytes, base: int) -> bytes:
    return base.to_bytes(8, "big") + data[8:]


def sealed(data: bytes) -> bytes:
    """Right as to its length and its check sum, whatever is in it."""
    found = bytearray(data)
    struct.pack_into(">i", found, 8, len(found) - 12)
    struct.pack_into(">I", found, 17, calc_crc32c(bytes(found[21:])))
    return bytes(found)


def old_batch(rows: Sequence[Row], base: int, magic: int, packed: int) -> bytes:
    builder = LegacyRecordBatchBuilder(magic, packed, 1 << 30)
    for number, (key, value, _) in enumerate(rows):
        # In the oldest the broker writes the offsets of the records, too.
        builder.append(number if magic else base + number, 1_000 + number, key, value)
    return placed(bytes(builder.build()), base + len(rows) - 1)


def read(*batches: bytes, most: int = MOST, start: int = 0) -> tuple[list[Fetched], int]:
    """What comes of a fetch, and the offset that the next one begins at."""
    Unpacked.bounds = Bounds([TP.topic], most)
    try:
        found = Unpacked(
            TP, Batches(b"".join(batches)), [], start, None, None, True, READ_COMMITTED
        )
        return list(found), found.next_fetch_offset
    finally:
        Unpacked.bounds = None


def told(record: Fetched) -> dict[str, str]:
    assert isinstance(record, Kept)
    return {name: (text or b"").decode() for name, text in record.missing}


@pytest.mark.parametrize("packed", [0, *CODECS])
def test_what_is_within_its_bound_is_read_as_it_is(packed: int) -> None:
    found, position = read(batch(GOOD, 7, packed), batch(GOOD, 9), start=7)
    assert [(one.offset, one.key, one.value) for one in found] == [
        (7, b"c-1", b"{}"), (8, None, None), (9, b"c-1", b"{}"), (10, None, None),
    ]  # fmt: skip
    assert [one.headers for one in found[:2]] == [(), (("a", b"b"), ("c", None))]
    assert [one.timestamp for one in found] == [1_000, 1_001] * 2
    assert {type(one) for one in found} == {Fetched}
    assert position == 11


@pytest.mark.parametrize("packed", CODECS)
def test_the_records_of_a_batch_that_is_too_large_come_without_value_and_the_next_are_read(
    packed: int,
) -> None:
    """As much as was unpacked tells of them what it can; of what was not, the place alone."""
    rows = [*BOMB, (b"c-3", b"third", [])]
    found, position = read(batch(rows, 5, packed), batch(GOOD, 8), start=5)
    assert [one.offset for one in found] == [5, 6, 7, 8, 9]
    assert [one.value for one in found] == [None, None, None, b"{}", None]
    assert [isinstance(one, Kept) for one in found] == [True, True, True, False, False]
    assert {one.refused.reason for one in found if isinstance(one, Kept)} == {"too-large"}
    assert (found[0].key, found[0].headers) == (b"c-1", (("a", b"b"),))
    assert told(found[0]) == {
        "loyalty.left-out": "value",
        "loyalty.value-bytes": "5",
        "loyalty.value-sha256": hashlib.sha256(b"first").hexdigest(),
    }
    assert found[1].key == b"c-2"
    assert told(found[1]) == {
        "loyalty.left-out": "value,headers", "loyalty.value-bytes": "9000000",
    }  # fmt: skip
    assert (found[2].key, told(found[2])) == (None, {"loyalty.left-out": "value,headers,key"})
    assert position == 10


def test_snappy_without_the_frame_of_java_is_bounded_by_what_it_must_come_to() -> None:
    """As librdkafka writes it: one block, which must be as long as it declares."""
    plain = batch(BOMB)
    raw = bytes(cramjam.snappy.compress_raw(plain[61:]))
    header = bytearray(plain[:61])
    header[22] |= SNAPPY
    found, position = read(sealed(bytes(header) + raw), batch(GOOD, 2))
    assert [isinstance(one, Kept) for one in found] == [True, True, False, False]
    assert position == 4
    within, _ = read(sealed(bytes(header) + raw), most=10 << 20)
    assert [one.value for one in within] == [b"first", b"\x00" * 9_000_000]


@pytest.mark.parametrize(
    ("magic", "packed"), [(0, GZIP), (0, SNAPPY), (1, GZIP), (1, SNAPPY), (1, LZ4)]
)
def test_the_older_formats_are_bounded_too(magic: int, packed: int) -> None:
    good: list[Row] = [(b"c-1", b"{}", []), (b"c-2", b"{}", [])]
    within, _ = read(old_batch(good, 5, magic, packed), start=5)
    assert [(one.offset, one.value) for one in within] == [(5, b"{}"), (6, b"{}")]
    found, position = read(
        old_batch(BOMB, 5, magic, packed), old_batch(good, 7, magic, packed), start=5
    )
    assert [one.offset for one in found] == [5, 6, 7, 8]
    assert [one.value for one in found] == [None, None, b"{}", b"{}"]
    assert told(found[0]) == {"loyalty.left-out": "value,headers,key"}
    # The oldest has no time of its own: then it is the present.
    least = 0 if magic else 1_700_000_000_000
    assert all(one.timestamp >= least for one in found)
    assert position == 9


@pytest.mark.parametrize("packed", CODECS)
def test_no_more_than_a_few_times_the_bound_is_in_memory_at_a_time(packed: int) -> None:
    """Sixty times the bound are in the batch."""
    bomb = batch([(b"k", b"\x00" * (64 << 20), [])], 0, packed)
    read(batch(GOOD), most=MOST)
    tracemalloc.start()
    read(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * MOST + 2 * len(bomb)


def test_what_a_codec_declares_is_not_believed() -> None:
    """A snappy block, and a frame of zstd, that say to be small or giant and are not."""
    block = bytes(cramjam.snappy.compress_raw(b"x" * 1000))
    small, giant = b"\x05" + block[2:], b"\xff\xff\xff\xff\x0f" + block[2:]
    with pytest.raises(Unreadable):
        unpack(SNAPPY, small, MOST)
    with pytest.raises(TooMuch):
        unpack(SNAPPY, giant, MOST)
    frame = bytearray(cramjam.zstd.compress(b"x" * 9_000_000))
    descriptor = frame[4]
    assert descriptor >> 6 == 2, "the size is in four bytes behind the window"
    at = 5 if descriptor & 0x20 else 6
    frame[at : at + 4] = (1000).to_bytes(4, "little")
    with pytest.raises((TooMuch, Unreadable)):
        unpack(ZSTD, bytes(frame), MOST)


@pytest.mark.parametrize("packed", [*CODECS, 5, 7])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x28\xb5\x2f\xfd", b"\x82SNAPPY\x00" * 9])
def test_a_batch_that_cannot_be_unpacked_is_withheld_and_the_next_is_read(
    packed: int, content: bytes
) -> None:
    header = bytearray(batch(GOOD)[:61])
    header[22] |= packed
    found, position = read(sealed(bytes(header) + content), batch(GOOD, 2))
    assert [one.offset for one in found] == [0, 1, 2, 3]
    refused = [one.refused.reason for one in found if isinstance(one, Kept)]
    assert refused in (["not-json", "not-json"], [])
    assert [one.value for one in found[2:]] == [b"{}", None]
    assert position == 4


def test_a_header_name_that_is_no_text_leaves_its_record_and_the_others_readable() -> None:
    """A broker does not look at it: librdkafka writes whatever bytes it is given."""
    rows: list[Row] = [
        (b"a", b"1", []),
        (b"b", b"2", [("näme", b"x")]),
        (b"c", b"3", [("d", None)]),
    ]
    data = batch(rows)
    for packed in (0, ZSTD):
        records = data[61:].replace("ä".encode(), b"\xff\xfe")
        header = bytearray(data[:61])
        header[22] |= packed
        body = PACK[packed](records) if packed else records
        found, position = read(sealed(bytes(header) + body), batch(GOOD, 3))
        assert [(one.offset, one.key, one.value) for one in found[:3]] == [
            (0, b"a", b"1"), (1, b"b", b"2"), (2, b"c", b"3"),
        ]  # fmt: skip
        assert [one.timestamp for one in found[:3]] == [1_000, 1_001, 1_002]
        assert found[1].headers == (("n\ufffd\ufffdme", b"x"),)
        assert (len(found), position) == (5, 5)


def test_a_record_that_is_malformed_is_withheld_alone() -> None:
    """Its length tells where the next one is."""
    data = bytearray(batch([(b"a", b"1", []), (b"b", b"2", []), (b"c", b"3", [])]))
    second = data.index(b"b", 61) - 5
    assert data[second] == 8 * 2
    data[second + 4] = 0x7D  # a key that would be longer than its record
    found, position = read(sealed(bytes(data)), batch(GOOD, 3))
    assert [(one.offset, one.value) for one in found[:3]] == [(0, b"1"), (1, None), (2, b"3")]
    assert [isinstance(one, Kept) for one in found] == [False, True, False, False, False]
    assert position == 5


def test_a_record_is_never_placed_outside_its_batch() -> None:
    """Else offsets would be committed that do not exist, and the worker could not start again."""
    data = bytearray(batch([(b"a", b"1", []), (b"b", b"2", [])]))
    at = data.index(b"b", 61) - 2
    assert data[at] == 2
    data[at] = 0x7E  # 63 behind the first
    found, position = read(sealed(bytes(data)), batch(GOOD, 2))
    assert [(one.offset, one.value) for one in found[:2]] == [(0, b"1"), (1, None)]
    assert position == 4


def test_of_a_batch_without_end_the_last_letter_stands_for_all_that_follow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A header may count more records than there ever were: two thousand million in some bytes."""
    monkeypatch.setattr(opened, "LETTERS", 5)
    rows: list[Row] = [(b"k", b"\x00" * 100_000, [])] * 40
    found, position = read(batch(rows, 0, ZSTD), batch(GOOD, 40))
    assert [one.offset for one in found] == [0, 1, 2, 3, 4, 40, 41]
    last = found[4]
    assert isinstance(last, Kept)
    assert "so are 35 more, up to offset 39" in last.refused.message
    assert position == 42


def test_reading_goes_on_in_the_middle_of_a_batch_that_was_withheld() -> None:
    found, position = read(batch(BOMB, 5, ZSTD), start=6)
    assert ([one.offset for one in found], position) == ([6], 7)


def test_of_a_fetch_full_of_large_batches_the_rest_is_left_for_the_next_one() -> None:
    rows: list[Row] = [(b"k", b"\x00" * MOST, [])]
    batches = [batch(rows, number, ZSTD) for number in range(20)]
    found, position = read(*batches, most=2 * MOST)
    assert OF_A_FETCH <= len(found) * MOST < OF_A_FETCH + 2 * MOST
    assert position == len(found) < 20


def test_a_topic_without_bounds_is_read_as_aiokafka_does() -> None:
    """A changelog of which something is left out would be another state."""
    Unpacked.bounds = Bounds(["another"], MOST)
    try:
        data = Batches(batch(BOMB, 0, ZSTD))
        found = list(Unpacked(TP, data, [], 0, None, None, True, READ_COMMITTED))
    finally:
        Unpacked.bounds = None
    assert [one.value for one in found] == [b"first", b"\x00" * 9_000_000]


@LAW
@given(data=st.data(), packed=st.sampled_from([0, *CODECS]), seed=st.integers(0, 1 << 30))
def test_whatever_bytes_a_batch_has_its_offsets_come_out_in_order_and_the_next_is_read(
    data: Any, packed: int, seed: int
) -> None:
    """With the right check sum: a broker that looked at nothing else has let it through."""
    chance = random.Random(seed)
    rows: list[Row] = [
        (b"k%d" % n, b"v" * chance.randrange(50), [("h", b"x")] * (n % 3)) for n in range(5)
    ]
    whole = bytearray(batch(rows, 0, packed))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(57, len(whole) - 1))
        whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 10))
    broken = sealed(bytes(whole[: len(whole) - cut] if cut < len(whole) - 61 else whole))
    found, position = read(broken, batch(GOOD, 5))
    offsets = [one.offset for one in found]
    assert offsets == sorted(set(offsets))
    assert offsets[-2:] == [5, 6]
    assert set(offsets) <= set(range(7))
    assert position == 7


def test_nothing_is_taken_while_too_much_waits() -> None:
    waits = 0
    bounds = Bounds([TP.topic], MOST, lambda: waits)
    assert bounds.begin()
    waits = WAITING + 1
    assert not bounds.begin()
    waits = 0
    assert bounds.begin()
