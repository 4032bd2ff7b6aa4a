"""What analysts write wrongly is told with what to write instead, at the place where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.conditions import ConditionError, condition
from app.errors import DefinitionErrors
from app.wire.definition import read_ladder

NBSP = "\u00a0"
HEAD = "id: a\nversion: 1\nrungs:\n"


def when(value: str) -> str:
    return f"{HEAD}  - id: r\n    when: {value}\n"


def first_fault(text: str) -> tuple[int, int, str]:
    with pytest.raises(DefinitionErrors) as raised:
        read_ladder(text.encode(), "x.yaml")
    first = raised.value.problems[0]
    return first.line, first.column, first.message


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        # tabs
        (HEAD + "\t- id: r\n", 4, 1, "a tab stands here; YAML is indented with spaces"),
        (HEAD + "  -\tid: r\n", 4, 4, "a tab stands here"),
        ("id:\ta\n", 1, 4, "a tab stands here"),
        (HEAD + "  - id: r\n\twhen: 'true'\n", 5, 1, "a tab stands here"),
        # a tag
        (when("!registered"), 5, 11, 'put the whole into quotes: "not registered"'),
        (when("!purchases >= 1"), 5, 11, 'put the whole into quotes: "not purchases >= 1"'),
        (when("!(a or b)"), 5, 11, 'put the whole into quotes: "not (a or b)"'),
        (when("! registered"), 5, 11, 'put the whole into quotes: "not registered"'),
        (HEAD + "  - {id: r, when: !registered}\n", 4, 30, "! begins a tag in YAML"),
        # quotes around a part
        (when("'gold' == card"), 5, 11, "put the whole into quotes: \"'gold' == card\""),
        (when('"gold" == card'), 5, 11, "put the whole into quotes: \"'gold' == card\""),
        (when("'golf' in profile.x"), 5, 11, "put the whole into quotes: \"'golf' in profile.x\""),
        (when("'a' == card or card == \"b's\""), 5, 11, r'''"'a' == card or card == \"b's\""'''),
        (when('"card == "gold""'), 5, 11, "use the other kind there: \"card == 'gold'\""),
        (when("'card == 'gold''"), 5, 11, "use the other kind there: \"card == 'gold'\""),
        (HEAD + "  - {id: r, when: 'gold' == card}\n", 4, 26, "put a value into quotes"),
        # what else has a meaning in YAML
        (when(">= 1"), 5, 11, 'put the whole into quotes: ">= 1"'),
        (when("@card == 'x'"), 5, 11, "@ has a meaning of its own in YAML"),
        (when("['a'] and x"), 5, 11, "[ has a meaning of its own in YAML"),
        (when("card == 'a: b'"), 5, 11, "put the whole into quotes: \"card == 'a: b'\""),
        (when('"a\\d"'), 5, 14, "a backslash in double quotes begins an escape"),
        (when('"purchases >= 1'), 5, 11, "the quote that opens here is not closed"),
        ("id:a\nversion: 1\n", 1, 4, "write a space after the colon"),
        (HEAD + "  -id: r\n   when: 'true'\n", 4, 4, "write a space after the dash"),
        (HEAD + "  - id: r\n   when: 'true'\n", 5, 4, "is it indented like its neighbours?"),
        (HEAD + "  - id: r\n      when: 'true'\n", 5, 11, "is it indented like its neighbours?"),
        # spaces that are none
        (f"id:{NBSP}a\nversion: 1\n", 1, 4, "a no-break space (U+00A0) stands here; write a plain"),
        (when(f"purchases{NBSP}>= 1"), 5, 20, "a no-break space (U+00A0) stands here"),
        (HEAD + f"  - id: r\n    when:{NBSP}'true'\n", 5, 10, "a no-break space"),
        (HEAD + f"  - id: r\n  {NBSP} when: 'true'\n", 5, 3, "a no-break space"),
        (when("purchases >= \u200b1"), 5, 24, "an invisible character (U+200B) stands here"),
        (when("purchases >= 1\u3000"), 5, 25, "(U+3000) stands here; write a plain space"),
    ],
)
def test_yaml_that_cannot_be_read_is_told_with_what_to_write(
    text: str, line: int, column: int, message: str
) -> None:
    at, where, said = first_fault(text)
    assert ((at, where), message in said) == ((line, column), True), said


def test_an_indentation_of_no_break_spaces_is_told_at_the_lines_that_have_it() -> None:
    text = HEAD + f"{NBSP}{NBSP}- id: r\n{NBSP}{NBSP}{NBSP}{NBSP}when: 'true'\n"
    with pytest.raises(DefinitionErrors, match=r"x\.yaml:4:1: .* a no-break space"):
        read_ladder(text.encode(), "x.yaml")


def test_a_condition_cut_at_its_comma_is_told_with_the_way_out() -> None:
    with pytest.raises(DefinitionErrors, match=r"'365\)'; .* put the value before it into quotes"):
        read_ladder(f"{HEAD}  - {{id: r, when: top_spender(20, 365)}}\n".encode(), "x.yaml")


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        # numbers as people write them
        ("spend >= 1,000,000", 9, "write 1000000 without commas"),
        ("spend >= 1,500", 9, "write 1500 without commas"),
        ("spend >= 1.000.000", 9, "write 1000000 without dots"),
        ("spend >= 1 500 000", 9, "write 1500000 without spaces"),
        (f"spend >= 1{NBSP}000", 9, "write 1000 without spaces"),
        ("spend >= 1'000'000", 9, "write 1000000 without quotes"),
        ("spend in [1,000, 5]", 10, "write 1000 without commas"),
        ("purchases_in(1,000) >= 1", 13, "write 1000 without commas"),
        ("gap_spread < 0,5", 14, "write a decimal with a dot: 0.5"),
        ("spend >= $100", 9, "an amount is a plain number of minor units"),
        ("spend >= 100₫", 12, "an amount is a plain number of minor units"),
        ("spend >= 100 USD", 13, "an amount is in the base currency; leave USD out"),
        ("spend >= 5k", 9, "'5k' is no number; write it in digits"),
        ("top_spender(20%, 365)", 14, "a percentage is a plain number: 20"),
        ("purchases_in(30d) >= 1", 13, "write 30 without a unit: windows are in days"),
        # what comes from a word processor
        ("purchases – 1 > 0", 10, "write - instead of – (U+2013)"),
        ("purchases × 2 > 3", 10, "write * instead of × (U+00D7)"),
        ("card == «gold»", 8, "write plain quotes"),
        ("purchases >= １", 13, "write 1 instead of １ (U+FF11)"),
        # other languages
        ("!registered", 0, "write not instead of !"),
        ("purchases between 1 and 3", 10, "write 1 <= purchases <= 3 instead of between"),
        ("card in ('gold', 'silver')", 15, "write a list in square brackets: ['a', 'b']"),
        ("card like 'g%'", 5, "a text is compared as a whole"),
        ("count(purchases) > 3", 0, "there are no functions"),
        # other names
        ("last_purchase <= 30", 0, "did you mean 'purchases_in(30)'? (>= 1: something in the last"),
        ("days_since_last_order > 30", 0, "did you mean 'purchases_in(30)'?"),
        ("recency < 30", 0, "did you mean 'purchases_in(30)'?"),
        ("last_review < 30", 0, "did you mean 'reviews_in(30)'?"),
        ("purchases_30d >= 1", 0, "did you mean 'purchases_in(30)'?"),
        ("spend_last_90_days >= 1", 0, "did you mean 'spend_in(90)'?"),
        ("total_spent >= 1", 0, "did you mean 'spend'?"),
        ("order_count >= 1", 0, "did you mean 'purchases'?"),
        ("last_name == 'x'", 0, "an attribute is written profile.last_name, a text in quotes"),
        ("card == gold", 8, "a text in quotes: 'gold'"),
    ],
)
def test_a_condition_in_another_s_words_is_told_with_ours(
    text: str, offset: int, message: str
) -> None:
    with pytest.raises(ConditionError) as raised:
        condition(text)
    assert (raised.value.offset, message in raised.value.message) == (offset, True), raised.value


@pytest.mark.parametrize(
    "text",
    [
        "top_spender(20,365)",
        "spend in [1,200]",
        "spend in [1,200,300]",
        "card == '1,000'",
        f"card == 'a{NBSP}b'",
        "profile.last_purchase != none",
    ],
)
def test_what_only_looks_wrong_is_taken(text: str) -> None:
    condition(text)


_PIECES = [
    "id: a",
    "version: 1",
    "rungs:",
    "- id: r",
    "when:",
    "keep:",
    "!x",
    "'a'",
    '"',
    "'",
    "{",
    "}",
    "[",
    "]",
    ":",
    "-",
    ",",
    ">",
    "\t",
    "\n",
    "  ",
    "1,000",
    "purchases",
    ">=",
    "%",
    "@",
    "*",
    "&",
    "#",
    "\xa0",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=40).map("".join))
def test_whatever_is_written_is_a_ladder_or_is_told_what_is_wrong(text: str) -> None:
    try:
        read_ladder(text.encode(), "x.yaml")
    except DefinitionErrors as error:
        lines = text.split("\n")
        for problem in error.problems:
            assert 0 <= problem.line <= len(lines) + 1
            assert problem.message
