"""What a computation in a condition may come to, from the ranges of the facts in it."""

from __future__ import annotations

import operator as python
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from app.core.condition_tree import (
    BOOL,
    NONE,
    NUMBER,
    Arithmetic,
    Comparison,
    Fact,
    Literal,
    Membership,
    Node,
    Not,
    Scalar,
    Signed,
    kinds,
)
from app.core.fact_domains import Box, Number, of_fact

Interval: TypeAlias = "tuple[Number, Number]"


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison of what is computed must hold."""

    operator: str
    left: Node
    right: Node


def is_constant(node: Node) -> bool:
    """Tell a literal, or a number with a sign."""
    if isinstance(node, Signed):
        return isinstance(node.operand, Literal) and kinds(node.operand) == NUMBER
    return isinstance(node, Literal)


def constant(node: Node) -> Scalar:
    if isinstance(node, Signed):
        number = constant(node.operand)
        assert isinstance(number, (int, float))
        return -number if node.operator == "-" else number
    assert isinstance(node, Literal)
    return node.value


def possible(atom: Compared, box: Box) -> bool:
    left, right = _interval(atom.left, box), _interval(atom.right, box)
    if left is None or right is None:
        return True
    if atom.operator == "!=":
        return not left[0] == left[1] == right[0] == right[1]
    if atom.operator == "==":
        return left[0] <= right[1] and right[0] <= left[1]
    compare = {"<": python.lt, "<=": python.le, ">": python.gt, ">=": python.ge}[atom.operator]
    low, high = (left[0], right[1]) if atom.operator in ("<", "<=") else (left[1], right[0])
    return bool(compare(low, high))


def _interval(node: Node, box: Box) -> Interval | None:
    """Return the least and the greatest that a node may compute to; None: it cannot be said."""
    match node:
        case Literal() | Signed() if is_constant(node):
            value = constant(node)
            return (value, value) if isinstance(value, (int, float)) else None
        case Fact():
            if node.kinds & ~(NUMBER | NONE):
                return (0, 1) if node.kinds == BOOL else None
            domain = box.get(node.ref.key) or of_fact(node.ref)
            return domain.low, domain.high
        case Signed():
            inner = _interval(node.operand, box)
            if inner is None or node.operator == "+":
                return inner
            return -inner[1], -inner[0]
        case Arithmetic():
            left, right = _interval(node.left, box), _interval(node.right, box)
            return None if left is None or right is None else _compute(node.operator, left, right)
        case Not() | Comparison() | Membership():
            return 0, 1
    return None


def _compute(operator: str, left: Interval, right: Interval) -> Interval:
    if operator == "*":
        ends = [_times(one, other) for one in left for other in right]
        return min(ends), max(ends)
    if operator == "-":
        right = -right[1], -right[0]
    low = -inf if -inf in (left[0], right[0]) else left[0] + right[0]
    high = inf if inf in (left[1], right[1]) else left[1] + right[1]
    return low, high


def _times(one: Number, other: Number) -> Number:
    """Multiply ends of ranges: nothing times an end that is not there is nothing."""
    return one * other if one and other else 0
