"""An event that is ahead of its customer's record looks for it while that may be on its way."""

from __future__ import annotations

from app.core.customer import Moved, Slot
from app.core.events import Event, Inquired, ReferralConverted
from app.core.handover import Credit, Forward, Handover
from app.core.instants import SECOND
from app.core.receive import MOST_RETURNS
from app.stream.batch import PATIENCE, Batch
from app.stream.clock import WallClock
from app.stream.cuts import TopSpenders
from app.stream.fetched import Fetched
from app.stream.items import Delivered, Item
from app.stream.meta import Meta
from app.stream.slots import Slots
from app.wire import handover as wire
from app.wire.handover import Origin
from app.wire.record import RecordCodec, Unreadable
from tests.shop import at, ladder, rules_of

RULES = rules_of(ladder("low: inquiries >= 1", id="climb"))
CODEC = RecordCodec(RULES.ladders)
NOW = at("2026-03-01")
RECORD = Fetched("loyalty.handovers", 0, 7, NOW // 1000, b"known", b"", ())
VALUE = b"""{"specversion": "1.0", "id": "e-1", "source": "/s", "type": "signup.inquired",
 "subject": "known", "time": "2026-03-01T00:00:00Z", "data": {}}"""
ORIGIN = Origin("commerce.profiles", 0, 5, b"known", VALUE, ())


def forward(returns: int, since: int = 0) -> Forward:
    return Forward("known", NOW, Event("/s", "e-1", "known", NOW, Inquired()), returns, since)


def credit(returns: int, since: int = 0) -> Credit:
    event = Event("/l", "credit/x/1", "known", NOW, ReferralConverted("x"))
    return Credit("known", NOW, event, returns, since)


def came_back(handover: Handover, now: int = NOW) -> Forward | Credit | None:
    """What goes on once more to whom the event's customer was absorbed into."""
    absorbed = CODEC.changed_rows(Slot("known", Moved("survivor", 1, [0])))
    rows = {key: value for key, value in absorbed if value is not None}
    slots = Slots(RULES, CODEC, lambda keys: [*map(rows.get, keys)])
    batch = Batch(
        RULES, CODEC, slots, WallClock(NOW), TopSpenders(RULES, Meta(), 0),
        group="g", number=0, partitions=1, now=now, judged=True,
    )  # fmt: skip
    batch.take(Item(0, RECORD, Delivered(handover, ORIGIN)))
    sent = [wire.decode(out.value, CODEC) for outs in batch.handovers.values() for out in outs]
    if not sent:
        return None
    (found,) = sent
    assert not isinstance(found, Unreadable)
    assert isinstance(found[0], Forward | Credit)
    assert found[0].to == "survivor"
    return found[0]


def test_the_first_return_notes_when_it_was() -> None:
    for first in (forward(0), credit(0)):
        found = came_back(first)
        assert found is not None
        assert (found.returns, found.since) == (1, NOW)


def test_within_a_minute_it_comes_back_as_often_as_it_takes() -> None:
    later = NOW + PATIENCE - SECOND
    for waiting in (forward(MOST_RETURNS - 1, NOW), credit(MOST_RETURNS - 1, NOW)):
        found = came_back(waiting, later)
        assert found is not None
        assert (found.returns, found.since) == (MOST_RETURNS - 1, NOW)


def test_after_it_the_count_holds() -> None:
    for last in (forward(MOST_RETURNS - 1, NOW), credit(MOST_RETURNS - 1, NOW)):
        found = came_back(last, NOW + PATIENCE)
        assert found is not None
        assert found.returns == MOST_RETURNS
    for over in (forward(MOST_RETURNS, NOW), credit(MOST_RETURNS, NOW)):
        assert came_back(over, NOW + PATIENCE) is None


def test_a_clock_that_was_set_back_only_prolongs_it() -> None:
    found = came_back(forward(MOST_RETURNS - 1, NOW), NOW - 3600 * SECOND)
    assert found is not None
    assert found.returns == MOST_RETURNS - 1
