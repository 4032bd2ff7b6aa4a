"""The headers of a dead letter: why, and where it came from (contract section 2, *Dead letters*).

Key, value and headers of the record stay as they were; ours follow its own. A record that was dead
before and was sent again may carry ours of then: the last of a name counts. Names are those of
Kafka's KIP-1034, and numbers are decimal text, as Kafka Streams writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

EXCEPTION = "__streams.errors.exception"
MESSAGE = "__streams.errors.message"
TOPIC = "__streams.errors.topic"
PARTITION = "__streams.errors.partition"
OFFSET = "__streams.errors.offset"
REASON = "loyalty.reason"

OURS = frozenset({EXCEPTION, MESSAGE, TOPIC, PARTITION, OFFSET, REASON})

REFUSED = b"loyalty.Refused"
"""What stands for the class of an exception: a record is refused as a value, none is raised."""

MEANINGS: dict[str, str] = {
    "too-large": "the value is longer than 64 KiB",
    "not-json": "the value is null, or no JSON in UTF-8, or nested deeper than 64",
    "not-an-event": "a required attribute of the envelope is missing or wrong",
    "unknown-type": "the type is none that is known here",
    "key-mismatch": "the Kafka key is not the UTF-8 bytes of the subject",
    "bad-data": "a field is missing, wrong, beyond its limit, or contradicts what is known",
    "unknown-ladder": "a placement on a ladder that is not loaded",
    "future": "the time is more than a day ahead of the wall clock",
    "no-rate": "the rates file has no rate for the currency on or before the event's date",
    "wrong-partition": "the key belongs into another partition: the producer's partitioner differs",
    "unknown-order": "a refund of an order that the customer's record does not know (any more)",
    "unknown-review": "a removal of a review that the customer's record does not know (any more)",
    "unknown-referral": "a reversal of a conversion that the record does not know (any more)",
}
"""What each reason means, in the order in which faults are looked for."""

_MAX_MESSAGE = 1024

Headers = Sequence[tuple[str, bytes | None]]


class Letter(msgspec.Struct, frozen=True):
    """What the headers of a dead letter say. `original` are the headers it came with."""

    reason: str
    message: str
    topic: str
    partition: int
    offset: int
    original: list[tuple[str, bytes | None]]


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


def read(found: Headers) -> Letter | None:
    """Read what `headers` wrote; None for a record that is no dead letter of ours."""
    ours = {
        name: content.decode("utf-8", "replace")
        for name, content in found
        if name in OURS and content
    }
    try:
        return Letter(
            reason=ours[REASON],
            message=ours.get(MESSAGE, ""),
            topic=ours[TOPIC],
            partition=int(ours[PARTITION]),
            offset=int(ours[OFFSET]),
            original=original(found),
        )
    except (KeyError, ValueError):
        return None


def original(found: Headers) -> list[tuple[str, bytes | None]]:
    """Return the headers without ours: what to send the record again with."""
    return [pair for pair in found if pair[0] not in OURS]
