"""The index of what is due: keys that sort by instant, made from rows without decoding them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.apply import Outbox, fold
from app.core.customer import Customer, Moved, Slot
from app.core.due import NEVER, NoCuts
from app.core.events import Event, PurchaseCompleted
from app.core.instants import DAY, Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.stream import due
from app.wire.definition import read_folder
from app.wire.record import HOT, RecordCodec

RULES = Rules(read_folder(), Calendar("UTC"), Rates.only("VND"))
CODEC = RecordCodec(RULES.ladders)
MARCH = 20_513 * DAY
INSTANTS = st.integers(0, 2**62)
IDS = st.text(min_size=1, max_size=128).map(lambda text: text.encode("utf-8", "ignore") or b"x")


@given(INSTANTS, IDS)
def test_an_entry_gives_back_its_instant_and_customer(instant: int, customer: bytes) -> None:
    assert due.split(due.entry(instant, customer)) == (instant, customer)


@given(INSTANTS, IDS, INSTANTS, INSTANTS)
def test_the_range_between_two_instants_holds_those_and_no_others(
    instant: int, customer: bytes, one: int, other: int
) -> None:
    first, last = sorted((one, other))
    start, end = due.between(first, last)
    assert (start <= due.entry(instant, customer) < end) == (first <= instant <= last)


def slot_of(customer: str, kinds: int, instant: int) -> Slot:
    """Somebody with so many events of the past that some books have older parts."""
    slot = Slot(customer)
    for number in range(kinds):
        data = PurchaseCompleted(f"o-{number}", 100, "VND")
        event = Event("/s", f"e-{number}", customer, MARCH + number, data)
        fold(RULES, slot, event, NoCuts(), Outbox())
    assert isinstance(slot.record, Customer)
    slot.record.due = instant
    return slot


def indexed(rows: list[due.Row]) -> list[bytes]:
    """The entries that hot rows have in the index."""
    hot = [(key, value) for key, value in rows if value is not None and key[:1] == HOT]
    return [entry for key, value in hot if (entry := due.key_of(key, value)) is not None]


@pytest.mark.parametrize("instant", [1, 200, 60_000, 2**31, MARCH, 2**61])
@pytest.mark.parametrize("events", [1, 2_000])
@pytest.mark.parametrize("aliases", [(), ("absorbed",)])
def test_a_row_is_indexed_by_its_instant_whatever_parts_the_record_has(
    instant: int, events: int, aliases: tuple[str, ...]
) -> None:
    slot = slot_of("a", events, instant)
    slot.aliases = aliases
    rows = CODEC.changed_rows(slot)
    assert len(rows) == 1 + 2 * (events > 1) + len(aliases)
    assert indexed(rows) == [due.entry(instant, b"a")]


def test_who_has_nothing_to_come_or_is_gone_or_moved_is_not_indexed() -> None:
    never = slot_of("never", 1, NEVER)
    moved = Slot("moved", Moved("never", 1, []))
    rows = [*CODEC.changed_rows(never), *CODEC.changed_rows(moved), (b"cgone", None), (b"m", b"")]
    assert len(rows) == 4
    assert indexed(rows) == []


def test_entries_are_local() -> None:
    assert due.entry(1, b"a")[:1] == b"\x00"
    assert due.is_entry(due.entry(1, b"a"))
    assert not due.is_entry(b"\x00o")


def test_wherever_a_write_is_cut_short_everybody_is_in_the_index() -> None:
    before = {due.entry(7, b"a"): b"", due.entry(8, b"b"): b""}
    rows: list[due.Row] = [
        (due.entry(7, b"a"), None),
        (due.entry(9, b"a"), b""),
        (due.entry(8, b"b"), None),
        (due.entry(9, b"b"), b""),
        (due.entry(9, b"b"), None),
        (due.entry(8, b"b"), b""),
    ]
    ordered = due.put_first(rows)
    for end in range(len(ordered) + 1):
        after = {**before, **dict(ordered[:end])}
        there = {due.split(key)[1] for key, value in after.items() if value is not None}
        assert there == {b"a", b"b"}
    whole = {**before, **dict(ordered)}
    assert {key for key, value in whole.items() if value is not None} == {
        due.entry(9, b"a"),
        due.entry(8, b"b"),
    }
