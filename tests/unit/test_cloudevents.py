"""What a record is: an event, or refused, with the first reason that holds and words that help."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from app.core import events
from app.core.events import Event, Refused
from app.core.instants import parse_instant
from app.wire.classify import classify
from app.wire.cloudevents import decode, quick

ENVELOPE: dict[str, Any] = {
    "specversion": "1.0",
    "id": "o-981:paid",
    "source": "/shop/orders",
    "subject": "c-42",
    "time": "2026-03-01T09:30:00Z",
}
TIME = parse_instant(ENVELOPE["time"])
PURCHASE = {"order_id": "o-981", "amount": 125_000_000, "currency": "VND", "units": 3}


def event(kind: str, data: Any = None, **envelope: Any) -> bytes:
    """Write an event; an attribute given as None is null, one given as `...` is left out."""
    whole = {**ENVELOPE, "type": kind, "data": data, **envelope}
    return json.dumps({name: item for name, item in whole.items() if item is not ...}).encode()


def purchase(**fields: Any) -> bytes:
    data = {**PURCHASE, **fields}
    return event(
        "purchase.completed", {name: item for name, item in data.items() if item is not ...}
    )


def data_of(value: bytes) -> events.Data:
    found = decode(value, b"c-42")
    assert isinstance(found, Event), found
    assert repr(found) == repr(classify(value, b"c-42", (), keyed=True))  # by the quick way or not
    return found.data


def refusal(value: bytes | None, key: bytes | None = b"c-42") -> Refused:
    found = decode(value, key)
    assert isinstance(found, Refused), found
    return found


def test_the_event_of_the_contract_is_read() -> None:
    found = decode(purchase(), b"c-42")
    bought = events.PurchaseCompleted("o-981", 125_000_000, "VND", 3)
    assert found == Event("/shop/orders", "o-981:paid", "c-42", TIME or 0, bought)


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("purchase.completed", PURCHASE | {"units": None}, None),
        ("purchase.refunded", {"order_id": "o", "amount": 1, "currency": "VND"}, None),
        ("signup.registered", None, events.Registered()),
        ("signup.registered", {"referred_by": "c-7"}, events.Registered("c-7")),
        ("signup.inquired", {"channel": "phone"}, events.Inquired("phone")),
        ("signup.inquired", {}, events.Inquired()),
        ("signup.card_issued", {"tier": "gold"}, events.CardIssued("gold")),
        ("signup.card_revoked", None, events.CardRevoked()),
        ("review.posted", {"review_id": "r"}, events.ReviewPosted("r", None, "review")),
        ("review.posted", {"review_id": "r", "rating": 4}, events.ReviewPosted("r", 4.0)),
        ("review.posted", {"review_id": "r", "rating": 3.5}, events.ReviewPosted("r", 3.5)),
        ("review.posted", {"review_id": "r", "kind": None}, events.ReviewPosted("r")),
        ("review.removed", {"review_id": "r"}, events.ReviewRemoved("r")),
        ("referral.sent", None, events.ReferralSent()),
        ("referral.sent", {"referred_id": "c-7"}, events.ReferralSent("c-7")),
        ("referral.converted", {"referred_id": "c-7"}, events.ReferralConverted("c-7")),
        ("referral.converted", {"referred_id": "c", "currency": "USD"}, None),
        ("referral.reversed", {"referred_id": "c-7"}, events.ReferralReversed("c-7")),
        ("interaction.seen", {"need": "problem"}, events.InteractionSeen(1)),
        ("interaction.seen", {"need": "solution"}, events.InteractionSeen(2)),
        ("interaction.seen", {"need": "brand"}, events.InteractionSeen(3)),
        ("interaction.seen", {"need": "decision"}, events.InteractionSeen(4)),
        ("profile.merged", {"into": "c-43"}, events.ProfileMerged("c-43")),
        ("profile.erased", None, events.ProfileErased()),
        ("profile.placed", {"ladder": "l", "rung": "r"}, events.ProfilePlaced("l", "r")),
        ("profile.placed", {"ladder": "l", "rung": None}, events.ProfilePlaced("l")),
        (
            "profile.placed",
            {"ladder": "l", "rung": "r", "until": "2026-03-01T10:30:00.5+01:00"},
            events.ProfilePlaced("l", "r", (TIME or 0) + 500_000),
        ),
    ],
)
def test_every_type_is_read_with_and_without_its_optional_fields(
    kind: str, data: Any, expected: events.Data | None
) -> None:
    found = data_of(event(kind, data))
    assert found.type == kind
    assert expected is None or found == expected


@pytest.mark.parametrize("kind", sorted(set(events.TYPES) - {"clock.advanced", "profile.placed"}))
def test_an_event_written_in_the_usual_way_is_not_left_to_the_slow_way(kind: str) -> None:
    data = {
        **PURCHASE,
        "tier": "gold",
        "review_id": "r",
        "referred_id": "c-7",
        "need": "brand",
        "attributes": {"a": 1},
        "into": "c-43",
        "kind": "review",
        "channel": "phone",
    }
    assert quick(event(kind, data)) == decode(event(kind, data), keyed=False)


def test_data_may_be_absent_where_nothing_in_it_is_required() -> None:
    assert data_of(event("signup.registered", ...)) == events.Registered()


def in_base64(content: object) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("purchase.completed", PURCHASE),
        ("signup.registered", {"referred_by": "c-7"}),
        ("signup.inquired", {"channel": "Điện thoại"}),
        ("referral.sent", {"referred_id": "c-7"}),
        ("profile.updated", {"attributes": {"city": "Huế"}}),
        ("profile.placed", {"ladder": "l", "rung": "r"}),
        ("profile.erased", None),
        ("clock.advanced", None),
    ],
)
def test_data_in_base64_is_the_same_as_data(kind: str, data: Any) -> None:
    expected = decode(event(kind, data), b"c-42")
    assert isinstance(expected, Event)
    for whole in (
        event(kind, ..., data_base64=in_base64(data)),
        event(kind, None, data_base64=in_base64(data)),
        event(kind, data, data_base64=None),
        event(kind, ..., data_base64=in_base64(data)).replace(b"data_base64", b"data\\u005fbase64"),
    ):
        assert repr(decode(whole, b"c-42")) == repr(expected)


def test_what_the_python_sdk_of_cloudevents_writes_for_bytes_is_read() -> None:
    written = (
        b'{"specversion": "1.0", "id": "e-1", "source": "/shop", "type": "signup.inquired", '
        b'"subject": "c-42", "time": "2026-03-01T09:30:00.000001+00:00", '
        b'"data_base64": "eyJjaGFubmVsIjogInBob25lIn0="}'
    )
    assert data_of(written) == events.Inquired("phone")


NO_JSON = [b"", b" ", b"{", b"\xff", b"\xef\xbb\xbf{}", b"NaN", b'"\\ud800"', b"[" * 65 + b"]" * 65]
NO_BASE64 = [
    "",
    "!",
    "e30",
    "e3=0",
    "e30==",
    "=e30",
    "e30g=",
    "e30g====",
    "e3 0=",
    "e30=\n",
    "\u20ac30=",
    "_-==",
    5,
    True,
]


@pytest.mark.parametrize(
    "encoded",
    [*NO_BASE64, ["e30="], {}, *map(in_base64, NO_JSON), *map(in_base64, (5, [], "text"))],
    ids=range(27),
)
@pytest.mark.parametrize("kind", ["profile.erased", "signup.registered", "review.removed"])
def test_what_is_no_base64_of_the_json_of_data_is_bad_data(kind: str, encoded: Any) -> None:
    found = refusal(event(kind, ..., data_base64=encoded))
    assert (found.reason, found.message[:4]) == ("bad-data", "data")


def test_data_in_base64_is_held_to_the_same_limits() -> None:
    found = refusal(event("signup.inquired", ..., data_base64=in_base64({"channel": "x" * 65})))
    assert found.reason == "bad-data"
    assert found.message.startswith("data.channel")


@pytest.mark.parametrize("kind", ["profile.erased", "purchase.completed", "clock.advanced"])
@pytest.mark.parametrize("data", [{}, PURCHASE, 5, "", False])
def test_data_twice_is_not_an_event(kind: str, data: Any) -> None:
    found = refusal(event(kind, data, data_base64=in_base64(PURCHASE)))
    assert found.reason == "not-an-event"
    assert "data_base64" in found.message


def test_the_order_of_faults_holds_for_data_in_base64_too() -> None:
    assert refusal(event("x.y", ..., data_base64="!")).reason == "unknown-type"
    assert refusal(event("x.y", {}, data_base64="!")).reason == "not-an-event"
    assert refusal(event("profile.erased", ..., data_base64="!"), b"c").reason == "key-mismatch"


def test_attributes_keep_their_kinds_and_whole_numbers_become_integers() -> None:
    written: dict[str, events.Attribute | None] = {
        "a": "x",
        "b": 3.0,
        "c": 2.5,
        "d": True,
        "e": None,
        "f": ["golf", ""],
        "g": -(10**15),
    }
    found = data_of(event("profile.updated", {"attributes": written}))
    assert repr(found) == repr(events.ProfileUpdated(written | {"b": 3}))


@pytest.mark.parametrize("written", ["3.0", "3e0", "0.3e1", "30e-1"])
def test_a_whole_number_may_be_written_with_a_fraction(written: str) -> None:
    value = purchase(units=12321).replace(b"12321", written.encode())
    assert repr(data_of(value)) == repr(events.PurchaseCompleted("o-981", 125_000_000, "VND", 3))


def test_of_two_fields_of_one_name_the_last_counts() -> None:
    value = purchase().replace(b'"units": 3', b'"units": "x", "units": 4')
    assert data_of(value) == events.PurchaseCompleted("o-981", 125_000_000, "VND", 4)


@pytest.mark.parametrize(
    "content",
    [b"1" + b"0" * 30, b"1e400", b"9" * 5000, b'{"deep": [[1]]}', b"null", b'"\\ud83d\\ude00"'],
)
def test_unknown_fields_are_ignored_whatever_they_hold(content: bytes) -> None:
    inside = purchase().replace(b'"units": 3', b'"units": 3, "extra": ' + content)
    beside = purchase().replace(b'"specversion"', b'"extra": ' + content + b', "specversion"', 1)
    assert data_of(inside) == data_of(beside) == data_of(purchase())


def test_sixty_four_containers_may_nest_and_one_more_may_not() -> None:
    def nested(depth: int) -> bytes:
        # The event itself and its data are two of them.
        inner = b"[" * (depth - 2) + b"]" * (depth - 2)
        return purchase().replace(b'"units": 3', b'"units": 3, "extra": ' + inner)

    assert data_of(nested(64)) == data_of(purchase())
    assert refusal(nested(65)).reason == "not-json"


def test_brackets_within_text_are_no_containers() -> None:
    assert data_of(purchase(note='[{"' * 500)) == data_of(purchase())


def test_a_value_of_64_kib_is_taken_and_one_byte_more_is_not() -> None:
    value = purchase(note="")
    room = 64 * 1024 - len(value)
    assert data_of(purchase(note="x" * room)) == data_of(purchase())
    assert refusal(purchase(note="x" * (room + 1))).reason == "too-large"


def test_ids_may_hold_any_character_even_nul() -> None:
    odd = "\0é😀"
    found = decode(event("signup.registered", None, subject=odd, id=odd), odd.encode())
    assert isinstance(found, Event)
    assert (found.subject, found.id) == (odd, odd)


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"null x",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b"[" * 200_000,
        b'{"a":' * 10_000,
        purchase().replace(b"o-981", b"o-\xff", 1),
        purchase(note=1).replace(b'"note": 1', b'"note": "\xed\xa0\x80"'),
        purchase(note=1).replace(b'"note": 1', b'"note": "\\ud800"'),
        purchase(note=1).replace(b'"note": 1', b'"\\udc00\\ud800": 1'),
        purchase(note=1).replace(b'"note": 1', b'"note": "\x01"'),
        purchase(note=1).replace(b'"note": 1', b'"note": NaN'),
        purchase(note=1).replace(b'"note": 1', b'"note": -Infinity'),
        purchase(note=1).replace(b'"note": 1', b'"note": 01'),
        purchase() + b" {}",
        b"\xef\xbb\xbf" + purchase(),
    ],
    ids=lambda value: repr(value)[-24:],
)
def test_what_is_no_json_text_is_not_json(value: bytes | None) -> None:
    expected = "too-large" if value is not None and len(value) > 65_536 else "not-json"
    assert refusal(value).reason == expected


@pytest.mark.parametrize(
    "value",
    [
        b"null",
        b"3",
        b"[]",
        b'"text"',
        b"{}",
        *(event("purchase.completed", PURCHASE, **{name: ...}) for name in ENVELOPE),
        *(event("purchase.completed", PURCHASE, **{name: None}) for name in ENVELOPE),
        *(event("purchase.completed", PURCHASE, **{name: ""}) for name in ENVELOPE),
        *(event("purchase.completed", PURCHASE, **{name: 5}) for name in ENVELOPE),
        event("x", type=...),
        event("x", type=["x"]),
        event("purchase.completed", PURCHASE, specversion="0.3"),
        event("purchase.completed", PURCHASE, subject="c" * 129),
        event("purchase.completed", PURCHASE, time="2026-03-01T09:30:00"),
        event("purchase.completed", PURCHASE, time="2026-02-30T09:30:00Z"),
        event("purchase.completed", PURCHASE, time="0001-01-01T00:00:00Z"),
        event("purchase.completed", PURCHASE, time="1970-01-01T00:00:00+01:00"),
        event("purchase.completed", PURCHASE, time="2200-01-01T00:00:00Z"),
        event("clock.advanced", time=...),
    ],
)
def test_without_the_attributes_of_the_envelope_it_is_not_an_event(value: bytes) -> None:
    assert refusal(value).reason == "not-an-event"


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("purchase.completed", None, "data.order_id"),
        ("purchase.completed", [], "data:"),
        ("purchase.completed", "text", "data:"),
        ("signup.card_revoked", 5, "data:"),
        ("purchase.completed", PURCHASE | {"order_id": ""}, "data.order_id"),
        ("purchase.completed", PURCHASE | {"order_id": "x" * 257}, "data.order_id"),
        ("purchase.completed", PURCHASE | {"order_id": 5}, "data.order_id"),
        ("purchase.completed", PURCHASE | {"amount": -1}, "data.amount"),
        ("purchase.completed", PURCHASE | {"amount": None}, "data.amount"),
        ("purchase.completed", PURCHASE | {"amount": True}, "data.amount"),
        ("purchase.completed", PURCHASE | {"amount": "5"}, "data.amount"),
        ("purchase.completed", PURCHASE | {"amount": 0.5}, "data.amount"),
        ("purchase.completed", PURCHASE | {"amount": 10**15 + 1}, "data.amount"),
        ("purchase.completed", PURCHASE | {"amount": 10**30}, "data.amount"),
        ("purchase.completed", PURCHASE | {"amount": 10**3000}, "data.amount"),
        ("purchase.completed", PURCHASE | {"units": 0}, "data.units"),
        ("purchase.completed", PURCHASE | {"units": 10**6 + 1}, "data.units"),
        ("purchase.completed", PURCHASE | {"currency": None}, "data.currency"),
        ("purchase.completed", PURCHASE | {"currency": "vnd"}, "data.currency"),
        ("purchase.completed", PURCHASE | {"currency": "VND\n"}, "data.currency"),
        ("purchase.completed", PURCHASE | {"currency": "ÄÖÜ"}, "data.currency"),
        ("purchase.refunded", PURCHASE | {"amount": 0}, "data.amount"),
        ("signup.registered", {"referred_by": ""}, "data.referred_by"),
        ("signup.registered", {"referred_by": "c" * 129}, "data.referred_by"),
        ("signup.inquired", {"channel": "x" * 65}, "data.channel"),
        ("signup.card_issued", {}, "data.tier"),
        ("signup.card_issued", {"tier": "x" * 65}, "data.tier"),
        ("review.posted", {"review_id": "r", "rating": 0.5}, "data.rating"),
        ("review.posted", {"review_id": "r", "rating": 5.1}, "data.rating"),
        ("review.posted", {"review_id": "r", "rating": True}, "data.rating"),
        ("review.posted", {"review_id": "r", "kind": "rant"}, "data.kind"),
        ("review.removed", {"review_id": ""}, "data.review_id"),
        ("referral.sent", {"referred_id": 5}, "data.referred_id"),
        ("referral.converted", {}, "data.referred_id"),
        ("referral.converted", {"referred_id": "c", "amount": 5}, "data.currency"),
        (
            "referral.converted",
            {"referred_id": "c", "amount": -5, "currency": "USD"},
            "data.amount",
        ),
        ("referral.converted", {"referred_id": "c", "currency": "usd"}, "data.currency"),
        ("referral.reversed", {"referred_id": None}, "data.referred_id"),
        ("interaction.seen", {"need": "money"}, "data.need"),
        ("interaction.seen", {"need": 1}, "data.need"),
        ("profile.updated", {}, "data.attributes"),
        ("profile.updated", {"attributes": []}, "data.attributes"),
        ("profile.updated", {"attributes": {str(n): n for n in range(65)}}, "data.attributes"),
        ("profile.updated", {"attributes": {"n" * 65: 1}}, "data.attributes"),
        ("profile.updated", {"attributes": {"a": {}}}, "data.attributes['a']"),
        ("profile.updated", {"attributes": {"a": "x" * 257}}, "data.attributes['a']"),
        ("profile.updated", {"attributes": {"a": [1]}}, "data.attributes['a']"),
        ("profile.updated", {"attributes": {"a": [None]}}, "data.attributes['a']"),
        ("profile.updated", {"attributes": {"a": ["x" * 257]}}, "data.attributes['a']"),
        ("profile.updated", {"attributes": {"a": ["x"] * 65}}, "data.attributes['a']"),
        ("profile.updated", {"attributes": {"a": 10**15 + 1}}, "data.attributes['a']"),
        ("profile.updated", {"attributes": {"a": -1e20}}, "data.attributes['a']"),
        ("profile.merged", {"into": "c-42"}, "data.into"),
        ("profile.merged", {"into": "c" * 129}, "data.into"),
        ("profile.placed", {"rung": "r"}, "data.ladder"),
        ("profile.placed", {"ladder": "l", "rung": 5}, "data.rung"),
        ("profile.placed", {"ladder": "l", "until": "tomorrow"}, "data.until"),
        ("profile.placed", {"ladder": "l", "until": ENVELOPE["time"]}, "data.until"),
    ],
)
def test_data_beyond_its_limits_is_bad_data_and_the_field_is_named(
    kind: str, data: Any, field: str
) -> None:
    found = refusal(event(kind, data))
    assert found.reason == "bad-data"
    assert found.message.startswith(field)


@pytest.mark.parametrize("name", ["id", "source"])
def test_an_id_or_source_of_256_characters_is_taken_and_a_longer_one_is_bad_data(name: str) -> None:
    assert data_of(event("profile.erased", **{name: "x" * 256})) == events.ProfileErased()
    found = refusal(event("profile.erased", **{name: "x" * 257}))
    assert found.reason == "bad-data"
    assert found.message.startswith(name)


def test_a_subject_of_128_characters_is_taken() -> None:
    assert isinstance(decode(event("profile.erased", subject="ü" * 128), keyed=False), Event)


@pytest.mark.parametrize("key", [None, b"", b"c-43", b"c-42 ", b"\xff"])
def test_the_key_must_be_the_subject(key: bytes | None) -> None:
    assert refusal(purchase(), key).reason == "key-mismatch"


def test_in_a_file_there_is_no_key_to_compare() -> None:
    assert isinstance(decode(purchase(), keyed=False), Event)


@pytest.mark.parametrize("subject", [..., None, "", 5, "c-42", "c" * 999])
def test_the_subject_and_key_of_a_clock_event_do_not_matter(subject: Any) -> None:
    found = decode(event("clock.advanced", subject=subject), b"other")
    assert found == Event("/shop/orders", "o-981:paid", "", TIME or 0, events.ClockAdvanced())


FAULTS: list[tuple[str, Mapping[str, Any]]] = [
    ("not-an-event", {"time": "yesterday"}),
    ("unknown-type", {"type": "purchase.made"}),
    ("key-mismatch", {"subject": "c-43"}),
    ("bad-data", {"data": {"amount": -5}}),
]


@pytest.mark.parametrize("first", range(len(FAULTS)))
def test_of_several_faults_the_first_of_the_contract_is_the_reason(first: int) -> None:
    broken: dict[str, Any] = {}
    for _, fault in FAULTS[first:]:
        broken.update(fault)
    assert (
        refusal(event("purchase.completed", **({"data": PURCHASE} | broken))).reason
        == FAULTS[first][0]
    )


def test_what_is_said_of_a_fault_quotes_no_personal_text() -> None:
    secret = "nguyen.van.a@example.com"
    for value in [
        purchase(currency=secret),
        purchase(amount=secret),
        event("profile.merged", {"into": secret}, subject=secret),
        event("profile.updated", {"attributes": {"mail": [secret, 5]}}),
        event("interaction.seen", {"need": secret}),
        event("profile.erased", subject=secret + "x" * 128),
    ]:
        found = decode(value, keyed=False)
        assert isinstance(found, Refused)
        assert secret not in found.message


def test_an_unknown_type_is_named_shortened() -> None:
    found = refusal(event("purchase.made" + "x" * 5000))
    assert found.reason == "unknown-type"
    assert "purchase.made" in found.message
    assert len(found.message) < 200


BINARY = [(f"ce_{name}", str(item).encode()) for name, item in ENVELOPE.items()]
BINARY.append(("ce_type", b"purchase.completed"))


def test_binary_mode_gives_the_same_event() -> None:
    headers = [*BINARY, ("content-type", b"application/json"), ("traceparent", b"\xff")]
    assert decode(json.dumps(PURCHASE).encode(), b"c-42", headers) == decode(purchase(), b"c-42")


@pytest.mark.parametrize("value", [None, b"", b"null", b"{}"])
@pytest.mark.parametrize("kind", ["profile.erased", "signup.registered", "clock.advanced"])
def test_in_binary_mode_a_null_or_empty_value_is_an_event_without_data(
    kind: str, value: bytes | None
) -> None:
    headers = [*BINARY, ("ce_type", kind.encode())]
    assert decode(value, b"c-42", headers) == decode(event(kind), b"c-42")
    assert isinstance(decode(value, b"c-42", headers), Event)


def test_in_binary_mode_an_attribute_named_data_base64_is_none_of_ours() -> None:
    headers = [*BINARY, ("ce_data_base64", b"e30="), ("ce_data", b"{}")]
    found = decode(json.dumps(PURCHASE).encode(), b"c-42", headers)
    assert found == decode(purchase(), b"c-42")


def test_a_cloudevents_content_type_means_structured_whatever_else_is_there() -> None:
    headers = [*BINARY, ("Content-Type", b"application/CloudEvents+json; charset=UTF-8")]
    assert isinstance(decode(purchase(), b"c-42", headers), Event)
    assert isinstance(decode(purchase(), b"c-42", [("content-type", b"text/plain")]), Event)


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (None, BINARY, "bad-data"),  # a purchase has to say something
        (b"", BINARY, "bad-data"),
        (b" ", BINARY, "not-json"),
        (None, [pair for pair in BINARY if pair[0] != "ce_time"], "not-an-event"),
        (None, [*BINARY, ("content-type", b"application/cloudevents+json")], "not-json"),
        (b" " * 70_000, BINARY, "too-large"),
        (b"{}", [pair for pair in BINARY if pair[0] != "ce_time"], "not-an-event"),
        (b"{}", [*BINARY, ("ce_source", b"\xff")], "not-an-event"),
        (b"{}", [*BINARY, ("ce_source", None)], "bad-data"),
        (b"{}", [*BINARY, ("ce_type", b"purchase.made")], "unknown-type"),
        (b"{}", [*BINARY, ("ce_subject", b"c-43")], "key-mismatch"),
        (b"null", BINARY, "bad-data"),
        (b"[]", BINARY, "bad-data"),
        (purchase(), [("ce_id", b"x")], "not-an-event"),
    ],
)
def test_binary_mode_is_refused_for_the_same_reasons(
    value: bytes | None, headers: list[tuple[str, bytes | None]], reason: str
) -> None:
    found = decode(value, b"c-42", headers)
    assert isinstance(found, Refused)
    assert found.reason == reason
