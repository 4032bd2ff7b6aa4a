"""The headers of a dead letter: why, and where it came from (contract section 2, *Dead letters*).

Key, value and headers of the record stay as they were; ours follow its own. A record that was dead
before and was sent again may carry ours of then: the last of a name counts. Names are those of
Kafka's KIP-1034, and numbers are decimal text, as Kafka Streams writes them.

What does not fit into its topic goes in part (`lighter`), and says what was left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

EXCEPTION = "__streams.errors.exception"
MESSAGE = "__streams.errors.message"
TOPIC = "__streams.errors.topic"
PARTITION = "__streams.errors.partition"
OFFSET = "__streams.errors.offset"
REASON = "loyalty.reason"

LEFT_OUT = "loyalty.left-out"
"""Parts of the record that the letter is without, comma separated."""
VALUE_BYTES = "loyalty.value-bytes"
VALUE_SHA256 = "loyalty.value-sha256"

VALUE, HEADERS, KEY = "value", "headers", "key"
"""The parts, in the order in which they are left out."""

OURS = frozenset(
    {EXCEPTION, MESSAGE, TOPIC, PARTITION, OFFSET, REASON, LEFT_OUT, VALUE_BYTES, VALUE_SHA256}
)

REFUSED = b"loyalty.Refused"
"""What stands for the class of an exception: a record is refused as a value, none is raised."""

MEANINGS: dict[str, str] = {
    "too-large": "the value is longer than 64 KiB; or the record's batch would unpack to more than "
    "`LADDER_UNPACKED` (16 MiB), and the letter has no value",
    "not-json": "the value is null, or no JSON in UTF-8, or nested deeper than 64",
    "not-an-event": "a required attribute of the envelope is missing or wrong",
    "unknown-type": "the type is none that is known here",
    "key-mismatch": "the Kafka key is not the UTF-8 bytes of the subject",
    "bad-data": "a field is missing, wrong, beyond its limit, or contradicts what is known",
    "unknown-ladder": "a placement on a ladder that is not loaded",
    "future": "the time is more than a day ahead of the wall clock",
    "no-rate": "the currency is not the base one, and has no rate on or before the event's date",
    "wrong-partition": "the key belongs into another partition: the producer's partitioner differs",
    "unknown-order": "a refund of an order that the customer's record does not know (any more)",
    "unknown-review": "a removal of a review that the customer's record does not know (any more)",
    "unknown-referral": "a reversal of a conversion that the record does not know (any more)",
    "too-much": "the customer's record would grow past 512 KiB, or a sum in it past 128 bits",
}
"""What each reason means, in the order in which faults are looked for."""

_MAX_MESSAGE = 1024

Headers = Sequence[tuple[str, bytes | None]]


class Letter(msgspec.Struct, frozen=True):
    """What the headers of a dead letter say. `original` are the headers it came with.

    `left_out` are the parts that it is without; length and SHA-256 (hex) of its value are None
    where they are not known.
    """

    reason: str
    message: str
    topic: str
    partition: int
    offset: int
    original: list[tuple[str, bytes | None]]
    left_out: tuple[str, ...] = ()
    value_bytes: int | None = None
    value_sha256: str | None = None


def headers(
    reason: str, message: str, topic: str, partition: int, offset: int, original: Headers = ()
) -> list[tuple[str, bytes | None]]:
    """Return the headers of the dead letter of the record at this topic, partition and offset."""
    return [
        *original,
        (EXCEPTION, REFUSED),
        (MESSAGE, message[:_MAX_MESSAGE].encode("utf-8", "backslashreplace")),
        (TOPIC, topic.encode()),
        (PARTITION, b"%d" % partition),
        (OFFSET, b"%d" % offset),
        (REASON, reason.encode()),
    ]


def left_out(
    parts: Sequence[str], size: int | None = None, digest: str | None = None
) -> list[tuple[str, bytes | None]]:
    """Return the headers of a letter that is without these parts, to follow those of `headers`.

    Length and SHA-256 are those of the value, as far as they are known.
    """
    found: list[tuple[str, bytes | None]] = [(LEFT_OUT, ",".join(parts).encode())]
    if size is not None:
        found.append((VALUE_BYTES, b"%d" % size))
    if digest is not None:
        found.append((VALUE_SHA256, digest.encode()))
    return found


def lighter(
    key: bytes | None, value: bytes | None, found: Headers
) -> tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]] | None:
    """Return a letter without its value, or one that has none without its headers, or at last
    without its key; None when there is nothing more that it could be without.
    """
    came, ours = _apart(found)
    written = [pair for pair in ours if pair[0] != LEFT_OUT]
    if value:
        told = left_out([VALUE, *_parts(ours)], len(value), sha256(value).hexdigest())
        return key, None, [*came, *written, *told]
    if came:
        return key, value, [*written, *left_out([*_parts(ours), HEADERS])]
    if key:
        return None, value, [*written, *left_out([*_parts(ours), KEY])]
    return None


def _apart(found: Headers) -> tuple[Headers, Headers]:
    """Headers that the record came with, and those that were written for this letter."""
    begins = [number for number, (name, _) in enumerate(found) if name == EXCEPTION]
    cut = begins[-1] if begins else len(found)
    return found[:cut], found[cut:]


def _parts(ours: Headers) -> tuple[str, ...]:
    told = [content for name, content in ours if name == LEFT_OUT and content]
    return tuple(told[-1].decode("utf-8", "replace").split(",")) if told else ()


def read(found: Headers) -> Letter | None:
    """Read what `headers` wrote; None for a record that is no dead letter of ours."""
    ours = {
        name: content.decode("utf-8", "replace")
        for name, content in found
        if name in OURS and content
    }
    of_this = dict(written := _apart(found)[1])
    try:
        size, digest = of_this.get(VALUE_BYTES), of_this.get(VALUE_SHA256)
        return Letter(
            reason=ours[REASON],
            message=ours.get(MESSAGE, ""),
            topic=ours[TOPIC],
            partition=int(ours[PARTITION]),
            offset=int(ours[OFFSET]),
            original=original(found),
            left_out=_parts(written),
            value_bytes=int(size) if size else None,
            value_sha256=digest.decode("utf-8", "replace") if digest else None,
        )
    except (KeyError, ValueError):
        return None


def original(found: Headers) -> list[tuple[str, bytes | None]]:
    """Return the headers without ours: what to send the record again with."""
    return [pair for pair in found if pair[0] not in OURS]
