"""A stage change is written as contract section 7 shows it, and read back."""

import json
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.core.change import Because, Cause, Change, Direction, Next, Trigger, Value
from app.core.instants import LATEST, parse_instant
from app.wire import stage_change

CONTRACT = """
{"specversion": "1.0", "id": "raving-fan/c-42/3", "source": "/loyalty-ladder",
 "type": "loyalty.stage.changed",
 "subject": "c-42", "time": "2026-03-01T09:30:00Z", "datacontenttype": "application/json",
 "data": {
  "ladder": "raving-fan", "version": 1, "sequence": 3,
  "from": "shopper", "to": "customer", "direction": "up", "passed": ["customer"],
  "cause": "event",
  "trigger": {"source": "/shop/orders", "id": "o-981:paid", "type": "purchase.completed"},
  "because": {"rule": "purchases >= 2", "facts": {"purchases": 2}},
  "since": "2026-01-12T08:00:00Z", "held_seconds": 4152600,
  "next": {"rung": "member", "rule": "card != none", "facts": {"card": null}},
  "suggest": null, "quiet": false}}
"""

CHANGE = Change(
    customer="c-42",
    life=1,
    ladder="raving-fan",
    version=1,
    sequence=3,
    time=parse_instant("2026-03-01T09:30:00Z") or 0,
    from_="shopper",
    to="customer",
    direction="up",
    passed=["customer"],
    cause="event",
    trigger=Trigger("/shop/orders", "o-981:paid", "purchase.completed"),
    because=Because("purchases >= 2", {"purchases": 2}),
    since=parse_instant("2026-01-12T08:00:00Z"),
    held=4152600,
    next=Next("member", "card != none", {"card": None}),
    suggest=None,
    quiet=False,
)


def test_the_example_of_the_contract_is_written_field_by_field_in_its_order() -> None:
    assert stage_change.encode(CHANGE).decode() == json.dumps(
        json.loads(CONTRACT), separators=(",", ":")
    )


def test_a_change_beyond_512_kib_goes_without_its_longest_facts() -> None:
    """Nothing that a customer's record may hold makes one that a broker would not take."""
    long = ["\x01" * 256] * 64
    facts: dict[str, Value] = {f"profile.p{number}": long for number in range(20)}
    facts |= {"purchases": 2, "card": "x" * 64}
    whole = replace(CHANGE, because=Because("purchases >= 2", facts), next=Next("m", "true", facts))
    short = {name: value for name, value in facts.items() if value != long}
    told = json.loads(stage_change.encode(whole))["data"]
    assert (told["because"]["facts"], told["next"]["facts"]) == (short, short)
    some = dict(list(facts.items())[:4])
    kept = replace(CHANGE, because=Because("purchases >= 2", some), next=None)
    assert json.loads(stage_change.encode(kept))["data"]["because"]["facts"] == some


def test_the_example_of_the_contract_is_read() -> None:
    assert stage_change.decode(CONTRACT.encode()) == CHANGE


def test_every_field_that_can_be_absent_is_written_as_null() -> None:
    bare = msgspec.structs.replace(
        CHANGE, from_=None, to=None, trigger=None, because=None, since=None, held=None, next=None
    )
    data = json.loads(stage_change.encode(bare))["data"]
    assert {name for name, value in data.items() if value is None} == {
        "from",
        "to",
        "trigger",
        "because",
        "since",
        "held_seconds",
        "next",
        "suggest",
    }


@pytest.mark.parametrize(("life", "ending"), [(1, ""), (2, "/r2"), (11, "/r11")])
def test_the_id_says_the_how_manieth_record_of_the_customer_it_is(life: int, ending: str) -> None:
    again = msgspec.structs.replace(CHANGE, life=life)
    value = stage_change.encode(again)
    assert json.loads(value)["id"] == "raving-fan/c-42/3" + ending
    assert stage_change.decode(value) == again


def test_microseconds_are_written_only_where_there_are_some() -> None:
    value = stage_change.encode(msgspec.structs.replace(CHANGE, time=CHANGE.time + 5))
    assert json.loads(value)["time"] == "2026-03-01T09:30:00.000005Z"


def test_the_content_type_is_that_of_the_contract() -> None:
    assert stage_change.HEADERS == (
        ("content-type", b"application/cloudevents+json; charset=UTF-8"),
    )


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INSTANT = st.integers(0, LATEST - 1)
FACTS = st.dictionaries(
    TEXT,
    TEXT
    | st.integers(-(2**127), 2**127 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.booleans()
    | st.none()
    | st.lists(TEXT, max_size=2),
    max_size=3,
)
CHANGES = st.builds(
    Change,
    customer=TEXT | st.sampled_from(["a/r2", "1/r2", "/"]),
    life=st.integers(1, 12),
    ladder=st.sampled_from(["raving-fan", "l/1"]),
    version=st.integers(1, 99),
    sequence=st.integers(1, 2**40),
    time=INSTANT,
    from_=TEXT | st.none(),
    to=TEXT | st.none(),
    direction=st.sampled_from(get_args(Direction)),
    passed=st.lists(TEXT, max_size=3),
    cause=st.sampled_from(get_args(Cause)),
    trigger=st.builds(Trigger, TEXT, TEXT, TEXT) | st.none(),
    because=st.builds(Because, TEXT, FACTS) | st.none(),
    since=INSTANT | st.none(),
    held=st.integers(0, 2**40) | st.none(),
    next=st.builds(Next, TEXT, TEXT, FACTS) | st.none(),
    suggest=TEXT | st.none(),
    quiet=st.booleans(),
)


@given(CHANGES)
def test_what_is_written_is_read_back_the_same(change: Change) -> None:
    assert repr(stage_change.decode(stage_change.encode(change))) == repr(change)


@given(st.binary() | st.sampled_from([b"[" * 200_000, b"null", b"{}", b'"\xff"']))
def test_other_bytes_are_refused_by_one_exception(value: bytes) -> None:
    with pytest.raises(stage_change.NotAStageChange):
        stage_change.decode(value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("raving-fan/c-42/3", "raving-fan/c-42/4"),
        ("raving-fan/c-42/3", "raving-fan/c-42/3/r1"),
        ("raving-fan/c-42/3", "raving-fan/c-42/3/rx"),
        ("2026-03-01T09:30:00Z", "2026-03-01"),
        ("2026-01-12T08:00:00Z", "once"),
        ("loyalty.stage.changed", "purchase.completed"),
        ('"quiet": false', '"quiet": 0'),
    ],
)
def test_what_does_not_hang_together_is_no_stage_change(old: str, new: str) -> None:
    with pytest.raises(stage_change.NotAStageChange):
        stage_change.decode(CONTRACT.replace(old, new).encode())


def test_fields_that_later_versions_add_are_ignored_by_readers() -> None:
    value = CONTRACT.replace('"quiet": false', '"quiet": false, "tenant": {"x": 1}')
    assert stage_change.decode(value.encode()) == CHANGE
