"""The functions of one ladder, generated from its conditions and compiled once.

`place` tests what the climb asks for, in the order in which fewest tests decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from app.core.condition_code import Emitter, Expression, Flow
from app.core.condition_values import VALUES

if TYPE_CHECKING:
    from app.core.change import Value
    from app.core.conditions import Condition
    from app.core.customer import Customer
    from app.core.facts import Cuts

Place: TypeAlias = "Callable[[Customer, int, Cuts], int]"
Holds: TypeAlias = "Callable[[Customer, int, Cuts], bool]"
Facts: TypeAlias = "Callable[[Customer, int, Cuts], dict[str, Value]]"


class LadderFunctions(NamedTuple):
    """`place` and `override` give an index in the rungs, -1 for none; the others one for each."""

    place: Place
    override: Place
    holds: tuple[Holds, ...]
    facts: tuple[Facts, ...]


class LadderSource:
    """Writes the source of a ladder's functions.

    expression gives the Python expression of a fact over `c`, `day` and `cuts`.
    """

    def __init__(self, conditions: Sequence[Condition], expression: Expression) -> None:
        self._conditions = conditions
        self._expression = expression

    def cumulative(self, name: str, steps: Sequence[int]) -> list[str]:
        """The last of the steps before the first that does not hold."""
        emitter, flow = self._emitter(steps), Flow()
        body, last = [], -1
        for place in steps:
            code = emitter.emit(self._conditions[place].tree, flow)
            body += [f"if not ({code.text}):", f"    return {last}"]
            flow, last = code.yes, place
        return _function(name, [*emitter.preamble(), *body, f"return {last}"])

    def first(self, name: str, places: Sequence[int]) -> list[str]:
        """The first of the places, in the order given, that holds."""
        emitter, flow = self._emitter(places), Flow()
        body = []
        for place in places:
            code = emitter.emit(self._conditions[place].tree, flow)
            body += [f"if {code.text}:", f"    return {place}"]
            flow = code.no
        return _function(name, [*emitter.preamble(), *body, "return -1"])

    def holds(self, name: str, place: int) -> list[str]:
        emitter = self._emitter([place])
        code = emitter.emit(self._conditions[place].tree, Flow())
        return _function(name, [*emitter.preamble(), f"return True if {code.text} else False"])

    def facts(self, name: str, place: int) -> list[str]:
        refs = self._conditions[place].facts
        items = ", ".join(f"{ref.text!r}: {self._expression(ref)}" for ref in refs)
        return _function(name, [f"return {{{items}}}"])

    def _emitter(self, places: Iterable[int]) -> Emitter:
        return Emitter([self._conditions[place].tree for place in places], self._expression)


def compile_ladder(
    ladder: str,
    source: LadderSource,
    place: list[str],
    overrides: Sequence[int],
    rungs: int,
    namespace: dict[str, object],
) -> LadderFunctions:
    """Compile the functions of a ladder of `rungs` rungs; namespace is what expressions need."""
    lines = [*place, *source.first("override", overrides)]
    for index in range(rungs):
        lines += source.holds(f"holds_{index}", index)
        lines += source.facts(f"facts_{index}", index)
    found: dict[str, object] = {**VALUES, **namespace, "UNSEEN": object()}
    compiled = compile("\n".join(lines), f"<ladder {ladder}>", "exec")
    exec(compiled, found)  # noqa: S102  # source made from our own tree, texts and names as literals
    return LadderFunctions(
        found["place"],  # type: ignore[arg-type]  # defined by the source above
        found["override"],  # type: ignore[arg-type]  # the same
        tuple(found[f"holds_{index}"] for index in range(rungs)),  # type: ignore[misc]  # the same
        tuple(found[f"facts_{index}"] for index in range(rungs)),  # type: ignore[misc]  # the same
    )


def _function(name: str, body: Iterable[str]) -> list[str]:
    return [f"def {name}(c, day, cuts):", *(f"    {line}" for line in body)]
