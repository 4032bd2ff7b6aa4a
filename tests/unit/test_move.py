"""Target, standing and rung: contract section 4, each sentence of it."""

from __future__ import annotations

import pytest

from app.core.events import (
    CardIssued,
    CardRevoked,
    Inquired,
    ProfilePlaced,
    Registered,
    ReviewPosted,
    ReviewRemoved,
)
from app.core.ladder import Ladder
from tests.shop import DAY, SECOND, Move, Shop, at, ladder

RULES = """
    a: registered or purchases >= 1
    b: purchases_in(1) >= 1
    c: units_in(1) >= 3
"""
GRACE_ONE, GRACE_ALL = "{grace_days: 2, step: one}", "{grace_days: 2, step: all}"
NOON, NEXT = "2026-03-01T12:00:00Z", "2026-03-02T00:00:00Z"


def climbed(*ladders: Ladder) -> Shop:
    """Somebody who climbed to c on 1 March; b and c stop holding at the day's end."""
    shop = Shop(*ladders)
    shop.buy("o", NOON, units=3)
    return shop


def place(rung: str | None, until: str | None = None, ladder: str = "l") -> ProfilePlaced:
    return ProfilePlaced(ladder, rung, at(until) if until else None)


def test_one_event_makes_one_move_however_many_rungs_it_passes() -> None:
    shop = climbed(ladder(RULES))
    (change,) = shop.changes
    assert (change.from_, change.to, change.passed) == (None, "c", ["a", "b", "c"])


def test_a_cumulative_rung_needs_all_rungs_below_it() -> None:
    shop = Shop(ladder("a: purchases >= 1\nb: card != none\nc: units >= 3"))
    shop.buy("o", units=3)
    assert shop.rung() == "a"
    shop.tell(CardIssued("gold"))
    assert [change.to for change in shop.changes] == ["a", "c"]


def test_a_free_rung_stands_alone() -> None:
    shop = Shop(ladder("a: registered\nb: card != none\nc: units >= 3", climb="free"))
    shop.buy("o", units=3)
    assert shop.rung() == "c"


def test_none_holds_means_none() -> None:
    shop = Shop(ladder(RULES))
    shop.tell(Inquired())
    assert shop.rung() is None
    assert shop.changes == []


def test_a_segment_is_the_first_rung_that_holds_and_moves_at_once() -> None:
    shop = Shop(
        ladder("x: purchases_in(1) >= 1\ny: card == 'gold'\nz: events_in(2) >= 1", kind="segment")
    )
    shop.tell(CardIssued("gold"), NOON)
    shop.buy("o")
    shop.wait(NEXT)
    shop.tell(CardRevoked())
    assert [move[1:] for move in shop.moves()] == [
        (None, "y", "event"),
        ("y", "x", "event"),
        ("x", "y", "clock"),
        ("y", "z", "event"),
    ]
    assert {(change.direction, *change.passed) for change in shop.changes} == {("moved",)}


def test_down_now_falls_to_the_target_at_once() -> None:
    assert climbed(ladder(RULES)).wait("2026-03-09") == [(NEXT, "c", "a", "clock")]


def test_down_never_stays() -> None:
    shop = climbed(ladder(RULES, down="never"))
    assert shop.wait("2028-03-09") == []
    assert shop.rung() == "c"


def test_a_grace_of_all_falls_to_the_target_at_its_end() -> None:
    shop = climbed(ladder(RULES, down=GRACE_ALL))
    assert shop.wait("2026-03-31") == [("2026-03-04T00:00:00Z", "c", "a", "clock")]


def test_a_grace_of_one_falls_one_rung_and_a_new_grace_starts_there_and_then() -> None:
    shop = climbed(ladder(RULES, down=GRACE_ONE))
    assert shop.wait("2026-03-31") == [
        ("2026-03-04T00:00:00Z", "c", "b", "clock"),
        ("2026-03-06T00:00:00Z", "b", "a", "clock"),
    ]


def test_one_rung_down_is_the_next_in_the_list_on_a_free_ladder_and_passes_over_overrides() -> None:
    shop = climbed(
        ladder(
            "a: registered\nb: card != none\n!o: card == 'x'\nc: units_in(1) >= 3",
            climb="free",
            down=GRACE_ONE,
        )
    )
    assert shop.wait("2026-03-31") == [
        ("2026-03-04T00:00:00Z", "c", "b", "clock"),
        ("2026-03-06T00:00:00Z", "b", "a", "clock"),
        ("2026-03-08T00:00:00Z", "a", None, "clock"),
    ]


def test_a_grace_lasts_24_hours_a_day_from_the_instant_of_the_fall_whatever_the_clocks_do() -> None:
    shop = Shop(
        ladder("a: not registered or card == none", down="{grace_days: 1, step: all}"),
        timezone="America/New_York",
    )
    shop.tell(Registered(), "2024-03-09T20:00")
    shop.tell(CardIssued("x"), "2024-03-10T01:30")
    assert shop.wait("2024-03-12") == [("2024-03-11T01:30:00Z", "a", None, "clock")]


