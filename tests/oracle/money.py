"""Conversion to the base currency, in exact fractions."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

from .clock import EPOCH_DAY

NO_DIGITS = {
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
    "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
}  # fmt: skip
THREE_DIGITS = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
FOUR_DIGITS = {"CLF", "UYW"}
WITHDRAWN_WITHOUT = {
    "ADP", "BEF", "BYB", "BYR", "ESP", "GRD", "ITL", "LUF", "MGF", "PTE", "TPE", "TRL",
}  # fmt: skip


def digits(currency: str) -> int:
    """How many digits ISO 4217 gives the minor unit; of withdrawn codes the contract's list."""
    if currency in NO_DIGITS or currency in WITHDRAWN_WITHOUT:
        return 0
    if currency in THREE_DIGITS:
        return 3
    return 4 if currency in FOUR_DIGITS else 2


class Rates:
    """Rows of (date as text, currency, rate as text), as in the CSV that LADDER_RATES names."""

    def __init__(self, base: str, rows: list[tuple[str, str, str]]) -> None:
        self.base = base
        self.rows = [
            (date.fromisoformat(on).toordinal() - EPOCH_DAY, currency, Fraction(Decimal(rate)))
            for on, currency, rate in rows
        ]

    def factor(self, currency: str, day: int) -> Fraction | None:
        """Base minor units for one minor unit of `currency` on `day`; None: no rate."""
        if currency == self.base:
            return Fraction(1)
        newest: tuple[int, Fraction] | None = None
        for on, name, rate in self.rows:
            if name == currency and on <= day and (newest is None or on >= newest[0]):
                newest = (on, rate)
        if newest is None:
            return None
        return newest[1] * Fraction(10) ** (digits(self.base) - digits(currency))


def convert(amount: int, factor: Fraction) -> int:
    """Rounded half to even (which is what round() of a Fraction does)."""
    return round(amount * factor)
