"""Is what somebody published right? Shopper at the first purchase, customer at the second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

RUNGS = ("shopper", "customer")

Moves = dict[str, list[tuple[int, str | None]]]
"""By customer, in their order: sequence and rung."""


def expected(buyers: Iterable[bytes]) -> dict[str, int]:
    """Count the changes that are right for each customer; given is who bought, each time."""
    return {who.decode(): min(times, len(RUNGS)) for who, times in Counter(buyers).items()}


def wrong(found: Moves, right: Mapping[str, int]) -> int:
    """Count the customers whose changes are not exactly the right ones in their order."""
    climb = list(enumerate(RUNGS, 1))
    return sum(found.get(who, []) != climb[:steps] for who, steps in right.items()) + len(
        found.keys() - right.keys()
    )
