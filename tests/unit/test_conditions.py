"""The condition language of contract section 3, rule by rule."""

from typing import Any

import pytest

from app.core.condition_tree import ConditionError, FactRef
from app.core.conditions import condition
from app.core.ladder_code import LadderSource, compile_ladder


def evaluate(text: str, /, **facts: object) -> bool:
    """Compile a condition over given facts; attributes are named without `profile.`."""
    source = LadderSource([condition(text)], _ask)
    functions = compile_ladder("test", source, source.first("place", [0]), [], 1, {})
    asked: Any = facts
    holds = functions.holds[0](asked, 0, {})
    assert (functions.place(asked, 0, {}) == 0) is holds, "place and holds must agree"
    return holds


def _ask(ref: FactRef) -> str:
    return f"c.get({ref.name.removeprefix('profile.')!r})"


TRUE_OF_NUMBERS = [
    "purchases == 3",
    "purchases == 3.0",
    "purchases != 4",
    "purchases < 4",
    "purchases <= 3",
    "purchases > 2",
    "purchases >= 3",
    "3 <= purchases",
    "2 < purchases < 4",
    "2 < purchases <= 3 == 3 != 4",
    "purchases + 1 == 4",
    "purchases - 1 == 2",
    "purchases * 2 == 6",
    "1 + 2 * 3 == 7",
    "(1 + 2) * 3 == 9",
    "10 - 3 - 2 == 5",
    "-purchases == -3",
    "- - purchases == +3",
    "2 * -purchases == -6",
    "-2 * 3 == -6",
    "purchases > .5",
    "purchases",
    "not not purchases",
    "not purchases == 4",
    "purchases == 9 or purchases == 8 or purchases == 3",
    "purchases == 9 and purchases == 8 or purchases == 3",
    "purchases == 3 or purchases == 8 and purchases == 9",
    "not purchases == 9 and purchases == 3",
    "purchases in [1, 2, 3]",
    "purchases in [1, units + 2]",
    "purchases not in [1, 2,]",
    "purchases not in []",
    "true",
    "not false",
    "not none",
    "( purchases\n >= 3 )",
]


@pytest.mark.parametrize("text", TRUE_OF_NUMBERS)
def test_holds_of_three_purchases_of_one_unit(text: str) -> None:
    assert evaluate(text, purchases=3, units=1)


FALSE_OF_NUMBERS = [
    "purchases == 4",
    "purchases < 3",
    "2 < purchases < 3",
    "4 < purchases < 5",
    "purchases - 3",
    "purchases in []",
    "purchases in [1, 2]",
    "purchases not in [3]",
    "purchases == 3 and purchases == 8 or purchases == 9",
    "not purchases == 3",
    "not (purchases == 3 or purchases == 9)",
    "none",
    "''",
    "false or none or 0",
]


@pytest.mark.parametrize("text", FALSE_OF_NUMBERS)
def test_does_not_hold_of_three_purchases(text: str) -> None:
    assert not evaluate(text, purchases=3)


NONE_ROWS = [
    # == and != compare with none as usual
    ("card == none", True),
    ("card != none", False),
    ("none == card", True),
    ("card == 'gold'", False),
    ("card != 'gold'", True),
    ("profile.x == profile.y", True),
    # every other comparison with none is false
    ("average_order > 0", False),
    ("average_order <= 0", False),
    ("0 <= average_order", False),
    ("profile.x < 5", False),
    ("profile.x < 'b'", False),
    ("profile.x < profile.y", False),
    ("none < 1", False),
    ("1 < none", False),
    ("1 <= profile.x < 5", False),
    # but what is false can be negated
    ("not (average_order > 0)", True),
    ("not profile.x < 5", True),
    # in and not in with none are false
    ("card in ['gold', 'silver']", False),
    ("card not in ['gold', 'silver']", False),
    ("card in ['gold', none]", False),
    ("card not in ['gold', none]", False),
    ("card not in []", False),
    ("none in profile.list", False),
    ("none not in profile.list", False),
    ("'golf' in profile.x", False),
    ("'golf' not in profile.x", False),
    # a none in the list is equal to nothing
    ("purchases not in [none]", True),
    # a comparison in which something was computed with none is false, == and != too
    ("average_order + 1 == 1", False),
    ("average_order + 1 != 1", False),
    ("average_order * 0 == 0", False),
    ("1 - average_order == none", False),
    ("average_order + 1 != none", False),
    ("none != average_order + 1", False),
    ("-average_order == none", False),
    ("-average_order != 3", False),
    ("+profile.x != 3", False),
    ("average_order + 1 == average_order + 1", False),
    ("average_order + 1 != average_order + 1", False),
    ("profile.x + profile.y + 1 > 0", False),
    ("1 < 2 != average_order + 1", False),
    ("average_order + 1 in [1, 2]", False),
    ("average_order + 1 not in [1, 2]", False),
    ("1 in [1, average_order + 1]", False),
    ("2 not in [1, average_order + 1]", False),
    ("average_order + 1", False),
    ("not (average_order + 1 == 1)", True),
]


