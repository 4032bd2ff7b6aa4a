"""What a condition is once it is read: a tree of frozen nodes, each with its place in the text.

`kinds` of a node says which kinds of value it may have, so that the compiler guards only where a
guard can matter. LOST is what comes of computing with none (contract section 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

NUMBER, BOOL, TEXT, LIST, NONE, LOST = 1, 2, 4, 8, 16, 32
"""Kinds of value, as bits."""

ANYTHING = NUMBER | BOOL | TEXT | LIST | NONE
"""What an attribute may be."""

Scalar: TypeAlias = "str | int | float | bool | None"


class ConditionError(ValueError):
    """A condition cannot be used: what is wrong, what to write instead, and where.

    offset counts characters of the condition's text from 0.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class FactRef:
    """A fact as a rule names it: `purchases_in(365)` is name `purchases_in` with args (365,).

    An attribute is name `profile.distance_km` without args. text is what stands in the source.
    """

    text: str
    name: str
    args: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        """The same for two ways to write one fact."""
        return self.name, self.args


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a text, true, false or none."""

    value: Scalar
    offset: int


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about the customer."""

    ref: FactRef
    kinds: int
    offset: int


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    operand: Node
    offset: int


@dataclass(frozen=True, slots=True)
class AllOf:
    """`a and b and ...`: the first that is not true in Python's sense, else the last."""

    parts: tuple[Node, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`a or b or ...`: the first that is true in Python's sense, else the last."""

    parts: tuple[Node, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """`a < b <= c`: one operator fewer than operands."""

    operands: tuple[Node, ...]
    operators: tuple[str, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class ListOf:
    """`[a, b]`: only ever the right side of a Membership."""

    items: tuple[Node, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Membership:
    """`item in container`, or `item not in container`."""

    item: Node
    container: Node | ListOf
    negated: bool
    offset: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left + right`, `left - right`, `left * right`."""

    operator: str
    left: Node
    right: Node
    offset: int


@dataclass(frozen=True, slots=True)
class Signed:
    """`-operand` or `+operand`."""

    operator: str
    operand: Node
    offset: int


Node: TypeAlias = (
    "Literal | Fact | Not | AllOf | AnyOf | Comparison | Membership | Arithmetic | Signed"
)


def kind_of(value: Scalar) -> int:
    """Return the kind of a constant."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return BOOL
    return TEXT if isinstance(value, str) else NUMBER


def kinds(node: Node) -> int:
    """Return the kinds of value that a node may have."""
    match node:
        case Literal():
            return kind_of(node.value)
        case Fact():
            return node.kinds
        case AllOf() | AnyOf():
            together = 0
            for part in node.parts:
                together |= kinds(part)
            return together
        case Arithmetic():
            return _computed(kinds(node.left) | kinds(node.right))
        case Signed():
            return _computed(kinds(node.operand))
    return BOOL


def _computed(operands: int) -> int:
    """Booleans count as 1 and 0; computing with anything else that is no number is lost."""
    return NUMBER | LOST if operands & ~(NUMBER | BOOL) else NUMBER


def children(node: Node | ListOf) -> tuple[Node | ListOf, ...]:
    """Return the nodes directly beneath, in the order of the text."""
    match node:
        case Not() | Signed():
            return (node.operand,)
        case AllOf() | AnyOf():
            return node.parts
        case Comparison():
            return node.operands
        case Membership():
            return node.item, node.container
        case Arithmetic():
            return node.left, node.right
        case ListOf():
            return node.items
    return ()


def facts_in(node: Node | ListOf) -> tuple[Fact, ...]:
    """Return every mention of a fact, in the order of the text."""
    if isinstance(node, Fact):
        return (node,)
    return tuple(fact for child in children(node) for fact in facts_in(child))
