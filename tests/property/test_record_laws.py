"""Laws of stored records: what is written is read back, and nothing that is read raises."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.apply import next_due
from app.core.change import Trigger
from app.core.customer import Customer, Moved, Slot
from app.core.due import NEVER
from app.core.events import Event, ProfileErased, ProfilePlaced, ReferralConverted
from app.core.handover import Absorb, Forget, Forward, Handover, Redirect
from app.core.room import size_of
from app.wire import handover as wire
from app.wire.handover import Origin
from app.wire.record import HOT, TRACES, VERSION, RecordCodec, Unreadable, due_of
from tests.partitions import Rows, written
from tests.property.streams import EDGY, LAW, START, streams
from tests.property.test_laws import ATTRIBUTES, books, shop_of
from tests.shop import BUILT_IN, HOUR, Shop, rules_of

RULES = rules_of(*EDGY, attributes=ATTRIBUTES)
CODEC = RecordCodec(EDGY)
NEWER = bytes([VERSION + 1])


def content(slot: Slot) -> Any:
    """All that a slot knows, its books as what they remember."""
    c = slot.record
    kept: Any = c
    if isinstance(c, Customer):
        kept = [
            *(getattr(c, name) for name in c.__struct_fields__ if name not in BOOKS),
            [book.keys() if book.decode is None else book.contents() for book in books(slot)],
        ]
    return [slot.id, kept, slot.erased, slot.aliases]


BOOKS = ("seen", "orders", "reviews", "referrals")


def crowded() -> Shop:
    """Somebody with more of everything than the recent parts hold, and an absorbed friend."""
    shop = shop_of(())
    for number in range(40):
        shop.buy(f"o{number}", START + number * HOUR, customer="b")
    for number in range(20):
        shop.buy(f"p{number}", START + number * HOUR, customer="a", amount=10**12)
    return shop


def stored(shop: Shop) -> Rows:
    rows = Rows(shop.rules)
    for slot in shop.slots.values():
        rows.save(slot)
    return rows


@LAW
@given(streams())
def test_what_is_stored_of_a_customer_is_read_back_the_same(events: list[Event]) -> None:
    shop = shop_of(events)
    check_stored(shop)
    check_whole(shop)


def test_what_is_stored_of_somebody_with_a_long_memory_is_read_back_the_same() -> None:
    shop = crowded()
    assert {key[:1] for key in CROWDED} == {b"c", b"s", b"o"}
    check_stored(shop)
    check_whole(shop)


def check_stored(shop: Shop) -> None:
    rows = stored(shop)
    for id, slot in shop.slots.items():
        read = rows.load(id)
        assert content(read) == content(slot)
        assert read.stored == slot.stored
        if slot.record is not None:
            assert due_of(rows.held[HOT + id.encode()]) == (next_due(shop.rules, slot) or 0)


def check_whole(shop: Shop) -> None:
    for slot in shop.slots.values():
        if isinstance(slot.record, Customer):
            read = CODEC.decode_whole(CODEC.encode_whole(slot.record))
            assert isinstance(read, Customer)
            assert content(Slot(slot.id, read)) == content(Slot(slot.id, slot.record))


def test_sums_beyond_64_bits_are_read_back_as_they_were() -> None:
    check_stored(rich())
    check_whole(rich())
    for extension in (b"\xd8\x02" + bytes(16), b"\xd7\x01" + bytes(8)):
        spoilt = RICH.replace(b"\xd8\x01" + (2**64).to_bytes(16, "big"), extension)
        assert spoilt != RICH
        assert isinstance(CODEC.decode(spoilt), Unreadable)


@LAW
@given(streams())
def test_the_size_that_is_judged_is_that_of_the_rows_and_little_more(events: list[Event]) -> None:
    shop = shop_of(events)
    rows = stored(shop)
    for id, slot in shop.slots.items():
        if isinstance(slot.record, Customer):
            keys = [kind + id.encode() for kind in (HOT, b"s", b"o", b"r", b"f")]
            keys.append(TRACES + sha256(id.encode()).digest())
            size = sum(len(rows.held.get(key, b"")) for key in keys)
            assert size <= size_of(slot, slot.record) < size + 5_000


def test_the_due_instant_is_read_from_a_row_in_the_first_hour_of_1970() -> None:
    shop = shop_of(())
    shop.tell(ProfilePlaced("steps", "a", HOUR // 2), 0)
    rows = stored(shop)
    assert due_of(rows.held[HOT + b"c"]) == next_due(shop.rules, shop.slot()) == HOUR // 2


@LAW
@given(streams())
def test_an_erased_customer_leaves_a_marker_under_a_hash_and_nothing_else(
    events: list[Event],
) -> None:
    shop, rows = shop_of(()), Rows(RULES)
    for event in events:
        shop.apply(event)
        for slot in shop.slots.values():
            if slot.touched:
                rows.save(slot)
    for id in list(shop.slots):
        end = events[-1].time + HOUR
        shop.tell(ProfileErased(), end, customer=id, id=f"erase {id}")
    for slot in shop.slots.values():
        rows.save(slot)
    assert {key[:1] for key in rows.held} <= {TRACES}
    assert all(len(key) == 33 for key in rows.held)


@LAW
@given(streams())
def test_a_slot_that_is_not_touched_has_nothing_new_to_store(events: list[Event]) -> None:
    shop, rows = shop_of(()), Rows(RULES)
    for event in events:
        shop.apply(event)
        for slot in shop.slots.values():
            if slot.touched:
                rows.save(slot)
        for id, slot in shop.slots.items():
            assert without_due(content(rows.load(id))) == without_due(content(slot))


def without_due(whole: Any) -> Any:
    """A look at a due instant that changed nothing moves it on, and writes nothing."""
    if isinstance(whole[1], list):
        whole[1] = whole[1][1:]
    return whole


def sample_handovers() -> list[bytes]:
    event = Event("/shop", "e", "a", START, ProfileErased())
    origin = Origin("in", 1, 7, b"a", written(event), (("h", b"v"),))
    trigger = Trigger("/shop", "e", "profile.merged")
    record = crowded().record("b")
    made: list[Handover] = [
        Forward("b", START, event),
        Absorb("a", START, "b", record, ("c", "d"), trigger, ("b",)),
        Absorb("a", START, "b", None, (), trigger, ("b", "c"), settle=True),
        Forget("b", START, START),
        Redirect("b", START, "c"),
    ]
    return [wire.encode(handover, CODEC, origin) for handover in made]


def rich() -> Shop:
    """Somebody with sums beyond 64 bits, below and above nothing."""
    shop = shop_of(())
    for number in range(3):
        shop.buy(f"o{number}", START + number * 24 * HOUR, customer="c", amount=10**12)
        shop.tell(ReferralConverted(f"r{number}", 10**12, "VND"), customer="c")
    c = shop.record("c")
    c.bought.sums[1] = [2**64 - 1, 2**64, 2**127 - 1]
    c.brought.sums[1] = [-(2**63) - 1, -(2**63), -(2**127)]
    return shop


CROWDED = stored(crowded()).held
RICH = stored(rich()).held[HOT + b"c"]
HOT_ROWS = [*(row for key, row in CROWDED.items() if key[:1] == HOT), RICH]
WHOLE = [CODEC.encode_whole(crowded().record(id)) for id in "ab"]
HANDOVERS = sample_handovers()
FURTHER = [(key, row) for key, row in CROWDED.items() if key[:1] != HOT]


@st.composite
def mutated(draw: st.DrawFn, valid: list[bytes]) -> bytes:
    """Valid bytes with some changed, cut out or put in; or any bytes behind a valid head."""
    row = bytearray(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(1, 4))):
        at, some = draw(st.integers(0, len(row))), draw(st.binary(max_size=4))
        match draw(st.integers(0, 3)):
            case 0:
                row[at : at + len(some)] = some
            case 1:
                row[at:at] = some
            case 2:
                del row[at : at + 1 + len(some)]
            case 3:
                row[at:] = draw(st.binary(max_size=60))
    return bytes(row)


NESTED = b"\x91" * 100_000


@given(st.binary(max_size=200) | mutated(HOT_ROWS))
@example(b"")
@example(HOT_ROWS[0][:7] + NESTED)
@example(HOT_ROWS[0][:7] + b"\xdd\xff\xff\xff\xff")
def test_decoding_a_hot_row_never_raises(row: bytes) -> None:
    assert isinstance(CODEC.decode(row), Customer | Moved | Unreadable)


@given(st.binary(max_size=200) | mutated(WHOLE))
@example(NESTED)
@example(b"\x92\xc4\x00" + NESTED)
def test_decoding_a_whole_record_never_raises(data: bytes) -> None:
    assert isinstance(CODEC.decode_whole(data), Customer | Unreadable)


@given(st.none() | st.binary(max_size=200) | mutated(HANDOVERS))
@example(b"\x01" + NESTED)
@example(b"\x01\x95\xa6forget\xa1b\x00\x00" + NESTED)
def test_decoding_a_handover_never_raises(value: bytes | None) -> None:
    found = wire.decode(value, CODEC)
    if not isinstance(found, Unreadable):
        assert isinstance(found[0], Handover)


@given(st.sampled_from(FURTHER), st.data())
def test_a_store_with_broken_rows_is_refused_with_a_value_error_and_no_other(
    further: tuple[bytes, bytes], data: st.DataObject
) -> None:
    key, row = further
    rows = {**CROWDED, key: data.draw(mutated([row]) | st.binary(max_size=40))}
    with suppress(ValueError):
        CODEC.load(["a", "b"], lambda keys: [*map(rows.get, keys)])


def test_broken_traces_are_refused_with_a_value_error() -> None:
    slot, rows = Slot("z", aliases=("x", "y")), Rows(RULES)
    rows.save(slot)
    ((key, value),) = rows.held.items()
    for broken in (value[:-1], b"\x01" + NESTED, b"\x01", b"", NEWER + value[1:]):
        rows.held[key] = broken
        with pytest.raises(ValueError, match="row"):
            rows.load("z")


def test_rows_of_other_ladders_or_of_a_newer_version_are_unreadable() -> None:
    (row, *_) = HOT_ROWS
    assert RecordCodec(BUILT_IN).decode(row) == Unreadable("written under other ladders")
    assert RecordCodec(EDGY[::-1]).decode(row) == Unreadable("written under other ladders")
    newer = CODEC.decode(NEWER + row[1:])
    assert isinstance(newer, Unreadable)
    assert f"version {NEWER.hex()}" in newer.why


def test_a_record_is_not_written_before_its_due_instant_is_known() -> None:
    c = crowded().record("a")
    c.due = None
    with pytest.raises(ValueError, match="due"):
        CODEC.encode(c)
    c.due = NEVER
    assert due_of(CODEC.encode(c)) == 0
