"""Laws of decoding: it never raises, and its quick way never differs from its definition."""

import json
from base64 import b64decode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.core.events import REASONS, Event, Refused
from app.wire.classify import classify
from app.wire.cloudevents import decode, quick
from tests.property.written import events, written

NAMES = "ce_id ce_type ce_specversion ce_source ce_time ce_subject content-type x"
VALUES = "1.0 purchase.completed clock.advanced 2026-03-01T09:30:00Z application/cloudevents+json"
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(NAMES.split()),
        st.sampled_from([b"\xff", b"", None, *(value.encode() for value in VALUES.split())]),
    ),
    max_size=8,
)
AT_DECODING = REASONS[: REASONS.index("bad-data") + 1]


def agree(value: bytes) -> Event | None:
    """See that the quick way gives nothing or just what the definition gives; return the latter."""
    found = classify(value, None, (), keyed=False)
    fast = quick(value)
    # repr, because 3 equals 3.0 and True
    assert fast is None or repr(fast) == repr(found)
    return found if isinstance(found, Event) else None


@given(st.none() | st.binary(), st.none() | st.binary(max_size=4), HEADERS)
def test_decode_never_raises_on_any_bytes(
    value: bytes | None, key: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    found = decode(value, key, headers)
    assert isinstance(found, Event) or found.reason in AT_DECODING


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_decode_never_raises_on_anything_that_json_can_write(whatever: Any) -> None:
    found = decode(json.dumps(whatever).encode(), keyed=False)
    assert isinstance(found, Refused)
    assert found.reason in AT_DECODING


@given(events(), st.booleans())
def test_the_quick_way_agrees_on_every_event_however_it_is_written(
    whole: dict[str, Any], ascii_only: bool
) -> None:
    agree(json.dumps(whole, ensure_ascii=ascii_only).encode(errors="replace"))


@given(events().flatmap(written))
def test_the_quick_way_agrees_on_repeated_fields_odd_numbers_escapes_and_spaces(
    value: bytes,
) -> None:
    agree(value)


@given(events(right=True), st.data())
def test_the_quick_way_agrees_on_events_with_a_few_bytes_changed(
    whole: dict[str, Any], data: st.DataObject
) -> None:
    value = bytearray(json.dumps(whole).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(value) - 1))
        put = data.draw(
            st.sampled_from([b"", b'"', b"\\", b"{", b"]", b"0", b".", b"\xff", b"\x00"])
        )
        value[at : at + data.draw(st.integers(0, 2))] = put
        if not value:
            break
    agree(bytes(value))


@given(events(right=True))
def test_every_event_within_the_limits_is_taken(whole: dict[str, Any]) -> None:
    found = decode(json.dumps(whole).encode(), str(whole["subject"]).encode())
    assert isinstance(found, Event)
    assert (found.id, found.source, found.type) == (whole["id"], whole["source"], whole["type"])


@given(events(right=True))
def test_binary_mode_gives_the_same_event_as_structured(whole: dict[str, Any]) -> None:
    names = ("specversion", "id", "source", "type", "subject", "time")
    headers = [(f"ce_{name}", str(whole[name]).encode()) for name in names]
    encoded = whole.get("data_base64")
    value = b64decode(encoded) if encoded else json.dumps(whole.get("data")).encode()
    key = str(whole["subject"]).encode()
    assert repr(decode(value, key, headers)) == repr(decode(json.dumps(whole).encode(), key))


@given(events(right=True), st.booleans())
def test_what_the_value_is_decided_before_the_key(whole: dict[str, Any], keyed: bool) -> None:
    found = decode(json.dumps(whole).encode(), b"\xff", keyed=keyed)
    if keyed and whole["type"] != "clock.advanced":
        assert isinstance(found, Refused)
        assert found.reason == "key-mismatch"
    else:
        assert isinstance(found, Event)
