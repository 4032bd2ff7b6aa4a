"""Plain purchases, where a test wants no more of an event."""

from __future__ import annotations

import json

from app.core.instants import format_instant
from tests.faults.tale import Told


def purchase(customer: str, at: int, number: int) -> Told:
    """At an instant in microseconds; `number` makes its id different from others at that time."""
    id = f"{customer}-{at}-{number}"
    event = {
        "specversion": "1.0", "id": id, "source": "/bulk", "type": "purchase.completed",
        "subject": customer, "time": format_instant(at),
        "data": {"order_id": id, "amount": 100 + number % 900, "currency": "VND"},
    }  # fmt: skip
    return Told(0, customer.encode(), json.dumps(event).encode())
