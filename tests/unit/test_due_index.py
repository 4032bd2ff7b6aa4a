"""The index of what is due: keys that sort by instant, made from rows without decoding them."""

from hypothesis import given
from hypothesis import strategies as st

from app.stream import due

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


def test_rows_are_indexed_by_the_instant_that_they_carry() -> None:
    rows = [
        (b"ca", b"\x01" + (50).to_bytes(8, "big") + b"rest"),
        (b"cb", b"\x01" + bytes(8) + b"nothing is due"),
        (b"cc", None),
        (b"oa", b"\x01" + (60).to_bytes(8, "big") + b"not a hot row"),
    ]
    assert due.index(rows) == [(due.entry(50, b"a"), b"")]


def test_entries_are_local() -> None:
    assert due.entry(1, b"a")[:1] == b"\x00"
    assert due.is_entry(due.entry(1, b"a"))
    assert not due.is_entry(b"\x00o")
