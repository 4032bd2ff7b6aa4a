"""A ladder: its definition (contract section 4), and the questions that the rules ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from app.core.conditions import Condition, FactRef
from app.core.facts import NAMESPACE, python_expression
from app.core.ladder_code import LadderSource, compile_ladder

if TYPE_CHECKING:
    from app.core.change import Value
    from app.core.customer import Customer
    from app.core.facts import Cuts

Kind: TypeAlias = Literal["ladder", "segment"]
Climb: TypeAlias = Literal["cumulative", "free"]
Step: TypeAlias = Literal["one", "all"]


@dataclass(frozen=True, slots=True)
class Down:
    """What happens when the target falls below the standing. grace in microseconds."""

    mode: Literal["never", "now", "grace"] = "never"
    grace: int = 0
    step: Step = "all"


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung. title by language; suggest: a word for marketing, carried on the event."""

    id: str
    condition: Condition
    title: Mapping[str, str] = field(default_factory=dict)
    override: bool = False
    suggest: str | None = None

    @property
    def when(self) -> str:
        """The rule as it stands in the definition."""
        return self.condition.text


class Ladder:
    """A ladder or segment, compiled. Places are indices in `rungs`; -1 stands for none.

    steps: the places of the rungs that are no overrides, lowest first; overrides: the others.
    windows: the (fact, days) that it looks at, `purchases_in(30)` as ("purchases", 30); a
    `top_spender(p, n)` is ("spend", n) there, and (p, n) in tops. names: of the facts it depends
    on. digest: the same as long as the meaning is: titles, suggestions, announce, comments and
    spacing do not count.
    """

    __slots__ = (
        "_facts",
        "_holds",
        "announce",
        "attributes",
        "climb",
        "digest",
        "down",
        "falls_at_once",
        "id",
        "kind",
        "names",
        "override",
        "overrides",
        "place",
        "rungs",
        "steps",
        "title",
        "tops",
        "version",
        "windows",
    )

    def __init__(
        self,
        *,
        id: str,
        version: int,
        rungs: Sequence[Rung],
        title: Mapping[str, str] | None = None,
        kind: Kind = "ladder",
        climb: Climb = "cumulative",
        down: Down = Down(),
        announce: bool = False,
    ) -> None:
        """Whoever makes one has checked it (`app.wire.definition` for what is read)."""
        self.id = id
        self.version = version
        self.title = dict(title or {})
        self.kind = kind
        self.climb = climb
        self.down = down
        self.falls_at_once = kind == "segment" or down.mode == "now"
        self.announce = announce
        self.rungs = tuple(rungs)
        self.steps = tuple(place for place, rung in enumerate(self.rungs) if not rung.override)
        self.overrides = tuple(place for place, rung in enumerate(self.rungs) if rung.override)
        self._depend()
        self._compile()
        self.digest = self._digest()

    def holds(self, place: int, c: Customer, day: int, cuts: Cuts) -> bool:
        """Tell whether the rule of the rung at a place holds."""
        return self._holds[place](c, day, cuts)

    def rung_facts(self, place: int, c: Customer, day: int, cuts: Cuts) -> dict[str, Value]:
        """Return the value of each fact that the rule names, keyed as written there."""
        return self._facts[place](c, day, cuts)

    def _depend(self) -> None:
        facts = {fact for rung in self.rungs for fact in rung.condition.facts}
        self.names = frozenset(fact.name for fact in facts)
        self.tops = frozenset(
            (fact.args[0], fact.args[1]) for fact in facts if fact.name == "top_spender"
        )
        self.windows = frozenset(_window(fact) for fact in facts if fact.args)
        self.attributes = frozenset(
            fact.name.removeprefix("profile.") for fact in facts if fact.name.startswith("profile.")
        )

    def _compile(self) -> None:
        source = LadderSource([rung.condition for rung in self.rungs], python_expression)
        if self.kind == "segment":
            place = source.first("place", self.steps)
        elif self.climb == "free":
            place = source.first("place", self.steps[::-1])
        else:
            place = source.cumulative("place", self.steps)
        functions = compile_ladder(
            self.id, source, place, self.overrides, len(self.rungs), NAMESPACE
        )
        self.place = functions.place
        """(c, day, cuts): the place of the target, what the rules say now."""
        self.override = functions.override
        """(c, day, cuts): the place of the first override that holds."""
        self._holds = functions.holds
        self._facts = functions.facts

    def _digest(self) -> str:
        rungs = [(rung.id, rung.condition.canonical, rung.override) for rung in self.rungs]
        meaning = [self.id, self.kind]
        if self.kind == "ladder":
            down = self.down
            meaning += [self.climb, down.mode, str(down.grace), down.step]
        return sha256(msgspec.json.encode([meaning, rungs])).hexdigest()


def _window(fact: FactRef) -> tuple[str, int]:
    """Return the dated fact that is looked at, and over how many days."""
    if fact.name == "top_spender":
        return "spend", fact.args[1]
    return fact.name.removesuffix("_in"), fact.args[0]
