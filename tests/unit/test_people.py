"""Customers who become one: contract section 6, *Merge*."""

from __future__ import annotations

import pytest

from app.core.apply import Applied, Dropped, Repeated
from app.core.customer import Erased, Moved
from app.core.events import (
    CardIssued,
    CardRevoked,
    Inquired,
    InteractionSeen,
    ProfileErased,
    ProfileMerged,
    ProfilePlaced,
    ProfileUpdated,
    ReferralConverted,
    ReferralSent,
    Refused,
    Registered,
    ReviewPosted,
    ReviewRemoved,
)
from tests.shop import DAY, Shop, at, ladder

STEPS = ladder("a: purchases >= 1\nb: purchases >= 2\nc: purchases >= 3", id="steps", down="never")
DAYS = ladder("x: purchases_in(2) >= 1\ny: events_in(9) >= 1", id="days", kind="segment")


def moves(shop: Shop, customer: str) -> list[tuple[str, str | None, str | None, str]]:
    return [
        (change.ladder, change.from_, change.to, change.cause)
        for change in shop.changes
        if change.customer == customer
    ]


def two() -> Shop:
    """`a` and `b` bought once each."""
    shop = Shop(STEPS, DAYS, attributes=["city", "age"])
    shop.buy("of a", "2026-03-01T12:00", customer="a")
    shop.buy("of b", amount=7, customer="b")
    return shop


def merge(shop: Shop, one: str = "a", into: str = "b", time: str | None = None) -> object:
    return shop.tell(ProfileMerged(into), time, customer=one)


def test_the_absorbed_leaves_every_ladder_and_the_survivor_moves_at_most_once_on_each() -> None:
    shop = two()
    assert merge(shop) == Applied()
    assert moves(shop, "a")[2:] == [("steps", "a", None, "merge"), ("days", "x", None, "merge")]
    assert moves(shop, "b")[2:] == [("steps", "a", "b", "merge")]
    last = shop.changes[-1]
    assert last.trigger is not None
    assert last.trigger.type == "profile.merged"
    assert last.because is not None
    assert last.because.rule == "purchases >= 2"


def test_facts_are_united_and_the_merge_itself_is_none() -> None:
    shop = two()
    for customer in "ab":
        shop.tell(Inquired(), customer=customer)
        shop.tell(ReferralSent(), customer=customer)
        shop.tell(ReviewPosted(f"r{customer}", 5), customer=customer)
        shop.tell(ReferralConverted(f"f{customer}", 10, "VND"), customer=customer)
    shop.tell(InteractionSeen(4), customer="a")
    shop.tell(Registered(), customer="a")
    merge(shop)
    facts = shop.facts("b")
    assert {name: facts[name] for name in ("purchases", "spend", "inquiries", "positives")} == {
        "purchases": 2, "spend": 107, "inquiries": 2, "positives": 2,
    }  # fmt: skip
    assert (facts["referrals"], facts["referral_revenue"], facts["referrals_sent"]) == (2, 20, 2)
    assert facts["registered"] is True
    assert facts["events_in(9)"] == 12


def test_the_same_order_review_or_referred_id_counts_once_as_the_survivors() -> None:
    shop = Shop(STEPS)
    for customer, amount, rating in (("a", 100, 5), ("b", 7, 1)):
        shop.buy("same", amount=amount, customer=customer, units=amount)
        shop.tell(ReviewPosted("same", rating), customer=customer)
        shop.tell(ReferralConverted("same", amount, "VND"), customer=customer)
    merge(shop)
    facts = shop.facts("b")
    assert (facts["purchases"], facts["spend"], facts["units"]) == (1, 7, 7)
    assert (facts["reviews"], facts["positives"], facts["negatives"]) == (1, 0, 1)
    assert (facts["referrals"], facts["referral_revenue"]) == (1, 7)
    shop.refund("same", 7, customer="b")
    assert shop.facts("b")["purchases"] == 0


def test_a_void_order_of_the_survivor_takes_the_absorbeds_with_it() -> None:
    shop = Shop(STEPS)
    for customer in "ab":
        shop.buy("same", customer=customer)
    shop.refund("same", 100, customer="b")
    merge(shop)
    assert shop.facts("b")["purchases"] == 0


