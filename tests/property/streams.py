"""Streams of events as the rules take them: few customers and ids, and many edges of days."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from hypothesis import settings
from hypothesis import strategies as st

from app.core.events import (
    CardIssued,
    CardRevoked,
    Data,
    Event,
    Inquired,
    InteractionSeen,
    ProfileErased,
    ProfileMerged,
    ProfilePlaced,
    ProfileUpdated,
    PurchaseCompleted,
    PurchaseRefunded,
    ReferralConverted,
    ReferralReversed,
    ReferralSent,
    Registered,
    ReviewPosted,
    ReviewRemoved,
)
from app.core.ladder import Ladder
from app.wire.definition import read_folder
from tests.shop import DAY, HOUR, SECOND, at

EDGY = read_folder(Path(__file__).parents[1] / "oracle" / "ladders")
"""Ladders with short windows and graces, so that a short stream reaches their edges."""

LAW = settings(deadline=None, max_examples=int(os.environ.get("LAW_EXAMPLES", "50")))
"""How often a law is tried that folds a stream: once in a while with `LAW_EXAMPLES=5000`."""

CUSTOMERS = ("a", "b", "c")
START = at("2024-02-27T22:00")
GAPS = [0, 0, 1, SECOND, HOUR, 3 * HOUR, DAY, DAY, 2 * DAY, 3 * DAY, 5 * DAY, 9 * DAY, 40 * DAY]

Kind: TypeAlias = Literal[
    "facts", "undoing", "overriding", "credits", "merging", "people", "placing"
]
ALL: tuple[Kind, ...] = ("facts", "undoing", "overriding", "credits", "people", "placing")


def _few(prefix: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{prefix}{number}" for number in range(6)])


AMOUNTS = st.sampled_from([0, 1, 100, 250, 500, 1000])
PARTS = st.sampled_from([1, 100, 250, 1000])
RATINGS = st.sampled_from([None, 1, 2, 2.5, 4, 5])
KINDS: Any = st.sampled_from(["review", "testimonial", "defence", "complaint"])
VND = st.just("VND")
PURCHASES = st.builds(PurchaseCompleted, _few("o"), AMOUNTS, VND, st.sampled_from([1, 1, 3]))
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["score", "city", "likes"]),
    st.sampled_from([None, 0, 5, "hue", "rome", ["golf"]]),
    min_size=1,
)


def _placements(ladders: Sequence[Ladder]) -> st.SearchStrategy[Data]:
    """Placements by hand; `until` is as yet the time that they last, 0 for ever."""
    each: list[st.SearchStrategy[Data]] = [
        st.builds(
            ProfilePlaced,
            st.just(ladder.id),
            st.sampled_from([None, *(ladder.rungs[place].id for place in ladder.steps)]),
            st.sampled_from([0, 1, HOUR, DAY, 3 * DAY]),
        )
        for ladder in ladders
    ]
    return st.one_of(each)


def told(
    kinds: Sequence[Kind], customers: Sequence[str], ladders: Sequence[Ladder]
) -> st.SearchStrategy[Data]:
    """What an event of these kinds may say."""
    who = st.sampled_from(customers)
    facts: list[st.SearchStrategy[Data]] = [
        PURCHASES,
        PURCHASES,
        st.builds(Registered),
        st.builds(Inquired),
        st.builds(ReferralSent),
        st.builds(InteractionSeen, st.integers(1, 4)),
        st.builds(ReviewPosted, _few("r"), RATINGS, KINDS),
        st.builds(ReferralConverted, _few("f"), AMOUNTS, VND),
    ]
    by_kind: dict[Kind, Callable[[], list[st.SearchStrategy[Data]]]] = {
        "facts": lambda: [*facts],
        "undoing": lambda: [
            st.builds(PurchaseRefunded, _few("o"), PARTS, VND),
            st.builds(ReviewRemoved, _few("r")),
            st.builds(ReferralReversed, _few("f")),
        ],
        "overriding": lambda: [
            st.builds(ProfileUpdated, ATTRIBUTES),
            st.builds(CardIssued, st.sampled_from(["silver", "gold"])),
            st.builds(CardRevoked),
        ],
        "credits": lambda: [st.builds(Registered, who), PURCHASES],
        "merging": lambda: [st.builds(ProfileMerged, who)],
        "people": lambda: [st.builds(ProfileMerged, who), st.builds(ProfileErased)],
        "placing": lambda: [_placements(ladders)],
    }
    return st.one_of([strategy for kind in kinds for strategy in by_kind[kind]()])


@st.composite
def streams(
    draw: st.DrawFn,
    kinds: Sequence[Kind] = ALL,
    *,
    customers: Sequence[str] = CUSTOMERS,
    ladders: Sequence[Ladder] = EDGY,
    most: int = 25,
) -> list[Event]:
    """Events in the order of their times, each with an id of its own."""
    said = draw(
        st.lists(
            st.tuples(
                st.sampled_from(customers), st.sampled_from(GAPS), told(kinds, customers, ladders)
            ),
            min_size=1,
            max_size=most,
        )
    )
    events, time = [], START
    for number, (customer, gap, data) in enumerate(said):
        time += gap
        if isinstance(data, ProfileMerged) and data.into == customer:
            continue
        if isinstance(data, ProfilePlaced):
            until = time + data.until if data.until and data.rung else None
            data = ProfilePlaced(data.ladder, data.rung, until)
        events.append(Event("/shop", f"e{number}", customer, time, data))
    return events


def told_once(events: list[Event]) -> list[Event]:
    """The events, without a second purchase, review or conversion of the same id by anyone."""
    seen: set[tuple[type[Data], str]] = set()
    kept = []
    for event in events:
        match event.data:
            case PurchaseCompleted(id) | ReviewPosted(id) | ReferralConverted(id):
                if (type(event.data), id) in seen:
                    continue
                seen.add((type(event.data), id))
        kept.append(event)
    return kept