def test_a_target_back_at_the_standing_ends_the_grace_and_the_next_fall_starts_a_new_one() -> None:
    shop = climbed(ladder(RULES, down=GRACE_ALL))
    shop.wait("2026-03-03T12:00")
    shop.buy("p", "2026-03-03T23:59", units=3)
    assert shop.wait("2026-03-31") == [("2026-03-06T00:00:00Z", "c", "a", "clock")]


def test_a_target_that_rises_below_the_standing_does_not_end_the_grace() -> None:
    shop = climbed(ladder(RULES, down=GRACE_ALL))
    shop.buy("p", "2026-03-03T23:59")  # b holds again, c does not
    assert shop.wait("2026-03-04")[-1] == ("2026-03-04T00:00:00Z", "c", "a", "clock")


def test_a_late_event_ends_a_grace_too() -> None:
    shop = climbed(ladder("a: purchases >= 1\nb: units_in(3) >= 3", down=GRACE_ALL))
    shop.wait("2026-03-04T01:00")
    assert shop.record().holds
    shop.tell(Inquired(), "2026-03-04T02:00")
    shop.buy("late", "2026-03-03", units=3)
    assert not shop.record().holds
    assert shop.rung() == "b"


def test_an_override_covers_the_standing_and_gives_back_what_the_rules_made_of_it_meanwhile() -> (
    None
):
    shop = Shop(
        ladder("a: purchases >= 1\n!angry: negatives >= 1\nb: purchases >= 2\nc: purchases >= 3")
    )
    shop.buy("o1")
    shop.tell(ReviewPosted("r", 1))
    shop.buy("o2")
    shop.buy("o3")
    shop.tell(ReviewRemoved("r"))
    assert [(c.from_, c.to, c.direction, c.passed) for c in shop.changes[1:]] == [
        ("a", "angry", "up", []),
        ("angry", "c", "up", ["b", "c"]),
    ]


def test_a_grace_goes_on_beneath_an_override() -> None:
    shop = climbed(ladder(RULES + "!angry: negatives_in(4) >= 1", down=GRACE_ALL))
    shop.tell(ReviewPosted("r", 1), "2026-03-01T13:00")
    assert shop.wait("2026-03-31") == [("2026-03-05T00:00:00Z", "angry", "a", "clock")]
    assert shop.record().as_of == at("2026-03-05")


def test_the_first_override_in_the_list_that_holds_is_seen() -> None:
    shop = Shop(ladder("a: true\n!x: card == 'x'\n!y: card != none"))
    shop.tell(CardIssued("y"))
    shop.tell(CardIssued("x"))
    shop.tell(CardRevoked())
    assert [(c.from_, c.to, c.direction) for c in shop.changes] == [
        (None, "y", "up"),
        ("y", "x", "down"),
        ("x", "a", "down"),
    ]


def test_an_override_covers_somebody_on_no_rung_too() -> None:
    shop = Shop(ladder("a: purchases >= 1\n!x: card == 'x'"))
    shop.tell(CardIssued("x"))
    shop.tell(CardRevoked())
    assert [(c.from_, c.to, c.passed) for c in shop.changes] == [
        (None, "x", ["a"]),
        ("x", None, ["a"]),
    ]


def test_a_placement_is_a_floor_above_overrides_until_it_is_released() -> None:
    shop = climbed(ladder(RULES + "!angry: negatives >= 1"))
    shop.tell(place("b"))
    shop.tell(ReviewPosted("r", 1))
    assert shop.moves() == [(NOON, None, "c", "event")]  # the standing is higher
    assert shop.wait("2026-03-03") == [(NEXT, "c", "b", "clock")]
    shop.buy("p", "2026-03-03T12:00", units=3)
    shop.wait("2026-03-04")
    shop.tell(place(None), "2026-03-04T08:00")
    assert shop.moves()[2:] == [
        ("2026-03-03T12:00:00Z", "b", "c", "event"),
        ("2026-03-04T00:00:00Z", "c", "b", "clock"),
        ("2026-03-04T08:00:00Z", "b", "angry", "manual"),
    ]


def test_a_segment_shows_the_placed_rung_even_below_its_target() -> None:
    shop = Shop(ladder("x: purchases >= 1\ny: card == 'gold'\nz: registered", kind="segment"))
    shop.buy("o")
    shop.tell(place("z"))
    assert shop.rung() == "z"
    shop.tell(place(None))
    assert [change.to for change in shop.changes] == ["x", "z", "x"]


def test_a_placement_ends_at_its_until_and_not_before() -> None:
    shop = Shop(ladder("a: purchases >= 1\nb: purchases >= 2"))
    shop.buy("o", NOON)
    shop.tell(place("b", "2026-03-05T10:00"))
    assert shop.wait(at("2026-03-05T10:00") - 1) == []
    assert shop.wait("2026-03-05T10:00") == [("2026-03-05T10:00:00Z", "b", "a", "clock")]
    assert shop.seen(time="2026-03-05T10:00")["ladders"]["l"]["placed"] is None