def test_the_survivors_attributes_and_card_win_one_by_one() -> None:
    shop = two()
    shop.tell(ProfileUpdated({"city": "Huế", "age": 30}), customer="a")
    shop.tell(ProfileUpdated({"city": "Hội An"}), customer="b")
    shop.tell(CardIssued("gold"), customer="a")
    shop.tell(CardIssued("x"), customer="b")
    shop.tell(CardRevoked(), customer="b")
    merge(shop)
    facts = shop.facts("b")
    assert (facts["profile.city"], facts["profile.age"], facts["card"]) == ("Hội An", 30, "gold")
    shop.tell(CardIssued("silver"), customer="z")
    merge(shop, "z", "b")
    assert shop.facts("b")["card"] == "gold"


def test_the_standing_is_not_carried_over() -> None:
    shop = Shop(STEPS)
    for order in ("1", "2", "3"):
        shop.buy(order, customer="a")
    for order in ("1", "2"):
        shop.refund(order, 100, customer="a")
    assert shop.rung("a", "steps") == "c"
    merge(shop)
    assert shop.rung("b", "steps") == "a"


def test_the_survivors_own_standing_goes_on() -> None:
    shop = two()
    shop.buy("2", customer="b")
    for order in ("of b", "2", "of a"):
        shop.refund(order, 100, customer="a" if order == "of a" else "b")
    merge(shop)
    assert shop.rung("b", "steps") == "b"


def test_placements_of_the_absorbed_end_and_those_of_the_survivor_stay() -> None:
    shop = two()
    shop.tell(ProfilePlaced("steps", "c"), customer="a")
    merge(shop)
    assert shop.rung("b", "steps") == "b"
    shop.tell(ProfilePlaced("steps", "c"), customer="b")
    shop.buy("x", customer="z")
    merge(shop, "z", "b")
    assert shop.rung("b", "steps") == "c"
    assert shop.seen("b")["ladders"]["steps"]["placed"] == {"rung": "c", "until": None}


def test_as_of_is_the_latest_of_the_three_and_what_was_due_by_then_comes_first() -> None:
    shop = two()
    shop.tell(Registered(), "2026-03-04T12:00", customer="a")
    merge(shop, time="2026-03-02")
    assert shop.record("b").as_of == at("2026-03-04T12:00")
    assert moves(shop, "b")[2:] == [
        ("days", "x", "y", "clock"),
        ("steps", "a", "b", "merge"),
    ]
    assert [change.time for change in shop.changes[-2:]] == [
        at("2026-03-03"), at("2026-03-04T12:00"),
    ]  # fmt: skip


def test_what_was_due_for_the_absorbed_comes_before_it_leaves() -> None:
    shop = two()
    merge(shop, time="2026-03-05")
    assert moves(shop, "a")[2:] == [
        ("days", "x", "y", "clock"),
        ("steps", "a", None, "merge"),
        ("days", "y", None, "merge"),
    ]


def test_later_events_for_an_absorbed_id_reach_the_survivor_and_are_known_there() -> None:
    shop = two()
    merge(shop)
    assert shop.tell(Inquired(), customer="a", id="again") == Applied()
    assert shop.facts("b")["inquiries"] == 1
    assert shop.tell(Inquired(), customer="b", id="again") == Repeated()
    assert shop.tell(Inquired(), customer="b", id="e1") == Repeated()  # what `a` bought with
    assert isinstance(shop.slot("a").record, Moved)


def test_a_forwarded_event_that_is_refused_is_refused_at_the_survivor() -> None:
    shop = two()
    merge(shop)
    verdict = shop.tell(ReviewRemoved("unknown"), customer="a")
    assert isinstance(verdict, Refused)
    assert verdict.reason == "unknown-review"


def test_merging_an_absorbed_id_acts_on_its_survivor() -> None:
    shop = two()
    merge(shop)
    shop.buy("of z", customer="z")
    merge(shop, "a", "z")
    assert isinstance(shop.slot("b").record, Moved)
    assert shop.facts("z")["purchases"] == 3
    assert {*shop.slot("z").aliases} == {"a", "b"}
    assert shop.buy("more", customer="a") == Applied()
    assert shop.facts("z")["purchases"] == 4


