"""Finds conditions that can never hold, by simple reasoning about the values of each fact.

The conditions are taken apart into cases (this and this and this, or ...), and each case into what
it leaves of every fact. A case that leaves nothing is impossible. What the reasoning does not
understand it takes for possible, so there is never a false alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from app.core import condition_values
from app.core.condition_facts import kind_of_fact
from app.core.condition_intervals import Compared, constant, is_constant, possible
from app.core.condition_tree import (
    BOOL,
    LIST,
    LOST,
    NONE,
    NUMBER,
    TEXT,
    AllOf,
    AnyOf,
    Comparison,
    Fact,
    ListOf,
    Literal,
    Membership,
    Node,
    Not,
    Scalar,
    kind_of,
    kinds,
)
from app.core.fact_domains import Box, Domain, of_fact, ordered, with_longer_windows

MOST_CASES = 256

_ANY = NUMBER | BOOL | TEXT | LIST | NONE
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A fact must lie in a domain."""

    fact: Fact
    domain: Domain


Case: TypeAlias = "tuple[Narrowed | Compared, ...]"

_TRUE: list[Case] = [()]
_FALSE: list[Case] = []


class _TooManyError(Exception):
    """More cases than are worth looking at."""


def contradiction(*wanted: tuple[Node, bool]) -> str | None:
    """Say why conditions can never together be as true or false as wanted; None: they may be.

    The reason may be empty: then it lies in the constants alone.
    """
    try:
        cases = _product([_cases(node, truth) for node, truth in wanted])
    except _TooManyError:
        return None
    reasons = []
    for case in cases:
        reason = _impossible(case)
        if reason is None:
            return None
        reasons.append(reason)
    return next(filter(None, reasons), "")


def _product(choices: Sequence[list[Case]]) -> list[Case]:
    count = 1
    for cases in choices:
        count *= len(cases)
    if count > MOST_CASES:
        raise _TooManyError
    return [tuple(atom for case in cases for atom in case) for cases in product(*choices)]


def _cases(node: Node, truth: bool) -> list[Case]:
    """Return the cases in which a node is true, or is not."""
    match node:
        case Literal():
            return _TRUE if bool(node.value) is truth else _FALSE
        case Fact():
            return _truth_of(node, truth)
        case Not():
            return _cases(node.operand, not truth)
        case AllOf() | AnyOf():
            parts = [_cases(part, truth) for part in node.parts]
            if isinstance(node, AllOf) is truth:
                return _product(parts)
            return _limited([case for cases in parts for case in cases])
        case Comparison():
            pairs = [
                _pair(operator, node.operands[index], node.operands[index + 1], truth)
                for index, operator in enumerate(node.operators)
            ]
            return _product(pairs) if truth else _limited([one for pair in pairs for one in pair])
        case Membership():
            return _membership(node, truth)
    return _TRUE


def _limited(cases: list[Case]) -> list[Case]:
    if len(cases) > MOST_CASES:
        raise _TooManyError
    return cases


def _truth_of(fact: Fact, truth: bool) -> list[Case]:
    nothing = frozenset[Scalar]({None, 0, ""})
    if truth:
        return [(Narrowed(fact, Domain(_ANY & ~NONE, excluded=nothing)),)]
    return [
        (Narrowed(fact, Domain(_ANY & ~LIST, allowed=nothing)),),
        (Narrowed(fact, Domain(LIST)),),
    ]


def _pair(operator: str, left: Node, right: Node, truth: bool) -> list[Case]:
    if is_constant(left) and isinstance(right, Fact):
        left, right, operator = right, left, _SWAPPED[operator]
    if is_constant(right):
        value = constant(right)
        if isinstance(left, Fact):
            return _against(left, operator, value, truth)
        if is_constant(left):
            return _TRUE if _compare(operator, constant(left), value) is truth else _FALSE
    return _computed(operator, left, right, truth)


