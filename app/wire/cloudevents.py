"""Records from the input topics to events: CloudEvents 1.0, structured or binary.

The usual record takes one typed pass over its bytes. Whatever is unusual there, right or wrong,
goes to `app.wire.classify`, which is slower, decides, and finds the words. Both give the same
event for the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.core import events
from app.core.events import Data, Event, Refused
from app.core.instants import parse_instant
from app.wire import fields
from app.wire.classify import MAX_BYTES, Headers, classify, is_binary
from app.wire.fields import MAX_AMOUNT, MAX_CUSTOMER_ID, MAX_NAME, MAX_TEXT, MAX_UNITS, NEEDS, Unfit
from app.wire.json_text import MAX_DEPTH

__all__ = ["decode"]


def decode(
    value: bytes | None,
    key: bytes | None = None,
    headers: Headers = (),
    *,
    keyed: bool = True,
) -> Event | Refused:
    """Decode one record, or say why it is refused. Never raises, whatever the bytes.

    `keyed` False: the key is not compared with the subject (files of events have none). The subject
    of a `clock.advanced` is always empty.
    """
    if value is not None and not (headers and is_binary(headers)):
        event = quick(value)
        if event is not None and (not keyed or key == event.subject.encode()):
            return event
    return classify(value, key, headers, keyed=keyed)


def quick(value: bytes) -> Event | None:
    """Decode a structured event written in the usual way; None leaves it to `classify`."""
    if len(value) > MAX_BYTES or value.count(b"{") + value.count(b"[") > MAX_DEPTH:
        return None
    try:
        if not value.isascii():
            value.decode()  # msgspec does not look into texts that it skips
        found = _decode(value)
        time = parse_instant(found.time)
        data = _CHECKS[found.__class__](found)
    except (msgspec.DecodeError, ValueError, Unfit):
        return None
    if data is None or time is None or found.data_base64 is not None:
        return None
    return Event(found.source, found.id, found.subject, time, data)


_Id = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
_CustomerId = Annotated[str, Meta(min_length=1, max_length=MAX_CUSTOMER_ID)]


class _Envelope(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag_field="type"):
    specversion: Literal["1.0"]
    id: _Id
    source: _Id
    subject: _CustomerId
    time: str
    data_base64: object = None


class _PurchaseCompleted(_Envelope, frozen=True, gc=False, tag=events.PurchaseCompleted.type):
    data: events.PurchaseCompleted


class _PurchaseRefunded(_Envelope, frozen=True, gc=False, tag=events.PurchaseRefunded.type):
    data: events.PurchaseRefunded


class _Registered(_Envelope, frozen=True, gc=False, tag=events.Registered.type):
    data: events.Registered = events.Registered()


class _Inquired(_Envelope, frozen=True, gc=False, tag=events.Inquired.type):
    data: events.Inquired = events.Inquired()


class _CardIssued(_Envelope, frozen=True, gc=False, tag=events.CardIssued.type):
    data: events.CardIssued


class _CardRevoked(_Envelope, frozen=True, gc=False, tag=events.CardRevoked.type):
    data: events.CardRevoked = events.CardRevoked()


class _ReviewPosted(_Envelope, frozen=True, gc=False, tag=events.ReviewPosted.type):
    data: events.ReviewPosted


class _ReviewRemoved(_Envelope, frozen=True, gc=False, tag=events.ReviewRemoved.type):
    data: events.ReviewRemoved


class _ReferralSent(_Envelope, frozen=True, gc=False, tag=events.ReferralSent.type):
    data: events.ReferralSent = events.ReferralSent()


class _ReferralConverted(_Envelope, frozen=True, gc=False, tag=events.ReferralConverted.type):
    data: events.ReferralConverted


class _ReferralReversed(_Envelope, frozen=True, gc=False, tag=events.ReferralReversed.type):
    data: events.ReferralReversed


class _Seen(msgspec.Struct, frozen=True, gc=False):
    need: str


class _InteractionSeen(_Envelope, frozen=True, gc=False, tag=events.InteractionSeen.type):
    data: _Seen


class _Updated(msgspec.Struct, frozen=True, gc=False):
    attributes: dict[str, Any]


class _ProfileUpdated(_Envelope, frozen=True, gc=False, tag=events.ProfileUpdated.type):
    data: _Updated


class _ProfileMerged(_Envelope, frozen=True, gc=False, tag=events.ProfileMerged.type):
    data: events.ProfileMerged


class _ProfileErased(_Envelope, frozen=True, gc=False, tag=events.ProfileErased.type):
    data: events.ProfileErased = events.ProfileErased()


_Usual = (
    _PurchaseCompleted
    | _PurchaseRefunded
    | _Registered
    | _Inquired
    | _CardIssued
    | _CardRevoked
    | _ReviewPosted
    | _ReviewRemoved
    | _ReferralSent
    | _ReferralConverted
    | _ReferralReversed
    | _InteractionSeen
    | _ProfileUpdated
    | _ProfileMerged
    | _ProfileErased
)
_decode = msgspec.json.Decoder(_Usual).decode

_currencies: set[str] = set()  # seen and right; bounded by what three capitals can be


def _is_currency(code: str) -> bool:
    if code in _currencies:
        return True
    try:
        _currencies.add(fields.currency("", code))
    except Unfit:
        return False
    return True


def _purchase(found: _PurchaseCompleted) -> Data | None:
    data = found.data
    fits = (
        0 < len(data.order_id) <= MAX_TEXT
        and 0 <= data.amount <= MAX_AMOUNT
        and (data.currency in _currencies or _is_currency(data.currency))
        and 0 < data.units <= MAX_UNITS
    )
    return data if fits else None


def _refund(found: _PurchaseRefunded) -> Data | None:
    data = found.data
    fits = 0 < len(data.order_id) <= MAX_TEXT and 0 < data.amount <= MAX_AMOUNT
    return data if fits and _is_currency(data.currency) else None


def _registered(found: _Registered) -> Data | None:
    by = found.data.referred_by
    return found.data if by is None or 0 < len(by) <= MAX_CUSTOMER_ID else None


def _inquired(found: _Inquired) -> Data | None:
    channel = found.data.channel
    return found.data if channel is None or len(channel) <= MAX_NAME else None


def _card(found: _CardIssued) -> Data | None:
    return found.data if len(found.data.tier) <= MAX_NAME else None


def _review(found: _ReviewPosted) -> Data | None:
    data = found.data
    rated = data.rating is None or 1 <= data.rating <= 5
    return data if rated and 0 < len(data.review_id) <= MAX_TEXT else None


def _removed(found: _ReviewRemoved) -> Data | None:
    return found.data if 0 < len(found.data.review_id) <= MAX_TEXT else None


def _sent(found: _ReferralSent) -> Data | None:
    to = found.data.referred_id
    return found.data if to is None or 0 < len(to) <= MAX_CUSTOMER_ID else None


def _converted(found: _ReferralConverted) -> Data | None:
    data = found.data
    if data.currency is None:
        paid = data.amount is None
    else:
        paid = _is_currency(data.currency) and 0 <= (data.amount or 0) <= MAX_AMOUNT
    return data if paid and 0 < len(data.referred_id) <= MAX_CUSTOMER_ID else None


def _reversed(found: _ReferralReversed) -> Data | None:
    return found.data if 0 < len(found.data.referred_id) <= MAX_CUSTOMER_ID else None


def _seen(found: _InteractionSeen) -> Data | None:
    need = NEEDS.get(found.data.need)
    return None if need is None else events.InteractionSeen(need)


def _updated(found: _ProfileUpdated) -> Data | None:
    return events.ProfileUpdated(fields.attributes("", found.data.attributes))


def _merged(found: _ProfileMerged) -> Data | None:
    into = found.data.into
    return found.data if 0 < len(into) <= MAX_CUSTOMER_ID and into != found.subject else None


def _as_it_is(found: _CardRevoked | _ProfileErased) -> Data | None:
    return found.data


_CHECKS: dict[type, Callable[[Any], Data | None]] = {
    _PurchaseCompleted: _purchase,
    _PurchaseRefunded: _refund,
    _Registered: _registered,
    _Inquired: _inquired,
    _CardIssued: _card,
    _CardRevoked: _as_it_is,
    _ReviewPosted: _review,
    _ReviewRemoved: _removed,
    _ReferralSent: _sent,
    _ReferralConverted: _converted,
    _ReferralReversed: _reversed,
    _InteractionSeen: _seen,
    _ProfileUpdated: _updated,
    _ProfileMerged: _merged,
    _ProfileErased: _as_it_is,
}
