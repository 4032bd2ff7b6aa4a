"""The oracle itself, against the contract's own examples and cases worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from .run import Scenario, run, run_as_they_come, run_crossing
from .scenarios import BUILT_IN, EDGY, random_scenario

Data = dict[str, Any]


def event(id: str, time: str, type: str, subject: str = "c-42", **data: Any) -> Data:
    return {
        "specversion": "1.0", "id": id, "source": "/shop/orders", "type": type,
        "subject": subject, "time": time, "data": data,
    }  # fmt: skip


def purchase(id: str, time: str, subject: str = "c-42", amount: int = 100, **more: Any) -> Data:
    data = {"order_id": id, "amount": amount, "currency": "VND", **more}
    return event(id, time, "purchase.completed", subject, **data)


def moves(scenario: Scenario, ladder: str, subject: str = "c-42") -> list[tuple[Any, ...]]:
    """(time, from, to, cause) on one ladder."""
    return [
        (change["time"], data["from"], data["to"], data["cause"])
        for change in run(scenario).changes
        if (data := change["data"])["ladder"] == ladder and change["subject"] == subject
    ]


def test_the_stage_change_of_the_contract_comes_out_as_printed_there() -> None:
    events = [
        event("i", "2026-01-01T08:00:00Z", "signup.inquired"),
        purchase("o-980", "2026-01-12T08:00:00Z"),
        purchase("o-981:paid", "2026-03-01T09:30:00Z", amount=125000000, units=3),
    ]
    (change,) = [
        change
        for change in run(Scenario(events, BUILT_IN)).changes
        if change["id"] == "raving-fan/c-42/3"
    ]
    assert change["time"] == "2026-03-01T09:30:00Z"
    assert change["data"] == {
        "ladder": "raving-fan", "version": 1, "sequence": 3, "from": "shopper", "to": "customer",
        "direction": "up", "passed": ["customer"], "cause": "event",
        "trigger": {
            "source": "/shop/orders", "id": "o-981:paid", "type": "purchase.completed",
        },
        "because": {"rule": "purchases >= 2", "facts": {"purchases": 2}},
        "since": "2026-01-12T08:00:00Z", "held_seconds": 4152600,
        "next": {"rung": "member", "rule": "card != none", "facts": {"card": None}},
        "suggest": "offer-membership", "quiet": False,
    }  # fmt: skip


def test_a_window_of_five_days_drops_at_the_end_of_the_fifth_day_in_the_time_zone() -> None:
    events = [purchase("o", "2024-03-01T20:00:00Z")]  # 2 March in Ho Chi Minh City
    scenario = Scenario(events, EDGY, "Asia/Ho_Chi_Minh", until="2024-04-01T00:00:00Z")
    assert moves(scenario, "steps") == [
        ("2024-03-01T20:00:00Z", None, "b", "event"),
        ("2024-03-06T17:00:00Z", "b", "a", "clock"),
    ]


def test_a_grace_by_steps_falls_one_rung_and_starts_again_at_its_end() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z", units=3),
        purchase("p", "2024-03-01T11:00:00Z", units=3, amount=900),
        event("s", "2024-03-01T12:00:00Z", "signup.registered"),
    ]
    scenario = Scenario(events, EDGY, until="2024-05-01T00:00:00Z")
    assert moves(scenario, "brief") == [
        ("2024-03-01T10:00:00Z", None, "buyer", "event"),
        ("2024-03-01T11:00:00Z", "buyer", "twice", "event"),
        ("2024-03-01T12:00:00Z", "twice", "big", "event"),
        ("2024-03-06T00:00:00Z", "big", "twice", "clock"),  # below since 4 March
        ("2024-03-08T00:00:00Z", "twice", "buyer", "clock"),
        ("2024-03-10T00:00:00Z", "buyer", "seen", "clock"),
        ("2024-03-12T00:00:00Z", "seen", None, "clock"),
    ]


def test_an_override_covers_the_standing_and_gives_it_back() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z"),
        event("r", "2024-03-01T11:00:00Z", "review.posted", review_id="r", rating=1),
    ]
    scenario = Scenario(events, EDGY, until="2024-03-04T23:00:00Z")
    assert moves(scenario, "now") == [
        ("2024-03-01T10:00:00Z", None, "hot", "event"),
        ("2024-03-01T11:00:00Z", "hot", "complaining", "event"),
        ("2024-03-03T00:00:00Z", "complaining", "warm", "clock"),
    ]


def test_a_placement_is_a_floor_until_it_ends() -> None:
    place: Data = {"ladder": "steps", "rung": "c", "until": "2024-03-01T12:00:00Z"}
    events = [
        purchase("o", "2024-03-01T10:00:00Z"),
        event("p", "2024-03-01T11:00:00Z", "profile.placed", **place),
    ]
    scenario = Scenario(events, EDGY, until="2024-03-02T00:00:00Z")
    assert moves(scenario, "steps") == [
        ("2024-03-01T10:00:00Z", None, "b", "event"),
        ("2024-03-01T11:00:00Z", "b", "c", "manual"),
        ("2024-03-01T12:00:00Z", "c", "b", "clock"),
    ]


def test_a_full_refund_voids_and_reverses_the_credit_of_the_referrer() -> None:
    events = [
        event("a", "2024-03-01T09:00:00Z", "profile.updated", "old",
              attributes={"likes": ["golf"]}),
        event("s", "2024-03-01T10:00:00Z", "signup.registered", "new", referred_by="old"),
        purchase("o", "2024-03-01T11:00:00Z", "new", 250),
        event("f", "2024-03-01T12:00:00Z", "purchase.refunded", "new",
              order_id="o", amount=999, currency="VND"),
        purchase("o2", "2024-03-01T13:00:00Z", "new", 300),
    ]  # fmt: skip
    result = run(Scenario(events, EDGY))
    old = result.customers["old"]["facts"]
    assert (old["referrals"], old["referral_revenue"], old["events_in(5)"]) == (1, 300, 4)
    assert result.customers["new"]["facts"]["spend"] == 300
    told = [
        (data["to"], data["cause"], data["trigger"]["id"])
        for change in result.changes
        if (data := change["data"])["ladder"] == "now" and change["subject"] == "old"
    ]
    assert told[1:] == [
        ("friend", "event", "credit/new/1"),
        ("warm", "refund", "credit/new/2"),
        ("friend", "event", "credit/new/3"),
    ]


def test_what_was_credited_goes_on_under_its_own_name_after_a_merge() -> None:
    likes = {"attributes": {"likes": ["golf"]}}
    events = [
        event("a", "2024-03-01T09:00:00Z", "profile.updated", "old", **likes),
        event("s", "2024-03-01T10:00:00Z", "signup.registered", "new", referred_by="old"),
        purchase("o", "2024-03-01T11:00:00Z", "new", 250),
        event("m", "2024-03-01T12:00:00Z", "profile.merged", "new", into="b"),
        event("f", "2024-03-01T13:00:00Z", "purchase.refunded", "b",
              order_id="o", amount=250, currency="VND"),
    ]  # fmt: skip
    last = [c for c in run(Scenario(events, EDGY)).changes if c["subject"] == "old"][-1]
    assert last["data"]["trigger"]["id"] == "credit/new/2"
    assert last["data"]["cause"] == "refund"


def test_after_an_erasure_ids_tell_the_life_and_old_events_are_dropped() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z"),
        event("e", "2024-03-01T11:00:00Z", "profile.erased"),
        event("x", "2024-03-01T11:00:00Z", "profile.updated", attributes={"city": "hue"}),
        purchase("o", "2024-03-01T12:00:00Z"),
    ]
    result = run(Scenario(events, EDGY))
    ids = [change["id"] for change in result.changes if change["data"]["ladder"] == "steps"]
    assert ids == ["steps/c-42/1", "steps/c-42/2", "steps/c-42/1/r2"]
    assert result.customers["c-42"]["facts"]["profile.city"] is None


def test_a_merge_unites_and_the_same_order_counts_once() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z", "a", 100),
        purchase("o", "2024-03-01T11:00:00Z", "b", 500) | {"id": "other"},
        event("m", "2024-03-01T12:00:00Z", "profile.merged", "a", into="b"),
        purchase("p", "2024-03-01T13:00:00Z", "a", 7),
    ]
    scenario = Scenario(events, EDGY)
    result = run(scenario)
    assert list(result.customers) == ["b"]
    assert result.customers["b"]["facts"]["spend"] == 507
    assert moves(scenario, "steps", "a")[-1] == ("2024-03-01T12:00:00Z", "b", None, "merge")


def test_money_is_rounded_half_to_even_at_the_newest_rate_of_the_day() -> None:
    rates = [("2024-03-01", "USD", "250"), ("2024-03-02", "USD", "50")]
    usd = {"currency": "USD"}
    events = [
        purchase("o", "2024-03-01T10:00:00Z", amount=1, **usd),  # 2.5 -> 2
        purchase("p", "2024-03-02T10:00:00Z", amount=3, **usd),  # 1.5 -> 2
        purchase("q", "2024-02-29T10:00:00Z", amount=3, **usd),
    ]
    result = run(Scenario(events, EDGY, rates=rates))
    assert result.customers["c-42"]["facts"]["spend"] == 4
    assert result.dead_letters == [(2, "no-rate")]


def test_the_cut_of_the_top_spenders_is_taken_at_the_day_boundary() -> None:
    events = [purchase("o", "2024-03-01T10:00:00Z"), purchase("p", "2024-03-01T10:00:00Z", "b", 9)]
    scenario = Scenario(events, BUILT_IN, until="2024-03-03T00:00:00Z")
    assert moves(scenario, "vital-few") == [
        ("2024-03-01T10:00:00Z", None, "useful-many", "event"),
        ("2024-03-02T00:00:00Z", "useful-many", "vital-few", "clock"),
    ]


@pytest.mark.parametrize("seed", [3, 8, 21])
def test_leaving_out_idle_days_changes_nothing(seed: int) -> None:
    scenario = random_scenario(seed)
    assert run(scenario, every_day=True) == run(scenario)


def standing(scenario: Scenario, ladder: str, subject: str = "c-42") -> Data:
    found: Data = run(scenario).customers[subject]["ladders"][ladder]
    return found


def test_due_is_the_next_move_that_the_clock_alone_would_bring_up_or_down() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z"),
        event("r", "2024-03-01T11:00:00Z", "review.posted", review_id="r", rating=1),
    ]
    stands = standing(Scenario(events, EDGY, until="2024-03-01T23:00:00Z"), "now")
    assert (stands["rung"], stands["due"]) == (
        "complaining", {"at": "2024-03-03T00:00:00Z", "to": "warm"},
    )  # fmt: skip


def test_due_counts_a_grace_that_has_not_begun_yet_and_is_null_once_nothing_is_to_come() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z", units=3),
        purchase("p", "2024-03-01T11:00:00Z", units=3, amount=900),
        event("s", "2024-03-01T12:00:00Z", "signup.registered"),
    ]
    stands = standing(Scenario(events, EDGY), "brief")
    assert (stands["rung"], stands["due"]) == (
        "big", {"at": "2024-03-06T00:00:00Z", "to": "twice"},
    )  # fmt: skip
    stands = standing(Scenario(events, EDGY, until="2024-05-01T00:00:00Z"), "brief")
    assert (stands["rung"], stands["due"]) == (None, None)


def test_a_late_event_counts_on_its_own_date_and_is_judged_where_its_customer_already_is() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z"),
        event("q", "2024-03-05T10:00:00Z", "signup.inquired"),
        event("d", "2024-03-08T10:00:00Z", "signup.inquired", "another"),
        purchase("p", "2024-03-03T10:00:00Z", units=3),
    ]
    result = run_as_they_come(Scenario(events, EDGY, until="2024-03-20T00:00:00Z"))
    told = [
        (change["time"], data["to"], data["cause"])
        for change in result.changes
        if (data := change["data"])["ladder"] == "steps" and change["subject"] == "c-42"
    ]
    assert told == [
        ("2024-03-01T10:00:00Z", "b", "event"),
        ("2024-03-05T10:00:00Z", "c", "event"),
        ("2024-03-08T00:00:00Z", "a", "clock"),
    ]


def test_merges_that_cross_come_to_rest_at_the_smaller_id_with_what_was_told_of_both() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z", "b", 100),
        purchase("p", "2024-03-01T10:00:00Z", "c", 20),
        event("m", "2024-03-01T12:00:00Z", "profile.merged", "b", into="c"),
        event("n", "2024-03-01T12:00:00Z", "profile.merged", "c", into="b"),
        purchase("q", "2024-03-01T13:00:00Z", "c", 3),
    ]
    customers = run_crossing(Scenario(events, EDGY)).customers
    assert list(customers) == ["b"]
    assert customers["b"]["facts"]["spend"] == 123


def test_who_is_merged_late_into_an_erased_id_is_erased_as_of_that_erasure() -> None:
    events = [
        purchase("o", "2024-03-01T10:00:00Z", "a"),
        event("e", "2024-03-01T14:00:00Z", "profile.erased", "b"),
        event("m", "2024-03-01T12:00:00Z", "profile.merged", "a", into="b"),
        purchase("p", "2024-03-01T13:00:00Z", "a"),
    ]
    assert not run_as_they_come(Scenario(events, EDGY)).customers
