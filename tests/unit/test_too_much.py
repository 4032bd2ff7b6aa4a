"""What a record may hold: 512 KiB as stored, 128 bits in a sum (contract section 2, `too-much`)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import run

LIMIT = 512 * 1024
LARGEST_AMOUNT = 10**15
BEYOND_64_BITS = 18_447
"""Purchases of the largest amount."""
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = tuple(f"a{number:02}" for number in range(60))
LADDER = """\
id: spenders
version: 1
title: {en: Spenders}
kind: ladder
climb: free
down: now
rungs:
  - {id: buyer, title: {en: Buyer}, when: "spend > 0"}
  - {id: whale, title: {en: Whale}, when: "spend_in(30) >= 100000000000000000"}
"""
Line = dict[str, Any]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ladders").mkdir()
    Path("ladders/spenders.yaml").write_text(LADDER)
    monkeypatch.setenv("LADDER_LADDERS", "ladders")
    monkeypatch.setenv("LADDER_ATTRIBUTES", ",".join(NAMES))


class Told:
    """Events, each a second after the one before, on 1 March 2026 and the days after it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def tell(self, kind: str, customer: str = "c", *, day: int = 0, **data: Any) -> None:
        number = len(self.lines)
        self.lines.append(
            {
                "specversion": "1.0",
                "id": f"e-{number}",
                "source": "/test",
                "type": kind,
                "subject": customer,
                "time": time_of(day, number),
                "data": data,
            }
        )

    def buy(self, customer: str = "c", *, amount: int = 100, day: int = 0) -> None:
        self.tell(
            "purchase.completed", customer, day=day,
            order_id=f"o-{len(self.lines)}", amount=amount, currency="VND",
        )  # fmt: skip

    def fill(
        self, customer: str, names: Sequence[str], texts: int = 62, letters: int = 250
    ) -> None:
        """Set attributes, each to a list of texts."""
        for name in names:
            value = ["x" * letters] * texts
            self.tell("profile.updated", customer, attributes={name: value})

    def refer(self, days: Iterable[int], referred: Sequence[int]) -> None:
        """On each of the days let referred customers bring something."""
        for day in days:
            for number in referred:
                self.tell(
                    "referral.converted", "c", day=day,
                    referred_id=f"r-{number}", amount=10**14 + number, currency="VND",
                )  # fmt: skip


def time_of(day: int, second: int) -> str:
    return (FIRST + timedelta(days=day, seconds=second)).isoformat().replace("+00:00", "Z")


class Outcome:
    """What a backtest wrote."""

    def __init__(self, lines: Iterable[Line]) -> None:
        Path("events.ndjson").write_text("\n".join(map(json.dumps, lines)))
        assert run(["backtest", "events.ndjson", "--changes", "changes", "--customers",
                    "customers", "--dead-letters", "letters"]) == 0  # fmt: skip
        self.letters = _read("letters")
        self.changes = _read("changes")
        self.customers = {each["customer_id"]: each for each in _read("customers")}

    @property
    def reasons(self) -> dict[str, int]:
        return dict(Counter(letter["reason"] for letter in self.letters))

    def held(self, customer: str) -> int:
        """How many bytes of text the attributes of a customer have."""
        facts = self.customers[customer]["facts"]
        values = [v for name, v in facts.items() if name.startswith("profile.") and v is not None]
        return sum(len(text) for value in values for text in value)


def _read(name: str) -> list[Any]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


def test_attributes_that_a_record_has_no_room_for_are_dead_letters() -> None:
    told = Told()
    told.buy("c")
    told.fill("c", NAMES)
    told.buy("c")
    told.fill("d", NAMES[:1])
    told.buy("d")
    found = Outcome(told.lines)
    applied = 60 - found.reasons["too-much"]
    assert [letter["line"] for letter in found.letters] == list(range(applied + 2, 62))
    assert LIMIT - 62 * 256 - 4096 < found.held("c") < LIMIT
    assert found.customers["c"]["facts"]["purchases"] == 2
    assert found.customers["d"]["facts"]["purchases"] == 1


