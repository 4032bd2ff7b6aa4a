"""The facts that a condition may name (contract section 3): what they may be, and what they take.

Where a name or a number of days is wrong, the error says what to write instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.condition_names import meant_by
from app.core.condition_tree import (
    ANYTHING,
    BOOL,
    NONE,
    NUMBER,
    TEXT,
    ConditionError,
    Fact,
    FactRef,
)

LONGEST_WINDOW = 730
LONGEST_ATTRIBUTE_NAME = 64


@dataclass(frozen=True, slots=True)
class FactKind:
    """What a fact may be. `low` and `high` bound its numbers; None: no bound that is certain.

    `meaning` completes the sentence "purchases is ...".
    """

    kinds: int
    meaning: str
    whole: bool = False
    low: int | None = None
    high: int | None = None


_COUNT = FactKind(NUMBER, "a whole number, 0 or more", whole=True, low=0)
_MONEY = FactKind(NUMBER, "a whole number of minor units", whole=True)
_FLAG = FactKind(BOOL, "true or false")
_ATTRIBUTE = FactKind(ANYTHING, "what the shop sent, or none")

PLAIN: dict[str, FactKind] = {
    "purchases": _COUNT,
    "spend": _COUNT,
    "units": _COUNT,
    "registered": _FLAG,
    "inquiries": _COUNT,
    "card": FactKind(TEXT | NONE, "a text, or none"),
    "reviews": _COUNT,
    "positives": _COUNT,
    "negatives": _COUNT,
    "testimonials": _COUNT,
    "defences": _COUNT,
    "referrals_sent": _COUNT,
    "referrals": _COUNT,
    "referral_revenue": _MONEY,
    "average_order": FactKind(NUMBER | NONE, "0 or more, or none", whole=True, low=0),
    "gap_days": FactKind(NUMBER | NONE, "0 or more, or none", low=0),
    "gap_spread": FactKind(NUMBER | NONE, "0 or more, or none", low=0),
}
"""Facts without a window."""

WINDOWED: dict[str, FactKind] = {
    "purchases_in": _COUNT,
    "spend_in": _COUNT,
    "units_in": _COUNT,
    "inquiries_in": _COUNT,
    "reviews_in": _COUNT,
    "positives_in": _COUNT,
    "negatives_in": _COUNT,
    "testimonials_in": _COUNT,
    "defences_in": _COUNT,
    "referrals_in": _COUNT,
    "referral_revenue_in": _MONEY,
    "need_in": FactKind(NUMBER, "a whole number from 0 to 4", whole=True, low=0, high=4),
    "events_in": _COUNT,
}
"""Facts that look at the last n days."""

TOP_SPENDER = "top_spender"
PROFILE = "profile"


def kind_of_fact(ref: FactRef) -> FactKind:
    """Return what a fact may be."""
    if ref.name.startswith(f"{PROFILE}."):
        return _ATTRIBUTE
    if ref.name == TOP_SPENDER:
        return _FLAG
    return PLAIN.get(ref.name) or WINDOWED[ref.name]


def plain_fact(name: str, offset: int) -> Fact:
    """Return the fact that a bare name means; ConditionError if there is none."""
    if name in PLAIN:
        return _fact(FactRef(name, name), offset)
    if name in WINDOWED:
        raise ConditionError(f"{name} needs a number of days: write {name}(30)", offset)
    if name == TOP_SPENDER:
        raise ConditionError(f"write {name}(20, 365): a percentage and a number of days", offset)
    if name == PROFILE:
        raise ConditionError("name the attribute: write profile.NAME", offset)
    raise unknown_fact(name, offset)


def attribute(text: str, name: str, offset: int) -> Fact:
    """Return the fact `profile.NAME`; text is how it is written."""
    if len(name) > LONGEST_ATTRIBUTE_NAME:
        raise ConditionError(
            f"the attribute's name has {len(name)} characters; at most "
            f"{LONGEST_ATTRIBUTE_NAME} are kept",
            offset,
        )
    return _fact(FactRef(text, f"{PROFILE}.{name}"), offset)


def fact_with_days(text: str, name: str, args: tuple[tuple[int, int], ...], offset: int) -> Fact:
    """Return the fact `name(args)`; each argument comes with its offset."""
    if name == TOP_SPENDER:
        return _top_spender(text, args, offset)
    if name not in WINDOWED:
        raise _no_window(name, offset)
    if len(args) != 1:
        raise ConditionError(f"{name} takes one number of days: write {name}(30)", offset)
    _check_window(*args[0])
    return _fact(FactRef(text, name, (args[0][0],)), offset)


def unknown_fact(name: str, offset: int) -> ConditionError:
    """Make the error for a name that means nothing, with what was probably meant."""
    meant = meant_by(name, [*PLAIN, *WINDOWED, TOP_SPENDER], WINDOWED)
    return ConditionError(f"unknown fact '{_short(name)}'; {meant}", offset)


def _short(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:40]}..."


def _fact(ref: FactRef, offset: int) -> Fact:
    return Fact(ref, kind_of_fact(ref).kinds, offset)


def _no_window(name: str, offset: int) -> ConditionError:
    if f"{name}_in" in WINDOWED:
        return ConditionError(f"{name} takes no days; did you mean {name}_in(...)?", offset)
    if name in PLAIN:
        return ConditionError(f"{name} takes no days: write {name}", offset)
    plain = name.removesuffix("_in")
    if plain in PLAIN:
        return ConditionError(f"{plain} has no window: write {plain}", offset)
    return unknown_fact(name, offset)


def _top_spender(text: str, args: tuple[tuple[int, int], ...], offset: int) -> Fact:
    if len(args) != 2:
        raise ConditionError(
            "top_spender takes a percentage and a number of days: write top_spender(20, 365)",
            offset,
        )
    (percent, percent_offset), window = args
    if not 1 <= percent <= 100:
        raise ConditionError(f"{percent} percent is not from 1 to 100", percent_offset)
    _check_window(*window)
    return _fact(FactRef(text, TOP_SPENDER, (percent, window[0])), offset)


def _check_window(days: int, offset: int) -> None:
    if days > LONGEST_WINDOW:
        raise ConditionError(
            f"a window of {days} days is over {LONGEST_WINDOW}, the longest there is", offset
        )
    if days < 1:
        raise ConditionError("a window has at least 1 day (today)", offset)