@pytest.mark.parametrize(("text", "holds"), NONE_ROWS)
def test_none_in_comparisons(text: str, holds: bool) -> None:
    assert evaluate(text, purchases=1, list=["golf"]) is holds


UNLIKE_ROWS = [
    # an order comparison of unlike types is false
    ("profile.text < 5", False),
    ("profile.text >= 5", False),
    ("5 < profile.text", False),
    ("profile.number < 'b'", False),
    ("profile.number < profile.text", False),
    ("profile.list > 1", False),
    ("purchases < 'a'", False),
    ("'a' > 1", False),
    ("1 < 2 < 'a'", False),
    # like types are ordered
    ("profile.text < 'b'", True),
    ("profile.text >= 'a'", True),
    ("profile.number <= 5", True),
    ("5 >= profile.number > 4.5", True),
    ("4 < profile.number <= purchases * 5", True),
    ("profile.list >= profile.list", True),
    # a boolean is no number to an order comparison, but equals and counts as 1, as in Python
    ("registered >= 1", False),
    ("registered > 0", False),
    ("profile.flag <= 5", False),
    ("profile.flag == true", True),
    ("profile.flag == 1", True),
    ("profile.flag in [1, 2]", True),
    ("registered > false", True),
    ("registered + purchases == 2", True),
    ("registered * 3 == 3", True),
    # equality of unlike types
    ("profile.text == 5", False),
    ("profile.text != 5", True),
    # computing with what is no number counts as computed with none
    ("profile.text + 1 != 5", False),
    ("profile.text * 3 != 5", False),
    ("profile.text - profile.text != 5", False),
    ("-profile.text != 5", False),
    ("profile.list * 2 != 5", False),
    ("profile.list + 'a' != 5", False),
    ("profile.text + profile.text == 'aa'", False),
    ("profile.text + profile.text != 'aa'", False),
    ("'golf' in profile.list + profile.list", False),
    # in looks into lists only
    ("'golf' in profile.list", True),
    ("'polo' in profile.list", False),
    ("'polo' not in profile.list", True),
    ("'golf' not in profile.list", False),
    ("profile.text in ['a', 'b']", True),
    ("profile.text in profile.list", False),
    ("profile.text not in profile.list", True),
    ("'a' in profile.text", False),
    ("'x' not in profile.text", False),
    ("'a' in 'abc'", False),
    ("1 not in purchases", False),
    ("profile.list in ['golf']", False),
    ("profile.list == profile.list", True),
    # a number too great for a float is lost, not an error
    ("profile.huge * 1.5 != 0", False),
]


@pytest.mark.parametrize(("text", "holds"), UNLIKE_ROWS)
def test_unlike_types(text: str, holds: bool) -> None:
    given = {"text": "a", "number": 5, "list": ["golf"], "flag": True}
    assert evaluate(text, purchases=1, registered=True, huge=10**400, **given) is holds


def test_facts_are_named_as_written_in_the_order_of_first_appearance() -> None:
    text = "profile . age > 3 and purchases_in( 30 ) > units or purchases_in(30) > 1 or units"
    assert condition(text).facts == (
        FactRef("profile . age", "profile.age"),
        FactRef("purchases_in( 30 )", "purchases_in", (30,)),
        FactRef("units", "units"),
        FactRef("purchases_in(30)", "purchases_in", (30,)),
    )


def test_a_percentage_and_days_are_the_arguments_of_top_spender() -> None:
    assert condition("top_spender(20, 365)").facts[0].args == (20, 365)


def test_quoted_text_may_hold_the_other_quote_and_escaped_ones() -> None:
    assert evaluate(r"""profile.x == 'it\'s "so" \\' """, x='it\'s "so" \\')
    assert evaluate('''profile.x == "it's"''', x="it's")


def test_an_attribute_may_be_named_like_a_word_of_the_language_or_in_any_script() -> None:
    assert evaluate("profile.in == 1 and profile.tuổi > 3", **{"in": 1, "tuổi": 4})


def test_spacing_does_not_change_the_canonical_text() -> None:
    assert condition(" purchases>=1\n and  card!='a  b'").canonical == (
        "purchases >= 1 and card != 'a  b'"
    )