def test_merging_into_an_absorbed_id_reaches_its_survivor() -> None:
    shop = two()
    merge(shop)
    shop.buy("of z", customer="z")
    merge(shop, "z", "a")
    assert shop.facts("b")["purchases"] == 3
    assert {*shop.slot("b").aliases} == {"a", "z"}


def test_two_ids_that_are_one_already_merge_without_effect() -> None:
    shop = two()
    merge(shop)
    before, changes = repr(shop.slots), len(shop.changes)
    assert merge(shop) == Applied()
    assert merge(shop, "b", "a") == Applied()
    assert (repr(shop.slots), len(shop.changes)) == (before, changes)


@pytest.mark.parametrize("time", ["2026-03-05", "2026-03-04T23:59"])
def test_into_an_id_erased_at_or_after_the_time_the_absorbed_is_erased_with_it(time: str) -> None:
    shop = two()
    shop.tell(ProfileErased(), "2026-03-05", customer="b")
    merge(shop, time=time)
    assert moves(shop, "a")[-2:] == [("steps", "a", None, "merge"), ("days", "y", None, "merge")]
    assert shop.slot("a").record is None
    assert shop.slot("a").erased == Erased(at("2026-03-05"), 1)
    assert shop.slot("b").record is None
    assert shop.buy("late", "2026-03-05", customer="a") == Dropped()
    assert shop.buy("new", "2026-03-06", customer="a") == Applied()
    assert shop.record("a").life == 2


def test_into_an_id_erased_before_the_time_a_new_record_begins() -> None:
    shop = two()
    shop.tell(ProfileErased(), "2026-03-05", customer="b")
    merge(shop, time="2026-03-05T00:01")
    assert shop.facts("b")["purchases"] == 1
    assert (shop.record("b").life, shop.slot("b").aliases) == (2, ("a",))


def test_an_absorbed_id_that_nobody_knew_is_only_forwarded() -> None:
    shop = Shop(STEPS)
    merge(shop, "new", "nobody")
    assert shop.slot("nobody").record is None
    assert shop.changes == []
    assert shop.buy("o", customer="new") == Applied()
    assert shop.facts("nobody")["purchases"] == 1
    assert merge(shop, "new", "nobody") == Applied()


def test_a_survivor_that_nobody_knew_gets_the_record_evaluated_anew() -> None:
    shop = two()
    shop.buy("2", customer="a")
    merge(shop, "a", "nobody")
    assert moves(shop, "nobody") == [
        ("steps", None, "b", "merge"),
        ("days", None, "x", "merge"),
    ]
    assert [change.sequence for change in shop.changes if change.customer == "nobody"] == [1, 1]


def test_of_more_than_a_record_remembers_the_newest_by_date_stay_known() -> None:
    shop = Shop(STEPS)
    for number in range(300):
        shop.buy(f"a{number}", at("2024-01-01") + 2 * number * DAY, customer="a")
        shop.buy(f"b{number}", at("2024-01-02") + 2 * number * DAY, customer="b")
    merge(shop)
    assert shop.facts("b")["purchases"] == 600
    assert isinstance(shop.refund("a43", 100, customer="b"), Refused)
    assert isinstance(shop.refund("b43", 100, customer="b"), Refused)
    assert shop.refund("a44", 100, customer="b") == Applied()
    assert shop.refund("b44", 100, customer="b") == Applied()
    assert shop.buy("next", customer="b") == Applied()
    assert isinstance(shop.refund("a44", 1, customer="b"), Refused)  # the oldest is forgotten
    assert shop.refund("b44", 1, customer="b") == Applied()


def test_the_newest_event_ids_of_both_are_remembered_and_the_oldest_forgotten_first() -> None:
    shop = Shop(STEPS)
    for number in range(200):
        shop.tell(Inquired(), customer="a", id=f"a{number}")
        shop.tell(Inquired(), customer="b", id=f"b{number}")
    merge(shop)
    for id in ("a73", "b73", "a199", "b199"):  # the merge's own is one of the 256
        assert shop.tell(Inquired(), customer="b", id=id) == Repeated()
    for number in range(100):
        shop.tell(Inquired(), customer="b", id=f"new {number}")
    for id in ("a199", "b199", "a130", "b130", "new 0"):
        assert shop.tell(Inquired(), customer="b", id=id) == Repeated()
    for id in ("a72", "b72"):
        assert shop.tell(Inquired(), customer="b", id=id) == Applied()
