"""Which values a fact may have, and what is left of them when several tests must hold at once.

For finding rungs that can never hold: a domain may be too wide, never too narrow.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor, inf
from typing import TypeAlias

from app.core.condition_facts import PLAIN, WINDOWED, kind_of_fact
from app.core.condition_tree import BOOL, LIST, NONE, NUMBER, TEXT, FactRef, Scalar, kind_of

Number: TypeAlias = "int | float"


@dataclass(frozen=True, slots=True)
class Domain:
    """Kinds of value; for numbers the range; allowed (None: all) and excluded single values."""

    kinds: int
    low: Number = -inf
    high: Number = inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False
    allowed: frozenset[Scalar] | None = None
    excluded: frozenset[Scalar] = frozenset()

    def meet(self, other: Domain) -> Domain:
        """Return what lies in both."""
        low, low_open = max((self.low, self.low_open), (other.low, other.low_open))
        high, high_open = min((self.high, not self.high_open), (other.high, not other.high_open))
        allowed = self.allowed if other.allowed is None else other.allowed
        if self.allowed is not None and other.allowed is not None:
            allowed = self.allowed & other.allowed
        return Domain(
            self.kinds & other.kinds,
            low,
            high,
            low_open,
            not high_open,
            self.whole or other.whole,
            allowed,
            self.excluded | other.excluded,
        )._settled()

    def _settled(self) -> Domain:
        """Bring ranges of whole numbers to whole ends, and to the values that are allowed."""
        low, high = self.low, self.high
        if self.whole and self.kinds & ~NONE == NUMBER:
            low = low if low == -inf else floor(low) + 1 if self.low_open else ceil(low)
            high = high if high == inf else ceil(high) - 1 if self.high_open else floor(high)
            settled = replace(self, low=low, high=high, low_open=False, high_open=False)
        else:
            settled = self
        return settled._within_allowed()

    def _within_allowed(self) -> Domain:
        numbers = [value for value in self.allowed or () if isinstance(value, (int, float))]
        least, most = min(numbers, default=self.low), max(numbers, default=self.high)
        narrowed = self
        if self.kinds == NUMBER and least > self.low:
            narrowed = replace(narrowed, low=least, low_open=False)
        if self.kinds == NUMBER and most < self.high:
            narrowed = replace(narrowed, high=most, high_open=False)
        return narrowed

    @property
    def empty(self) -> bool:
        """Whether no value at all is left."""
        if self.allowed is not None:
            return not any(self._holds(value) for value in self.allowed)
        return not (
            self.kinds & (TEXT | LIST)
            or (self.kinds & NONE and None not in self.excluded)
            or (self.kinds & BOOL and not {True, False} <= self.excluded)
            or (self.kinds & NUMBER and self._has_number())
        )

    def _holds(self, value: Scalar) -> bool:
        """Tell whether a value is left; true and 1 are equal, so either may stand for the other."""
        if value in self.excluded:
            return False
        if value is None or isinstance(value, str):
            return bool(self.kinds & kind_of(value))
        if self.kinds & BOOL and value in (0, 1):
            return True
        below = value < self.low or (value == self.low and self.low_open)
        above = value > self.high or (value == self.high and self.high_open)
        fits = not self.whole or value == floor(value)
        return bool(self.kinds & NUMBER) and fits and not below and not above

    def _has_number(self) -> bool:
        if self.low > self.high or (self.low == self.high and (self.low_open or self.high_open)):
            return False
        if self.low == self.high:
            return self.low not in self.excluded
        if self.whole and self.high - self.low < len(self.excluded):
            return any(self._holds(value) for value in range(int(self.low), int(self.high) + 1))
        return True


def of_fact(ref: FactRef) -> Domain:
    """Return what a fact may be, whoever the customer is."""
    kind = kind_of_fact(ref)
    low = -inf if kind.low is None else kind.low
    high = inf if kind.high is None else kind.high
    return Domain(kind.kinds, low, high, whole=kind.whole)


def ordered(operator: str, bound: Number) -> Domain:
    """Return the numbers on one side of a bound: `<` 5."""
    if operator in ("<", "<="):
        return Domain(NUMBER, high=bound, high_open=operator == "<")
    return Domain(NUMBER, low=bound, low_open=operator == ">")


Box: TypeAlias = "dict[tuple[str, tuple[int, ...]], Domain]"


def with_longer_windows(box: Box) -> Box:
    """Narrow counts by each other: a longer window never has less in it, all time has most."""
    families: dict[str, list[tuple[float, tuple[str, tuple[int, ...]]]]] = {}
    for name, args in box:
        kind = PLAIN.get(name) or WINDOWED.get(name)
        if kind is not None and kind.kinds == NUMBER and kind.low == 0:
            days = args[0] if args else inf
            families.setdefault(name.removesuffix("_in"), []).append((days, (name, args)))
    narrowed = dict(box)
    for family in families.values():
        keys = [key for _, key in sorted(family)]
        for shorter, longer in pairwise(keys):
            least = Domain(NUMBER, low=narrowed[shorter].low)
            narrowed[longer] = narrowed[longer].meet(least)
        for longer, shorter in pairwise(reversed(keys)):
            most = Domain(NUMBER, high=narrowed[longer].high)
            narrowed[shorter] = narrowed[shorter].meet(most)
    return narrowed
