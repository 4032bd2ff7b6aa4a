"""History that arrives as if it were live is told once, and only where it would do harm."""

from __future__ import annotations

import pytest
from aiokafka.structs import ConsumerRecord
from structlog.testing import capture_logs

from app.core.events import Event, PurchaseCompleted
from app.core.instants import DAY
from app.stream.items import Item
from app.stream.old_input import OLD_DAYS, OldInput

NOW = 20_000 * DAY
RECORD = ConsumerRecord("t", 0, 0, 0, 0, b"c", b"", None, 0, 0, ())


def bought(time: int) -> Item:
    data = PurchaseCompleted(order_id="o", amount=1, currency="VND")
    return Item(0, RECORD, Event(source="/s", id="1", subject="c", time=time, data=data))


def warned(old: OldInput, *times: int) -> list[int]:
    with capture_logs() as logs:
        for time in times:
            old.look([bought(time), bought(NOW)], NOW)
    assert {line["action"] for line in logs} <= {"old-input-taken"}
    return [line["days"] for line in logs]


def test_events_that_are_months_old_are_told_once() -> None:
    old = OldInput(0, -1, event_clock=False)
    assert warned(old, NOW, NOW - OLD_DAYS * DAY) == []
    assert warned(old, NOW - 90 * DAY, NOW - 91 * DAY) == [90]


@pytest.mark.parametrize(
    "old",
    [OldInput(0, NOW, event_clock=False), OldInput(0, -1, event_clock=True)],
    ids=["quiet", "event clock"],
)
def test_history_that_is_taken_in_as_such_is_not_told(old: OldInput) -> None:
    assert warned(old, NOW - 90 * DAY) == []