def _compare(operator: str, left: Scalar, right: Scalar) -> bool:
    if operator in condition_values.ORDER:
        return condition_values.ORDER[operator](left, right)
    return (left == right) is (operator == "==")


def _against(fact: Fact, operator: str, value: Scalar, truth: bool) -> list[Case]:
    """Compare a fact with a constant."""
    if operator in ("==", "!="):
        if (operator == "==") is truth:
            return [(Narrowed(fact, Domain(_ANY, allowed=frozenset([value]))),)]
        return [(Narrowed(fact, Domain(_ANY, excluded=frozenset([value]))),)]
    kind = kind_of(value)
    if isinstance(value, (int, float)) and kind == NUMBER:
        if truth:
            return [(Narrowed(fact, ordered(operator, value)),)]
        return [
            (Narrowed(fact, ordered(_NEGATED[operator], value)),),
            (Narrowed(fact, Domain(_ANY & ~NUMBER)),),
        ]
    if not truth:
        return _TRUE
    return [(Narrowed(fact, Domain(kind)),)] if kind != NONE else _FALSE


def _computed(operator: str, left: Node, right: Node, truth: bool) -> list[Case]:
    """Compare what is no fact with a constant: by kinds, and later by ranges."""
    left_kinds, right_kinds = kinds(left), kinds(right)
    together = left_kinds | right_kinds
    if operator in ("==", "!="):
        alike = bool(_equal_kinds(left_kinds) & _equal_kinds(right_kinds))
        if not alike and not together & LOST:
            return _TRUE if (operator == "!=") is truth else _FALSE
        if truth and not alike and operator == "==":
            return _FALSE
    elif not left_kinds & right_kinds & ~(NONE | LOST):
        return _FALSE if truth else _TRUE
    if together & ~NUMBER and (not truth or together & ~(NUMBER | NONE | LOST)):
        return _TRUE
    if operator == "!=" and together & NONE:
        return _TRUE
    return [(Compared(operator if truth else _NEGATED[operator], left, right),)]


def _equal_kinds(bits: int) -> int:
    """Return the kinds among which equality is possible: a boolean may equal a number."""
    return (bits | NUMBER | BOOL if bits & (NUMBER | BOOL) else bits) & ~LOST


def _membership(node: Membership, truth: bool) -> list[Case]:
    if not isinstance(node.container, ListOf):
        if not kinds(node.container) & LIST:
            return _FALSE if truth else _TRUE
        if truth and isinstance(node.container, Fact):
            return [(Narrowed(node.container, Domain(LIST)),)]
        return _TRUE
    constants = [constant(item) for item in node.container.items if is_constant(item)]
    if not isinstance(node.item, Fact) or len(constants) < len(node.container.items):
        return _TRUE
    listed = frozenset(value for value in constants if value is not None)
    among = Narrowed(node.item, Domain(_ANY & ~NONE, allowed=listed))
    outside = Narrowed(node.item, Domain(_ANY & ~NONE, excluded=listed))
    none = Narrowed(node.item, Domain(NONE))
    if truth:
        return [(outside if node.negated else among,)]
    return [(among if node.negated else outside,), (none,)]


def _impossible(case: Case) -> str | None:
    """Say why a case cannot be; None: it may be."""
    box: Box = {}
    for atom in case:
        if isinstance(atom, Narrowed):
            ref = atom.fact.ref
            before = box.get(ref.key) or of_fact(ref)
            box[ref.key] = before.meet(atom.domain)
            if box[ref.key].empty:
                if of_fact(ref).meet(atom.domain).empty:
                    return f"{ref.text} is {kind_of_fact(ref).meaning}"
                return f"no value of {ref.text} fits all that is asked of it"
    box = with_longer_windows(box)
    if any(domain.empty for domain in box.values()):
        return "a longer window never has less in it than a shorter one"
    for atom in case:
        if isinstance(atom, Compared) and not possible(atom, box):
            return "the numbers cannot become so great or so small"
    return None
