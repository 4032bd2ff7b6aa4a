"""The credit for a referral: contract section 2, *Credit*."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.core.apply import Applied, Dropped
from app.core.events import (
    Event,
    Inquired,
    ProfileErased,
    ProfileMerged,
    ReferralConverted,
    ReferralReversed,
    Registered,
)
from app.core.handover import Credit
from app.core.money import Rates
from tests.shop import DAY, SECOND, Shop, at, ladder

LADDER = ladder("a: events_in(30) >= 1\nb: referrals >= 1\nc: referral_revenue >= 500")
Sent = tuple[str, str, str, int | None]


def shop_with_referrer() -> Shop:
    """`old` is known; `new` says on 2 March that `old` brought him."""
    shop = Shop(LADDER)
    shop.tell(Inquired(), "2026-03-01", customer="old")
    shop.tell(Registered("old"), "2026-03-02T12:00", customer="new")
    return shop


def events(shop: Shop) -> list[Event]:
    return [sent.event for sent in shop.sent if isinstance(sent, Credit)]


def sent(shop: Shop) -> list[Sent]:
    """(to whom, id, referred id, amount or None for a reversal) of every credit."""
    found: list[Sent] = []
    for event in events(shop):
        data = event.data
        assert isinstance(data, ReferralConverted | ReferralReversed)
        amount = data.amount if isinstance(data, ReferralConverted) else None
        found.append((event.subject, event.id, data.referred_id, amount))
    return found


def of_old(shop: Shop) -> tuple[int, int]:
    facts = shop.facts("old")
    return facts["referrals"], facts["referral_revenue"]


def test_a_purchase_after_the_signup_converts_the_referral() -> None:
    shop = shop_with_referrer()
    shop.buy("o", "2026-03-05T12:00", customer="new", amount=700)
    (event,) = events(shop)
    assert (event.source, event.id, event.subject) == ("/loyalty-ladder", "credit/new/1", "old")
    assert event.time == at("2026-03-05T12:00")
    assert event.data == ReferralConverted("new", 700, "VND")
    assert of_old(shop) == (1, 700)
    assert [(c.customer, c.to, c.trigger and c.trigger.id) for c in shop.changes[-2:]] == [
        ("new", "a", "e2"),
        ("old", "c", "credit/new/1"),
    ]


def test_a_credit_counts_as_an_event_of_the_referrer() -> None:
    shop = shop_with_referrer()
    shop.buy("o", "2026-03-05T12:00", customer="new")
    assert shop.facts("old")["events_in(30)"] == 2
    assert shop.record("old").as_of == at("2026-03-05T12:00")


def test_the_date_of_the_order_counts_not_its_time_of_day() -> None:
    shop = shop_with_referrer()
    shop.buy("before", "2026-03-01T23:59", customer="new")
    assert sent(shop) == []
    shop.buy("same day", "2026-03-02T00:00", customer="new")
    assert [id for _, id, *_ in sent(shop)] == ["credit/new/1"]


def test_a_signup_that_is_applied_last_converts_with_the_earliest_order_that_counts() -> None:
    shop = Shop(LADDER)
    for order, time, amount in (("0", "03-01", 1), ("2", "03-03", 20), ("1", "03-02", 300)):
        shop.buy(order, f"2026-{time}", customer="new", amount=amount)
    shop.refund("1", 50, customer="new")
    shop.tell(Registered("old"), "2026-03-02T12:00", customer="new")
    assert sent(shop) == [("old", "credit/new/1", "new", 250)]
    assert events(shop)[0].time == at("2026-03-02T12:00")


def test_refunding_all_reverses_and_buying_again_converts_again_k_counting_both() -> None:
    shop = shop_with_referrer()
    shop.buy("1", "2026-03-03", customer="new", amount=700)
    shop.buy("2", customer="new")
    shop.refund("1", 700, customer="new")
    assert len(sent(shop)) == 1  # an order is left, and the amount stays what it was
    assert of_old(shop) == (1, 700)
    shop.refund("2", 99, customer="new")
    assert len(sent(shop)) == 1
    shop.refund("2", 1, customer="new")
    assert of_old(shop) == (0, 0)
    assert shop.changes[-1].cause == "refund"
    shop.buy("3", customer="new", amount=5)
    shop.buy("4", customer="new", amount=6)
    assert sent(shop)[1:] == [
        ("old", "credit/new/2", "new", None),
        ("old", "credit/new/3", "new", 5),
    ]
    assert of_old(shop) == (1, 5)


def test_only_the_first_signup_names_the_referrer() -> None:
    shop = shop_with_referrer()
    shop.tell(Registered("other"), customer="new")
    shop.buy("o", customer="new")
    assert [to for to, *_ in sent(shop)] == ["old"]
    later = Shop(LADDER)
    later.tell(Registered(), customer="new")
    later.tell(Registered("old"), customer="new")
    later.buy("o", customer="new")
    assert sent(later) == []


def test_who_names_himself_is_ignored() -> None:
    shop = Shop(LADDER)
    shop.tell(Registered("new"), customer="new")
    shop.buy("o", customer="new")
    assert sent(shop) == []


def test_who_has_become_one_with_the_referrer_is_ignored() -> None:
    shop = shop_with_referrer()
    shop.tell(ProfileMerged("new"), customer="old")
    shop.buy("o", customer="new")
    assert sent(shop) == []


def test_a_credit_that_meets_the_two_become_one_on_its_way_is_dropped() -> None:
    shop = shop_with_referrer()
    shop.tell(ProfileMerged("old"), customer="new")
    credit = Credit("old", 0, Event("/loyalty-ladder", "x", "old", 0, ReferralConverted("new")))
    assert shop.deliver(credit) == Dropped()


def test_the_amount_is_in_the_base_currency_at_the_rate_of_the_orders_date() -> None:
    rates = Rates("VND", [(at("2026-03-01") // DAY, "USD", Decimal(25_000))])
    shop = Shop(LADDER, rates=rates)
    shop.tell(Registered("old"), "2026-03-02", customer="new")
    shop.buy("o", customer="new", amount=2, currency="USD")
    assert events(shop)[0].data == ReferralConverted("new", 500, "VND")


def test_a_referrer_whom_nobody_knew_gets_a_record_by_a_conversion_not_by_a_reversal() -> None:
    shop = Shop(LADDER)
    shop.tell(Registered("nobody"), customer="new")
    shop.buy("o", customer="new")
    assert shop.facts("nobody")["referrals"] == 1
    lost = Credit("z", 0, Event("/loyalty-ladder", "x", "z", 0, ReferralReversed("new")))
    assert shop.deliver(lost) == Dropped()
    assert shop.slot("z").record is None


def test_a_credit_to_an_erased_referrer_is_dropped_and_k_goes_on() -> None:
    shop = shop_with_referrer()
    shop.tell(ProfileErased(), "2026-03-03", customer="old")
    shop.buy("1", "2026-03-04", customer="new")
    assert shop.slot("old").record is None
    shop.refund("1", 100, customer="new")
    shop.tell(Inquired(), "2026-03-05", customer="old")
    shop.buy("2", customer="new")
    assert [id for _, id, *_ in sent(shop)] == ["credit/new/1", "credit/new/2", "credit/new/3"]
    assert of_old(shop) == (1, 100)


def test_a_reversal_of_what_the_referrers_new_record_does_not_know_is_dropped() -> None:
    shop = shop_with_referrer()
    shop.buy("1", "2026-03-03", customer="new")
    shop.tell(ProfileErased(), "2026-03-04", customer="old")
    shop.tell(Inquired(), "2026-03-05", customer="old")
    shop.refund("1", 100, customer="new")
    assert of_old(shop) == (0, 0)
    assert shop.facts("old")["events_in(30)"] == 1


def test_a_referred_id_that_is_known_as_converted_adds_nothing_but_is_an_event() -> None:
    shop = shop_with_referrer()
    shop.tell(ReferralConverted("new", 40, "VND"), "2026-03-02T13:00", customer="old")
    shop.buy("o", customer="new", amount=700)
    assert of_old(shop) == (1, 40)
    assert shop.facts("old")["events_in(30)"] == 3
    shop.refund("o", 700, customer="new")
    assert of_old(shop) == (0, 0)


def test_a_merge_causes_neither_and_the_next_purchase_or_signup_makes_good() -> None:
    for data in ("buy", "signup", "nothing"):
        shop = shop_with_referrer()
        shop.buy("o", "2026-03-04", customer="b", amount=9)
        shop.tell(ProfileMerged("b"), "2026-03-05", customer="new")
        assert sent(shop) == []
        if data == "buy":
            shop.buy("p", customer="b")
        elif data == "signup":
            shop.tell(Registered(), customer="b")
        else:
            shop.tell(Inquired(), customer="b")
        assert sent(shop) == ([] if data == "nothing" else [("old", "credit/b/1", "b", 9)])


def test_what_was_credited_goes_on_under_its_id_k_and_referrer_after_a_merge() -> None:
    shop = shop_with_referrer()
    shop.buy("o", "2026-03-04", customer="new")
    shop.tell(ProfileMerged("b"), "2026-03-05", customer="new")
    shop.refund("o", 100, customer="b")
    shop.buy("p", customer="b")
    assert sent(shop) == [
        ("old", "credit/new/1", "new", 100),
        ("old", "credit/new/2", "new", None),
        ("old", "credit/new/3", "new", 100),
    ]
    assert of_old(shop) == (1, 100)


@pytest.mark.parametrize(
    ("survivors", "expected"),
    [
        (Registered("hers"), ["hers"]),  # its own wins
        (Registered(), ["old"]),  # it has none
        (Registered("b"), ["old"]),  # it named itself
        (Registered("new"), ["old"]),  # it named whom it has become one with
        (Inquired(), ["old"]),  # it never signed up
    ],
)
def test_the_survivors_own_referral_wins_unless_it_is_ignored(
    survivors: Registered | Inquired, expected: list[str]
) -> None:
    shop = shop_with_referrer()
    shop.tell(survivors, "2026-03-03", customer="b")
    shop.tell(ProfileMerged("b"), "2026-03-05", customer="new")
    shop.buy("p", customer="b")
    assert [to for to, *_ in sent(shop)] == expected


def test_who_is_registered_through_a_merge_has_had_a_first_signup() -> None:
    shop = Shop(LADDER)
    shop.tell(Registered(), "2026-03-03", customer="a")
    shop.tell(ProfileMerged("b"), customer="a")
    shop.buy("o", customer="b")
    shop.tell(Registered("old"), customer="b")
    assert shop.facts("b")["purchases"] == 1
    assert sent(shop) == []


def test_the_credits_of_a_second_record_end_in_r2() -> None:
    shop = shop_with_referrer()
    shop.buy("o", "2026-03-04", customer="new")
    shop.tell(ProfileErased(), "2026-03-05", customer="new")
    assert of_old(shop) == (1, 100)  # an erasure reverses nothing
    shop.tell(Registered("old"), "2026-03-06", customer="new")
    shop.buy("o", customer="new")
    shop.refund("o", 100, customer="new")
    assert [id for _, id, *_ in sent(shop)] == [
        "credit/new/1", "credit/new/1/r2", "credit/new/2/r2",
    ]  # fmt: skip


def test_a_credit_to_an_absorbed_referrer_reaches_the_survivor() -> None:
    shop = shop_with_referrer()
    shop.tell(ProfileMerged("heir"), "2026-03-03", customer="old")
    shop.buy("o", "2026-03-04", customer="new")
    assert shop.facts("heir")["referrals"] == 1
    assert shop.changes[-1].trigger is not None
    assert shop.changes[-1].trigger.id == "credit/new/1"


def test_a_credit_that_comes_twice_counts_once() -> None:
    shop = shop_with_referrer()
    shop.buy("o", "2026-03-04", customer="new")
    assert shop.deliver(shop.sent[-1]) != Applied()
    assert of_old(shop) == (1, 100)


def test_an_order_that_is_no_longer_remembered_still_counts_for_a_credit() -> None:
    shop = shop_with_referrer()
    for number in range(513):
        shop.buy(f"o{number}", at("2026-03-03") + number, customer="new")
    for number in range(1, 513):
        shop.refund(f"o{number}", 100, customer="new")
    assert [id for _, id, *_ in sent(shop)] == ["credit/new/1"]
    assert shop.facts("new")["purchases"] == 1


def test_an_order_forgotten_before_or_by_a_merge_still_counts_for_a_credit() -> None:
    for before, by in ((513, 0), (300, 512)):
        shop = shop_with_referrer()
        orders = [("new", number) for number in range(before)]
        orders += [("b", number) for number in range(before, before + by)]
        for customer, number in orders:
            shop.buy(f"o{number}", at("2026-03-03") + number * DAY, customer=customer)
        shop.tell(ProfileMerged("b"), customer="new")
        for _, number in orders[-512:]:
            assert shop.refund(f"o{number}", 100, customer="b") == Applied()
        assert shop.facts("b")["purchases"] == len(orders) - 512
        assert [id for _, id, *_ in sent(shop)] == ["credit/new/1"]


def test_a_forgotten_order_counts_though_all_that_are_remembered_came_before_the_signup() -> None:
    shop = shop_with_referrer()
    shop.buy("counts", "2026-03-09", customer="new")
    for number in range(512):
        shop.buy(f"o{number}", at("2026-02-01") + number * SECOND, customer="new")
    assert shop.refund("o5", 100, customer="new") == Applied(late=True)
    assert [id for _, id, *_ in sent(shop)] == ["credit/new/1"]
