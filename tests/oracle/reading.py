"""The checks that need no record (contract section 2), in the order of the reasons."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from .clock import Days, parse_time
from .ladders import Ladder
from .money import Rates, convert
from .record import Event

MOST = 10**15
CLOCK = "clock.advanced"
NEEDS = {"problem": 1, "solution": 2, "brand": 3, "decision": 4}
KINDS = ("review", "testimonial", "defence", "complaint")
TYPES = (  # in the order of the default topics
    ("purchase.completed", "purchase.refunded"),
    ("signup.registered", "signup.inquired", "signup.card_issued", "signup.card_revoked"),
    ("review.posted", "review.removed"),
    ("referral.sent", "referral.converted", "referral.reversed"),
    ("interaction.seen",),
    ("profile.updated", "profile.merged", "profile.erased", "profile.placed"),
)
TOPIC = {name: place for place, names in enumerate(TYPES) for name in names}


BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"


class Bad(Exception):
    """bad-data."""


@dataclass
class Settings:
    days: Days
    rates: Rates
    ladders: list[Ladder]
    kept: set[str]  # names of attributes
    quiet_before: int | None


def depth(of: object) -> int:
    if isinstance(of, dict):
        return 1 + max((depth(item) for item in of.values()), default=0)
    if isinstance(of, list):
        return 1 + max((depth(item) for item in of), default=0)
    return 0


def read(settings: Settings, raw: object) -> Event | str:
    """The event, or the reason why it is refused."""
    if depth(raw) > 64:
        return "not-json"
    if not isinstance(raw, dict):
        return "not-an-event"
    time = parse_time(raw.get("time"))
    attributes = [raw.get(name) for name in ("id", "source", "type")]
    if raw.get("specversion") != "1.0" or time is None:
        return "not-an-event"
    if not all(isinstance(a, str) and a for a in attributes):
        return "not-an-event"
    subject = raw.get("subject")
    clock = raw["type"] == CLOCK
    if not clock and (not isinstance(subject, str) or not 1 <= len(subject) <= 128):
        return "not-an-event"
    if raw.get("data") is not None and raw.get("data_base64") is not None:
        return "not-an-event"
    if clock:
        return Event(CLOCK, raw["source"], raw["id"], "", time, {})
    assert isinstance(subject, str)
    if raw["type"] not in TOPIC:
        return "unknown-type"
    try:
        if len(raw["id"]) > 256 or len(raw["source"]) > 256:
            raise Bad
        given = said(raw)
        if given is not None and not isinstance(given, dict):
            raise Bad
        data = clean(raw["type"], given or {}, subject, time)
    except Bad:
        return "bad-data"
    event = Event(raw["type"], raw["source"], raw["id"], subject, time, data)
    return with_settings(settings, event) or event


def said(raw: dict[str, Any]) -> Any:
    """The data: plain, or its JSON in base64."""
    encoded = raw.get("data_base64")
    if encoded is None:
        return raw.get("data")
    if not isinstance(encoded, str) or not re.fullmatch(BASE64, encoded):
        raise Bad
    try:
        text = base64.b64decode(encoded).decode()
        found = json.loads(text, parse_constant=lambda name: float(name + " is no JSON"))
        json.dumps(found, ensure_ascii=False).encode()  # halves of surrogate pairs
    except ValueError as error:
        raise Bad from error
    if depth(found) > 64:
        raise Bad
    return found


def with_settings(settings: Settings, event: Event) -> str | None:
    """What is checked against the loaded ladders and rates."""
    data = event.data
    if event.type == "profile.placed":
        ladder = next((la for la in settings.ladders if la.id == data["ladder"]), None)
        if ladder is None:
            return "unknown-ladder"
        if data["rung"] is not None and ladder.place(data["rung"]) is None:
            return "bad-data"
    converts = event.type in ("purchase.completed", "referral.converted")
    if converts and data["amount"] is not None:
        factor = settings.rates.factor(data["currency"], settings.days.day_of(event.time))
        if factor is None:
            return "no-rate"
        if convert(data["amount"], factor) > MOST:
            return "bad-data"
        data["factor"] = factor
    return None


def clean(type: str, data: dict[str, Any], subject: str, time: int) -> dict[str, Any]:
    """The fields of one type, checked one by one."""
    if type == "purchase.completed":
        return {
            "order_id": text(data, "order_id"),
            **money(data, 0),
            "units": 1 if data.get("units") is None else whole(data["units"], 1, 10**6),
        }
    if type == "purchase.refunded":
        return {"order_id": text(data, "order_id"), **money(data, 1)}
    if type == "signup.registered":
        return {"referred_by": customer(data, "referred_by", needed=False)}
    if type == "signup.inquired":
        return {"channel": text(data, "channel", 64, needed=False)}
    if type == "signup.card_issued":
        return {"tier": text(data, "tier", 64)}
    if type == "review.posted":
        return review(data)
    if type == "review.removed":
        return {"review_id": text(data, "review_id")}
    if type.startswith("referral."):
        return clean_referral(type, data)
    if type == "interaction.seen":
        need = text(data, "need")
        if need not in NEEDS:
            raise Bad
        return {"need": NEEDS[need]}
    return clean_profile(type, data, subject, time)


def clean_referral(type: str, data: dict[str, Any]) -> dict[str, Any]:
    referred = customer(data, "referred_id", needed=type != "referral.sent")
    if type != "referral.converted":
        return {"referred_id": referred}
    if data.get("amount") is None:
        currency(data, needed=False)
        return {"referred_id": referred, "amount": None}
    return {"referred_id": referred, **money(data, 0)}


def clean_profile(type: str, data: dict[str, Any], subject: str, time: int) -> dict[str, Any]:
    if type == "profile.updated":
        return {"attributes": attributes(data.get("attributes"))}
    if type == "profile.merged":
        into = customer(data, "into")
        if into == subject:
            raise Bad
        return {"into": into}
    if type == "profile.placed":
        until = None
        if data.get("until") is not None:
            until = parse_time(data["until"])
            if until is None or until <= time:
                raise Bad
        ladder, rung = text(data, "ladder"), text(data, "rung", needed=False)
        return {"ladder": ladder, "rung": rung, "until": until}
    return {}  # signup.card_revoked, profile.erased


def text(data: dict[str, Any], name: str, most: int = 256, needed: bool = True) -> str | None:
    found = data.get(name)
    if found is None and not needed:
        return None
    if not isinstance(found, str) or not 1 <= len(found) <= most:
        raise Bad
    return found


def customer(data: dict[str, Any], name: str, needed: bool = True) -> str | None:
    return text(data, name, 128, needed)


def whole(found: object, low: int, high: int) -> int:
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
        raise Bad
    return found


def currency(data: dict[str, Any], needed: bool = True) -> str | None:
    found = data.get("currency")
    if found is None and not needed:
        return None
    if not isinstance(found, str) or not re.fullmatch("[A-Z]{3}", found):
        raise Bad
    return found


def money(data: dict[str, Any], least: int) -> dict[str, Any]:
    return {"amount": whole(data.get("amount"), least, MOST), "currency": currency(data)}


def review(data: dict[str, Any]) -> dict[str, Any]:
    """`mood` is positive, negative or neutral."""
    kind = "review" if data.get("kind") is None else data["kind"]
    rating = data.get("rating")
    if rating is not None:
        if isinstance(rating, bool) or not isinstance(rating, int | float):
            raise Bad
        if not 1 <= rating <= 5:
            raise Bad
    if kind not in KINDS:
        raise Bad
    return {"review_id": text(data, "review_id"), "kind": kind, "mood": mood_of(kind, rating)}


def mood_of(kind: str, rating: float | None) -> str:
    if kind == "complaint":
        return "negative"
    if rating is None:
        return "positive" if kind in ("testimonial", "defence") else "neutral"
    return "positive" if rating >= 4 else "negative" if rating <= 2 else "neutral"


def attributes(given: object) -> dict[str, Any]:
    if not isinstance(given, dict) or len(given) > 64:
        raise Bad
    for name, found in given.items():
        texts = found if isinstance(found, list) else [found] if isinstance(found, str) else []
        if len(name) > 64 or len(texts) > 64:
            raise Bad
        if not all(isinstance(t, str) and len(t) <= 256 for t in texts):
            raise Bad
        if not isinstance(found, list | str | int | float | bool | None):
            raise Bad
    return given
