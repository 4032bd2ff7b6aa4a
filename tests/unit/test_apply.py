"""What comes late, comes twice or is refused, and when: contract sections 2 and 5."""

from __future__ import annotations

import json

import pytest

from app.core.apply import Applied, Dropped, Repeated, examine
from app.core.events import (
    Data,
    Event,
    Inquired,
    ProfileErased,
    ProfilePlaced,
    PurchaseCompleted,
    PurchaseRefunded,
    ReferralConverted,
    ReferralReversed,
    Registered,
)
from app.wire.stage_change import encode
from tests.shop import BUILT_IN, Shop, at, ladder
from tests.unit.test_apply_effects import DAY_1, DAY_3, reason, shop, some


def test_the_stage_change_of_the_contract_comes_out_as_printed_there() -> None:
    shop = Shop(*(one for one in BUILT_IN if one.id == "raving-fan"))
    shop.tell(Inquired(), "2026-01-01", customer="c-42")
    shop.buy("o-980", "2026-01-12T08:00", customer="c-42")
    data = PurchaseCompleted("o-981", 125000000, "VND", 3)
    when = at("2026-03-01T09:30")
    shop.apply(Event("/shop/orders", "o-981:paid", "c-42", when, data))
    assert json.loads(encode(shop.changes[-1])) == {
        "specversion": "1.0", "id": "raving-fan/c-42/3", "source": "/loyalty-ladder",
        "type": "loyalty.stage.changed", "subject": "c-42", "time": "2026-03-01T09:30:00Z",
        "datacontenttype": "application/json",
        "data": {
            "ladder": "raving-fan", "version": 1, "sequence": 3, "from": "shopper",
            "to": "customer", "direction": "up", "passed": ["customer"], "cause": "event",
            "trigger": {
                "source": "/shop/orders", "id": "o-981:paid", "type": "purchase.completed",
            },
            "because": {"rule": "purchases >= 2", "facts": {"purchases": 2}},
            "since": "2026-01-12T08:00:00Z", "held_seconds": 4152600,
            "next": {"rung": "member", "rule": "card != none", "facts": {"card": None}},
            "suggest": "offer-membership", "quiet": False,
        },
    }  # fmt: skip


# Time


def test_what_is_due_comes_before_the_event_and_at_its_very_instant() -> None:
    one = Shop(ladder("a: registered\nb: purchases_in(1) >= 1"))
    one.tell(Registered(), DAY_1)
    one.buy("o")
    one.buy("p", "2026-03-02")
    assert one.moves()[2:] == [
        ("2026-03-02T00:00:00Z", "b", "a", "clock"),
        ("2026-03-02T00:00:00Z", "a", "b", "event"),
    ]


def test_a_late_event_counts_on_its_own_date_and_is_evaluated_as_of_the_record() -> None:
    one = Shop(ladder("a: purchases >= 1\nb: purchases_in(2) >= 2"))
    one.buy("o", DAY_3)
    assert one.buy("late", "2026-03-02T12:00") == Applied(late=True)
    assert one.buy("too late", DAY_1) == Applied(late=True)
    assert one.moves() == [
        ("2026-03-03T12:00:00Z", None, "a", "event"),
        ("2026-03-03T12:00:00Z", "a", "b", "event"),
    ]
    assert one.record().as_of == at(DAY_3)
    assert some(one, "purchases", "purchases_in(2)") == [3, 2]


def test_an_event_at_as_of_is_not_late() -> None:
    one = shop()
    one.buy("o", DAY_1)
    assert one.buy("p", DAY_1) == Applied(late=False)


def test_a_due_instant_at_which_something_changed_makes_earlier_events_late() -> None:
    one = Shop(ladder("a: purchases_in(1) >= 1"))
    one.buy("o", DAY_1)
    one.wait(DAY_3)
    assert one.record().as_of == at("2026-03-02")
    assert one.buy("p", "2026-03-01T18:00") == Applied(late=True)
    assert one.rung() is None


def test_a_repeat_is_dropped_before_anything_else_and_refreshes_nothing() -> None:
    one = Shop(ladder("a: purchases_in(1) >= 1"))
    one.buy("o", DAY_1)
    before = repr(one.slot())
    assert one.tell(Registered(), "2026-03-09", id="e1") == Repeated()
    assert one.refund("?", 1) != Repeated()
    assert repr(one.slot()) == before
    for number in range(255):
        one.tell(Inquired(), id=f"i{number}")
    assert one.tell(Inquired(), id="e1") == Repeated()
    one.tell(Inquired(), id="i255")
    assert one.tell(Inquired(), id="e1") == Applied()