def test_what_makes_a_full_record_smaller_is_applied_and_makes_room() -> None:
    told = Told()
    told.fill("c", NAMES[:40])
    told.tell("profile.updated", "c", attributes=dict.fromkeys(NAMES[:20]))
    told.fill("c", NAMES[40:])
    found = Outcome(told.lines)
    assert {letter["line"] for letter in found.letters} <= {*range(30, 41)}
    facts = found.customers["c"]["facts"]
    assert [name for name in NAMES[:20] if facts[f"profile.{name}"]] == []
    assert [name for name in NAMES[40:] if not facts[f"profile.{name}"]] == []


def test_a_refused_event_leaves_the_customer_as_it_was() -> None:
    """No fact, no id that is remembered, no clock, no window that ends before its time."""
    told = Told()
    told.buy("c")
    told.fill("c", NAMES[:33])
    full = Outcome(told.lines)
    told.fill("c", ["a58", "a59"], texts=64, letters=256)
    found = Outcome(told.lines)
    assert found.reasons == {"too-much": 2}
    assert found.customers == full.customers
    assert found.changes == full.changes
    told.tell("profile.updated", "c", attributes=dict.fromkeys(NAMES[:33]))
    told.lines += [line | {"time": time_of(1, 0)} for line in told.lines[-3:-1]]
    assert Outcome(told.lines).held("c") == 2 * 64 * 256  # sent again, once there is room


def test_what_referred_customers_brought_by_day_is_bounded() -> None:
    told = Told()
    told.fill("c", NAMES[:30])
    told.refer(range(50), range(100))
    told.buy("d", day=50)
    found = Outcome(told.lines)
    facts = found.customers["c"]["facts"]
    assert 500 < found.reasons["too-much"] < 2_500
    gone = {letter["line"] - 1 for letter in found.letters}
    kept = [line for number, line in enumerate(told.lines[30:-1], 30) if number not in gone]
    assert facts["referral_revenue"] == sum(line["data"]["amount"] for line in kept)
    assert facts["referrals"] == 100
    assert found.customers["d"]["facts"]["purchases"] == 1


def test_days_that_no_window_reaches_make_room_for_new_ones() -> None:
    """And what they brought is taken back with a reversal all the same."""
    told = Told()
    told.fill("c", NAMES[:30])
    told.refer(range(25), range(100))
    told.refer(range(1_200, 1_225), range(100, 200))
    full = Outcome(told.lines)
    assert full.reasons == {}
    revenue = 25 * sum(10**14 + number for number in range(200))
    assert full.customers["c"]["facts"]["referral_revenue"] == revenue
    for number in range(1, 200):
        told.tell("referral.reversed", "c", day=1_226, referred_id=f"r-{number}")
    facts = Outcome(told.lines).customers["c"]["facts"]
    assert (facts["referrals"], facts["referral_revenue"]) == (1, 25 * 10**14)


def test_two_customers_who_have_no_room_together_stay_two() -> None:
    """The merge is the dead letter; both keep what they had, and their events find them."""
    told = Told()
    for customer, names in (("a", NAMES[:25]), ("b", NAMES[25:50])):
        told.buy(customer)
        told.fill(customer, names)
    told.tell("profile.merged", "a", into="b")
    merged = len(told.lines)
    told.buy("a")
    told.buy("b")
    found = Outcome(told.lines)
    assert [(each["reason"], each["line"]) for each in found.letters] == [("too-much", merged)]
    for customer in ("a", "b"):
        assert found.customers[customer]["facts"]["purchases"] == 2
        assert found.held(customer) == 25 * 62 * 250
        assert "merged_into" not in found.customers[customer]
        ladder = found.customers[customer]["ladders"]["spenders"]
        assert ladder["rung"] == "buyer"
    assert [change["data"]["sequence"] for change in found.changes if change["subject"] == "a"] == [
        1, 2, 3
    ]  # fmt: skip


