"""Each rule of each built-in ladder: what reaches the rung, and what just fails to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest

from app.core.events import (
    Attribute,
    CardIssued,
    CardRevoked,
    Data,
    Inquired,
    InteractionSeen,
    ProfileUpdated,
    PurchaseCompleted,
    ReferralConverted,
    Registered,
    ReviewPosted,
)
from tests.shop import BUILT_IN, DAY, FixedCuts, Shop, at

DAY_0 = at("2026-01-01T08:00")
CUT = 1000

Dated = tuple[int, Data]


def bought(*days: int, each: int = 100) -> list[Dated]:
    return [(day, PurchaseCompleted(f"o{day}", each, "VND")) for day in days]


def is_(**attributes: Attribute) -> Data:
    return ProfileUpdated({**attributes})


def rated(rating: float) -> Data:
    return ReviewPosted(f"rated {rating}", rating)


def brought(*friends: str) -> list[Dated]:
    return [(9, ReferralConverted(friend)) for friend in friends]


class Row(NamedTuple):
    """`reaches` the rung as of day `at`; `fails` as of day `fails_at` and stands on `instead`.

    A day that is None is that of the last event.
    """

    ladder: str
    rung: str
    reaches: Sequence[Dated]
    fails: Sequence[Dated]
    instead: str | None
    at: int | None = None
    fails_at: int | None = None


CUSTOMER = bought(0, 1)
MEMBER: list[Dated] = [*CUSTOMER, (2, CardIssued("silver"))]
ADVOCATE: list[Dated] = [*MEMBER, (3, rated(4))]
SIX = bought(0, 1, 2, 3, 4, 5)
FIVE_RICH = bought(0, 1, 2, 3, each=4_000_000)
NEED = [(0, InteractionSeen(need)) for need in range(5)]

RAVING_FAN = [
    Row("raving-fan", "suspect", [(0, is_(distance_km=8))], [(0, is_(distance_km=8.01))], None),
    Row("raving-fan", "prospect", [(0, Inquired())], [(0, is_(distance_km=0))], "suspect"),
    Row("raving-fan", "prospect", [(0, Registered())], [(0, CardIssued("gold"))], None),
    Row("raving-fan", "shopper", bought(0), [(0, Registered())], "prospect"),
    Row("raving-fan", "customer", bought(0, 900), bought(0), "shopper"),
    Row("raving-fan", "member", MEMBER, [*bought(0), (2, CardIssued("silver"))], "shopper"),
    Row(
        "raving-fan",
        "member",
        MEMBER,
        [(0, CardIssued("gold")), (1, CardRevoked()), *CUSTOMER],
        "customer",
    ),
    Row("raving-fan", "advocate", ADVOCATE, [*MEMBER, (3, rated(3.99))], "member"),
    Row(
        "raving-fan",
        "advocate",
        [*MEMBER, (3, ReviewPosted("t", 1, "testimonial"))],
        [*MEMBER, (3, ReviewPosted("t", 5, "complaint"))],
        "member",
    ),
    Row(
        "raving-fan",
        "advocate",
        [*MEMBER, (3, ReviewPosted("d", 3, "defence"))],
        [*CUSTOMER, (3, ReviewPosted("d", 3, "defence"))],
        "customer",
    ),
    Row(
        "raving-fan",
        "raving-fan",
        [*ADVOCATE, *brought("ann", "bo")],
        [*ADVOCATE, *brought("ann", "ann")],
        "advocate",
    ),
]
ADVOCACY = [
    Row("advocacy", "transactional", bought(0), [(0, Registered())], None),
    Row("advocacy", "relationship", bought(0, 1, 364), bought(0, 1, 365), "transactional"),
    Row("advocacy", "loyal", SIX, SIX[1:], "relationship"),
    Row(
        "advocacy", "loyal", SIX, [*SIX[:5], (5, rated(1)), (5, rated(5)), *SIX[5:]], "relationship"
    ),
    Row(
        "advocacy", "loyal", bought(0, 1, 2, 3, 4, 364), bought(0, 1, 2, 3, 4, 365), "relationship"
    ),
    Row(
        "advocacy",
        "advocate",
        [*SIX, (6, ReviewPosted("d", None, "defence")), *brought("ann")],
        [*SIX, (6, ReviewPosted("d", None, "defence"))],
        "loyal",
    ),
    Row("advocacy", "advocate", [*SIX, *brought("ann", "bo")], brought("ann", "bo"), None),
    Row(
        "advocacy",
        "detractor",
        [*bought(0), (0, rated(2))],
        [*bought(0), (0, rated(2)), (0, rated(4))],
        "transactional",
    ),
    Row(
        "advocacy",
        "detractor",
        [(0, rated(1))],
        [(0, rated(1))],
        None,
        at=364,
        fails_at=365,
    ),
]
KEY_ACCOUNT = [
    Row("key-account", "suspect", [(0, CardIssued("gold"))], [], None),
    Row(
        "key-account",
        "prospect",
        [(0, is_(distance_km=10))],
        [(0, is_(distance_km=10.5))],
        "suspect",
    ),
    Row("key-account", "prospect", [(0, Inquired())], [(0, is_(distance_km="near"))], "suspect"),
    Row("key-account", "prospect", [(0, Registered())], [(0, InteractionSeen(4))], "suspect"),
    Row("key-account", "first-buy", bought(0), [(0, Inquired())], "prospect"),
    Row("key-account", "rebuy", bought(0, 1), bought(0), "first-buy"),
    Row("key-account", "frequent-buyer", bought(0, 1, 2, 3, 179), bought(0, 1, 2, 3, 180), "rebuy"),
    Row(
        "key-account",
        "key-account",
        [*FIVE_RICH, *bought(4, each=4_000_000)],
        [*FIVE_RICH, *bought(4, each=3_999_999)],
        "frequent-buyer",
    ),
    Row(
        "key-account",
        "key-account",
        [*bought(0, each=20_000_000), *bought(200, 201, 202, 203, 364, each=0)],
        [*bought(0, each=20_000_000), *bought(200, 201, 202, 203, 365, each=0)],
        "frequent-buyer",
    ),
]
VITAL_FEW = [
    Row("vital-few", "vital-few", bought(0, each=CUT), bought(0, each=CUT - 1), "useful-many"),
    Row("vital-few", "vital-few", bought(0, each=CUT), bought(0, each=CUT), None, 364, 365),
    Row("vital-few", "useful-many", bought(0, each=1), bought(0, each=0), None),
]
NEEDS = [
    Row("need", "unaware", [(0, Registered())], [], None),
    Row("need", "problem", [NEED[1]], [NEED[1]], "unaware", 29, 30),
    Row("need", "seeking-solution", [NEED[2]], [NEED[1]], "problem"),
    Row("need", "seeking-brand", [NEED[3]], [NEED[2]], "seeking-solution"),
    Row("need", "deciding", [NEED[4]], [NEED[3]], "seeking-brand"),
    Row("need", "bought", bought(0), bought(0), "unaware", 364, 365),
]
MOMENT = [
    Row("moment", "hot", bought(0, 60), bought(0, 60), "cooling", 89, 90),
    Row("moment", "hot", bought(0, 1), bought(0, 1), "cooling", 30, 31),
    Row("moment", "media", brought("ann"), brought("ann"), "cold", 9 + 179, 9 + 180),
    Row("moment", "cooling", bought(0), bought(0), "cold", 179, 180),
    Row("moment", "cold", [(0, Registered())], [(0, Registered())], None, 729, 730),
]
RHYTHM = [
    Row("rhythm", "frequent", bought(0, 10, 89), bought(0, 10, 90), "rare"),
    Row("rhythm", "steady", bought(0, 65, 200), bought(0, 64, 200), "rare"),
    Row("rhythm", "steady", bought(0, 180, 364), bought(0, 180, 365), "rare"),
    Row("rhythm", "rare", bought(0), bought(0), "lapsed", 364, 365),
    Row("rhythm", "lapsed", bought(0), [(0, Inquired())], None, 365),
]
BASKET = [
    Row("basket", "high", bought(0, 1, each=1_000_000), [*bought(0, each=999_999)], "middle"),
    Row("basket", "middle", bought(0, each=300_000), bought(0, each=299_999), "low"),
    Row("basket", "low", bought(0, each=0), [(0, Registered())], None),
]
PEOPLE = [
    Row(
        "people",
        "young-women",
        [(0, is_(gender="female", age=34.9))],
        [(0, is_(gender="female"))],
        None,
    ),
    Row(
        "people",
        "women",
        [(0, is_(gender="female", age=35))],
        [(0, is_(gender="female", age=34))],
        "young-women",
    ),
    Row(
        "people",
        "young-men",
        [(0, is_(gender="male", age=34))],
        [(0, is_(gender="other", age=34))],
        None,
    ),
    Row(
        "people",
        "men",
        [(0, is_(gender="male", age=35))],
        [(0, is_(gender="male", age=34))],
        "young-men",
    ),
]


def likes(what: str, name: str = "interests") -> list[Dated]:
    return [(0, ProfileUpdated({name: ["x", what]}))]


INTERESTS = [
    Row("interests", "family", likes("family"), likes("families"), "other"),
    Row("interests", "family", likes("kids"), likes("kids", "places"), None),
    Row("interests", "active", likes("sport"), likes("sports"), "other"),
    Row("interests", "active", likes("outdoors"), likes("outdoors", "places"), None),
    Row("interests", "active", likes("gym", "places"), likes("gym"), "other"),
    Row("interests", "home", likes("home"), likes("homes"), "other"),
    Row("interests", "home", likes("food"), [(0, is_(interests="food"))], "other"),
    Row("interests", "other", likes("anything"), likes("anything", "places"), None),
]
ROWS = [
    *RAVING_FAN, *ADVOCACY, *KEY_ACCOUNT, *VITAL_FEW, *NEEDS, *MOMENT, *RHYTHM, *BASKET, *PEOPLE,
    *INTERESTS,
]  # fmt: skip


def rung_after(row: Row, events: Sequence[Dated], day: int | None) -> str | None:
    cuts = FixedCuts({(20, 365): CUT})
    shop = Shop(*(one for one in BUILT_IN if one.id == row.ladder), cutter=cuts)
    for number, (on, data) in enumerate(events):
        shop.tell(data, DAY_0 + on * DAY + number)
    if not events:
        return None
    if day is not None:
        shop.wait(DAY_0 + day * DAY)
    return shop.rung(ladder=row.ladder)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.ladder}-{row.rung}" for row in ROWS])
def test_a_rung_is_reached_by_its_rule_and_not_by_what_just_fails_it(row: Row) -> None:
    assert rung_after(row, row.reaches, row.at) == row.rung
    assert rung_after(row, row.fails, row.fails_at) == row.instead


def test_the_table_has_a_row_for_each_rung_of_each_builtin_ladder() -> None:
    rungs = {(ladder.id, rung.id) for ladder in BUILT_IN for rung in ladder.rungs}
    assert {(row.ladder, row.rung) for row in ROWS} == rungs
