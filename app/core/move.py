"""Which rung, and how it changes: target, standing and rung of contract section 4.

Places on a ladder count from 1 here, 0 is none; so they compare as the contract compares rungs.
"""

import msgspec

from app.core.change import Because, Cause, Change, Next, Trigger
from app.core.customer import Customer, Hold
from app.core.facts import Cuts
from app.core.ladder import Ladder
from app.core.rules import Rules

_NO_HOLD = Hold()


class Occasion(msgspec.Struct, frozen=True, gc=False):
    """Why the ladders are looked at.

    `by_hand` is the index of a ladder placed or released on; who is `leaving` is off all of them.
    """

    cause: Cause
    trigger: Trigger | None = None
    by_hand: int = -1
    leaving: bool = False


CLOCK = Occasion("clock")


class Look(msgspec.Struct, gc=False):
    """A look at one customer's facts as of an instant; a series of them may share one."""

    rules: Rules
    id: str
    c: Customer
    instant: int
    day: int
    cuts: Cuts
    occasion: Occasion


def evaluate(look: Look, ladders: int, out: list[Change]) -> bool:
    """Bring a set of ladders up to what the rules say; tells whether anything changed.

    What changed is a rung, a standing or a grace; each changed rung adds a stage change to `out`.
    """
    c, rules, day, cuts = look.c, look.rules, look.day, look.cuts
    standings, rungs, holds = c.standings, c.rungs, c.holds
    changed = False
    for index, ladder in rules.chosen(ladders):
        target = ladder.place(c, day, cuts) + 1
        standing = seen = standings[index]
        hold = holds.get(index) if holds else None
        if hold is None and (target > standing or (target < standing and ladder.falls_at_once)):
            standings[index] = seen = standing = target
            changed = True
        elif target != standing or hold is not None:
            standing, moved = _settle(look, index, ladder, target)
            changed = changed or moved
            seen = standing
        if hold is not None and is_placed(hold, look.instant):
            seen = hold.placed if ladder.kind == "segment" else max(hold.placed, standing)
        elif ladder.overrides:
            seen = ladder.override(c, day, cuts) + 1 or standing
        if seen != rungs[index]:
            _step(look, index, seen, target, out)
            changed = True
    return changed


def is_placed(hold: Hold, instant: int) -> bool:
    """Tell whether a placement by hand lasts at an instant."""
    return bool(hold.placed) and (not hold.until or instant < hold.until)


def _settle(look: Look, index: int, ladder: Ladder, target: int) -> tuple[int, bool]:
    """Move the standing on one ladder, and begin or end its grace."""
    c = look.c
    hold = c.holds.get(index, _NO_HOLD)
    before = (c.standings[index], hold.grace)
    standing, grace = _stand(ladder, target, *before, look.instant)
    if (standing, grace) == before:
        return standing, False
    c.standings[index] = standing
    if grace or hold.placed:
        c.holds[index] = Hold(grace, hold.placed, hold.until)
    else:
        c.holds.pop(index, None)
    return standing, True


def _stand(ladder: Ladder, target: int, standing: int, grace: int, now: int) -> tuple[int, int]:
    """Return the standing and the end of its grace (0: none) under a target."""
    if target > standing or ladder.falls_at_once:
        return target, 0
    down = ladder.down
    if target == standing or down.mode == "never":
        return standing, 0
    if not grace:
        return standing, now + down.grace
    if now < grace:
        return standing, grace
    if down.step == "all":
        return target, 0
    lower = max((step + 1 for step in ladder.steps if step + 1 < standing), default=0)
    return lower, now + down.grace if target < lower else 0


def leave(look: Look, out: list[Change]) -> None:
    """Take a customer off every ladder (absorbed or erased)."""
    for index, _ in look.rules.chosen(look.rules.all):
        if look.c.rungs[index]:
            _step(look, index, 0, 0, out)
    look.c.standings = bytearray(len(look.c.standings))
    look.c.holds = {}


def _step(look: Look, index: int, after: int, target: int, out: list[Change]) -> None:
    c, rules, instant, occasion = look.c, look.rules, look.instant, look.occasion
    ladder = rules.ladders[index]
    before, since = c.rungs[index], c.since[index]
    c.sequences[index] = sequence = c.sequences[index] + 1
    c.rungs[index] = after
    c.since[index] = instant
    path = rules.path(index, before, after)
    manual = occasion.by_hand == index
    above = path.next_place
    # By position: twice as fast as by name, and this runs for every step of everybody.
    out.append(
        Change(
            look.id,
            c.life,
            ladder.id,
            ladder.version,
            sequence,
            instant,
            path.from_,
            path.to,
            path.direction,
            path.passed,
            "manual" if manual else occasion.cause,
            occasion.trigger,
            None if manual else _because(look, ladder, index, before, after, target),
            since if before else None,
            (instant - since) // 1_000_000 if before else None,
            Next(path.next_rung, path.next_rule, ladder.rung_facts(above, c, look.day, look.cuts))
            if above >= 0
            else None,
            path.suggest,
            instant < rules.quiet_before or occasion.cause == "definition",
        )
    )


def _because(
    look: Look, ladder: Ladder, index: int, before: int, after: int, target: int
) -> Because | None:
    """Choose the rule that explains a change: contract section 7, `because`."""
    if look.c.holds and look.occasion.cause == "clock":
        hold = look.c.holds.get(index)
        if hold is not None and hold.placed and hold.until == look.instant:
            return None
    if not after and (ladder.kind == "segment" or look.occasion.leaving):
        return None
    place = _deciding(look, ladder, before, after, target)
    return Because(ladder.rungs[place].when, ladder.rung_facts(place, look.c, look.day, look.cuts))


def _deciding(look: Look, ladder: Ladder, before: int, after: int, target: int) -> int:
    """Return the list place (from 0) of the rung whose rule explains a change."""
    if overrides := ladder.overrides:
        if after - 1 in overrides:
            return after - 1
        if before - 1 in overrides and not ladder.holds(before - 1, look.c, look.day, look.cuts):
            return before - 1
    if ladder.kind == "segment" or after > before:
        return after - 1
    if ladder.climb == "free":
        return before - 1
    return next(step for step in ladder.steps if step >= target)
