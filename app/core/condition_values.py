"""What the operators of a condition mean beyond Python's own: none, unlike types, lists.

Contract section 3. Where it is silent: booleans count as 1 and 0 in +, - and *, and `true == 1`,
as in Python; but a boolean and a number are unlike types, so no order comparison between them
holds. Computing with a text or a list, and a result too great for a float, count as computed with
none.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Final


class Lost:
    """What was computed with none: not true, and every comparison with it is false."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # equal to nothing, so in no set

    def __bool__(self) -> bool:
        return False

    def _never(self, _other: object) -> bool:
        return False

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _never

    def __repr__(self) -> str:
        return "LOST"


LOST: Final = Lost()
NUMBERS: Final = frozenset({int, float})
_COUNTABLE: Final = frozenset({int, float, bool})


def plus(left: object, right: object) -> object:
    return _compute(operator.add, left, right)


def minus(left: object, right: object) -> object:
    return _compute(operator.sub, left, right)


def times(left: object, right: object) -> object:
    return _compute(operator.mul, left, right)


def negative(operand: object) -> object:
    return minus(0, operand)


def positive(operand: object) -> object:
    return plus(0, operand)


def _compute(operation: Callable[[object, object], object], left: object, right: object) -> object:
    if left.__class__ in _COUNTABLE and right.__class__ in _COUNTABLE:
        try:
            return operation(left, right)
        except OverflowError:
            return LOST
    return LOST


def _alike(left: object, right: object) -> bool:
    kind = left.__class__
    if kind in NUMBERS:
        return right.__class__ in NUMBERS
    return kind is right.__class__ and kind in (str, bool, list)


def lt(left: object, right: object) -> bool:
    return _alike(left, right) and left < right  # type: ignore[operator]  # alike


def le(left: object, right: object) -> bool:
    return _alike(left, right) and left <= right  # type: ignore[operator]  # alike


def gt(left: object, right: object) -> bool:
    return _alike(left, right) and left > right  # type: ignore[operator]  # alike


def ge(left: object, right: object) -> bool:
    return _alike(left, right) and left >= right  # type: ignore[operator]  # alike


def inside(item: object, container: object) -> bool:
    return _may_be_in(item, container) and item in container  # type: ignore[operator]  # a list


def outside(item: object, container: object) -> bool:
    return _may_be_in(item, container) and item not in container  # type: ignore[operator]  # a list


def _may_be_in(item: object, container: object) -> bool:
    """`in` and `not in` are false with none, and where the right side is no list."""
    if item is None or item is LOST:
        return False
    if isinstance(container, (list, tuple)):
        return not any(element is LOST for element in container)
    return False


ORDER: Final = {"<": lt, "<=": le, ">": gt, ">=": ge}
"""Operator to function, for whoever compares constants."""

VALUES: Final[dict[str, object]] = {
    function.__name__: function
    for function in (plus, minus, times, negative, positive, lt, le, gt, ge, inside, outside)
} | {"NUMBERS": NUMBERS, "LOST": LOST}
"""The globals that generated conditions need, beside those of the facts."""
