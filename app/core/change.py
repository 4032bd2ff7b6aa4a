"""A stage change: who stepped from where to where, when, and why (contract section 7)."""

from typing import Literal

import msgspec

Value = str | int | float | bool | list[str] | None
Direction = Literal["up", "down", "moved"]
Cause = Literal["event", "refund", "clock", "merge", "erasure", "manual", "definition"]


class Trigger(msgspec.Struct, frozen=True, gc=False):
    """The event that caused a change."""

    source: str
    id: str
    type: str


class Because(msgspec.Struct, frozen=True, gc=False):
    """A rule, and the value at that instant of each fact it names, keyed as written there."""

    rule: str
    facts: dict[str, Value]


class Next(msgspec.Struct, frozen=True, gc=False):
    """The rung above, its rule, and how far the customer is from it."""

    rung: str
    rule: str
    facts: dict[str, Value]


class Change(msgspec.Struct, frozen=True, gc=False):
    """One move of one customer on one ladder. Instants in microseconds, `held` in seconds."""

    customer: str
    life: int
    ladder: str
    version: int
    sequence: int
    time: int
    from_: str | None
    to: str | None
    direction: Direction
    passed: list[str]
    cause: Cause
    trigger: Trigger | None
    because: Because | None
    since: int | None
    held: int | None
    next: Next | None
    suggest: str | None
    quiet: bool
