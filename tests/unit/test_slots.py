"""The slots of a batch: read once, kept within a bound, forgotten when a batch is given up."""

import pytest

from app.core.apply import Outbox, advance, fold
from app.core.due import NoCuts
from app.core.events import Event, Inquired, ProfileErased, Registered
from app.core.instants import DAY, Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.stream import due
from app.stream.slots import Slots
from app.stream.store_batches import Row
from app.wire.definition import read_ladder
from app.wire.record import HOT, RecordCodec

ASKED = read_ladder(
    b"""
id: asked
version: 1
title: {en: Asked}
kind: ladder
climb: cumulative
down: now
rungs:
  - {id: curious, title: {en: Curious}, when: "inquiries_in(7) >= 1"}
""",
    "asked.yaml",
)
RULES = Rules([ASKED], Calendar("UTC"), Rates.only("VND"))
MARCH = 20_513 * DAY


class Rows:
    """A store in memory that counts what it is asked."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.asked: list[bytes] = []

    def get(self, keys: list[bytes]) -> list[bytes | None]:
        self.asked += [key for key in keys if key[:1] == b"c"]
        return [self.rows.get(key) for key in keys]

    def write(self, rows: list[Row]) -> None:
        for key, value in rows:
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value

    def due(self) -> list[tuple[int, bytes]]:
        return [due.split(key) for key in sorted(self.rows) if due.is_entry(key)]


def slots(rows: Rows, kept: int = 100) -> Slots:
    return Slots(RULES, RecordCodec(RULES.ladders), rows.get, kept)


def inquire(here: Slots, customer: str, time: int) -> None:
    event = Event("/s", f"{customer}-{time}", customer, time, Inquired())
    fold(RULES, here.held(customer).slot, event, NoCuts(), Outbox())


def settle(here: Slots) -> tuple[list[Row], list[Row]]:
    said: tuple[list[Row], list[Row]] = ([], [])
    here.settle(here.touched(), *said)
    return said


def commit(here: Slots, rows: Rows) -> None:
    for part in settle(here):
        rows.write(part)
    here.keep()


def test_who_was_worked_on_before_is_not_read_again() -> None:
    rows = Rows()
    here = slots(rows)
    for day in range(3):
        here.prepare({"a", "b"})
        inquire(here, "a", MARCH + day * DAY)
        commit(here, rows)
    assert sorted(rows.asked) == [b"ca", b"cb"]


def test_no_more_than_twice_the_bound_is_kept() -> None:
    rows = Rows()
    here = slots(rows, kept=10)
    for number in range(100):
        here.held(f"c-{number}")
        here.keep()
    assert len(here._young) + len(here._old) <= 20


def test_of_a_batch_with_more_than_the_bound_the_last_are_kept() -> None:
    rows = Rows()
    here = slots(rows, kept=10)
    here.prepare([f"c-{number}" for number in range(25)])
    here.keep()
    rows.asked.clear()
    here.prepare([f"c-{number}" for number in range(14, 25)])
    assert sorted(key for key in rows.asked if key[:1] == b"c") == [b"cc-14"]


def test_who_is_used_again_and_again_stays() -> None:
    rows = Rows()
    here = slots(rows, kept=10)
    for number in range(100):
        here.held("often")
        here.held(f"c-{number}")
        here.keep()
    assert rows.asked.count(b"coften") == 1


def test_a_batch_that_was_given_up_leaves_nothing_behind() -> None:
    rows = Rows()
    here = slots(rows)
    inquire(here, "a", MARCH)
    settle(here)
    here.clear()
    assert here.held("a").slot.record is None


def test_who_was_only_looked_at_is_not_written() -> None:
    rows = Rows()
    here = slots(rows)
    here.held("a")
    assert settle(here) == ([], [])


def test_the_index_follows_the_next_due_instant_of_a_customer() -> None:
    rows = Rows()
    here = slots(rows)
    inquire(here, "a", MARCH)
    commit(here, rows)
    assert rows.due() == [(MARCH + 7 * DAY, b"a")]
    inquire(here, "a", MARCH + 2 * DAY)
    commit(here, rows)
    assert rows.due() == [(MARCH + 7 * DAY, b"a")]
    event = Event("/s", "later", "a", MARCH + 8 * DAY, Registered())
    fold(RULES, here.held("a").slot, event, NoCuts(), Outbox())
    commit(here, rows)
    assert rows.due() == [(MARCH + 9 * DAY, b"a")]


def test_an_entry_that_was_moved_without_its_row_is_put_back_when_it_is_due_again() -> None:
    """A look that changes nothing moves the entry only; the row still has the instant of before."""
    rows = Rows()
    here = slots(rows)
    inquire(here, "a", MARCH)
    commit(here, rows)
    moved = due.entry(MARCH + 9 * DAY, b"a")
    rows.write([(due.entry(MARCH + 7 * DAY, b"a"), None), (moved, b"")])
    again = slots(rows)
    inquire(again, "a", MARCH + DAY)
    commit(again, rows)
    assert (MARCH + 7 * DAY, b"a") in rows.due()


def look(here: Slots, rows: Rows, customer: str) -> None:
    """Look at a customer when the index says, as a batch does."""
    held = here.held(customer)
    advance(RULES, held.slot, held.due, NoCuts(), Outbox())
    local: list[Row] = []
    if not held.slot.touched:
        here.index(customer, held, local)
    rows.write(local)
    commit(here, rows)


@pytest.mark.parametrize("between", ["nothing", "an event", "the row is restored"])
def test_nothing_has_the_id_of_an_erased_customer_although_a_look_moved_the_entry(
    between: str,
) -> None:
    """And somebody else has to find it: after a restart, or once the slot is kept no more."""
    rows = Rows()
    here = slots(rows)
    for day in (0, 3):
        inquire(here, "ann@example.com", MARCH + day * DAY)
        commit(here, rows)
    look(here, rows, "ann@example.com")
    assert rows.due() == [(MARCH + 10 * DAY, b"ann@example.com")]
    if between == "an event":
        again = slots(rows)
        inquire(again, "ann@example.com", MARCH + DAY)
        commit(again, rows)
    if between == "the row is restored":
        hot = [(key, row) for key, row in rows.rows.items() if row and key[:1] == HOT]
        rows.write([(entry, b"") for key, row in hot if (entry := due.key_of(key, row))])
    event = Event("/s", "x", "ann@example.com", MARCH + 8 * DAY, ProfileErased())
    here = slots(rows)
    fold(RULES, here.held("ann@example.com").slot, event, NoCuts(), Outbox())
    commit(here, rows)
    assert [key for key in rows.rows if b"ann" in key] == []
    assert rows.rows != {}
