"""Why a change was made, what comes next, and how a customer stands: contract sections 7 and 10."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.change import Change
from app.core.events import (
    CardIssued,
    CardRevoked,
    Inquired,
    ProfileErased,
    ProfileMerged,
    ProfilePlaced,
    ProfileUpdated,
    Registered,
    ReviewPosted,
)
from app.core.explain import describe
from app.core.ladder import Ladder
from tests.shop import BUILT_IN, DAY, FixedCuts, Shop, at, ladder

NOON, NEXT = "2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z"
STEPS = ladder(
    """
    a: registered or purchases >= 1
    b: purchases_in(1) >= 1
    !angry: negatives >= 1
    c: units_in( 1 ) >= 3 and card != none
    d: card == 'gold'
    """
)


def because(change: Change) -> tuple[str, dict[str, Any]] | None:
    return (change.because.rule, change.because.facts) if change.because else None


def climbed(*ladders: Ladder) -> Shop:
    shop = Shop(*ladders)
    shop.tell(CardIssued("x"), NOON)
    shop.buy("o", units=3)
    return shop


def test_up_is_because_of_the_rule_of_the_rung_entered_with_its_facts_as_written_there() -> None:
    shop = climbed(STEPS)
    assert because(shop.changes[0]) == (
        "units_in( 1 ) >= 3 and card != none",
        {"units_in( 1 )": 3, "card": "x"},
    )


def test_into_an_override_is_because_of_its_own_rule_up_or_down() -> None:
    for first in (None, CardIssued("gold")):
        shop = climbed(STEPS)
        if first:
            shop.tell(first)
        shop.tell(ReviewPosted("r", 1))
        assert shop.changes[-1].to == "angry"
        assert because(shop.changes[-1]) == ("negatives >= 1", {"negatives": 1})


def test_out_of_an_override_is_because_its_rule_no_longer_holds_up_or_down() -> None:
    for units in (1, 3):
        shop = Shop(STEPS)
        shop.tell(CardIssued("x"))
        shop.tell(ReviewPosted("r", 1))
        shop.buy("o", units=units)
        shop.tell(ReviewPosted("r", 5))
        assert shop.changes[-1].from_ == "angry"
        assert shop.changes[-1].direction == ("up" if units == 3 else "down")
        assert because(shop.changes[-1]) == ("negatives >= 1", {"negatives": 0})


def test_down_is_because_of_the_lowest_rung_above_the_target_that_does_not_hold() -> None:
    shop = climbed(STEPS)
    shop.tell(CardIssued("gold"))
    shop.wait(NEXT)
    assert (shop.changes[-1].from_, shop.changes[-1].to) == ("d", "a")
    assert because(shop.changes[-1]) == ("purchases_in(1) >= 1", {"purchases_in(1)": 0})
    assert shop.changes[-1].passed == ["d", "c", "b"]


def test_a_step_of_one_down_is_because_of_what_fails_above_the_target_not_of_the_rung_left() -> (
    None
):
    rules = "a: registered or purchases >= 1\nb: purchases_in(1) >= 1\nc: purchases >= 1\nd: true"
    shop = climbed(ladder(rules, down="{grace_days: 2, step: one}"))
    shop.wait("2026-03-04")
    assert (shop.changes[-1].from_, shop.changes[-1].to) == ("d", "c")
    assert because(shop.changes[-1]) == ("purchases_in(1) >= 1", {"purchases_in(1)": 0})


def test_down_to_none_is_because_of_the_lowest_rung() -> None:
    shop = climbed(ladder("a: purchases_in(1) >= 1\nb: card != none"))
    shop.wait(NEXT)
    assert because(shop.changes[-1]) == ("purchases_in(1) >= 1", {"purchases_in(1)": 0})


def test_down_on_a_free_ladder_is_because_of_the_rung_left() -> None:
    shop = climbed(
        ladder("a: card != none\nb: purchases_in(3) >= 9\nc: purchases_in(1) >= 1", climb="free")
    )
    shop.wait(NEXT)
    assert (shop.changes[-1].from_, shop.changes[-1].to) == ("c", "a")
    assert because(shop.changes[-1]) == ("purchases_in(1) >= 1", {"purchases_in(1)": 0})
    assert shop.changes[-1].passed == []


def test_a_segment_moves_because_of_the_rule_of_where_it_goes_and_to_none_for_no_rule() -> None:
    shop = climbed(ladder("x: purchases_in(1) >= 1\ny: card == 'x'", kind="segment"))
    shop.wait(NEXT)
    shop.tell(CardRevoked())
    assert [because(change) for change in shop.changes[-3:]] == [
        ("purchases_in(1) >= 1", {"purchases_in(1)": 1}),
        ("card == 'x'", {"card": "x"}),
        None,
    ]
    assert [change.next for change in shop.changes] == [None] * 4


def test_a_placement_begins_and_ends_for_no_rule() -> None:
    shop = climbed(STEPS)
    shop.tell(ProfilePlaced("l", "d", at("2026-03-01T18:00")))
    shop.wait("2026-03-01T18:00")
    shop.tell(ProfilePlaced("l", "d"))
    shop.tell(ProfilePlaced("l", None))
    changes = [(c.from_, c.to, c.cause, because(c)) for c in shop.changes[1:]]
    assert changes == [
        ("c", "d", "manual", None),
        ("d", "c", "clock", None),
        ("c", "d", "manual", None),
        ("d", "c", "manual", None),
    ]


def test_a_placement_that_ends_on_a_day_boundary_ends_for_no_rule_whatever_drops_there() -> None:
    shop = climbed(STEPS)
    shop.tell(ProfilePlaced("l", "d", at(NEXT)))
    shop.wait(NEXT)
    (change,) = shop.changes[2:]
    assert (change.from_, change.to, change.cause, change.because) == ("d", "a", "clock", None)


def test_a_change_while_a_placement_lasts_has_the_rule_that_made_it() -> None:
    shop = climbed(STEPS)
    shop.tell(ProfilePlaced("l", "b", at("2026-03-09")))
    shop.wait(NEXT)
    (change,) = shop.changes[1:]
    assert (change.from_, change.to) == ("c", "b")
    assert because(change) == ("purchases_in(1) >= 1", {"purchases_in(1)": 0})


def test_who_is_absorbed_or_erased_leaves_for_no_rule() -> None:
    for data, cause in ((ProfileMerged("b"), "merge"), (ProfileErased(), "erasure")):
        shop = climbed(STEPS)
        shop.tell(data)
        leaves = next(change for change in shop.changes if change.cause == cause)
        assert (leaves.to, leaves.direction, leaves.because, leaves.next) == (
            None, "down", None, None,
        )  # fmt: skip
        assert leaves.passed == ["c", "b", "a"]
        assert leaves.trigger is not None


def test_a_survivor_that_falls_by_a_merge_falls_because_of_a_rule_though_to_none() -> None:
    shop = Shop(ladder("a: negatives == 0\nb: purchases >= 1"))
    shop.tell(Registered(), NOON, customer="b")
    shop.tell(ReviewPosted("r", 1), customer="c")
    shop.tell(ProfileMerged("b"), customer="c")
    (fall,) = (change for change in shop.changes if change.cause == "merge")
    assert (fall.customer, fall.from_, fall.to) == ("b", "a", None)
    assert because(fall) == ("negatives == 0", {"negatives": 1})


def test_trigger_is_the_event_and_none_for_the_clock() -> None:
    shop = climbed(STEPS)
    shop.wait(NEXT)
    up, down = shop.changes
    assert up.trigger is not None
    assert (up.trigger.source, up.trigger.id, up.trigger.type) == (
        "/shop", "e2", "purchase.completed",
    )  # fmt: skip
    assert (down.cause, down.trigger) == ("clock", None)


@pytest.mark.parametrize(
    ("events", "to", "above", "facts"),
    [
        (["registered"], "a", "b", {"purchases_in(1)": 0}),
        (["registered", "bought"], "b", "c", {"units_in( 1 )": 1, "card": None}),
        (["registered", "angry"], "angry", "c", {"units_in( 1 )": 0, "card": None}),
        (["gold", "bought 3"], "d", None, None),
    ],
)
def test_next_is_the_rung_above_that_is_no_override(
    events: list[str], to: str, above: str | None, facts: dict[str, Any] | None
) -> None:
    shop = Shop(STEPS)
    said = {
        "registered": lambda: shop.tell(Registered()),
        "bought": lambda: shop.buy("o"),
        "bought 3": lambda: shop.buy("o", units=3),
        "gold": lambda: shop.tell(CardIssued("gold")),
        "angry": lambda: shop.tell(ReviewPosted("r", 1)),
    }
    for event in events:
        said[event]()
    last = shop.changes[-1]
    assert last.to == to
    assert (last.next and last.next.rung, last.next and last.next.facts) == (above, facts)
    standing = shop.seen()["ladders"]["l"]
    assert standing["next"] == (
        last.next and {"rung": above, "rule": last.next.rule, "facts": facts}
    )


def test_suggest_is_the_word_of_the_rung_entered() -> None:
    shop = Shop(*(one for one in BUILT_IN if one.id == "raving-fan"))
    shop.tell(Inquired())
    shop.tell(ProfileErased())
    assert [change.suggest for change in shop.changes] == ["first-offer", None]


def test_facts_are_all_plain_ones_all_kept_attributes_and_the_windows_that_are_named() -> None:
    top = ladder("a: top_spender(20, 30)\nb: profile.age >= 18", id="top", kind="segment")
    shop = Shop(STEPS, top, attributes=["city"], cutter=FixedCuts({(20, 30): 100}))
    shop.tell(ProfileUpdated({"city": "Huế", "age": 20, "unknown": 1}))
    shop.buy("o", amount=100)
    assert shop.facts() == {
        "purchases": 1, "spend": 100, "units": 1, "registered": False, "inquiries": 0,
        "card": None, "reviews": 0, "positives": 0, "negatives": 0, "testimonials": 0,
        "defences": 0, "referrals_sent": 0, "referrals": 0, "referral_revenue": 0,
        "average_order": 100, "gap_days": None, "gap_spread": None, "profile.age": 20,
        "profile.city": "Huế", "purchases_in(1)": 1, "units_in( 1 )": 1,
        "top_spender(20, 30)": True,
    }  # fmt: skip


def test_a_customer_is_described_as_of_the_clock_with_what_is_due() -> None:
    shop = climbed(ladder("a: purchases >= 1\nb: purchases_in(2) >= 1"))
    answer = shop.seen(time="2026-03-02T08:00")
    assert answer["customer_id"] == "c"
    assert answer["as_of"] == "2026-03-02T08:00:00Z"
    assert answer["ladders"]["l"] == {
        "rung": "b", "since": "2026-03-01T12:00:01Z", "sequence": 1,
        "because": {"rule": "purchases_in(2) >= 1", "facts": {"purchases_in(2)": 1}},
        "next": None, "due": {"at": "2026-03-03T00:00:00Z", "to": "a"}, "placed": None,
    }  # fmt: skip


def test_to_look_at_a_customer_changes_nothing() -> None:
    shop = climbed(STEPS)
    before = repr(shop.slot())
    shop.seen(time="2027-03-01")
    assert repr(shop.slot()) == before


def test_what_is_due_is_foreseen_through_a_grace_and_a_placement() -> None:
    shop = climbed(
        ladder("a: true\nb: purchases_in(1) >= 1", down="{grace_days: 2, step: all}", id="g"),
        ladder("a: true\nb: inquiries >= 1", id="p"),
    )
    shop.tell(ProfilePlaced("p", "b", at("2026-03-07")))
    seen = shop.seen()["ladders"]
    assert seen["g"]["due"] == {"at": "2026-03-04T00:00:00Z", "to": "a"}
    assert seen["p"]["due"] == {"at": "2026-03-07T00:00:00Z", "to": "a"}
    assert seen["p"]["placed"] == {"rung": "b", "until": "2026-03-07T00:00:00Z"}
    assert seen["p"]["because"] is None


def test_a_ladder_not_entered_or_left_has_neither_rung_nor_since_but_its_sequence() -> None:
    shop = climbed(ladder("a: purchases_in(1) >= 1", id="left"), ladder("a: registered", id="not"))
    shop.wait(NEXT)
    seen = shop.seen(time=at(NOON) + DAY)["ladders"]
    nothing = {"rung": None, "since": None, "because": None, "next": None, "due": None}
    assert seen["left"] == {**nothing, "sequence": 2, "placed": None}
    assert seen["not"] == {**nothing, "sequence": 0, "placed": None}


def test_an_absorbed_id_answers_for_its_survivor() -> None:
    shop = climbed(STEPS)
    shop.tell(ProfileMerged("b"))
    answer = describe(shop.rules, shop.slot("b"), "c", 0, shop.cutter)
    assert (answer["customer_id"], answer["merged_into"]) == ("c", "b")
    with pytest.raises(TypeError):
        shop.seen("c")
