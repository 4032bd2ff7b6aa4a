"""How long rungs were held, in buckets that add up over days and workers.

Bucket b holds what lasted from BASE**(b - 1) - 1 to BASE**b - 1 seconds; its middle is off by at
most 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

BASE = 1.1
_LOG = math.log(BASE)
FEWEST = 5
"""Cases below which a median says more of single customers than of the rung."""


class Median(NamedTuple):
    """The median of `cases` times, in seconds; None of fewer than `FEWEST`."""

    seconds: int | None
    cases: int


def bucket(seconds: int) -> int:
    """Return the bucket of a time in seconds; 0 for none at all."""
    return math.ceil(math.log1p(seconds) / _LOG) if seconds > 0 else 0


def median(counts: Iterable[Mapping[int, int]]) -> Median:
    """Return the median of all that was counted."""
    together: dict[int, int] = {}
    for each in counts:
        for number, count in each.items():
            together[number] = together.get(number, 0) + count
    cases = sum(together.values())
    if cases < FEWEST:
        return Median(None, cases)
    left = (cases + 1) // 2
    for number, count in sorted(together.items()):
        left -= count
        if left <= 0:
            return Median(_middle(number), cases)
    raise AssertionError("counts are not negative")


def _middle(number: int) -> int:
    return round(BASE ** (number - 0.5) - 1) if number else 0
