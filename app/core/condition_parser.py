"""Reads the condition language of contract section 3: names, numbers, texts and operators.

Precedence climbing in Python's order. A condition is small: what is longer, deeper or multiplies
more than the limits below is refused, so that nothing a definition says can exhaust the worker.
"""

from __future__ import annotations

from app.core.condition_cursor import CONSTANTS, RESERVED, TokenCursor, in_small_letters
from app.core.condition_facts import attribute, fact_with_days, plain_fact
from app.core.condition_tokens import Token
from app.core.condition_tree import (
    AllOf,
    AnyOf,
    Arithmetic,
    Comparison,
    ConditionError,
    Fact,
    ListOf,
    Literal,
    Membership,
    Node,
    Not,
    Signed,
)

LONGEST_CONDITION = 4096
MOST_FACTORS = 8

_OR, _AND, _NOT, _COMPARE, _ADD, _MULTIPLY, _SIGN = range(1, 8)
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}
_BINDING = {
    "or": _OR,
    "and": _AND,
    "in": _COMPARE,
    "not": _COMPARE,
    **dict.fromkeys(_COMPARISONS, _COMPARE),
    "+": _ADD,
    "-": _ADD,
    "*": _MULTIPLY,
}


def parse(text: str) -> Node:
    """Read a condition. Raises ConditionError, and nothing else, whatever the text is."""
    if len(text) > LONGEST_CONDITION:
        raise ConditionError(
            f"the condition has {len(text)} characters, more than {LONGEST_CONDITION}", 0
        )
    return _Reader(text).whole()