def test_who_could_not_be_merged_is_merged_once_there_is_room() -> None:
    told = Told()
    for customer, names in (("x", ()), ("a", NAMES[:25]), ("b", NAMES[25:50])):
        told.buy(customer)
        told.fill(customer, names)
    told.tell("profile.merged", "x", into="a")
    told.tell("profile.merged", "a", into="b")
    told.tell("profile.updated", "a", attributes=dict.fromkeys(NAMES[:25]))
    told.tell("profile.merged", "a", into="b")
    told.buy("x")
    told.buy("a")
    found = Outcome(told.lines)
    assert found.reasons == {"too-much": 1}
    assert sorted(found.customers) == ["b"]
    assert found.customers["b"]["facts"]["purchases"] == 5
    assert found.held("b") == 25 * 62 * 250


def test_ids_that_were_absorbed_count_and_none_is_forgotten_for_them() -> None:
    """Each is four bytes a character; those for whom there was no room live on."""
    told = Told()
    told.fill("c", NAMES[:20])
    ids = [f"{number:04}" + "𝄞" * 124 for number in range(600)]
    for one in ids:
        told.buy(one)
        told.tell("profile.merged", one, into="c")
    told.tell("profile.updated", "c", attributes={NAMES[0]: None})
    for one in ids[:100] + ids[-100:]:
        told.buy(one)
    found = Outcome(told.lines)
    refused = found.reasons["too-much"]
    assert 100 < refused < 300
    assert found.customers["c"]["facts"]["purchases"] == 600 - refused + 100
    assert sorted(found.customers) == sorted(["c", *ids[600 - refused :]])


def test_a_sum_beyond_64_bits_is_exact() -> None:
    told = Told()
    for _ in range(BEYOND_64_BITS):
        told.buy(amount=LARGEST_AMOUNT)
    found = Outcome(told.lines)
    facts = found.customers["c"]["facts"]
    assert facts["spend"] == BEYOND_64_BITS * LARGEST_AMOUNT > 2**64
    assert facts["average_order"] == LARGEST_AMOUNT
    because = found.changes[1]["data"]["because"]
    assert because == {
        "rule": "spend_in(30) >= 100000000000000000",
        "facts": {"spend_in(30)": 100 * LARGEST_AMOUNT},
    }


def test_sums_that_are_beyond_64_bits_together_are_united() -> None:
    told = Told()
    for customer in ("a", "b"):
        for _ in range(BEYOND_64_BITS * 2 // 3):
            told.buy(customer, amount=LARGEST_AMOUNT)
            told.tell(
                "referral.converted", customer,
                referred_id=f"of {customer}", amount=LARGEST_AMOUNT, currency="VND",
            )  # fmt: skip
    told.tell("profile.merged", "a", into="b")
    told.buy("a")
    found = Outcome(told.lines)
    assert found.reasons == {}
    facts = found.customers["b"]["facts"]
    together = 2 * (BEYOND_64_BITS * 2 // 3) * LARGEST_AMOUNT
    assert facts["spend"] == together + 100
    assert facts["referral_revenue"] == together > 2**64


def test_what_one_referred_customer_brought_on_one_day_may_be_beyond_64_bits() -> None:
    told = Told()
    for _ in range(BEYOND_64_BITS):
        told.tell("referral.converted", "c", referred_id="r", amount=LARGEST_AMOUNT, currency="VND")
    told.tell("referral.converted", "c", referred_id="s", amount=7, currency="VND")
    lines = list(told.lines)
    revenue = BEYOND_64_BITS * LARGEST_AMOUNT + 7
    assert Outcome(lines).customers["c"]["facts"]["referral_revenue"] == revenue
    told.tell("referral.reversed", "c", referred_id="r")
    assert Outcome(told.lines).customers["c"]["facts"]["referral_revenue"] == 7
