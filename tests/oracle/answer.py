"""What is answered of a customer (contract section 10), as of the clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .clock import format_time
from .conditions import Fact
from .facts import PLAIN
from .ladders import Ladder, named_facts
from .record import Record
from .settle import Look, Occasion, next_rung, ruled, settle
from .world import World


def customer(world: World, record: Record) -> dict[str, Any]:
    """As GET /v1/customers/{id} gives it."""
    settings = world.settings
    assert world.now is not None
    asked = [Fact(name, name) for name in PLAIN]
    asked += [Fact(f"profile.{name}", f"profile.{name}") for name in sorted(settings.kept)]
    asked += [f for f in named_facts(settings.ladders) if f.args]
    look = Look(settings, record, world.now, world.cuts)
    ahead = moves_ahead(world, record)
    return {
        "customer_id": record.id,
        "as_of": format_time(world.now),
        "facts": {f.text: look(f) for f in asked},
        "ladders": {
            ladder.id: on_ladder(record, ladder, look, ahead.get(ladder.id))
            for ladder in settings.ladders
        },
    }


def on_ladder(
    record: Record, ladder: Ladder, look: Look, due: dict[str, Any] | None
) -> dict[str, Any]:
    stand = record.stands[ladder.id]
    placed = because = None
    if stand.placed is not None:
        rung, until = stand.placed
        placed = {
            "rung": ladder.rungs[rung].id,
            "until": format_time(until) if until is not None else None,
        }
    elif stand.rung != -1:
        because = ruled(ladder.rungs[stand.rung], look)
    return {
        "rung": ladder.rungs[stand.rung].id if stand.rung != -1 else None,
        "since": format_time(stand.since) if stand.since is not None else None,
        "sequence": stand.sequence,
        "because": because,
        "next": next_rung(ladder, stand.rung, look),
        "due": due,
        "placed": placed,
    }


def moves_ahead(world: World, record: Record) -> dict[str, dict[str, Any]]:
    """The first move to come on each ladder, found by moving the clock on over a copy."""
    assert world.now is not None
    twin = replace(record, stands={id: replace(stand) for id, stand in record.stands.items()})
    found: dict[str, dict[str, Any]] = {}
    for at in world.due.instants(twin, world.now):
        for change in settle(world.settings, twin, Occasion(at, "clock"), world.cuts):
            move = {"at": change["time"], "to": change["data"]["to"]}
            found.setdefault(change["data"]["ladder"], move)
        if len(found) == len(world.settings.ladders):
            break
    return found
