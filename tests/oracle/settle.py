"""Ladders (contract section 4) and stage changes (section 7) of one customer at one instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .clock import SECOND, format_time
from .conditions import Fact, Value
from .facts import Cuts, fact
from .ladders import Ladder, Rung
from .reading import Settings
from .record import Record, Stand


@dataclass
class Occasion:
    """Why the ladders are looked at. `by_hand`: the ladder of a placement or release."""

    time: int
    cause: str
    trigger: dict[str, str] | None = None
    by_hand: str | None = None


class Look:
    """The facts of one customer at one instant, each worked out once."""

    def __init__(self, settings: Settings, record: Record, time: int, cuts: Cuts) -> None:
        self.record, self.cuts = record, cuts
        self.today = settings.days.today(time)
        self.seen: dict[Fact, Value] = {}

    def __call__(self, asked: Fact) -> Value:
        if asked not in self.seen:
            self.seen[asked] = fact(self.record, asked, self.today, self.cuts)
        return self.seen[asked]


def settle(settings: Settings, record: Record, at: Occasion, cuts: Cuts) -> list[dict[str, Any]]:
    """Evaluate every ladder; the stage changes that come of it."""
    look = Look(settings, record, at.time, cuts)
    made: list[dict[str, Any]] = []
    for ladder in settings.ladders:
        stand = record.stands[ladder.id]
        ended = stand.placed is not None and (stand.placed[1] or at.time + 1) <= at.time
        if ended:
            stand.placed = None
        holds = [rung.when.holds(look) for rung in ladder.rungs]
        target = target_of(ladder, holds)
        move_standing(ladder, stand, target, at.time)
        to = visible(ladder, stand, holds)
        if to != stand.rung:
            by_hand = at.by_hand == ladder.id
            why = None if ended or by_hand else reason(ladder, stand.rung, to, target, holds)
            cause = "manual" if by_hand else at.cause
            made.append(change(settings, record, ladder, to, at, cause, why, look))
    return made


def target_of(ladder: Ladder, holds: list[bool]) -> int:
    steps = ladder.steps()
    if ladder.segment:
        return next((place for place in steps if holds[place]), -1)
    target = -1
    for place in steps:
        if holds[place]:
            target = place
        elif ladder.cumulative:
            break
    return target


def move_standing(ladder: Ladder, stand: Stand, target: int, time: int) -> None:
    if ladder.segment or target >= stand.standing or ladder.down == "now":
        stand.standing, stand.grace = target, None
        return
    if ladder.down == "never":
        return
    if stand.grace is None:
        stand.grace = time
    elif time >= stand.grace + ladder.grace:
        if ladder.down == "all":
            stand.standing = target
        else:
            below = [place for place in ladder.steps() if place < stand.standing]
            stand.standing = below[-1] if below else -1
        stand.grace = time if stand.standing > target else None


def visible(ladder: Ladder, stand: Stand, holds: list[bool]) -> int:
    if stand.placed is not None:
        return stand.placed[0] if ladder.segment else max(stand.placed[0], stand.standing)
    for place, rung in enumerate(ladder.rungs):
        if rung.override and holds[place]:
            return place
    return stand.standing


def reason(ladder: Ladder, was: int, to: int, target: int, holds: list[bool]) -> Rung | None:
    """The rung whose rule is the `because`."""
    if to >= 0 and ladder.rungs[to].override:
        return ladder.rungs[to]
    if was >= 0 and ladder.rungs[was].override and not holds[was]:
        return ladder.rungs[was]
    if ladder.segment or to > was:
        return ladder.rungs[to] if to >= 0 else None
    if not ladder.cumulative:
        return ladder.rungs[was]
    for place in ladder.steps():
        if place > target and not holds[place]:
            return ladder.rungs[place]
    return None


def leave(settings: Settings, record: Record, at: Occasion, cuts: Cuts) -> list[dict[str, Any]]:
    """The customer is gone from every ladder: absorbed or erased."""
    look = Look(settings, record, at.time, cuts)
    return [
        change(settings, record, ladder, -1, at, at.cause, None, look)
        for ladder in settings.ladders
        if record.stands[ladder.id].rung != -1
    ]


def change(
    settings: Settings, record: Record, ladder: Ladder, to: int, at: Occasion, cause: str,
    why: Rung | None, look: Callable[[Fact], Value],
) -> dict[str, Any]:  # fmt: skip
    """Make the move, and the event that tells of it."""
    stand = record.stands[ladder.id]
    was, since = stand.rung, stand.since
    stand.rung, stand.since = to, at.time if to != -1 else None
    stand.sequence += 1
    quiet = settings.quiet_before is not None and at.time < settings.quiet_before
    return {
        "specversion": "1.0",
        "id": f"{ladder.id}/{record.id}/{stand.sequence}{record.ending()}",
        "source": "/loyalty-ladder",
        "type": "loyalty.stage.changed",
        "subject": record.id,
        "time": format_time(at.time),
        "datacontenttype": "application/json",
        "data": {
            "ladder": ladder.id,
            "version": ladder.version,
            "sequence": stand.sequence,
            "from": ladder.rungs[was].id if was != -1 else None,
            "to": ladder.rungs[to].id if to != -1 else None,
            "direction": "moved" if ladder.segment else "up" if to > was else "down",
            "passed": passed(ladder, was, to),
            "cause": cause,
            "trigger": at.trigger if cause != "clock" else None,
            "because": ruled(why, look),
            "since": format_time(since) if since is not None else None,
            "held_seconds": (at.time - since) // SECOND if since is not None else None,
            "next": next_rung(ladder, to, look),
            "suggest": ladder.rungs[to].suggest if to != -1 else None,
            "quiet": quiet,
        },
    }


def ruled(rung: Rung | None, look: Callable[[Fact], Value]) -> dict[str, Any] | None:
    if rung is None:
        return None
    facts = {asked.text: look(asked) for asked in rung.when.facts()}
    return {"rule": rung.when.text, "facts": facts}


def passed(ladder: Ladder, was: int, to: int) -> list[str]:
    if not ladder.cumulative:
        return []
    if to > was:
        return [ladder.rungs[place].id for place in ladder.steps() if was < place <= to]
    return [ladder.rungs[place].id for place in reversed(ladder.steps()) if to < place <= was]


def next_rung(ladder: Ladder, to: int, look: Callable[[Fact], Value]) -> dict[str, Any] | None:
    if ladder.segment or to == -1:
        return None
    for place in ladder.steps():
        if place > to:
            rung = ladder.rungs[place]
            return {"rung": rung.id, **(ruled(rung, look) or {})}
    return None
