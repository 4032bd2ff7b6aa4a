"""Conditions (contract section 3), read off Python's own syntax tree node by node."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

Value = object


class Computed:
    """What came out of arithmetic with none: every comparison with it is false."""


WITH_NONE = Computed()
WORDS: dict[str, Value] = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Fact:
    """A fact as a condition names it; `text` is how it is written there."""

    text: str
    name: str
    args: tuple[int, ...] = ()


@dataclass(frozen=True)
class Condition:
    text: str
    tree: ast.expr

    def facts(self) -> list[Fact]:
        found: list[Fact] = []
        collect(self.text, self.tree, found)
        return found

    def holds(self, look: Callable[[Fact], Value]) -> bool:
        return truth(value(self.text, self.tree, look))


def parse(text: str) -> Condition:
    text = " ".join(text.split("\n")).strip()
    return Condition(text, ast.parse(text, mode="eval").body)


@cache  # nodes are told apart by identity, and those of a definition are read once
def fact_at(text: str, node: ast.expr) -> Fact | None:
    """The fact that this node names, or None where it is something else."""
    if isinstance(node, ast.Name) and node.id not in WORDS:
        return Fact(node.id, node.id)
    if isinstance(node, ast.Attribute):
        assert isinstance(node.value, ast.Name)
        assert node.value.id == "profile"
        return Fact(f"profile.{node.attr}", f"profile.{node.attr}")
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        args = tuple(int(ast.literal_eval(argument)) for argument in node.args)
        return Fact(ast.get_source_segment(text, node) or "", node.func.id, args)
    return None


def collect(text: str, node: ast.expr, found: list[Fact]) -> None:
    fact = fact_at(text, node)
    if fact is not None:
        if fact not in found:
            found.append(fact)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            collect(text, child, found)


def truth(of: Value) -> bool:
    return of is not WITH_NONE and bool(of)


def is_number(of: Value) -> bool:
    return isinstance(of, int | float) and not isinstance(of, bool)


def value(text: str, node: ast.expr, look: Callable[[Fact], Value]) -> Value:
    fact = fact_at(text, node)
    if fact is not None:
        return look(fact)
    if isinstance(node, ast.Name):
        return WORDS[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.List):
        return [value(text, item, look) for item in node.elts]
    if isinstance(node, ast.BoolOp):
        parts = [truth(value(text, part, look)) for part in node.values]
        return all(parts) if isinstance(node.op, ast.And) else any(parts)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not truth(value(text, node.operand, look))
    if isinstance(node, ast.UnaryOp):
        assert isinstance(node.op, ast.USub)
        return computed(ast.Sub(), 0, value(text, node.operand, look))
    if isinstance(node, ast.BinOp):
        return computed(node.op, value(text, node.left, look), value(text, node.right, look))
    assert isinstance(node, ast.Compare), ast.dump(node)
    sides = [value(text, side, look) for side in [node.left, *node.comparators]]
    return all(compared(op, sides[i], sides[i + 1]) for i, op in enumerate(node.ops))


def computed(op: ast.operator, left: Value, right: Value) -> Value:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return WITH_NONE
    if isinstance(op, ast.Add):
        return left + right
    if isinstance(op, ast.Sub):
        return left - right
    assert isinstance(op, ast.Mult)
    return left * right


def compared(op: ast.cmpop, left: Value, right: Value) -> bool:
    if left is WITH_NONE or right is WITH_NONE:
        return False
    if isinstance(op, ast.Eq):
        return left == right
    if isinstance(op, ast.NotEq):
        return left != right
    if isinstance(op, ast.In | ast.NotIn):
        if left is None or not isinstance(right, list):
            return False
        return (left in right) == isinstance(op, ast.In)
    if isinstance(left, str) and isinstance(right, str):
        order = (left > right) - (left < right)
    elif is_number(left) and is_number(right):
        order = (left > right) - (left < right)  # type: ignore[operator]
    else:
        return False
    return {ast.Lt: order < 0, ast.LtE: order <= 0, ast.Gt: order > 0, ast.GtE: order >= 0}[
        type(op)
    ]
