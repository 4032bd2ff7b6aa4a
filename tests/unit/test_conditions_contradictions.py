"""Conditions that can never hold are seen as such, and never one that can."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.condition_contradictions import contradiction
from app.core.condition_tree import FactRef
from app.core.conditions import condition
from app.core.ladder_code import LadderSource, compile_ladder

NEVER = [
    "false",
    "none",
    "1 > 2",
    "'a' < 1",
    "not true",
    "purchases < 0",
    "purchases <= -1",
    "0 > purchases",
    "purchases == -1",
    "purchases == 1.5",
    "purchases > 1 and purchases < 2",
    "purchases >= 5 and purchases < 3",
    "3 > purchases >= 5",
    "purchases >= 5 and not purchases > 4",
    "not (purchases < 5 or purchases >= 5)",
    "purchases == 1 and purchases == 2",
    "purchases == 1 and purchases != 1",
    "purchases and not purchases",
    "purchases and purchases < 1",
    "purchases == none",
    "purchases == 'a'",
    "purchases < 'a'",
    "5 in purchases",
    "purchases in []",
    "purchases in ['a', none]",
    "purchases in [1, 2] and purchases > 2",
    "purchases in [1, 2] and purchases not in [1, 2, 3]",
    "need_in(30) > 4",
    "need_in(30) >= 5 or need_in(7) >= 6",
    "need_in(30) >= 4 and need_in(30) != 4",
    "registered and not registered",
    "registered >= 1",
    "registered == 2",
    "average_order < 0",
    "average_order == none and average_order > 0",
    "average_order > 5 and average_order <= 5",
    "gap_spread < -0.5",
    "card == 'gold' and card == 'silver'",
    "card == none and card == 'gold'",
    "card == none and card != none",
    "card in ['gold', 'silver'] and card == 'diamond'",
    "card > 5",
    "profile.age < 35 and profile.age >= 35",
    "profile.age < 35 and profile.age == 'old'",
    "profile.age < 35 and profile.age in [40, 50]",
    "'golf' in profile.interests and profile.interests == none",
    "'golf' in profile.interests and profile.interests > 3",
    "purchases + units < 0",
    "positives + testimonials < purchases and purchases < 0",
    "purchases * 2 > 10 and purchases < 5",
    "purchases - 10 > units and purchases <= 10",
    "average_order + 1 < 1",
    "purchases_in(30) >= 5 and purchases_in(90) < 5",
    "purchases_in(30) >= 5 and purchases < 3",
    "need_in(7) == 3 and need_in(30) < 3",
    "(purchases >= 5 or units >= 5) and purchases < 3 and units < 3",
    "not (registered or purchases >= 0)",
]


@pytest.mark.parametrize("text", NEVER)
def test_can_never_hold(text: str) -> None:
    assert contradiction((condition(text).tree, True)) is not None


ALWAYS = [
    "true",
    "purchases >= 0",
    "registered or not registered",
    "purchases < 5 or purchases >= 5",
    "purchases != none",
    "need_in(30) <= 4",
    "card == none or card != none",
    "purchases + units >= 0",
]


@pytest.mark.parametrize("text", ALWAYS)
def test_always_holds(text: str) -> None:
    assert contradiction((condition(text).tree, False)) is not None


POSSIBLE = [
    "purchases >= 5 and purchases <= 5",
    "purchases == 1 and purchases == true",
    "purchases_in(30) < 5 and purchases_in(90) >= 5",
    "average_order >= 0",
    "not (average_order >= 0)",
    "profile.age < 35 or profile.age >= 35",
    "not (profile.age < 35 or profile.age >= 35)",
    "profile.flag == 1 and profile.flag == true",
    "profile.x == none",
    "profile.x",
    "not profile.x",
    "'a' in profile.x and 'b' not in profile.x",
    "referral_revenue < 0 or true",
    "profile.x + 1 > 2 and profile.x == 2",
    "gap_days > 1 and gap_days < 2",
    "card > 'a' and card < 'b'",
    "0 == profile.a < 1",
    "1 > profile.a == 0",
    "top_spender(20, 365) and not top_spender(10, 365)",
]


@pytest.mark.parametrize("text", POSSIBLE)
def test_may_hold(text: str) -> None:
    assert contradiction((condition(text).tree, True)) is None


def test_two_conditions_may_exclude_each_other() -> None:
    few, many = condition("purchases < 3").tree, condition("purchases_in(30) >= 3").tree
    assert contradiction((few, True), (many, True)) is not None
    assert contradiction((few, False), (many, True)) is None


def test_the_reason_names_the_fact_and_what_it_is() -> None:
    assert contradiction((condition("need_in(30) > 4").tree, True)) == (
        "need_in(30) is a whole number from 0 to 4"
    )
    assert contradiction((condition("units > 4 and units < 4").tree, True)) == (
        "no value of units fits all that is asked of it"
    )


def test_more_cases_than_are_worth_looking_at_are_taken_for_possible() -> None:
    either = " and ".join(f"(profile.a{n} == 1 or profile.b{n} == 1)" for n in range(12))
    assert contradiction((condition(f"{either} and purchases < 0").tree, True)) is None


COUNTS = ["purchases_in(7)", "purchases_in(30)", "purchases", "need_in(30)"]
CONSTANTS = ["0", "1", "2", "5", "-1", "0.5", "'a'", "true", "false", "none"]
names = st.sampled_from([*COUNTS, "average_order", "registered", "card", "profile.a"])
constants = st.sampled_from(CONSTANTS)
comparisons = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
lists = st.lists(constants, max_size=3).map(lambda items: f"[{', '.join(items)}]")
computed = st.builds("{} {} {}".format, names, st.sampled_from(["+", "-", "*"]), names)
tests = st.one_of(
    names,
    st.builds("{} {} {}".format, names, comparisons, constants),
    st.builds("{} {} {}".format, names, comparisons, names),
    st.builds("{} {} {}".format, computed, comparisons, constants),
    st.builds("{} {} {} {} {}".format, constants, comparisons, names, comparisons, constants),
    st.builds("{} {} {}".format, names, st.sampled_from(["in", "not in"]), lists),
    st.builds("{} in profile.a".format, constants),
)
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds("({}) and ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        inner.map("not ({})".format),
    ),
    max_leaves=6,
)


def _tables() -> list[dict[str, object]]:
    """Every customer of a small world, windows in order."""
    windows = [(7, 30, 99), (0, 0, 0), (0, 1, 1), (0, 0, 2), (1, 1, 2), (2, 5, 5), (5, 5, 6)]
    attributes: list[object] = [None, 0, 1, 2, 0.5, True, False, "a", "", [], ["a"]]
    return [
        {
            **dict(zip(COUNTS, (*window, need), strict=True)),
            "average_order": average,
            "registered": registered,
            "card": card,
            "profile.a": attribute,
        }
        for window, need, average, registered, card, attribute in product(
            windows, [0, 1, 4], [None, 0, 2], [True, False], [None, "a", ""], attributes
        )
    ]


TABLES = _tables()


def _ask(ref: FactRef) -> str:
    return f"c[{ref.text!r}]"


crowded = st.lists(tests, min_size=2, max_size=5).map(" and ".join)


@given(text=st.one_of(conditions, crowded), wanted=st.booleans())
@settings(max_examples=300, deadline=None)
def test_what_is_called_impossible_is_so_for_every_customer(text: str, wanted: bool) -> None:
    read = condition(text)
    if contradiction((read.tree, wanted)) is None:
        return
    source = LadderSource([read], _ask)
    holds: Any = compile_ladder("test", source, source.first("place", [0]), [], 1, {}).holds[0]
    for facts in TABLES:
        assert holds(facts, 0, {}) is not wanted, facts