ERRORS = [
    ("", 0, "empty"),
    ("   ", 0, "empty"),
    ("purchase >= 1", 0, "did you mean 'purchases'?"),
    ("purchases >= 1 and Spend > 1", 19, "did you mean 'spend'?"),
    ("card == null", 8, "did you mean 'none'?"),
    ("card == True", 8, "write true in small letters"),
    ("registered AND card", 11, "write and in small letters"),
    ("NOT registered", 0, "write not in small letters"),
    ("card is none", 5, "write == instead of is"),
    ("purchases = 1", 10, "write == instead of ="),
    ("purchases === 1", 10, "write == instead of ==="),
    ("purchases => 1", 10, "write >= instead of =>"),
    ("purchases <> 1", 10, "write != instead of <>"),
    ("registered && card", 11, "write and instead of &&"),
    ("registered || card", 11, "write or instead of ||"),
    ("!registered", 0, "write not instead of !"),
    ("spend / 2 > 1", 6, "no division"),
    ("spend ** 2 > 1", 6, r"a \* a"),
    ("spend > 1 # much", 10, "no comments"),
    ("card == “gold”", 8, "plain quotes"),
    ("card == 'gold", 8, "not closed"),
    ("card == 'go\nld'", 8, "not closed"),
    (r"card == 'go\nld'", 11, "backslash"),
    ("card == gold", 8, "a text in quotes"),
    ("purchases_in(800) > 1", 13, "a window of 800 days is over 730"),
    ("purchases_in(0) > 1", 13, "at least 1 day"),
    ("purchases_in(-1) > 1", 13, "whole number of days"),
    ("purchases_in(1.5) > 1", 13, "whole number of days"),
    ("purchases_in(n) > 1", 13, r"\(30\)"),
    ("purchases_in() > 1", 0, "one number of days"),
    ("purchases_in(1, 2) > 1", 0, "one number of days"),
    ("purchases_in > 1", 0, r"write purchases_in\(30\)"),
    ("purchases(30) > 1", 0, "did you mean purchases_in"),
    ("referrals_sent_in(30) > 1", 0, "has no window: write referrals_sent"),
    ("registered(30)", 0, "takes no days: write registered"),
    ("need > 1", 0, r"did you mean 'need_in\(30\)'"),
    ("top_spender", 0, r"write top_spender\(20, 365\)"),
    ("top_spender(20)", 0, r"write top_spender\(20, 365\)"),
    ("top_spender(0, 365)", 12, "1 to 100"),
    ("top_spender(101, 365)", 12, "1 to 100"),
    ("top_spender(20, 731)", 16, "over 730"),
    ("profile == 1", 0, r"profile\.NAME"),
    ("profile. == 1", 9, "an attribute's name"),
    ("Profile.age == 1", 0, "small letters"),
    ("customer.age == 1", 0, r"only profile\.NAME has a dot"),
    (f"profile.{'a' * 65} == 1", 0, "at most 64"),
    ("[1] == 1", 0, "a list stands only after in"),
    ("1 in [1] == true", 9, "brackets around the in"),
    ("1 == 2 in [1]", 7, "brackets around the comparison"),
    ("1 not 2", 6, "found '2' where in should follow"),
    ("1 == not 2", 5, "brackets around the not"),
    ("(1", 0, "not closed"),
    ("(1 2)", 3, "found '2'"),
    ("1)", 1, r"found '\)'"),
    ("1 in [1 2]", 8, "found '2'"),
    ("1 in [", 6, "the condition ends"),
    ("purchases >=", 12, "the condition ends"),
    ("purchases units", 10, "found 'units'"),
    ("1_000 > 1", 0, "write 1000 without _"),
    ("1e5 > 1", 0, "without e"),
    ("10km > 1", 0, "is no number"),
    ("007 > 1", 0, "leading zeros"),
    ("1" * 19 + " > 1", 0, "more than 18 digits"),
    (f"card == '{'a' * 257}'", 8, "more than 256"),
    ("(" * 10_000, 0, "more than 4096"),
    ("(" * 4000, 32, "nested deeper than 32"),
    ("not " * 1000 + "true", 128, "nested deeper than 32"),
    ("-" * 4000 + "1", 32, "nested deeper than 32"),
    ("1" + " + 1" * 65, 258, "more than 64"),
    ("*".join(["spend"] * 9), 47, "more than 8 factors"),
]


@pytest.mark.parametrize(("text", "offset", "message"), ERRORS)
def test_what_is_refused_says_where_and_what_to_write(text: str, offset: int, message: str) -> None:
    with pytest.raises(ConditionError, match=message) as error:
        condition(text)
    assert error.value.offset == offset
