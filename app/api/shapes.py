"""What the API answers, as types: answers are made of them, and the OpenAPI document from them.

Instants are RFC 3339 in UTC, days calendar days of the shop's time zone, money whole numbers in
minor units of the base currency.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

Instant = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
DayText = Annotated[str, Meta(extra_json_schema={"format": "date"})]
Count = Annotated[int, Meta(ge=0)]
Fact = str | int | float | bool | list[str] | None
Title = dict[str, str]


class Problem(msgspec.Struct):
    """What went wrong (RFC 9457). `partition` tells where, if anywhere."""

    type: str
    title: str
    status: int
    detail: str
    partition: int | UnsetType = UNSET
    moved_into: str | UnsetType = UNSET
    behind_seconds: float | UnsetType = UNSET


class Rule(msgspec.Struct):
    """A rule, and the value of each fact that it names."""

    rule: str
    facts: dict[str, Fact]


class NextRung(msgspec.Struct):
    """The rung above, its rule, and how far the customer is from it."""

    rung: str
    rule: str
    facts: dict[str, Fact]


class Due(msgspec.Struct):
    """The next step if nothing but time passes."""

    at: Instant
    to: str | None


class Placed(msgspec.Struct):
    """A placement by hand."""

    rung: str
    until: Instant | None


class Place(msgspec.Struct):
    """Where a customer stands on one ladder, since when, why, and what comes next."""

    rung: str | None
    since: Instant | None
    sequence: Count
    because: Rule | None
    next: NextRung | None
    due: Due | None
    placed: Placed | None


class Customer(msgspec.Struct):
    """One customer. `merged_into` is there for an absorbed id: then all is the survivor's."""

    customer_id: str
    as_of: Instant
    facts: dict[str, Fact]
    ladders: dict[str, Place]
    merged_into: str | UnsetType = UNSET


class StageChange(msgspec.Struct):
    """A stage change as it was published: a CloudEvent. `schemas/loyalty.stage.changed.json` has
    all of it.
    """

    specversion: Literal["1.0"]
    id: str
    source: str
    type: Literal["loyalty.stage.changed"]
    subject: str
    time: Instant
    datacontenttype: str
    data: dict[str, Any]


class History(msgspec.Struct):
    """A customer's stage changes, oldest first; `complete` is false while they are rebuilt.

    Where a credit is the trigger, its id has the SHA-256 of who was referred in place of the id.
    """

    customer_id: str
    complete: bool
    changes: Annotated[list[msgspec.Raw], Meta(extra_json_schema={"items": {}})]
    merged_into: str | UnsetType = UNSET


class RungThen(msgspec.Struct):
    """The rung at an instant; `known` is false where what is kept does not reach back so far."""

    rung: str | None
    since: Instant | None
    known: bool


class HistoryAt(msgspec.Struct):
    """Where the customer stood on each ladder at an instant."""

    customer_id: str
    complete: bool
    at: Instant
    rungs: dict[str, RungThen]
    merged_into: str | UnsetType = UNSET


class RungCount(msgspec.Struct):
    """A rung and how many stand there."""

    id: str
    title: Title
    override: bool
    customers: int


class LadderCount(msgspec.Struct):
    """A ladder and how many stand on it, by rung in the order of the definition."""

    id: str
    version: int
    title: Title
    kind: Literal["ladder", "segment"]
    customers: int
    rungs: list[RungCount]


class Ladders(msgspec.Struct):
    """All ladders. `missing` are partitions for which no worker answered.

    `currency_digits` is how many digits the minor unit has in which money is told.
    """

    complete: bool
    missing: list[int]
    as_of: Instant | None
    today: DayText | None
    currency: str
    currency_digits: int
    timezone: str
    ladders: list[LadderCount]


class Grace(msgspec.Struct):
    """How a ladder lets go of who no longer holds a rung."""

    grace_days: int
    step: Literal["one", "all"]


class RungFigures(msgspec.Struct):
    """A rung: its rule, who stands there, and what is known of them.

    `median_held_seconds` is of the `held_cases` stays that ended in the days asked for;
    `median_standing_seconds` is of the `standing_cases` customers who stand there, how long they
    have so far. Both are off by at most 5 %, and null of fewer than five cases. `revenue` is what
    those who stand there have spent in all, over their lifetime; it, `median_standing_seconds` and
    `standing_cases` are null until the census is done.
    """

    id: str
    title: Title
    when: str
    override: bool
    suggest: str | None
    customers: int
    median_held_seconds: int | None
    held_cases: Count
    revenue: int | None
    median_standing_seconds: int | None
    standing_cases: Count | None


class Moves(msgspec.Struct, rename={"from_": "from"}):
    """How many moved on a day from one rung (null: none) to another."""

    day: DayText
    from_: str | None
    to: str | None
    direction: Literal["up", "down", "moved"]
    count: int


class CensusState(msgspec.Struct):
    """As of when the customers were counted one by one, and whether all partitions are."""

    as_of: Instant | None
    complete: bool


class Ladder(msgspec.Struct):
    """One ladder: its definition, who stands where, and who moved on the days asked for."""

    complete: bool
    missing: list[int]
    as_of: Instant | None
    today: DayText | None
    currency: str
    currency_digits: int
    timezone: str
    id: str
    version: int
    title: Title
    kind: Literal["ladder", "segment"]
    climb: Literal["cumulative", "free"]
    down: Literal["never", "now"] | Grace
    announce: bool
    customers: int
    rungs: list[RungFigures]
    moves: list[Moves]
    moves_complete: bool
    census: CensusState


class StandsThere(msgspec.Struct):
    """A customer on the rung asked for."""

    customer_id: str
    since: Instant
    sequence: int


class Page(msgspec.Struct):
    """Some of the customers on a rung. `next` is the cursor of the next page, null at the end;
    a page may be short, or empty, before that.
    """

    complete: bool
    missing: list[int]
    ladder: str
    rung: str
    customers: list[StandsThere]
    next: str | None


class OwnPartitions(msgspec.Struct):
    """What one worker's partitions add up to, for the others: no stable interface."""

    partitions: list[dict[str, Any]]
