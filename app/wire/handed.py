"""What the engine is handed at the start: ladders as trees, the shop's settings, its day starts.

The other side is `engine/src/handed.rs`. Python parses, checks and tells a definition; it hands the
tree over and never evaluates it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import msgspec

from app.core.condition_tree import (
    AllOf,
    AnyOf,
    Arithmetic,
    Comparison,
    Fact,
    ListOf,
    Literal,
    Membership,
    Node,
    Not,
    Scalar,
    Signed,
)
from app.core.instants import DAY, EARLIEST, LATEST, Calendar
from app.core.ladder import Down, Ladder, Rung
from app.core.rules import Rules

Tree = dict[str, object]
"""A node as an object of one field, which names its kind."""

_DAYS_AROUND = 1_200
"""Days before the earliest and after the latest event that a window or a grace may reach."""


def definitions(ladders: Iterable[Ladder]) -> bytes:
    """Return the ladders as JSON."""
    return msgspec.json.encode([_ladder(ladder) for ladder in ladders])


def _ladder(ladder: Ladder) -> dict[str, object]:
    return {
        "id": ladder.id,
        "version": ladder.version,
        "kind": ladder.kind,
        "climb": ladder.climb,
        "down": _down(ladder.down),
        "rungs": [_rung(rung) for rung in ladder.rungs],
    }


def _down(down: Down) -> object:
    if down.mode == "grace":
        return {"grace": {"days": down.grace // DAY, "one": down.step == "one"}}
    return down.mode


def _rung(rung: Rung) -> dict[str, object]:
    return {
        "id": rung.id,
        "when": rung.when,
        "tree": tree(rung.condition.tree),
        "facts": [(fact.text, fact.name, fact.args) for fact in rung.condition.facts],
        "override": rung.override,
        "suggest": rung.suggest,
    }


def tree(node: Node) -> Tree:
    """Return a condition as the engine reads it."""
    match node:
        case Literal(value=value):
            return _constant(value)
        case Fact(ref=ref):
            return {"fact": (ref.name, ref.args)}
        case Not(operand=operand):
            return {"not": tree(operand)}
        case AllOf(parts=parts):
            return {"all": [tree(part) for part in parts]}
        case AnyOf(parts=parts):
            return {"any": [tree(part) for part in parts]}
        case Comparison(operands=operands, operators=operators):
            return {"compare": ([tree(operand) for operand in operands], operators)}
        case Membership(item=item, container=container, negated=negated):
            if isinstance(container, ListOf):
                return {"among": (tree(item), [tree(one) for one in container.items], negated)}
            return {"in": (tree(item), tree(container), negated)}
        case Arithmetic(operator=operator, left=left, right=right):
            return {"compute": (operator, tree(left), tree(right))}
        case Signed(operator=operator, operand=operand):
            return {"compute": (operator, _constant(0), tree(operand))}
    raise TypeError(f"no condition has a {type(node).__name__}")


def _constant(value: Scalar) -> Tree:
    match value:
        case None:
            return {"none": None}
        case bool():
            return {"bool": value}
        case int():
            return {"int": str(value)}
        case float():
            return {"float": value}
    return {"text": value}


def shop(rules: Rules) -> bytes:
    """Return the shop's settings as JSON."""
    rates = rules.rates
    return msgspec.json.encode(
        {
            "base": rates.base,
            "rates": {
                currency: [(day, factor.mantissa, factor.exponent) for day, factor in found]
                for currency, found in rates.factors().items()
            },
            "attributes": sorted(rules.attributes),
            "quiet_before": None if rules.quiet_before < 0 else rules.quiet_before,
            "first_day": _FIRST_DAY,
            "early": _days(rules.calendar.timezone).early,
        }
    )


_FIRST_DAY = EARLIEST // DAY - _DAYS_AROUND
_LAST_DAY = LATEST // DAY + _DAYS_AROUND


def day_starts(calendar: Calendar) -> bytes:
    """Return the instants at which the days begin, 64 bits each; none for UTC."""
    return _days(calendar.timezone).starts


class _Days(NamedTuple):
    starts: bytes
    early: list[tuple[int, int, int]]


@cache  # 230 years take a third of a second, and a process has one time zone
def _days(timezone: str) -> _Days:
    if timezone == "UTC":
        return _Days(b"", [])
    calendar = Calendar(timezone)
    starts = array("q", map(calendar.start_of, range(_FIRST_DAY, _LAST_DAY)))
    return _Days(starts.tobytes(), calendar.early(_FIRST_DAY, _LAST_DAY - 1))
