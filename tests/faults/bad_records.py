"""One record for each way in which a record can be bad, with the reason that it must be given."""

from __future__ import annotations

import json
from typing import Any

from app.stream.keys import partition_of

HEADERS: tuple[tuple[str, bytes | None], ...] = (
    ("trace", b"\x00\xff"), ("twice", b"1"), ("twice", b"2"), ("null", None), ("Ngày", b""),
)  # fmt: skip
"""What a dead letter must carry on untouched."""


def bad_records(name: str, time: str, partitions: int) -> list[dict[str, Any]]:
    """Arguments of `Told`: key, value, headers, partition, reason; nobody ever hears of `name`."""
    order = {"order_id": "o", "amount": 5, "currency": "VND"}

    def written(type: str, data: Any, **more: Any) -> bytes:
        event = {
            "specversion": "1.0", "id": f"{name}-{type}", "source": "/shop", "type": type,
            "subject": name, "time": time, "data": data, **more,
        }  # fmt: skip
        there = {key: value for key, value in event.items() if value is not None}
        return json.dumps(there).encode()

    good = written("purchase.completed", order)
    found: list[tuple[str, bytes | None]] = [
        ("not-json", b"{nonsense"),
        ("not-json", b"\xff\xfe\x00"),
        ("not-json", b""),
        ("not-json", None),
        ("not-json", b"[" * 60_000),
        ("not-json", good.replace(b'"amount": 5', b'"amount": NaN')),
        ("not-an-event", b"[]"),
        ("not-an-event", b"null"),
        ("not-an-event", written("purchase.completed", order, time=None)),
        ("not-an-event", written("purchase.completed", order, time="0001-01-01T00:00:00Z")),
        ("not-an-event", written("purchase.completed", order, specversion="0.3")),
        ("unknown-type", written("purchase.dreamt", order)),
        ("bad-data", written("purchase.completed", {**order, "amount": 10**30})),
        ("bad-data", good.replace(b'"amount": 5', b'"amount": 1e400')),
        ("unknown-ladder", written("profile.placed", {"ladder": "no-such", "rung": "a"})),
        ("no-rate", written("purchase.completed", {**order, "currency": "XTS"})),
        ("unknown-order", written("purchase.refunded", {**order, "order_id": "never"})),
        ("unknown-review", written("review.removed", {"review_id": "never"})),
        ("unknown-referral", written("referral.reversed", {"referred_id": "never"})),
        ("too-large", good + b" " * 65_536),
        ("too-large", b"\x00" * 1_000_000),
    ]
    own = partition_of(name.encode(), partitions)
    key = name.encode()
    records = [
        {"key": key, "value": value, "headers": HEADERS, "partition": own, "reason": reason}
        for reason, value in found
    ]
    for other in (b"somebody-else", b"", None):
        there = partition_of(other, partitions) if other else 0
        records.append({"key": other, "value": good, "partition": there, "reason": "key-mismatch"})
    if partitions > 1:
        wrong = (own + 1) % partitions
        records.append({"key": key, "value": good, "partition": wrong, "reason": "wrong-partition"})
    return records