class _Reader(TokenCursor):
    """Reads one condition, a method for each part of the grammar."""

    def whole(self) -> Node:
        if self.ahead().kind == "end":
            raise ConditionError('the condition is empty; one that always holds is "true"', 0)
        node = self.expression(_OR)
        if self.ahead().kind != "end":
            raise self.unexpected("and, or, or the end")
        return node

    def expression(self, least: int) -> Node:
        """Read operators that bind at least as tightly as `least`."""
        left = self.prefixed(least)
        while True:
            binding = self.binding()
            if binding < least or not binding:
                return left
            left = self.joined(left, binding)

    def binding(self) -> int:
        if self.ahead().kind not in ("symbol", "word"):
            return 0
        return _BINDING.get(self.ahead().value, 0)

    def joined(self, left: Node, binding: int) -> Node:
        """Read what follows `left` on one level of precedence."""
        if binding in (_OR, _AND):
            return self.logical(left, binding)
        if self.sees("in", "not"):
            return self.membership(left)
        if binding == _COMPARE:
            return self.comparison(left)
        operator = self.take()
        self.count_operator(operator)
        right = self.expression(binding + 1)
        node = Arithmetic(operator.value, left, right, left.offset)
        if _factors(node) > MOST_FACTORS:
            raise ConditionError(
                f"more than {MOST_FACTORS} factors are multiplied", operator.offset
            )
        return node

    def logical(self, left: Node, binding: int) -> Node:
        word = "or" if binding == _OR else "and"
        parts = [left]
        while self.sees(word):
            self.take()
            parts.append(self.expression(binding + 1))
        kind = AnyOf if binding == _OR else AllOf
        return kind(tuple(parts), left.offset)

    def comparison(self, left: Node) -> Node:
        operands, operators = [left], []
        while self.ahead().kind == "symbol" and self.ahead().value in _COMPARISONS:
            operators.append(self.take().value)
            operands.append(self.expression(_ADD))
        if self.sees("in", "not"):
            raise ConditionError(
                "put brackets around the comparison before this", self.ahead().offset
            )
        return Comparison(tuple(operands), tuple(operators), left.offset)

    def membership(self, item: Node) -> Node:
        negated = self.ahead().value == "not"
        if negated:
            self.take()
            if not self.sees("in"):
                raise self.unexpected("in")
        self.take()
        container = self.list_of() if self.sees("[") else self.expression(_ADD)
        if self.binding() == _COMPARE:
            raise ConditionError("put brackets around the in before this", self.ahead().offset)
        return Membership(item, container, negated, item.offset)

    def list_of(self) -> ListOf:
        opening = self.take()
        self.deeper(opening.offset)
        items: list[Node] = []
        while not self.sees("]"):
            items.append(self.expression(_OR))
            if self.sees(","):
                self.take()
            elif not self.sees("]"):
                raise self.unexpected(", or ]")
        self.take()
        self.nesting -= 1
        return ListOf(tuple(items), opening.offset)

    def prefixed(self, least: int) -> Node:
        """Read `not x`, `-x`, `+x` or an operand."""
        token = self.ahead()
        if self.sees("not"):
            if least > _NOT:
                raise ConditionError("put brackets around the not: (not ...)", token.offset)
            self.take()
            self.deeper(token.offset)
            operand: Node = Not(self.expression(_NOT), token.offset)
        elif token.kind == "symbol" and token.value in ("-", "+"):
            self.take()
            self.deeper(token.offset)
            operand = Signed(token.value, self.expression(_SIGN), token.offset)
        else:
            return self.operand()
        self.nesting -= 1
        return operand

    def operand(self) -> Node:
        token = self.ahead()
        if token.kind == "number":
            self.take()
            number = float(token.value) if "." in token.value else int(token.value)
            return Literal(number, token.offset)
        if token.kind == "text":
            return Literal(self.take().value, token.offset)
        if token.kind == "word" and token.value in CONSTANTS:
            return Literal(CONSTANTS[self.take().value], token.offset)
        if token.kind == "word" and token.value not in RESERVED:
            return self.fact()
        if self.sees("("):
            return self.bracketed()
        if self.sees("["):
            raise ConditionError("a list stands only after in: x in ['a', 'b']", token.offset)
        raise self.unexpected("a fact, a number or a text")

    def bracketed(self) -> Node:
        opening = self.take()
        self.deeper(opening.offset)
        node = self.expression(_OR)
        if not self.sees(")"):
            if self.ahead().kind == "end":
                raise ConditionError("the bracket that opens here is not closed", opening.offset)
            raise self.unexpected("and, or, or )")
        self.take()
        self.nesting -= 1
        return node

    def fact(self) -> Fact:
        name = self.take()
        if self.sees("."):
            return self.attribute(name)
        if self.sees("("):
            return self.windowed(name)
        if name.value.lower() in RESERVED:
            raise in_small_letters(name)
        return plain_fact(name.value, name.offset)

    def attribute(self, owner: Token) -> Fact:
        if owner.value != "profile":
            if owner.value.lower() == "profile":
                raise ConditionError("write profile in small letters", owner.offset)
            raise ConditionError("only profile.NAME has a dot", owner.offset)
        self.take()
        if self.ahead().kind != "word":
            raise self.unexpected("an attribute's name (letters, digits and _)")
        name = self.take()
        return attribute(self.text[owner.offset : name.end], name.value, owner.offset)

    def windowed(self, name: Token) -> Fact:
        opening = self.take()
        args: list[tuple[int, int]] = []
        while self.ahead().kind == "number" or self.sees("-"):
            token = self.ahead()
            if token.kind != "number" or "." in token.value:
                raise ConditionError("a window is a whole number of days", token.offset)
            self.take()
            args.append((int(token.value), token.offset))
            if not self.sees(","):
                break
            self.take()
        if not self.sees(")"):
            if self.ahead().kind == "end":
                raise ConditionError("the bracket that opens here is not closed", opening.offset)
            # An unknown name, or one without a window, is the first thing to correct.
            fact_with_days(name.value, name.value, ((1, 0),) * _arity(name.value), name.offset)
            raise ConditionError("days are written as a number: (30)", self.ahead().offset)
        end = self.take().end
        return fact_with_days(self.text[name.offset : end], name.value, tuple(args), name.offset)


def _arity(name: str) -> int:
    return 2 if name == "top_spender" else 1


def _factors(node: Node) -> int:
    """Count how many operands are multiplied with each other at most."""
    if isinstance(node, Signed):
        return _factors(node.operand)
    if isinstance(node, Arithmetic):
        left, right = _factors(node.left), _factors(node.right)
        return left + right if node.operator == "*" else max(left, right)
    if isinstance(node, (AllOf, AnyOf)):
        return max(_factors(part) for part in node.parts)
    return 1
