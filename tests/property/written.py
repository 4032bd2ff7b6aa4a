"""Events as dictionaries, right and wrong, and the ways in which one can be written down."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from app.wire.fields import KINDS, NEEDS

# Surrogates cannot be written in UTF-8; every other character can.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ID = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
CUSTOMER = st.sampled_from(["c-42", "c-7", "Ngọc", "x" * 128]) | ID
CURRENCY = st.sampled_from(["VND", "USD", "KWD", "ZZZ"])
AMOUNT = st.integers(0, 10**15) | st.integers(0, 10**6).map(float)
NUMBER = st.integers(-(10**15), 10**15) | st.floats(-1e15, 1e15)
TIMES = [
    "2026-03-01T09:30:00Z",
    "2026-03-01T09:30:00.123456789+07:00",
    "1970-01-01T00:00:00Z",
    "2199-12-31T23:59:59.999999Z",
    "2026-03-01t09:30:00z",
]
LATER = ["2199-12-31T23:59:59.9999999+00:00", "2199-12-31T23:59:59.999999Z"]

_ATTRIBUTES = st.dictionaries(
    TEXT, TEXT | NUMBER | st.booleans() | st.none() | st.lists(TEXT, max_size=3), max_size=4
)

DATA: dict[str, dict[str, tuple[bool, st.SearchStrategy[Any]]]] = {
    "purchase.completed": {
        "order_id": (True, ID),
        "amount": (True, AMOUNT),
        "currency": (True, CURRENCY),
        "units": (False, st.integers(1, 10**6)),
    },
    "purchase.refunded": {
        "order_id": (True, ID),
        "amount": (True, st.integers(1, 10**15)),
        "currency": (True, CURRENCY),
    },
    "signup.registered": {"referred_by": (False, CUSTOMER)},
    "signup.inquired": {"channel": (False, TEXT)},
    "signup.card_issued": {"tier": (True, TEXT)},
    "signup.card_revoked": {},
    "review.posted": {
        "review_id": (True, ID),
        "rating": (False, st.integers(1, 5) | st.floats(1, 5)),
        "kind": (False, st.sampled_from(KINDS)),
    },
    "review.removed": {"review_id": (True, ID)},
    "referral.sent": {"referred_id": (False, CUSTOMER)},
    "referral.converted": {"referred_id": (True, CUSTOMER), "currency": (False, CURRENCY)},
    "referral.reversed": {"referred_id": (True, CUSTOMER)},
    "interaction.seen": {"need": (True, st.sampled_from(list(NEEDS)))},
    "profile.updated": {"attributes": (True, _ATTRIBUTES)},
    "profile.merged": {"into": (True, st.just("somebody-else"))},
    "profile.erased": {},
    "profile.placed": {
        "ladder": (True, ID),
        "rung": (False, ID),
        "until": (False, st.sampled_from(LATER)),
    },
    "clock.advanced": {},
}

_WRONG_PLAIN = [None, True, False, 0, -1, 6, 0.5, 5.5, 10**15 + 1, -(10**16), 10**30, 1e300, "c-42"]
_WRONG_TEXT = [
    "",
    "x" * 65,
    "x" * 129,
    "x" * 257,
    "vnd",
    "VNDX",
    TIMES[0],
    "2026-02-30T00:00:00Z",
    "e30=",
]
_WRONG_LISTS = [[], ["x"], [1], ["x" * 257], ["x"] * 65]
_WRONG_OBJECTS = [
    {},
    {"a": 1},
    {"a": {}},
    {"n" * 65: 1},
    {"a": ["x" * 257]},
    {"a": [None]},
    {"a": 10**15 + 1},
    {"a": -1e15 - 1},
    {str(n): n for n in range(65)},
]
WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [*_WRONG_PLAIN, *_WRONG_TEXT, *_WRONG_LISTS, *_WRONG_OBJECTS]
)


@st.composite
def events(draw: st.DrawFn, *, right: bool = False) -> dict[str, Any]:
    """Draw an event; unless it must be `right`, often with something missing, wrong or unknown."""
    kind = draw(st.sampled_from(list(DATA)))
    data = {
        name: draw(strategy)
        for name, (required, strategy) in DATA[kind].items()
        if required or draw(st.booleans())
    }
    if kind == "referral.converted" and "currency" in data:
        data["amount"] = draw(AMOUNT)
    whole: dict[str, Any] = {
        "specversion": "1.0",
        "id": draw(ID),
        "source": draw(ID),
        "type": kind,
        "subject": draw(CUSTOMER),
        "time": draw(st.sampled_from(TIMES[:3])),
        "data": data,
    }
    if kind == "profile.merged" and whole["subject"] == data["into"]:
        whole["subject"] = "c-42"
    if draw(st.integers(0, 7)) == 0:
        encode_data(whole, absent=draw(st.booleans()))
    if not right:
        for _ in range(draw(st.integers(0, 2))):
            _spoil(draw, whole)
    return whole


def encode_data(whole: dict[str, Any], *, absent: bool) -> None:
    """Say the data in base64, the plain one being absent or null."""
    whole["data_base64"] = base64.b64encode(json.dumps(whole.pop("data")).encode()).decode()
    if not absent:
        whole["data"] = None


def _spoil(draw: st.DrawFn, whole: dict[str, Any]) -> None:
    inside = whole.get("data")
    target = inside if isinstance(inside, dict) and draw(st.booleans()) else whole
    name = draw(st.sampled_from([*target, "extra", "type", "amount", "currency", "until",
                                 "data_base64"]))  # fmt: skip
    match draw(st.integers(0, 3)):
        case 0:
            target.pop(name, None)
        case 1:
            target[name] = draw(st.sampled_from(TIMES))
        case _:
            target[name] = draw(WRONG)


@st.composite
def written(draw: st.DrawFn, whole: Mapping[str, Any]) -> bytes:
    """Write an event down in an unusual way: fields twice, escapes, spaces, odd numbers."""
    return _write(draw, whole, depth=0).encode()


def _write(draw: st.DrawFn, value: Any, depth: int) -> str:
    if isinstance(value, Mapping) and depth < 3:
        fields: list[tuple[str, str]] = [
            (name, _write(draw, item, depth + 1)) for name, item in value.items()
        ]
        if draw(st.booleans()) and fields:
            name = draw(st.sampled_from([name for name, _ in fields]))
            twice = (name, draw(st.sampled_from(["null", "5", '"x"', "{}", "1e400", '"2.0"'])))
            fields.insert(draw(st.integers(0, len(fields))), twice)
        space = draw(st.sampled_from(["", " ", "\n\t"]))
        inner = ",".join(f"{space}{_text(draw, name)}:{space}{item}" for name, item in fields)
        return "{" + inner + space + "}"
    if isinstance(value, str):
        return _text(draw, value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**12:
        forms = [str(value), f"{value}.0", f"{value}e0", f"{value}0e-1", f"{value}.000000000000001"]
        return str(draw(st.sampled_from(forms)))
    return json.dumps(value)


def _text(draw: st.DrawFn, value: str) -> str:
    match draw(st.integers(0, 3)):
        case 0:
            return (
                '"'
                + "".join(f"\\u{ord(one):04x}" if one < "\ud800" else one for one in value)
                + '"'
            )
        case 1:
            return json.dumps(value, ensure_ascii=False)
        case _:
            return json.dumps(value)
