"""The fields of each event's `data`: what is expected of them, and their limits.

The one place that states the limits of contract section 2; the quick decoder and the tests over
`schemas/` take them from here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from app.core import events
from app.core.events import Attribute, Data
from app.core.instants import parse_instant

MAX_TEXT = 256
MAX_NAME = 64
"""For `tier`, `channel` and the names of attributes."""
MAX_CUSTOMER_ID = 128
MAX_ATTRIBUTES = 64
MAX_LIST = 64
MAX_AMOUNT = 10**15
MAX_UNITS = 10**6

NEEDS = {"problem": 1, "solution": 2, "brand": 3, "decision": 4}
KINDS = ("review", "testimonial", "defence", "complaint")

_CURRENCY = re.compile(r"[A-Z]{3}")


class Unfit(Exception):
    """A value is not what its field asks for. The message names the field, what is expected and
    what was found; of text only its length, as it may be somebody's.
    """

    def __init__(self, path: str, expected: str, found: str) -> None:
        super().__init__(f"{path}: {expected} expected, found {found}")


def describe(value: object) -> str:
    """Say what a JSON value is, without quoting text."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float():
            text = repr(value)
            return text if len(text) <= 20 and math.isfinite(value) else "a number beyond the limit"
        case str():
            return f"text of {len(value)} characters" if value else "empty text"
        case list():
            return f"a list of {len(value)}"
        case bytes():
            return "bytes that are not UTF-8"
        case _:
            return "an object"


Reader = Callable[[str, Any], Any]
"""Takes the field's path and its value; gives the value of the core, or raises Unfit."""


def text(most: int, least: int = 0) -> Reader:
    """Read text of `least` to `most` characters."""

    def read(path: str, value: object) -> str:
        if isinstance(value, str) and least <= len(value) <= most:
            return value
        raise Unfit(path, _text_of(least, most), describe(value))

    return read


def _text_of(least: int, most: int) -> str:
    return (
        f"text of {least} to {most} characters" if least else f"text of at most {most} characters"
    )


def whole(least: int, most: int) -> Reader:
    """Read a whole number, which may be written 3.0."""

    def read(path: str, value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        raise Unfit(path, f"a whole number from {least} to {most}", describe(value))

    return read


def one_of(names: tuple[str, ...]) -> Reader:
    """Read one of a few words."""

    def read(path: str, value: object) -> str:
        if isinstance(value, str) and value in names:
            return value
        raise Unfit(path, f"one of {', '.join(names)}", describe(value))

    return read


def currency(path: str, value: object) -> str:
    """Read an ISO 4217 code; whether it has a rate is the rules' question."""
    if isinstance(value, str) and _CURRENCY.fullmatch(value):
        return value
    raise Unfit(path, "a currency of three capital letters", describe(value))


def rating(path: str, value: object) -> float:
    """Read a rating, 1 to 5, halves and the like included."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 5:
        return float(value)
    raise Unfit(path, "a number from 1 to 5", describe(value))


def need(path: str, value: object) -> int:
    """Read what a customer looks for, as 1 to 4."""
    return NEEDS[one_of(tuple(NEEDS))(path, value)]


def instant(path: str, value: object) -> int:
    """Read an RFC 3339 time."""
    found = parse_instant(value) if isinstance(value, str) else None
    if found is None:
        raise Unfit(path, "an RFC 3339 time with an offset, years 1970 to 2199,", describe(value))
    return found


def attributes(path: str, value: object) -> dict[str, Attribute | None]:
    """Read the attributes of a profile; a number that is whole becomes an integer."""
    if not isinstance(value, dict) or len(value) > MAX_ATTRIBUTES:
        raise Unfit(path, f"an object of at most {MAX_ATTRIBUTES} attributes", _counted(value))
    return {name: _attribute(path, name, item) for name, item in value.items()}


def _counted(value: object) -> str:
    return f"an object of {len(value)}" if isinstance(value, dict) else describe(value)


def _attribute(path: str, name: str, value: object) -> Attribute | None:
    if len(name) > MAX_NAME:
        raise Unfit(path, f"names of at most {MAX_NAME} characters", describe(name))
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        return value
    if isinstance(value, int | float) and -MAX_AMOUNT <= value <= MAX_AMOUNT:
        return int(value) if value == int(value) else value
    if isinstance(value, list) and len(value) <= MAX_LIST and all(map(_is_text, value)):
        return value
    raise Unfit(
        f"{path}[{name!r}]",
        f"text of at most {MAX_TEXT} characters, a number within 10^15, true, false, null or a "
        f"list of at most {MAX_LIST} such texts",
        describe(value),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT


class Field(NamedTuple):
    """One field of `data`. One that is not required may be absent, or null."""

    name: str
    required: bool
    read: Reader


def _required(name: str, read: Reader) -> Field:
    return Field(name, required=True, read=read)


def _optional(name: str, read: Reader) -> Field:
    return Field(name, required=False, read=read)


_id = text(MAX_TEXT, least=1)
_customer = text(MAX_CUSTOMER_ID, least=1)
_amount = whole(0, MAX_AMOUNT)

FIELDS: dict[type[Data], tuple[Field, ...]] = {
    events.PurchaseCompleted: (
        _required("order_id", _id),
        _required("amount", _amount),
        _required("currency", currency),
        _optional("units", whole(1, MAX_UNITS)),
    ),
    events.PurchaseRefunded: (
        _required("order_id", _id),
        _required("amount", whole(1, MAX_AMOUNT)),
        _required("currency", currency),
    ),
    events.Registered: (_optional("referred_by", _customer),),
    events.Inquired: (_optional("channel", text(MAX_NAME)),),
    events.CardIssued: (_required("tier", text(MAX_NAME)),),
    events.CardRevoked: (),
    events.ReviewPosted: (
        _required("review_id", _id),
        _optional("rating", rating),
        _optional("kind", one_of(KINDS)),
    ),
    events.ReviewRemoved: (_required("review_id", _id),),
    events.ReferralSent: (_optional("referred_id", _customer),),
    events.ReferralConverted: (
        _required("referred_id", _customer),
        _optional("amount", _amount),
        _optional("currency", currency),
    ),
    events.ReferralReversed: (_required("referred_id", _customer),),
    events.InteractionSeen: (_required("need", need),),
    events.ProfileUpdated: (_required("attributes", attributes),),
    events.ProfileMerged: (_required("into", _customer),),
    events.ProfileErased: (),
    events.ProfilePlaced: (
        _required("ladder", _id),
        _optional("rung", _id),
        _optional("until", instant),
    ),
}
"""Every type whose `data` is looked at: all but `clock.advanced`."""


def read_data(kind: type[Data], value: object, subject: str, time: int) -> Data:
    """Read the `data` of an event of type `kind`, one of `FIELDS`; raises Unfit."""
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise Unfit("data", "an object", describe(value))
    read = {
        field.name: field.read(f"data.{field.name}", value.get(field.name))
        for field in FIELDS[kind]
        if field.required or value.get(field.name) is not None
    }
    data = kind(**read)
    _check_together(data, subject, time)
    return data


def _check_together(data: Data, subject: str, time: int) -> None:
    match data:
        case events.ReferralConverted(amount=int(), currency=None):
            raise Unfit("data.currency", "the currency of the amount", describe(None))
        case events.ProfileMerged(into=into) if into == subject:
            raise Unfit("data.into", "another customer than the subject", "the subject itself")
        case events.ProfilePlaced(until=int(until)) if until <= time:
            raise Unfit("data.until", "a time after that of the event", "one that is not")
        case _:
            pass
