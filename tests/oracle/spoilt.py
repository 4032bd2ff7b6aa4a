"""Ways to spoil an event, so that it must be refused or dropped."""

from __future__ import annotations

import copy
import random
from base64 import b64encode
from typing import Any

Data = dict[str, Any]

SPOILT_ENVELOPES: list[Data] = [
    {"specversion": "0.3"}, {"id": None}, {"id": 7}, {"source": None}, {"subject": None},
    {"subject": ""}, {"subject": "x" * 129}, {"type": None}, {"type": "purchase.dreamt"},
    {"time": "yesterday"}, {"time": "2020-01-01T00:00:00"}, {"time": "2020-02-30T00:00:00Z"},
    {"time": "1969-12-31T23:00:00Z"}, {"time": "2200-01-02T00:00:00Z"}, {"time": 1577836800},
    {"data": "text"}, {"data": [1]}, {"data": 5}, {"data_base64": "e30="},
    *({"data": None, "data_base64": encoded} for encoded in ["e30=", "e30", "!", "", "e30=\n", 5]),
    *({"data": None, "data_base64": b64encode(text).decode()} for text in [
        b"", b"{", b"5", b"[]", b"null", b"\xff", b"{}{}", b'{"a": NaN}', b'"\\ud800"',
        b"[" * 65 + b"]" * 65,
    ]),
]  # fmt: skip

SPOILT_DATA: dict[str, list[Data]] = {
    "purchase.completed": [
        {"order_id": None}, {"amount": None}, {"amount": -1}, {"amount": 1.5}, {"amount": "5"},
        {"amount": True}, {"amount": 10**15 + 1}, {"currency": None}, {"currency": "vnd"},
        {"currency": "XXX"}, {"units": 0}, {"units": 10**6 + 1}, {"units": 2.5},
        {"order_id": "o" * 257}, {"order_id": 12}, {"amount": 10**15, "currency": "EUR"},
    ],
    "purchase.refunded": [
        {"amount": 0}, {"order_id": "nowhere"}, {"currency": None}, {"currency": "QQQ"},
    ],
    "signup.registered": [{"referred_by": 5}, {"referred_by": "x" * 129}, {"referred_by": ""}],
    "signup.card_issued": [{"tier": None}, {"tier": "t" * 65}, {"tier": 3}],
    "review.posted": [
        {"review_id": None}, {"rating": 0}, {"rating": 5.1}, {"rating": "4"}, {"rating": True},
        {"kind": "novel"},
    ],
    "review.removed": [{"review_id": "nowhere"}, {"review_id": None}],
    "referral.converted": [
        {"referred_id": None}, {"amount": 5, "currency": None}, {"amount": -5, "currency": "VND"},
        {"amount": 5, "currency": "XXX"},
    ],
    "referral.reversed": [{"referred_id": "nobody"}, {"referred_id": None}],
    "interaction.seen": [{"need": "sleep"}, {"need": None}, {"need": 2}],
    "profile.updated": [
        {"attributes": None}, {"attributes": [1]}, {"attributes": {"city": {"a": 1}}},
        {"attributes": {"likes": ["golf", 3]}}, {"attributes": {"likes": ["g"] * 65}},
        {"attributes": {"city": "x" * 257}}, {"attributes": {"n" * 65: 1}},
        {"attributes": {f"a{number}": 1 for number in range(65)}},
    ],
    "profile.merged": [{"into": None}, {"into": 4}, {"into": "x" * 129}],
    "profile.placed": [
        {"ladder": "no-such-ladder"}, {"rung": "no-such-rung"}, {"ladder": None},
        {"until": "1999-01-01T00:00:00Z", "rung": "buyer"}, {"until": "soon"},
        {"ladder": "brief", "rung": "angry"}, {"ladder": "advocacy", "rung": "detractor"},
    ],
}  # fmt: skip


def spoil(chance: random.Random, event: Data) -> Any:
    """A copy of the event with one or two faults; it keeps nothing of the original's id."""
    spoilt = copy.deepcopy(event)
    spoilt["id"] = f"{event['id']}-spoilt"
    if chance.random() < 0.02:
        return chance.choice([[], 5, "text", None])
    faults = SPOILT_DATA.get(event["type"], [])
    if event["type"] == "profile.merged" and chance.random() < 0.4:
        faults = [{"into": event["subject"]}]
    if faults and chance.random() < 0.75:
        spoilt["data"] = {**(spoilt.get("data") or {}), **chance.choice(faults)}
    else:
        spoilt.update(chance.choice(SPOILT_ENVELOPES))
    if chance.random() < 0.1:
        spoilt.update(chance.choice(SPOILT_ENVELOPES))
    return spoilt


def repeat(chance: random.Random, event: Data, time: str) -> Data:
    """The event once more: the same, at another time, with another type, or another source."""
    again = copy.deepcopy(event)
    kind = chance.random()
    if kind < 0.5:
        again["time"] = time
    elif kind < 0.6:
        again["type"], again["data"] = "signup.inquired", {}
    elif kind < 0.7:
        again["source"] = "/elsewhere"
    return again