def test_an_event_at_the_instant_of_the_end_meets_a_placement_that_is_over() -> None:
    shop = Shop(ladder("a: purchases >= 1\nb: purchases >= 2\nc: purchases >= 3"))
    shop.buy("o", NOON)
    shop.tell(place("c", "2026-03-05"))
    shop.buy("p", "2026-03-05")
    assert shop.moves()[2:] == [
        ("2026-03-05T00:00:00Z", "c", "a", "clock"),
        ("2026-03-05T00:00:00Z", "a", "b", "event"),
    ]


def test_a_new_placement_replaces_the_old_with_its_end() -> None:
    shop = Shop(ladder("a: purchases >= 1\nb: purchases >= 2\nc: purchases >= 3"))
    shop.buy("o", NOON)
    shop.tell(place("c", "2026-03-05"))
    shop.tell(place("b"))
    assert shop.wait("2027-03-05") == []
    assert shop.moves()[1:] == [
        ("2026-03-01T12:00:01Z", "a", "c", "manual"),
        ("2026-03-01T12:00:02Z", "c", "b", "manual"),
    ]


def test_a_placement_whose_end_comes_late_is_already_over() -> None:
    shop = Shop(ladder("a: purchases >= 1\nb: purchases >= 2"))
    shop.buy("o", "2026-03-09")
    shop.tell(place("b", "2026-03-05"), "2026-03-02")
    assert shop.rung() == "a"
    assert shop.seen()["ladders"]["l"]["placed"] is None


def test_whatever_changes_at_the_event_that_places_or_releases_is_manual() -> None:
    shop = Shop(ladder("a: events_in(9) >= 1\nb: events_in(9) >= 3\nc: card != none"))
    shop.tell(Registered(), NOON)
    shop.tell(place("a"))
    shop.tell(place(None))
    assert [(c.to, c.cause, c.because) for c in shop.changes[1:]] == [("b", "manual", None)]


def test_a_release_with_nothing_to_release_is_an_event_like_another() -> None:
    shop = Shop(ladder("a: events_in(9) >= 2"), ladder("a: events_in(9) >= 2", id="other"))
    shop.tell(Registered())
    shop.tell(place(None))
    assert [(c.ladder, c.to, c.cause) for c in shop.changes] == [
        ("l", "a", "event"),
        ("other", "a", "event"),
    ]


def test_a_placement_on_one_ladder_leaves_the_cause_of_others() -> None:
    shop = Shop(
        ladder("a: registered", id="k"), ladder("a: events_in(1) >= 1", id="other"),
    )  # fmt: skip
    shop.tell(place("a", ladder="k"))
    assert [(c.ladder, c.cause) for c in shop.changes] == [("k", "manual"), ("other", "event")]


def test_a_standing_that_changes_unseen_counts_as_a_change_for_as_of() -> None:
    shop = climbed(ladder(RULES))
    shop.tell(place("c"))
    assert shop.wait("2026-03-09") == []
    assert shop.record().as_of == at(NEXT)


@pytest.mark.parametrize(
    ("quiet_before", "quiet"),
    [(at(NOON), False), (at(NOON) + 1, True), (None, False)],
)
def test_a_change_before_the_end_of_the_quiet_time_is_quiet(
    quiet_before: int | None, quiet: bool
) -> None:
    shop = Shop(ladder(RULES), quiet_before=quiet_before)
    shop.buy("o", NOON)
    assert [change.quiet for change in shop.changes] == [quiet]


def test_sequences_count_and_a_change_says_since_when_and_how_long() -> None:
    shop = climbed(ladder(RULES))
    shop.wait(NEXT)
    shop.buy("p", at(NEXT) + 90 * SECOND + SECOND // 2)
    shop.tell(Inquired(), "2026-03-09")
    last = shop.changes[-1]
    assert [change.sequence for change in shop.changes] == [1, 2, 3, 4]
    assert (shop.changes[0].since, shop.changes[0].held) == (None, None)
    assert (shop.changes[2].since, shop.changes[2].held) == (at(NEXT), 90)
    assert (last.since, last.held) == (at(NEXT) + 90 * SECOND + SECOND // 2, 86400 - 91)


def test_a_ladder_left_and_entered_again_goes_on_counting() -> None:
    shop = Shop(ladder("a: purchases_in(1) >= 1"))
    shop.buy("o", NOON)
    shop.buy("p", at(NOON) + 3 * DAY)
    assert [(c.sequence, c.to, c.since is None) for c in shop.changes] == [
        (1, "a", True),
        (2, None, False),
        (3, "a", True),
    ]


def test_a_ladder_is_looked_at_in_the_order_of_the_rules() -> None:
    shop = climbed(ladder(RULES, id="z"), ladder(RULES, id="a"))
    found: list[Move] = shop.moves("z")
    assert found == shop.moves("a")
    assert [change.ladder for change in shop.changes] == ["z", "a"]
