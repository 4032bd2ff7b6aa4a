"""Compiled conditions beside a second, naive reading of contract section 3.

The naive one translates the three constants into Python's, lets Python parse the rest, and walks
that tree: so precedence is Python's own, and nothing of it is shared with the product.
"""

import ast
import operator
import re
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.condition_tree import ConditionError, FactRef
from app.core.conditions import condition
from app.core.ladder_code import LadderFunctions, LadderSource, compile_ladder

LOST = object()
PYTHON_CONSTANTS = {"true": "True", "false": "False", "none": "None"}


class Naive:
    """Evaluates a condition over a table of facts."""

    def __init__(self, facts: dict[str, object]) -> None:
        self.facts = facts

    def holds(self, text: str) -> bool:
        pattern = r"'[^']*'|\b(?:true|false|none)\b"
        python = re.sub(pattern, lambda m: PYTHON_CONSTANTS.get(m.group(), m.group()), text)
        return self.truth(self.value(ast.parse(python, mode="eval").body))

    def truth(self, value: object) -> bool:
        return value is not LOST and bool(value)

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name() | ast.Attribute() | ast.Call():
                return self.facts[ast.unparse(node)]
            case ast.List():
                return [self.value(item) for item in node.elts]
            case ast.UnaryOp(op=ast.Not()):
                return not self.truth(self.value(node.operand))
            case ast.UnaryOp():
                sign = -1 if isinstance(node.op, ast.USub) else 1
                return self.compute(operator.mul, sign, self.value(node.operand))
            case ast.BoolOp():
                return self.logical(node)
            case ast.BinOp():
                operation = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
                left, right = self.value(node.left), self.value(node.right)
                return self.compute(operation[type(node.op)], left, right)
            case ast.Compare():
                return self.chain(node)
        raise AssertionError(node)

    def logical(self, node: ast.BoolOp) -> Any:
        result = None
        for part in node.values:
            result = self.value(part)
            if self.truth(result) == isinstance(node.op, ast.Or):
                return result
        return result

    def compute(self, operation: Any, left: Any, right: Any) -> Any:
        counts = (int, float, bool)
        if type(left) in counts and type(right) in counts:
            return operation(left, right)
        return LOST

    def chain(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for comparison, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if not self.compare(comparison, left, right):
                return False
            left = right
        return True

    def compare(self, comparison: ast.cmpop, left: Any, right: Any) -> bool:
        if left is LOST or right is LOST:
            return False
        if isinstance(comparison, ast.In | ast.NotIn):
            if left is None or not isinstance(right, list) or LOST in right:
                return False
            return (left in right) == isinstance(comparison, ast.In)
        if isinstance(comparison, ast.Eq):
            return bool(left == right)
        if isinstance(comparison, ast.NotEq):
            return bool(left != right)
        if left is None or right is None or self.order(left) != self.order(right):
            return False
        order = {
            ast.Lt: operator.lt,
            ast.LtE: operator.le,
            ast.Gt: operator.gt,
            ast.GtE: operator.ge,
        }
        return bool(order[type(comparison)](left, right))

    def order(self, value: object) -> str:
        return "number" if type(value) in (int, float) else type(value).__name__


COUNTS = ["purchases", "units", "spend_in(30)", "purchases_in(365)", "need_in(7)"]
ATTRIBUTES = ["profile.a", "profile.b", "profile.c"]
NULLABLE = ["average_order", "gap_spread"]
NAMES = [*COUNTS, *ATTRIBUTES, *NULLABLE, "registered", "top_spender(20, 30)", "card"]

small = st.integers(0, 4)
anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 4),
    st.sampled_from([0.5, 1.0, -2.5]),
    st.sampled_from(["", "a", "b"]),
    st.lists(st.sampled_from(["a", "b"]), max_size=2),
)
tables = st.fixed_dictionaries(
    {
        **dict.fromkeys(COUNTS, small),
        **dict.fromkeys(ATTRIBUTES, anything),
        **dict.fromkeys(NULLABLE, st.one_of(st.none(), small, st.sampled_from([0.25, 1.5]))),
        "registered": st.booleans(),
        "top_spender(20, 30)": st.booleans(),
        "card": st.one_of(st.none(), st.sampled_from(["a", "b"])),
    }
)
leaves = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(["0", "1", "2", "3", "1.5", "'a'", "'b'", "true", "false", "none"]),
)
comparisons = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Build on smaller conditions; brackets only where the grammar asks for them."""
    closed = st.one_of(leaves, inner.map("({})".format))
    listed = st.lists(closed, max_size=3).map(lambda items: f"[{', '.join(items)}]")
    membership = st.sampled_from(["in", "not in"])
    return st.one_of(
        st.builds("{} {} {}".format, closed, comparisons, closed),
        st.builds("{} {} {}".format, leaves, comparisons, leaves),
        st.builds("{} {} {} {} {}".format, closed, comparisons, closed, comparisons, closed),
        st.builds("{} {} {}".format, closed, membership, st.one_of(closed, listed)),
        st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("{} {} {}".format, closed, st.sampled_from(["+", "-", "*"]), closed),
        st.builds("{} {} {} {} {}".format, closed, st.just("+"), closed, st.just("*"), closed),
        closed.map("not ({})".format),
        closed.map("-{}".format),
    )


conditions = st.recursive(leaves, _wider, max_leaves=10)

# Few facts, met on some ways and not on others: what keeping a fact in a local must survive.
tests_of_one = st.builds(
    "{} {} {}".format, st.sampled_from(["purchases", "units", "profile.a"]), comparisons, leaves
)
tangled = st.recursive(
    tests_of_one,
    lambda inner: st.builds(
        "{}({} {} {})".format,
        st.sampled_from(["", "not "]),
        inner,
        st.sampled_from(["and", "or"]),
        inner,
    ),
    max_leaves=6,
)


def _ask(ref: FactRef) -> str:
    return f"ask(c, {ref.text!r})"


def _compiled(texts: list[str], climb: str, asked: Counter[str]) -> LadderFunctions:
    def ask(facts: dict[str, object], name: str) -> object:
        asked[name] += 1
        return facts[name]

    source = LadderSource([condition(text) for text in texts], _ask)
    places = list(range(len(texts)))
    order = places[::-1] if climb == "free" else places
    place = source.cumulative("place", places) if climb == "cumulative" else None
    return compile_ladder(
        "test",
        source,
        place or source.first("place", order),
        places,
        len(texts),
        {"ask": ask},
    )


@given(text=conditions, facts=tables)
@settings(max_examples=250, deadline=None)
def test_a_compiled_condition_holds_when_the_naive_reading_says_so(
    text: str, facts: dict[str, Any]
) -> None:
    functions = _compiled([text], "segment", Counter())
    assert functions.holds[0](facts, 0, {}) is Naive(facts).holds(text)  # type: ignore[arg-type]


@given(
    texts=st.lists(st.one_of(tangled, conditions), min_size=1, max_size=5),
    facts=tables,
    climb=st.sampled_from(["cumulative", "free", "segment"]),
)
@settings(max_examples=200, deadline=None)
def test_a_ladder_finds_its_target_and_asks_for_each_fact_once_at_most(
    texts: list[str], facts: dict[str, Any], climb: str
) -> None:
    asked: Counter[str] = Counter()
    functions = _compiled(texts, climb, asked)
    held = [place for place, text in enumerate(texts) if Naive(facts).holds(text)]
    expected = {
        "segment": min(held, default=-1),
        "free": max(held, default=-1),
        "cumulative": next((place for place in range(len(texts)) if place not in held), len(texts))
        - 1,
    }[climb]
    assert functions.place(facts, 0, {}) == expected  # type: ignore[arg-type]
    assert all(times == 1 for times in asked.values()), asked
    assert functions.override(facts, 0, {}) == min(held, default=-1)  # type: ignore[arg-type]


@given(text=conditions, facts=tables)
@settings(max_examples=100, deadline=None)
def test_a_rule_gives_the_value_of_each_fact_that_it_names(
    text: str, facts: dict[str, Any]
) -> None:
    functions = _compiled([text], "segment", Counter())
    given_facts = functions.facts[0](facts, 0, {})  # type: ignore[arg-type]
    assert given_facts == {name: facts[name] for name in given_facts}
    assert list(given_facts) == sorted(given_facts, key=lambda name: _first_mention(text, name))
    assert {name for name in NAMES if _first_mention(text, name) >= 0} == set(given_facts)


def _first_mention(text: str, name: str) -> int:
    mention = re.search(rf"(?<![\w.]){re.escape(name)}(?![\w(])", text)
    return mention.start() if mention else -1


words = st.sampled_from(
    [
        *NAMES,
        *"()[],.+-*=<>!'\"\\#/ \n",
        "==",
        "<=",
        "in",
        "not",
        "and",
        "or",
        "none",
        "1",
        "9" * 20,
    ]
)


@given(text=st.one_of(st.text(), st.lists(words).map(" ".join), st.lists(words).map("".join)))
@settings(max_examples=500, deadline=None)
def test_reading_a_condition_never_raises_anything_but_its_own_error(text: str) -> None:
    offset = 0
    try:
        condition(text)
    except ConditionError as error:
        offset = error.offset
    assert 0 <= offset <= len(text)
