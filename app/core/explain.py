"""Why a customer stands where they stand, and what comes next: contract section 10."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from app.core.change import Change
from app.core.conditions import FactRef
from app.core.customer import Customer, Slot, with_own_verdicts
from app.core.due import NEVER, Cutter, advance, next_instant
from app.core.facts import NAMESPACE, PLAIN_FACTS, Cuts, python_expression
from app.core.instants import format_instant
from app.core.ladder import Ladder
from app.core.move import is_placed
from app.core.rules import Rules, next_place

_LOOKS_AHEAD = 1000
"""Due instants looked at to foresee the next step by time alone."""


def describe(rules: Rules, slot: Slot, customer: str, now: int, cutter: Cutter) -> dict[str, Any]:
    """Return what `GET /v1/customers/{id}` gives, as of an instant (microseconds).

    `customer` is the id asked for; where it was absorbed, `slot` is its survivor's.
    """
    c = slot.record
    if not isinstance(c, Customer):
        raise TypeError("describe needs a customer's record")
    instant = max(now, c.as_of)
    day = rules.calendar.today(instant)
    cuts = cutter.at(day)
    foreseen = _foresee(rules, slot, c, instant, cutter)
    answer: dict[str, Any] = {"customer_id": slot.id}
    if customer != slot.id:
        answer = {"customer_id": customer, "merged_into": slot.id}
    answer["as_of"] = format_instant(instant)
    answer["facts"] = _facts_of(rules)(c, day, cuts)
    answer["ladders"] = {
        ladder.id: _standing(ladder, index, c, instant, day, cuts, foreseen.get(ladder.id))
        for index, ladder in enumerate(rules.ladders)
    }
    return answer


@lru_cache(maxsize=8)
def _facts_of(rules: Rules) -> Callable[[Customer, int, Cuts], dict[str, Any]]:
    """Make the function that reads all facts of a customer: to compile it each time is slow."""
    named = {fact.text: fact for fact in _named(rules)}
    plain = {name: FactRef(name, name, ()) for name in PLAIN_FACTS}
    attributes = {
        f"profile.{name}": FactRef(f"profile.{name}", f"profile.{name}", ())
        for name in sorted(rules.attributes)
    }
    read = ", ".join(
        f"{text!r}: {python_expression(fact)}"
        for text, fact in {**plain, **attributes, **dict(sorted(named.items()))}.items()
    )
    code = f"lambda c, day, cuts: {{{read}}}"
    made: Callable[[Customer, int, Cuts], dict[str, Any]]
    made = eval(code, dict(NAMESPACE))  # noqa: S307 (a declared table, and names as literals)
    return made


def _named(rules: Rules) -> list[FactRef]:
    """Return every fact that a rule of a loaded ladder names."""
    rungs = [rung for ladder in rules.ladders for rung in ladder.rungs]
    return [fact for rung in rungs for fact in rung.condition.facts]


def _standing(
    ladder: Ladder,
    index: int,
    c: Customer,
    instant: int,
    day: int,
    cuts: Cuts,
    due: Change | None,
) -> dict[str, Any]:
    place = c.rungs[index]
    hold = c.holds.get(index)
    placed = hold is not None and is_placed(hold, instant)
    rung = ladder.rungs[place - 1] if place else None
    because = None
    if rung is not None and not placed:
        facts = ladder.rung_facts(place - 1, c, day, cuts)
        because = {"rule": rung.when, "facts": facts}
    by_hand = None
    if placed and hold is not None:
        until = format_instant(hold.until) if hold.until else None
        by_hand = {"rung": ladder.rungs[hold.placed - 1].id, "until": until}
    return {
        "rung": rung.id if rung else None,
        "since": format_instant(c.since[index]) if rung else None,
        "sequence": c.sequences[index],
        "because": because,
        "next": _next(ladder, place, c, day, cuts),
        "due": {"at": format_instant(due.time), "to": due.to} if due else None,
        "placed": by_hand,
    }


def _next(ladder: Ladder, place: int, c: Customer, day: int, cuts: Cuts) -> dict[str, Any] | None:
    above = next_place(ladder, place)
    if above < 0:
        return None
    rung = ladder.rungs[above]
    return {
        "rung": rung.id,
        "rule": rung.when,
        "facts": ladder.rung_facts(above, c, day, cuts),
    }


def _foresee(
    rules: Rules, slot: Slot, c: Customer, instant: int, cutter: Cutter
) -> dict[str, Change]:
    """Return the next step on each ladder if nothing but time passes; cuts stay as they are."""
    c = with_own_verdicts(c)
    steps: dict[str, Change] = {}
    for _ in range(_LOOKS_AHEAD):
        due = next_instant(rules, c, instant)
        if due == NEVER:
            break
        changes: list[Change] = []
        advance(rules, slot.id, c, due, cutter, changes)
        for change in changes:
            steps.setdefault(change.ladder, change)
        instant = due
    return steps
