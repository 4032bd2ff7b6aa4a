"""When to look again: contract section 5, day boundaries, ends of graces and of placements."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.apply import next_due
from app.core.events import Event, Inquired, ProfileErased, ProfileMerged, ProfilePlaced, Registered
from tests.partitions import Rows
from tests.property.streams import EDGY, LAW, streams
from tests.property.test_laws import ATTRIBUTES, rows, shop_of
from tests.shop import DAY, HOUR, Shop, at, ladder

NOON = "2026-03-01T12:00:00Z"
FIVE = ladder("a: registered or purchases_in(5) >= 1\nb: purchases_in(5) >= 2")


def due(shop: Shop, customer: str = "c") -> int | None:
    return next_due(shop.rules, shop.slot(customer))


def test_nothing_is_due_for_somebody_whom_time_alone_does_not_change() -> None:
    shop = Shop(ladder("a: purchases >= 1 and card == none"))
    assert due(shop) is None
    shop.buy("o", NOON)
    assert due(shop) is None
    shop.tell(ProfileMerged("b"))
    assert due(shop) is None
    shop.tell(ProfileErased(), customer="b")
    assert due(shop, "b") is None


def test_a_window_drops_a_day_when_the_window_no_longer_reaches_it() -> None:
    shop = Shop(FIVE)
    shop.buy("o", NOON)
    assert due(shop) == at("2026-03-06")
    shop.buy("p", "2026-03-03T12:00")
    assert shop.wait("2026-03-06") == [("2026-03-06T00:00:00Z", "b", "a", "clock")]
    assert due(shop) == at("2026-03-08")
    shop.wait("2026-03-08")
    assert due(shop) is None


def test_a_day_begins_when_it_does_in_the_time_zone_of_the_shop() -> None:
    shop = Shop(FIVE, timezone="Asia/Ho_Chi_Minh")
    shop.buy("o", "2026-03-01T17:00")  # midnight: already 2 March
    assert due(shop) == at("2026-03-06T17:00")


def test_a_boundary_is_at_midnight_of_the_wall_through_changes_of_the_clocks() -> None:
    shop = Shop(FIVE, timezone="America/New_York")
    shop.buy("o", "2024-03-06T12:00")
    assert due(shop) == at("2024-03-11T04:00")  # summer time since the 10th
    gap = Shop(FIVE, timezone="America/Sao_Paulo")
    gap.buy("o", "2018-10-30T12:00")
    assert due(gap) == at("2018-11-04T03:00")  # 00:00 is skipped, the day begins at 01:00
    assert gap.wait("2018-11-04T03:00") == [("2018-11-04T03:00:00Z", "a", None, "clock")]


def test_a_day_that_a_place_skipped_is_dropped_with_the_one_before() -> None:
    shop = Shop(ladder("a: purchases_in(1) >= 1"), timezone="Pacific/Apia")
    shop.buy("o", "2011-12-29T12:00")  # the 29th there; the 30th never was
    assert shop.wait("2012-01-09") == [("2011-12-30T10:00:00Z", "a", None, "clock")]


def test_each_instant_is_evaluated_once_for_all_that_falls_on_it() -> None:
    shop = Shop(
        ladder("a: true\nb: purchases_in(1) + inquiries_in(1) >= 1\nc: purchases_in(1) >= 1"),
        ladder("x: purchases_in(1) >= 1\ny: true", id="s", kind="segment"),
    )
    shop.tell(Inquired(), NOON)
    shop.buy("o")
    shop.tell(ProfilePlaced("l", "c", at("2026-03-02")))
    shop.wait("2026-03-09")
    assert [(c.ladder, c.from_, c.to) for c in shop.changes[-2:]] == [
        ("l", "c", "a"), ("s", "x", "y"),
    ]  # fmt: skip
    assert {change.time for change in shop.changes[-2:]} == {at("2026-03-02")}


def test_ends_of_graces_and_placements_are_due_among_the_boundaries_in_order() -> None:
    shop = Shop(
        ladder("a: true\nb: purchases_in(1) >= 1", down="{grace_days: 1, step: all}", id="g"),
        ladder("a: true\nb: card != none", id="p"),
        ladder("a: purchases_in(2) >= 1", id="w"),
    )
    shop.buy("o", NOON)
    shop.tell(ProfilePlaced("p", "b", at("2026-03-02T18:00")))
    found = []
    while (instant := due(shop)) is not None:
        found.append(instant)
        shop.wait(instant)
    assert found == [at("2026-03-02"), at("2026-03-02T18:00"), at("2026-03-03")]
    assert [(c.ladder, c.to) for c in shop.changes[-3:]] == [("p", "a"), ("g", "a"), ("w", None)]


def test_what_ends_at_one_instant_on_several_ladders_ends_on_all_of_them() -> None:
    names = ("p", "q", "r")
    shop = Shop(*(ladder("a: true\nb: card != none", id=name) for name in names))
    for name in names:
        shop.tell(ProfilePlaced(name, "b", at("2026-03-02T18:00")), NOON)
    shop.wait("2026-03-02T18:00")
    assert [(c.ladder, c.to) for c in shop.changes[-3:]] == [(name, "a") for name in names]


def test_a_grace_that_ends_on_the_boundary_at_which_the_next_would_begin_ends_first() -> None:
    shop = Shop(
        ladder(
            "a: purchases_in(3) >= 1\nb: purchases_in(1) >= 1", down="{grace_days: 2, step: one}"
        )
    )
    shop.buy("o", NOON)
    assert shop.wait("2026-04-01") == [
        ("2026-03-04T00:00:00Z", "b", "a", "clock"),
        ("2026-03-06T00:00:00Z", "a", None, "clock"),
    ]


def test_a_look_that_changes_nothing_leaves_the_record_as_it_was_but_for_when_to_look() -> None:
    shop = Shop(FIVE)
    shop.tell(Registered(), NOON)
    shop.buy("o")
    before = shop.record().as_of
    shop.slot().touched = False
    assert shop.wait("2026-03-06T12:00") == []
    assert shop.record().as_of == before
    assert not shop.slot().touched
    assert due(shop) is None


def test_an_event_between_a_look_that_changed_nothing_and_now_is_not_late() -> None:
    shop = Shop(FIVE)
    shop.tell(Registered(), NOON)
    shop.buy("o", "2026-03-01T13:00")
    shop.wait("2026-03-06T12:00")
    shop.buy("p", "2026-03-03T12:00")  # before the look, after as of: both purchases count
    shop.wait("2026-03-09")
    assert shop.moves() == [
        (NOON, None, "a", "event"),
        ("2026-03-03T12:00:00Z", "a", "b", "event"),
        ("2026-03-06T00:00:00Z", "b", "a", "clock"),
    ]


def test_a_look_as_far_as_the_instant_before_makes_nothing_due() -> None:
    shop = Shop(FIVE)
    shop.buy("o", NOON)
    assert shop.wait(at("2026-03-06") - 1) == []
    assert due(shop) == at("2026-03-06")


@LAW
@given(events=streams(), waits=st.lists(st.sampled_from([0, 1, 2, 3]), min_size=25, max_size=25))
def test_to_look_in_between_changes_nothing(events: list[Event], waits: list[int]) -> None:
    plain, looked = shop_of(events), shop_of(())
    store, before = Rows(looked.rules), None
    for event, parts in zip(events, waits, strict=False):
        if before is not None and parts:
            for customer in list(looked.slots):
                looked.wait(before + (event.time - before) * parts // 3, customer)
                if parts == 2:
                    store.save(looked.slot(customer))
                    looked.slots[customer] = store.load(customer)
        looked.apply(event)
        before = event.time
    end = events[-1].time + 50 * DAY if events else 0
    for shop in (plain, looked):
        for customer in list(shop.slots):
            shop.wait(end, customer)
    order = [(c.time, c.customer, c.ladder, c.sequence) for c in plain.changes]
    assert sorted(order) == sorted(
        (c.time, c.customer, c.ladder, c.sequence) for c in looked.changes
    )
    assert {repr(change) for change in plain.changes} == {repr(c) for c in looked.changes}
    assert rows(plain) == rows(looked)


@LAW
@given(streams())
def test_instant_after_instant_or_all_at_once_is_the_same(events: list[Event]) -> None:
    once, stepwise = shop_of(events), shop_of(events)
    end = events[-1].time + 60 * DAY if events else HOUR
    for customer in list(once.slots):
        once.wait(end, customer)
        while (instant := due(stepwise, customer)) is not None and instant <= end:
            stepwise.wait(instant, customer)
    assert once.changes == stepwise.changes
    assert rows(once) == rows(stepwise)


@settings(deadline=None, max_examples=40)
@given(streams())
def test_nothing_changes_before_what_is_next_due(events: list[Event]) -> None:
    shop = Shop(*EDGY, attributes=ATTRIBUTES)
    for event in events:
        shop.apply(event)
    for customer in list(shop.slots):
        instant = due(shop, customer)
        if instant is not None:
            before = repr(shop.record(customer))
            assert shop.wait(instant - 1, customer) == []
            assert repr(shop.record(customer)) == before