def test_source_and_id_together_tell_a_repeat() -> None:
    one = shop()
    for source, id in (("/a", "1"), ("/b", "1"), ("/a", "2"), ("/a1", ""), ("/a", "1")):
        one.apply(Event(source, id, "c", at(DAY_1), Inquired()))
    assert some(one, "inquiries") == [4]


def test_the_same_id_of_another_customer_is_no_repeat() -> None:
    one = shop()
    assert one.tell(Inquired(), id="x", customer="a") == Applied()
    assert one.tell(Inquired(), id="x", customer="b") == Applied()


def test_a_refused_event_creates_no_record_and_moves_nothing() -> None:
    one = Shop(ladder("a: purchases_in(1) >= 1"))
    assert reason(one.tell(ReferralReversed("f"))) == "unknown-referral"
    assert one.slot().record is None
    one.buy("o", DAY_1)
    before = repr(one.slot())
    assert reason(one.refund("?", 1, "2026-03-09")) == "unknown-order"
    assert repr(one.slot()) == before
    assert len(one.changes) == 1


def test_a_refused_event_may_come_again_and_count() -> None:
    one = shop()
    assert reason(one.tell(PurchaseRefunded("o", 1, "VND"), DAY_3, id="r")) == "unknown-order"
    one.buy("o", DAY_1, amount=10)
    assert one.tell(PurchaseRefunded("o", 1, "VND"), DAY_3, id="r") == Applied()


def test_an_erasure_moves_the_clock_of_nobody_else() -> None:
    one = shop()
    one.buy("o", DAY_1, customer="other")
    assert one.tell(ProfileErased(), DAY_3) == Applied()
    assert one.record("other").as_of == at(DAY_1)
    assert one.tell(Inquired(), DAY_1) == Dropped()


# Refusals that need no record


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (PurchaseCompleted("o", 1, "VND"), None),
        (PurchaseCompleted("o", 1, "USD"), None),
        (PurchaseCompleted("o", 1, "EUR"), "no-rate"),
        (PurchaseCompleted("o", 10**15, "VND"), None),
        (PurchaseCompleted("o", 4 * 10**12, "USD"), None),
        (PurchaseCompleted("o", 4 * 10**12 + 1, "USD"), "bad-data"),
        (PurchaseRefunded("o", 10**15, "EUR"), None),
        (ReferralConverted("f"), None),
        (ReferralConverted("f", 1, "EUR"), "no-rate"),
        (ReferralConverted("f", 4 * 10**12 + 1, "USD"), "bad-data"),
        (ProfilePlaced("l", "a"), None),
        (ProfilePlaced("l", None), None),
        (ProfilePlaced("none", "a"), "unknown-ladder"),
        (ProfilePlaced("none", None), "unknown-ladder"),
        (ProfilePlaced("l", "o"), "bad-data"),
        (ProfilePlaced("l", "none"), "bad-data"),
    ],
)
def test_an_event_is_refused_for_what_no_record_could_make_right(
    data: Data, expected: str | None
) -> None:
    event = Event("/shop", "e", "c", at(DAY_1), data)
    refused = examine(shop().rules, event, None)
    assert (refused and refused.reason) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (Inquired(), "future"),
        (PurchaseCompleted("o", 1, "EUR"), "future"),  # before no-rate
        (PurchaseCompleted("o", 4 * 10**12 + 1, "USD"), "bad-data"),  # before future
        (ProfilePlaced("none", "a"), "unknown-ladder"),
        (ProfilePlaced("l", "o"), "bad-data"),
    ],
)
def test_the_first_of_several_faults_is_told(data: Data, expected: str) -> None:
    latest = at(DAY_1)
    rules = shop().rules
    late = Event("/shop", "e", "c", latest + 1, data)
    assert reason(examine(rules, late, latest)) == expected
    in_time = Event("/shop", "e", "c", latest, Inquired())
    assert examine(rules, in_time, latest) is None


def test_a_rate_before_the_first_row_of_its_currency_is_no_rate() -> None:
    event = Event("/s", "e", "c", at("2026-02-28T23:59"), PurchaseCompleted("o", 1, "USD"))
    assert reason(examine(shop().rules, event, None)) == "no-rate"
