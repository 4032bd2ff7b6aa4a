"""The names of the condition language are the facts that the core can give."""

import pytest

from app.core.condition_facts import PLAIN, WINDOWED
from app.core.conditions import condition
from app.core.customer import stranger
from app.core.facts import PLAIN_FACTS, group_of, series_of
from app.core.ladder import Ladder, Rung

NAMES = [
    *PLAIN,
    *(f"{name}(30)" for name in WINDOWED),
    "top_spender(20, 365)",
    "profile.anything",
]


def test_every_plain_fact_may_be_named() -> None:
    assert set(PLAIN) == set(PLAIN_FACTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_fact_that_may_be_named_has_a_value_for_a_stranger(name: str) -> None:
    ladder = Ladder(id="test", version=1, rungs=[Rung("rung", condition(name))])
    facts = ladder.rung_facts(0, stranger(0, 1, 1), 19_000, {})
    assert facts[name] in (0, None, False)
    assert ladder.place(stranger(0, 1, 1), 19_000, {}) == -1


@pytest.mark.parametrize("name", NAMES)
def test_a_ladder_says_on_what_it_depends(name: str) -> None:
    ladder = Ladder(id="test", version=1, rungs=[Rung("rung", condition(name))])
    assert all(group_of(each) for each in ladder.names)
    assert {series_of(series) for series, _ in ladder.windows} <= {
        "asked",
        "bought",
        "brought",
        "happened",
        "reviewed",
        "wanted",
    }
    assert bool(ladder.windows) == ("(" in name)
