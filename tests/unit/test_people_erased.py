"""Customers who are forgotten: contract section 6, *Erase*."""

from __future__ import annotations

from app.core.apply import Applied, Dropped
from app.core.customer import Customer, Erased
from app.core.events import (
    ProfileErased,
    ProfilePlaced,
    ReviewRemoved,
)
from tests.shop import Shop, at
from tests.unit.test_people import STEPS, merge, moves, two


def test_an_erased_customer_leaves_every_ladder_and_only_a_marker_stays() -> None:
    shop = two()
    shop.tell(ProfilePlaced("steps", "c"), customer="a")
    assert shop.tell(ProfileErased(), "2026-03-02", customer="a") == Applied()
    assert moves(shop, "a")[-2:] == [
        ("steps", "c", None, "erasure"),
        ("days", "x", None, "erasure"),
    ]
    slot = shop.slot("a")
    assert (slot.record, slot.aliases, slot.erased) == (None, (), Erased(at("2026-03-02"), 1))


def test_events_up_to_the_erasure_are_dropped_and_a_later_one_starts_a_new_record() -> None:
    shop = two()
    shop.tell(ProfileErased(), "2026-03-02", customer="a")
    assert shop.buy("o", "2026-03-02", customer="a") == Dropped()
    assert shop.tell(ReviewRemoved("?"), "2026-03-01", customer="a") == Dropped()
    assert shop.slot("a").record is None
    shop.buy("of a", at("2026-03-02") + 1, customer="a")
    assert (shop.record("a").life, shop.facts("a")["purchases"]) == (2, 1)
    assert [(c.life, c.sequence, c.since) for c in shop.changes[-2:]] == [(2, 1, None)] * 2
    shop.tell(ProfileErased(), "2026-03-04", customer="a")
    shop.buy("o", "2026-03-05", customer="a")
    assert shop.record("a").life == 3


def test_old_events_are_dropped_beside_a_new_record_too() -> None:
    shop = two()
    shop.tell(ProfileErased(), "2026-03-02", customer="a")
    shop.buy("new", "2026-03-03", customer="a")
    assert shop.buy("old", "2026-03-01", customer="a") == Dropped()
    assert shop.facts("a")["purchases"] == 1


def test_erasing_an_absorbed_id_erases_the_survivor_and_every_forwarding() -> None:
    shop = two()
    merge(shop)
    shop.buy("of z", customer="z")
    merge(shop, "z", "b")
    shop.tell(ProfileErased(), "2026-03-09", customer="a")
    for customer in "abz":
        slot = shop.slot(customer)
        assert (slot.record, slot.aliases) == (None, ())
        assert slot.erased == Erased(at("2026-03-09"), 1)
    shop.buy("again", "2026-03-10", customer="z")
    assert (shop.record("z").life, shop.slot("b").record) == (2, None)


def test_a_late_erasure_takes_along_what_is_dated_after_it() -> None:
    shop = two()
    shop.buy("later", "2026-03-05", customer="a")
    assert shop.tell(ProfileErased(), "2026-03-03", customer="a") == Applied(late=True)
    assert shop.slot("a").erased == Erased(at("2026-03-03"), 1)
    assert shop.slot("a").record is None
    assert {move[0] for move in shop.moves() if move[3] == "erasure"} == {"2026-03-05T00:00:00Z"}
    assert shop.buy("before", "2026-03-03", customer="a") == Dropped()
    shop.buy("after", "2026-03-04", customer="a")
    assert (shop.record("a").life, shop.facts("a")["purchases"]) == (2, 1)


def test_a_late_erasure_of_an_absorbed_id_takes_along_what_its_survivor_did_since() -> None:
    shop = two()
    merge(shop, time="2026-03-02")
    shop.buy("later", "2026-03-05", customer="b")
    shop.tell(ProfileErased(), "2026-03-03", customer="a")
    for customer in "ab":
        assert (shop.slot(customer).record, shop.slot(customer).aliases) == (None, ())
        assert shop.slot(customer).erased == Erased(at("2026-03-03"), 1)
    shop.buy("after", "2026-03-04", customer="b")
    assert shop.facts("b")["purchases"] == 1


def test_erasing_somebody_unknown_leaves_a_marker_that_counts_no_record() -> None:
    shop = Shop(STEPS)
    shop.tell(ProfileErased(), "2026-03-02")
    assert shop.slot().erased == Erased(at("2026-03-02"), 0)
    assert shop.buy("old", "2026-03-01") == Dropped()
    shop.buy("new", "2026-03-03")
    assert shop.record().life == 1


def test_an_earlier_erasure_that_comes_late_leaves_the_later_marker() -> None:
    shop = two()
    shop.tell(ProfileErased(), "2026-03-05", customer="a")
    assert shop.tell(ProfileErased(), "2026-03-02", customer="a") == Dropped()
    assert shop.slot("a").erased == Erased(at("2026-03-05"), 1)


def test_an_earlier_erasure_of_the_survivor_leaves_the_later_marker_of_the_absorbed() -> None:
    shop = two()
    shop.tell(ProfileErased(), "2026-03-09", customer="a")
    merge(shop, time="2026-03-10")
    shop.tell(ProfileErased(), "2026-03-05", customer="b")
    assert shop.slot("a").erased == Erased(at("2026-03-09"), 1)
    assert shop.slot("b").erased == Erased(at("2026-03-05"), 1)


def test_sequences_go_on_after_a_merge_and_start_again_after_an_erasure() -> None:
    shop = two()
    merge(shop)
    shop.buy("3", customer="b")
    assert [c.sequence for c in shop.changes if (c.customer, c.ladder) == ("b", "steps")] == [
        1,
        2,
        3,
    ]
    shop.tell(ProfileErased(), customer="b")
    shop.buy("4", "2026-04-01", customer="b")
    assert isinstance(shop.slot("b").record, Customer)
    assert [c.sequence for c in shop.changes if (c.customer, c.ladder) == ("b", "steps")][-2:] == [
        4,
        1,
    ]


def test_a_handover_of_an_erasure_finds_only_forwardings() -> None:
    shop = two()
    merge(shop)
    shop.tell(ProfileErased(), "2026-03-09", customer="b")
    shop.buy("new life", "2026-03-10", customer="a")
    forget = shop.sent[-1]
    before = repr(shop.slot("a"))
    assert shop.deliver(forget) == Dropped()
    assert repr(shop.slot("a")) == before


def test_nothing_of_an_erased_record_comes_back_with_a_new_one() -> None:
    shop = two()
    merge(shop)
    shop.tell(ProfileErased(), "2026-03-05", customer="b")
    shop.buy("new", "2026-03-06", customer="b")
    assert shop.slot("b").aliases == ()
    assert shop.facts("b")["purchases"] == 1
