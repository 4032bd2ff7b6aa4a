"""Rungs on which nobody can ever stand, as far as that can be seen in the definition.

Never a false alarm: what `condition_contradictions` does not understand may be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.core.condition_contradictions import contradiction
from app.core.ladder import Climb, Kind, Rung


def unreachable(kind: Kind, climb: Climb, rungs: Sequence[Rung]) -> Iterator[tuple[int, str]]:
    """Yield the place of each such rung, and why, with what could be meant instead."""
    always: Rung | None = None
    below: list[Rung] = []
    for place, rung in enumerate(rungs):
        reason = contradiction((rung.condition.tree, True))
        if reason is not None:
            yield place, f"this can never hold: {reason}" if reason else "this can never hold"
            continue
        if kind == "segment":
            if always is not None:
                yield place, _never_first(always)
            elif contradiction((rung.condition.tree, False)) is not None:
                always = rung
        elif climb == "cumulative" and not rung.override:
            for lower in below:
                reason = contradiction((lower.condition.tree, True), (rung.condition.tree, True))
                if reason is not None:
                    yield place, _never_with(lower, reason)
                    break
            below.append(rung)


def _never_first(always: Rung) -> str:
    return (
        f"this is never reached: '{always.id}' above always holds, and the first counts; "
        f"put '{always.id}' last"
    )


def _never_with(lower: Rung, reason: str) -> str:
    why = f" ({reason})" if reason else ""
    return (
        f"this can never hold together with '{lower.id}' below it{why}; a cumulative ladder asks "
        "for both, with climb: free each rung stands alone"
    )
