"""A condition as a rung carries it: the text, what it means, and the facts it names.

The language is contract section 3; `condition_values` says what it means where that is silent.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.condition_parser import parse
from app.core.condition_tokens import tokens
from app.core.condition_tree import ConditionError, FactRef, Node, facts_in

__all__ = ["Condition", "ConditionError", "FactRef", "condition"]


@dataclass(frozen=True, slots=True)
class Condition:
    """facts: each spelling once, in the order of first appearance.

    canonical is the text with single spaces: the same for two ways to space it.
    """

    text: str
    tree: Node
    facts: tuple[FactRef, ...]
    canonical: str


def condition(text: str) -> Condition:
    """Read a condition; ConditionError says what is wrong with it, and where."""
    tree = parse(text)
    facts = tuple(dict.fromkeys(fact.ref for fact in facts_in(tree)))
    canonical = " ".join(text[token.offset : token.end] for token in tokens(text)).strip()
    return Condition(text.strip(), tree, facts, canonical)
