"""What each event does to the facts: contract section 2, row by row."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from app.core.apply import Applied
from app.core.events import (
    CardIssued,
    CardRevoked,
    Inquired,
    InteractionSeen,
    ProfileUpdated,
    PurchaseRefunded,
    ReferralConverted,
    ReferralReversed,
    ReferralSent,
    Refused,
    Registered,
    ReviewPosted,
    ReviewRemoved,
)
from app.core.money import Rates
from tests.shop import DAY, SECOND, Shop, at, ladder

WATCHED = ladder(
    "a: events_in(30) >= 1\n"
    "b: purchases_in(2) + spend_in(2) + units_in(2) + need_in(2) + reviews_in(2) >= 99\n"
    "c: referrals_in(2) + referral_revenue_in(2) + inquiries_in(2) >= 99\n"
    "!o: profile.age >= 99 and profile.city == 'x'"
)
DAY_1, DAY_3 = "2026-03-01T12:00", "2026-03-03T12:00"
RATES = Rates(
    "VND",
    [
        (at("2026-03-01") // DAY, "USD", Decimal(25_000)),
        (at("2026-03-03") // DAY, "USD", Decimal(30_000)),
        (at("2026-03-01") // DAY, "KWD", Decimal("0.5")),
    ],
)


def shop() -> Shop:
    return Shop(WATCHED, rates=RATES)


def reason(verdict: object) -> str:
    assert isinstance(verdict, Refused), verdict
    return verdict.reason


def some(shop: Shop, *names: str, time: str = DAY_3) -> list[Any]:
    facts = shop.facts(time=time)
    return [facts[name] for name in names]


# Purchases and refunds


def test_which_orders_are_remembered_depends_on_their_dates_not_on_their_arrival() -> None:
    dates = sorted(f"2025-{1 + n % 12:02}-{1 + n * n % 28:02}" for n in range(600))
    in_order, backwards = shop(), shop()
    for one, arriving in ((in_order, dates), (backwards, dates[::-1])):
        for number, date in enumerate(arriving):
            one.buy(f"{number}", f"{date}T12:00", amount=100)
    names = ("gap_days", "gap_spread", "spend", "purchases")
    assert some(backwards, *names) == some(in_order, *names)


def test_a_purchase_counts_on_its_own_date_in_the_base_currency() -> None:
    one = shop()
    one.buy("o", DAY_1, amount=3, currency="USD", units=2)
    assert some(one, "purchases", "spend", "units", "spend_in(2)") == [1, 750, 2, 0]
    assert some(one, "spend_in(2)", time="2026-03-02T23:59") == [750]


def test_a_refund_comes_off_the_order_on_the_orders_own_date() -> None:
    one = shop()
    one.buy("o", DAY_1, amount=100)
    one.buy("p", DAY_3, amount=10)
    assert one.refund("o", 40) == Applied()
    assert some(one, "purchases", "spend", "spend_in(2)", "average_order") == [2, 70, 10, 35]


def test_what_is_left_is_converted_at_the_orders_own_date_and_rounded_once() -> None:
    one = shop()
    one.buy("o", DAY_1, amount=5, currency="KWD")  # 0.5 dong for 1000 fils
    assert some(one, "spend") == [0]
    big = shop()
    big.buy("o", DAY_1, amount=7000, currency="KWD")  # 3.5 -> 4
    assert some(big, "spend") == [4]
    refund = PurchaseRefunded("o", 2000, "KWD")
    assert big.tell(refund, DAY_3) == Applied()
    assert some(big, "spend", "purchases") == [2, 1]  # 2.5 -> 2


@pytest.mark.parametrize("refunds", [[100], [40, 60], [99, 999], [100, 1]])
def test_refunds_that_reach_the_amount_void_the_order_and_over_refunds_stop_there(
    refunds: list[int],
) -> None:
    one = shop()
    one.buy("o", DAY_1, amount=100, units=4)
    one.buy("p", amount=7)
    for refund in refunds:
        assert one.refund("o", refund) == Applied()
    assert some(one, "purchases", "spend", "units", "average_order") == [1, 7, 1, 7]
    assert some(one, "events_in(30)") == [2 + len(refunds)]


def test_any_refund_of_an_order_worth_nothing_voids_it() -> None:
    one = shop()
    one.buy("o", DAY_1, amount=0)
    assert some(one, "purchases") == [1]
    one.refund("o", 1)
    assert some(one, "purchases", "average_order") == [0, None]


def test_a_refund_is_refused_for_an_unknown_order_or_in_another_currency() -> None:
    one = shop()
    assert reason(one.refund("o", 1)) == "unknown-order"
    assert one.slot().record is None
    one.buy("o", DAY_1, amount=100)
    assert reason(one.refund("p", 1)) == "unknown-order"
    assert reason(one.tell(PurchaseRefunded("o", 1, "USD"))) == "bad-data"
    assert reason(one.tell(PurchaseRefunded("o", 1, "ZZZ"))) == "bad-data"


@pytest.mark.parametrize("refunded", [0, 100])
def test_a_second_purchase_with_a_known_order_id_is_refused_void_or_not(refunded: int) -> None:
    one = shop()
    one.buy("o", DAY_1, amount=100)
    if refunded:
        one.refund("o", refunded)
    assert reason(one.buy("o")) == "bad-data"


def test_gaps_are_those_between_the_last_twelve_dates_of_orders_that_count() -> None:
    one = shop()
    days = [0, 300, *(600 + 7 * number for number in range(12))]
    for number, day in enumerate(days[:-1]):
        one.buy(f"o{number}", at(DAY_1) + day * DAY)
        one.buy(f"same day {number}", at(DAY_1) + day * DAY)
    assert some(one, "gap_days", "gap_spread") != [7.0, 0.0]
    one.buy("last", at(DAY_1) + days[-1] * DAY)
    assert some(one, "gap_days", "gap_spread") == [7.0, 0.0]
    for number in (5, 6):
        one.refund(f"o{number}", 100)
    assert some(one, "gap_days") == [7.0]
    one.refund("same day 5", 100)
    assert some(one, "gap_days") == [377 / 11]


def test_gaps_need_three_dates() -> None:
    one = shop()
    for number, day in enumerate((0, 0, 10)):
        one.buy(f"o{number}", at(DAY_1) + day * DAY)
    assert some(one, "gap_days", "gap_spread") == [None, None]
    one.buy("third", at(DAY_1) + 40 * DAY)
    assert some(one, "gap_days", "gap_spread") == [20.0, 0.5]


def test_an_order_beyond_512_can_not_be_refunded_and_its_id_may_be_used_again() -> None:
    one = shop()
    for number in range(513):
        one.buy(f"o{number}", at(DAY_1) + number * SECOND)
    assert reason(one.refund("o0", 100)) == "unknown-order"
    assert one.refund("o1", 100) == Applied()
    assert one.buy("o0") == Applied()
    assert some(one, "purchases") == [513]


# The other events


def test_the_review_applied_last_counts_with_its_date_kind_and_rating() -> None:
    one = shop()
    one.tell(ReviewPosted("r", 5, "testimonial"), DAY_1)
    one.tell(ReviewPosted("r", 2, "defence"), DAY_3)
    assert some(one, "reviews", "positives", "negatives", "testimonials", "defences") == [
        1, 0, 1, 0, 1,
    ]  # fmt: skip
    one.tell(ReviewPosted("r", 3), DAY_1)  # late, and yet the last
    assert some(one, "reviews", "negatives", "reviews_in(2)") == [1, 0, 0]


@pytest.mark.parametrize(
    ("rating", "kind", "feeling"),
    [
        (4, "review", "+"), (3.99, "review", "0"), (2, "review", "-"), (2.01, "review", "0"),
        (None, "review", "0"), (None, "testimonial", "+"), (None, "defence", "+"),
        (1, "testimonial", "-"), (3, "defence", "0"), (5, "complaint", "-"),
        (None, "complaint", "-"),
    ],
)  # fmt: skip
def test_a_review_is_positive_negative_or_neutral(
    rating: float | None, kind: Any, feeling: str
) -> None:
    one = shop()
    one.tell(ReviewPosted("r", rating, kind), DAY_3)
    assert some(one, "positives", "negatives") == [int(feeling == "+"), int(feeling == "-")]


def test_a_removed_review_no_longer_counts_and_is_unknown_from_then_on() -> None:
    one = shop()
    one.tell(ReviewPosted("r", 5), DAY_3)
    assert one.tell(ReviewRemoved("r")) == Applied()
    assert some(one, "reviews", "positives", "reviews_in(2)") == [0, 0, 0]
    assert reason(one.tell(ReviewRemoved("r"))) == "unknown-review"
    assert reason(shop().tell(ReviewRemoved("r"))) == "unknown-review"


def test_a_referred_id_converts_once_and_later_amounts_count_on_their_own_dates() -> None:
    one = shop()
    one.tell(ReferralConverted("f", 10, "VND"), DAY_1)
    one.tell(ReferralConverted("f", 5, "VND"), DAY_3)
    one.tell(ReferralConverted("f"), DAY_3)
    assert some(one, "referrals", "referral_revenue") == [1, 15]
    assert some(one, "referrals_in(2)", "referral_revenue_in(2)") == [0, 5]


def test_a_reversed_conversion_no_longer_counts_and_a_new_one_may() -> None:
    one = shop()
    one.tell(ReferralConverted("f", 1, "USD"), DAY_1)
    one.tell(ReferralConverted("f", 1, "USD"), DAY_3)
    one.tell(ReferralConverted("g", 7, "VND"), DAY_3)
    assert some(one, "referral_revenue") == [250 + 300 + 7]
    assert one.tell(ReferralReversed("f")) == Applied()
    assert some(one, "referrals", "referral_revenue", "referrals_in(2)") == [1, 7, 1]
    assert reason(one.tell(ReferralReversed("f"))) == "unknown-referral"
    one.tell(ReferralConverted("f"))
    assert some(one, "referrals") == [2]


def test_a_reversal_takes_back_revenue_of_every_age() -> None:
    one = shop()
    for day, amount in ((0, 1), (10, 20), (800, 300), (805, 4000), (1600, 50_000)):
        one.tell(ReferralConverted("f", amount, "VND"), at(DAY_1) + day * DAY)
    end = at(DAY_1) + 1600 * DAY
    assert one.facts(time=end)["referral_revenue"] == 54_321
    one.tell(ReferralReversed("f"), end)
    assert one.facts(time=end)["referral_revenue"] == 0
    assert one.facts(time=end)["referrals"] == 0


def test_the_highest_need_in_the_window_counts() -> None:
    one = shop()
    one.tell(InteractionSeen(4), "2026-03-02T12:00")
    one.tell(InteractionSeen(2), DAY_3)
    assert some(one, "need_in(2)") == [4]
    assert some(one, "need_in(2)", time="2026-03-04") == [2]
    assert some(one, "need_in(2)", time="2026-03-05") == [0]


def test_signups_cards_inquiries_and_referrals_sent_are_facts() -> None:
    one = shop()
    for data in (Registered(), Inquired("phone"), ReferralSent(), ReferralSent(), CardIssued("x")):
        one.tell(data, DAY_3)
    assert some(one, "registered", "inquiries", "referrals_sent", "card") == [True, 1, 2, "x"]
    one.tell(CardRevoked())
    assert some(one, "card") == [None]


def test_attributes_are_merged_null_removes_and_unknown_names_are_not_kept() -> None:
    one = shop()
    one.tell(ProfileUpdated({"age": 30, "city": "Huế", "hobby": "golf"}), DAY_1)
    one.tell(ProfileUpdated({"age": None}))
    assert some(one, "profile.age", "profile.city") == [None, "Huế"]
    assert one.record().attributes == {"city": "Huế"}


def test_for_attributes_and_the_card_the_last_applied_wins_late_or_not() -> None:
    one = shop()
    one.tell(ProfileUpdated({"age": 30}), DAY_3)
    one.tell(CardIssued("gold"))
    one.tell(ProfileUpdated({"age": 20}), DAY_1)
    one.tell(CardRevoked(), DAY_1)
    assert some(one, "profile.age", "card") == [20, None]
