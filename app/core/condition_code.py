"""Turns conditions into Python source: generated from the tree, never from the author's text.

Facts that are never none are compared bare; only where a kind of value asks for it is there a
guard. A fact that a function mentions more than once is kept in a local: where every way to a
mention has met the fact before, the local is read; where only some have, it is asked for then.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeAlias

from app.core.condition_tree import (
    BOOL,
    LIST,
    LOST,
    NONE,
    NUMBER,
    TEXT,
    AllOf,
    AnyOf,
    Arithmetic,
    Comparison,
    Fact,
    FactRef,
    ListOf,
    Literal,
    Membership,
    Node,
    Not,
    Signed,
    facts_in,
    kinds,
)

Expression: TypeAlias = Callable[[FactRef], str]
"""Gives the Python expression of a fact, as one operand (a name, a call, or in brackets)."""

Key: TypeAlias = tuple[str, tuple[int, ...]]

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _SIGN, _OPERAND = range(1, 9)
_ORDER = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_COMPUTE = {"+": "plus", "-": "minus", "*": "times"}
_CHEAP = re.compile(r"\(?c(\.\w+)+( is (not )?None)?\)?")


class Flow(NamedTuple):
    """Which facts were asked for on every way to here, and which on some."""

    sure: frozenset[Key] = frozenset()
    some: frozenset[Key] = frozenset()

    def met(self, key: Key) -> Flow:
        return Flow(self.sure | {key}, self.some | {key})

    def joined(self, other: Flow) -> Flow:
        return Flow(self.sure & other.sure, self.some | other.some)


@dataclass(frozen=True, slots=True)
class Code:
    """A Python expression, how tightly it binds, and what was met when it is true or not.

    name: the local that holds the value once the text was evaluated, if there is one.
    """

    text: str
    level: int
    yes: Flow
    no: Flow
    name: str = ""

    def at(self, level: int) -> str:
        """Return the text, in brackets if it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison; name as in Code."""

    text: str
    kinds: int
    literal: bool
    name: str

    @property
    def still(self) -> bool:
        """Whether it may be evaluated later, or twice, without a difference."""
        return self.literal or self.text == self.name


class Emitter:
    """Writes the conditions of one function, in the order in which it tests them."""

    def __init__(self, conditions: Iterable[Node], expression: Expression) -> None:
        self._expression = expression
        self._mentions = Counter(fact.ref.key for node in conditions for fact in facts_in(node))
        self._locals: dict[Key, str] = {}
        self._unsure: list[str] = []
        self._held = 0

    def preamble(self) -> list[str]:
        """Return the lines that must stand before what was emitted."""
        return [" = ".join([*self._unsure, "UNSEEN"])] if self._unsure else []

    def emit(self, node: Node, flow: Flow) -> Code:
        """Write one node; flow is what was met before it."""
        match node:
            case Literal():
                return Code(repr(node.value), _OPERAND, flow, flow)
            case Fact():
                return self._fact(node, flow)
            case Not():
                code = self.emit(node.operand, flow)
                return Code(f"not {code.at(_NOT)}", _NOT, code.no, code.yes)
            case AllOf():
                return self._all(node, flow)
            case AnyOf():
                return self._any(node, flow)
            case Comparison():
                return self._comparison(node, flow)
            case Membership():
                return self._membership(node, flow)
            case Arithmetic():
                return self._arithmetic(node, flow)
            case Signed():
                return self._signed(node, flow)

    def _fact(self, node: Fact, flow: Flow) -> Code:
        key = node.ref.key
        source, name = self._expression(node.ref), ""
        if self._mentions[key] > 1 and not _CHEAP.fullmatch(source):
            name = self._locals.setdefault(key, f"f{len(self._locals)}")
            if key in flow.sure:
                return Code(name, _OPERAND, flow, flow, name)
            if key in flow.some:
                if name not in self._unsure:
                    self._unsure.append(name)
                source = f"({name} if {name} is not UNSEEN else ({name} := {source}))"
            else:
                source = f"({name} := {source})"
            flow = flow.met(key)
        return Code(source, _OPERAND, flow, flow, name)

    def _all(self, node: AllOf, flow: Flow) -> Code:
        texts, no = [], None
        for part in node.parts:
            code = self.emit(part, flow)
            texts.append(code.at(_NOT))
            flow, no = code.yes, code.no if no is None else no.joined(code.no)
        return Code(" and ".join(texts), _AND, flow, no or flow)

    def _any(self, node: AnyOf, flow: Flow) -> Code:
        texts, yes = [], None
        for part in node.parts:
            code = self.emit(part, flow)
            texts.append(code.at(_AND))
            flow, yes = code.no, code.yes if yes is None else yes.joined(code.yes)
        return Code(" or ".join(texts), _OR, yes or flow, flow)

    def _arithmetic(self, node: Arithmetic, flow: Flow) -> Code:
        left = self.emit(node.left, flow)
        flow = left.yes.joined(left.no)
        right = self.emit(node.right, flow)
        flow = right.yes.joined(right.no)
        if kinds(node) == NUMBER:
            level = _MULTIPLY if node.operator == "*" else _ADD
            text = f"{left.at(level)} {node.operator} {right.at(level + 1)}"
            return Code(text, level, flow, flow)
        return Code(f"{_COMPUTE[node.operator]}({left.text}, {right.text})", _OPERAND, flow, flow)

    def _signed(self, node: Signed, flow: Flow) -> Code:
        operand = self.emit(node.operand, flow)
        flow = operand.yes.joined(operand.no)
        if kinds(node) == NUMBER:
            return Code(f"{node.operator}{operand.at(_SIGN)}", _SIGN, flow, flow)
        function = "negative" if node.operator == "-" else "positive"
        return Code(f"{function}({operand.text})", _OPERAND, flow, flow)

    def _comparison(self, node: Comparison, flow: Flow) -> Code:
        """Write a chain pair by pair; an operand between two operators is held in a local."""
        left, flow = self._operand(node.operands[0], flow)
        pairs, no = [], None
        last = len(node.operators) - 1
        for index, operator in enumerate(node.operators):
            right, flow = self._operand(node.operands[index + 1], flow, hold=index < last)
            pairs.append(self._pair(operator, left, right))
            no = flow if no is None else no.joined(flow)
            left = replace(right, text=right.name or right.text)
        if len(pairs) == 1:
            return Code(*pairs[0], flow, flow)
        texts = [text if level >= _AND else f"({text})" for text, level in pairs]
        return Code(" and ".join(texts), _AND, flow, no or flow)

    def _operand(self, node: Node, flow: Flow, *, hold: bool = False) -> tuple[Operand, Flow]:
        code = self.emit(node, flow)
        operand = Operand(code.at(_ADD), kinds(node), isinstance(node, Literal), code.name)
        if hold and not operand.literal and not operand.name:
            name = self._hold()
            operand = replace(operand, text=f"({name} := {code.text})", name=name)
        return operand, code.yes.joined(code.no)

    def _hold(self) -> str:
        self._held += 1
        return f"h{self._held}"

    def _pair(self, operator: str, left: Operand, right: Operand) -> tuple[str, int]:
        if operator in ("==", "!=") or _of_one_kind(left.kinds | right.kinds):
            if right.text == "None" and not left.literal and not left.kinds & LOST:
                operator = "is" if operator == "==" else "is not"
            return f"{left.text} {operator} {right.text}", _COMPARE
        if not (left.literal and right.literal):
            if right.still and right.kinds in (NUMBER, TEXT):
                guard, name = self._guarded(left, right.kinds)
                return f"{guard} and {name} {operator} {right.text}", _AND
            if left.still and left.kinds in (NUMBER, TEXT):
                guard, name = self._guarded(right, left.kinds)
                return f"{guard} and {left.text} {operator} {name}", _AND
        return f"{_ORDER[operator]}({left.text}, {right.text})", _OPERAND

    def _guarded(self, operand: Operand, kind: int) -> tuple[str, str]:
        """Return a test that the operand is of a kind, and the name that it has after the test."""
        name, first = self._named(operand)
        if not operand.kinds & ~(kind | NONE | LOST):
            return f"{first} is not None", name
        if kind == NUMBER:
            return f"{first}.__class__ in NUMBERS", name
        return f"{first}.__class__ is {'str' if kind == TEXT else 'list'}", name

    def _named(self, operand: Operand) -> tuple[str, str]:
        """Return a name for the operand, and the text that gives it the name."""
        if operand.literal or operand.name:
            return operand.name or operand.text, operand.text
        name = self._hold()
        return name, f"({name} := {operand.text})"

    def _membership(self, node: Membership, flow: Flow) -> Code:
        item, flow = self._operand(node.item, flow)
        word = "not in" if node.negated else "in"
        function = "outside" if node.negated else "inside"
        if isinstance(node.container, ListOf):
            if all(isinstance(one, Literal) for one in node.container.items):
                return Code(*self._among(item, node.container, node.negated), flow, flow)
            texts = []
            for one in node.container.items:
                element, flow = self._operand(one, flow)
                texts.append(f"{element.text}, ")
            return Code(f"{function}({item.text}, ({''.join(texts)}))", _OPERAND, flow, flow)
        container, flow = self._operand(node.container, flow)
        if item.literal and item.kinds != NONE and not container.literal:
            guard, name = self._guarded(container, LIST)
            return Code(f"{guard} and {item.text} {word} {name}", _AND, flow, flow)
        return Code(f"{function}({item.text}, {container.text})", _OPERAND, flow, flow)

    def _among(self, item: Operand, listed: ListOf, negated: bool) -> tuple[str, int]:
        """Test against a list of constants. A none in it is equal to nothing."""
        values = [one.value for one in listed.items if isinstance(one, Literal)]
        constants = repr(tuple(value for value in values if value is not None))
        if not negated:
            return f"{item.text} in {constants}", _COMPARE
        if not item.kinds & (NONE | LOST):
            return f"{item.text} not in {constants}", _COMPARE
        return f"outside({item.text}, {constants})", _OPERAND


def _of_one_kind(both: int) -> bool:
    """Tell whether Python may order the values without a guard (LOST orders with nothing)."""
    return both & ~LOST in (NUMBER, TEXT, BOOL, LIST)
