"""What is done to a fleet and when: drawn from a seed before it begins, printed, replayable.

`FAULT_SEED=7` draws other schedules (and tells other tales); `FAULT_SCHEDULE='[[1.5,"kill",[0]]]'`
takes a printed one as it stands. `FAULT_LONG=1` has all faults at their full length.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from typing import NamedTuple

LONG = bool(os.environ.get("FAULT_LONG"))
"""Whether faults take their full length; CI has the short one."""


class Step(NamedTuple):
    """After so many seconds something is done to these (slots of workers, or brokers)."""

    wait: float
    what: str
    to: tuple[int, ...] = ()


def seed_of_run(default: int) -> int:
    return int(os.environ.get("FAULT_SEED", default))


def drawn(name: str, seed: int, draw: Callable[[random.Random], list[Step]]) -> list[Step]:
    """The steps of a run, told on standard output."""
    given = os.environ.get("FAULT_SCHEDULE")
    if given is None:
        steps = draw(random.Random(f"{name} {seed}"))
    else:
        steps = [Step(wait, what, tuple(to)) for wait, what, to in json.loads(given)]
    print(f"{name}: FAULT_SEED={seed} FAULT_SCHEDULE='{json.dumps(steps)}'", flush=True)
    return steps


def bursts(chance: random.Random, count: int, what: str, slots: int) -> list[Step]:
    """Every 3 to 6 s it is done to one or more of the slots."""
    return [
        Step(
            round(chance.uniform(3, 6), 2),
            what,
            tuple(sorted(chance.sample(range(slots), chance.randint(1, slots)))),
        )
        for _ in range(count)
    ]
