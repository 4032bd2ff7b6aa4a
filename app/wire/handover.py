"""Handovers as bytes: records of the internal handover topic, keyed by the addressee's id.

MessagePack behind a version byte. A forwarded event, and a merge, travel with the record that they
came in, so that a dead letter made of them later is what was received, from where it was received.
"""

from typing import Any

import msgspec
from msgspec.structs import replace

from app.core import handover as core
from app.core.address import Address
from app.core.change import Trigger
from app.core.customer import Customer
from app.core.events import Event, ReferralConverted, ReferralReversed, Refused
from app.wire.classify import essential
from app.wire.cloudevents import decode as decode_event
from app.wire.dead_letter import HEADERS
from app.wire.record import RecordCodec, Unreadable

VERSION = 2
"""Version 1 knew no addresses."""
_VERSION = bytes([VERSION])
_VERSIONS = (b"\x01", _VERSION)
MOST_HEADERS = 64 * 1024
"""Bytes of headers that travel with a forwarded event. Of more only those that it is read by do."""


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """The record in which an event was received; `left_out` are the parts that were too large to
    come along.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    left_out: tuple[str, ...] = ()


class _Credit(msgspec.Struct, array_like=True, tag="credit"):
    to: str
    time: int
    source: str
    id: str
    subject: str
    data: tuple[str, int | None, str | None] | str
    returns: int
    since: int = 0
    address: Address | None = None


class _Named(msgspec.Struct, array_like=True, tag="named"):
    to: str
    time: int


class _Forward(msgspec.Struct, array_like=True, tag="forward"):
    to: str
    origin: Origin
    returns: int
    since: int = 0


class _Absorb(msgspec.Struct, array_like=True, tag="absorb"):
    to: str
    time: int
    absorbed: str
    record: bytes | None
    aliases: tuple[str, ...]
    trigger: tuple[str, str, str]
    path: tuple[str, ...]
    lap: bool
    settle: bool
    origin: Origin | None = None
    home: bool = False


class _Forget(msgspec.Struct, array_like=True, tag="forget"):
    to: str
    time: int
    instant: int


class _Redirect(msgspec.Struct, array_like=True, tag="redirect"):
    to: str
    time: int
    into: str


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Credit | _Named | _Forward | _Absorb | _Forget | _Redirect)

Delivered = tuple[core.Handover, Origin | None]


def encode(handover: core.Handover, codec: RecordCodec, origin: Origin | None) -> bytes:
    """Write a handover; `origin` is the record that a forwarded event (there it is required), or
    a merge, came in.
    """
    return _VERSION + _encode(_written(handover, codec, origin))


def _written(handover: core.Handover, codec: RecordCodec, origin: Origin | None) -> Any:
    match handover:
        case core.Credit(to, time, event, returns, since, address):
            data = event.data
            if isinstance(data, ReferralConverted):
                said: Any = (data.referred_id, data.amount, data.currency)
            elif isinstance(data, ReferralReversed):
                said = data.referred_id
            else:
                raise TypeError(f"a credit carries {event.type}")
            who = event.source, event.id, event.subject
            return _Credit(to, time, *who, said, returns, since, address)
        case core.Named(to, time):
            return _Named(to, time)
        case core.Forward(to, _, _, returns, since):
            if origin is None:
                raise ValueError("a forwarded event needs the record that it came in")
            return _Forward(to, _portable(origin), returns, since)
        case core.Absorb():
            trigger = handover.trigger
            return _Absorb(
                handover.to,
                handover.time,
                handover.absorbed,
                codec.encode_whole(handover.record) if handover.record else None,
                handover.aliases,
                (trigger.source, trigger.id, trigger.type),
                handover.path,
                handover.lap,
                handover.settle,
                _portable(origin) if origin else None,
                handover.home,
            )
        case core.Forget(to, time, instant):
            return _Forget(to, time, instant)
        case core.Redirect(to, time, into):
            return _Redirect(to, time, into)


def _portable(origin: Origin) -> Origin:
    """Return it with headers that fit into a handover: value and key of an event always do."""
    size = sum(8 + len(name) + len(content or b"") for name, content in origin.headers)
    if size <= MOST_HEADERS:
        return origin
    return replace(origin, headers=tuple(essential(origin.headers)), left_out=(HEADERS,))


def decode(value: bytes | None, codec: RecordCodec) -> Delivered | Unreadable:
    """Read a handover, and the record that a forwarded event or a merge came in. Never raises."""
    if value is None or value[:1] not in _VERSIONS:
        return Unreadable(f"no handover of version {VERSION}")
    try:
        written = _decode.decode(value[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        return Unreadable(str(error))
    match written:
        case _Credit():
            return _credit(written), None
        case _Named(to, time):
            return core.Named(to, time), None
        case _Forward():
            return _forward(written)
        case _Absorb():
            return _absorb(written, codec)
        case _Redirect(to, time, into):
            return core.Redirect(to, time, into), None
    return core.Forget(written.to, written.time, written.instant), None


def _credit(written: _Credit) -> core.Credit:
    said = written.data
    data = ReferralReversed(said) if isinstance(said, str) else ReferralConverted(*said)
    event = Event(written.source, written.id, written.subject, written.time, data)
    return core.Credit(
        written.to, written.time, event, written.returns, written.since, written.address
    )


def _forward(written: _Forward) -> Delivered | Unreadable:
    origin = written.origin
    event = decode_event(origin.value, origin.key, origin.headers)
    if isinstance(event, Refused):
        return Unreadable(f"the forwarded event: {event.message}")
    return core.Forward(written.to, event.time, event, written.returns, written.since), origin


def _absorb(written: _Absorb, codec: RecordCodec) -> Delivered | Unreadable:
    record: Customer | None = None
    if written.record is not None:
        read = codec.decode_whole(written.record)
        if isinstance(read, Unreadable):
            return read
        record = read
    return (
        core.Absorb(
            written.to,
            written.time,
            written.absorbed,
            record,
            written.aliases,
            Trigger(*written.trigger),
            written.path,
            written.lap,
            written.settle,
            written.home,
        ),
        written.origin,
    )
