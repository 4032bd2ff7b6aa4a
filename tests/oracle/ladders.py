"""Ladder definitions (contract section 4), read from YAML without any checking."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from .clock import DAY
from .conditions import Condition, Fact, parse


@dataclass(frozen=True)
class Rung:
    id: str
    when: Condition
    override: bool
    suggest: str | None


@dataclass(frozen=True)
class Ladder:
    """`down` is never, now, one or all; `grace` is in microseconds (for one and all)."""

    id: str
    version: int
    segment: bool
    cumulative: bool
    down: str
    grace: int
    rungs: tuple[Rung, ...]

    def steps(self) -> list[int]:
        """The places of the rungs that are no overrides, lowest first."""
        return [place for place, rung in enumerate(self.rungs) if not rung.override]

    def place(self, rung: str) -> int | None:
        """Where a customer may be placed by hand: the place of a rung that is no override."""
        for place in self.steps():
            if self.rungs[place].id == rung:
                return place
        return None


@cache  # for thousands of scenarios
def read_ladder(path: Path) -> Ladder:
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    segment = text["kind"] == "segment"
    down = "now" if segment else text.get("down", "never")
    grace = 0
    if isinstance(down, dict):
        grace, down = down["grace_days"] * DAY, down["step"]
    rungs = tuple(
        Rung(r["id"], parse(r["when"]), bool(r.get("override")), r.get("suggest"))
        for r in text["rungs"]
    )
    cumulative = not segment and text["climb"] == "cumulative"
    return Ladder(text["id"], text["version"], segment, cumulative, down, grace, rungs)


def read_ladders(folder: Path) -> list[Ladder]:
    return [read_ladder(path) for path in sorted(folder.glob("*.yaml"))]


def named_facts(ladders: list[Ladder]) -> list[Fact]:
    """Every fact that a rung of these ladders names, once for each way of writing it."""
    found: list[Fact] = []
    for ladder in ladders:
        for rung in ladder.rungs:
            found += [fact for fact in rung.when.facts() if fact not in found]
    return found
