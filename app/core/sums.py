"""Sums of money: exact whole numbers of up to 128 bits, and how MessagePack holds them.

One that fits 64 bits is an integer of MessagePack's own. MessagePack ends there, so any other is
its extension type 1: 16 bytes, big-endian, two's complement. Every number thus has one form, and
no text or bytes that somebody sent can be taken for one.
"""

from typing import TypeVar

import msgspec

from app.core.customer import Customer
from app.core.series import Series

LEAST, GREATEST = -(1 << 127), (1 << 127) - 1
_LEAST_OWN, _GREATEST_OWN = -(1 << 63), (1 << 64) - 1
_TYPE, _BYTES = 1, 16
_FAR_BELOW = 120
"""Bits; a total of fewer is not brought beyond the limit by one event, or one merge."""

T = TypeVar("T")
S = TypeVar("S", bound=Series)


def packed(number: int) -> int | msgspec.msgpack.Ext:
    """Return what stands for a number in MessagePack; it lies within the limits."""
    if _LEAST_OWN <= number <= _GREATEST_OWN:
        return number
    return msgspec.msgpack.Ext(_TYPE, number.to_bytes(_BYTES, "big", signed=True))


def _number(code: int, data: memoryview) -> int:
    if code != _TYPE or len(data) != _BYTES:
        raise msgspec.ValidationError(f"an extension of type {code} with {len(data)} bytes")
    return int.from_bytes(data, "big", signed=True)


_decode = msgspec.msgpack.Decoder(ext_hook=_number).decode


def unpacked(data: bytes, kind: type[T]) -> T:
    """Read MessagePack in which such numbers may stand. Raises msgspec.DecodeError."""
    return msgspec.convert(_decode(data), kind)


def with_packed_sums(c: Customer) -> Customer:
    """Return a record that MessagePack can hold; the rest of it is shared with the original."""
    bought, brought = _packed_series(c.bought), _packed_series(c.brought)
    return msgspec.structs.replace(c, bought=bought, brought=brought)


def _packed_series(series: S) -> S:
    return msgspec.structs.replace(series, sums=[[*map(packed, column)] for column in series.sums])


def are_small(c: Customer) -> bool:
    """Tell whether the sums of a record are nowhere near their limit."""
    spend, revenue = c.bought.total(1), c.brought.total(1)
    return spend.bit_length() < _FAR_BELOW and revenue.bit_length() < _FAR_BELOW


def fit(c: Customer) -> bool:
    """Tell whether every sum of a record lies within the limits."""
    return all(
        min(column) >= LEAST and max(column) <= GREATEST
        for series in (c.bought, c.brought)
        for column in series.sums
        if column
    )
