"""Money: amounts in minor units, the rates between currencies, and exact conversion.

Contract section 2, *Money*: an amount is an integer in minor units with an ISO 4217 code; a rate is
base major units for one major unit of the currency; the newest rate on or before the event's date
counts; the result is rounded half to even. Everything here is integers, so the same amount gives
the same result on every machine. The limit of 10^15 before and after conversion is the caller's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from decimal import Decimal

import msgspec

# The codes whose minor unit is not a hundredth. A code that is not listed has two digits, so that a
# new currency works on the day it is issued. Withdrawn codes count too: a history may have them.
_WITHDRAWN_WITHOUT_MINOR_UNIT = "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE TPE TRL"
_ISO_4217_LIST_ONE = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DIGITS = dict.fromkeys(_WITHDRAWN_WITHOUT_MINOR_UNIT.split(), 0) | {
    code: digits for digits, codes in _ISO_4217_LIST_ONE.items() for code in codes.split()
}

SIGNIFICANT_DIGITS = 15
"""The longest rate that is taken: its digits then fit a 64-bit integer with room to spare."""

_MAGNITUDE = 15  # a rate lies between 10^-15 and 10^15: keeps powers of ten small
_POWERS: tuple[int, ...] = tuple(10**n for n in range(64))


def minor_digits(currency: str) -> int:
    """How many digits the minor unit of `currency` has: 2 for USD, 0 for VND, 3 for KWD."""
    return _DIGITS.get(currency, 2)


class Factor(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What one minor unit is worth: `mantissa * 10**exponent` minor units of the base."""

    mantissa: int
    exponent: int


_ONE = Factor(1, 0)


def convert(amount: int, factor: Factor) -> int:
    """`amount` minor units in minor units of the base currency, rounded half to even."""
    product = amount * factor.mantissa
    if factor.exponent >= 0:
        return product * _POWERS[factor.exponent]
    divisor = _POWERS[-factor.exponent]
    whole, rest = divmod(product, divisor)
    rest *= 2
    if rest > divisor or (rest == divisor and whole & 1):
        return whole + 1
    return whole


class Rates:
    """The rates of one shop: from any currency with a row to `base`, by day.

    `rows` are (day, currency, rate): the day is days since 1970-01-01, the rate base major units
    for one major unit. Raises ValueError for a rate that is not positive, is beyond 10^15 or below
    10^-15, or has more than 15 significant digits; for two rates of one currency on one day; and
    for a base currency that is not worth 1 of itself.
    """

    __slots__ = ("_days", "_factors", "base")

    def __init__(self, base: str, rows: Iterable[tuple[int, str, Decimal]] = ()) -> None:
        self.base = base
        by_currency: dict[str, dict[int, Factor]] = {}
        for day, currency, rate in rows:
            factor = _factor(base, currency, rate)
            if by_currency.setdefault(currency, {}).setdefault(day, factor) != factor:
                raise ValueError(f"two different rates for {currency} on one day")
        self._days: dict[str, tuple[int, ...]] = {}
        self._factors: dict[str, tuple[Factor, ...]] = {}
        for currency, found in by_currency.items():
            days = sorted(found)
            self._days[currency] = tuple(days)
            self._factors[currency] = tuple(found[day] for day in days)

    @classmethod
    def only(cls, base: str) -> Rates:
        """A shop that sells in its base currency and nothing else."""
        return cls(base)

    def factors(self) -> dict[str, list[tuple[int, Factor]]]:
        """Return for each currency the days on which its factor changes, in order."""
        return {
            currency: list(zip(days, self._factors[currency], strict=True))
            for currency, days in self._days.items()
        }

    def __contains__(self, currency: str) -> bool:
        """Tell whether a row says what it is worth, on whatever day."""
        return currency in self._days

    def factor(self, currency: str, day: int) -> Factor | None:
        """What `currency` is worth on `day`; None where no row says (then: `no-rate`)."""
        if currency == self.base:
            return _ONE
        days = self._days.get(currency)
        if days is None:
            return None
        newest = bisect_right(days, day)
        return self._factors[currency][newest - 1] if newest else None


def _factor(base: str, currency: str, rate: Decimal) -> Factor:
    if not rate.is_finite() or rate <= 0:
        raise ValueError(f"a rate must be above 0, found {rate}")
    if not -_MAGNITUDE <= rate.adjusted() <= _MAGNITUDE:
        raise ValueError(f"a rate must lie between 10^-15 and 10^15, found {rate}")
    _, digits, exponent = rate.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    significant = text.rstrip("0")
    if len(significant) > SIGNIFICANT_DIGITS:
        raise ValueError(f"a rate has at most {SIGNIFICANT_DIGITS} digits that count, found {rate}")
    assert isinstance(exponent, int)  # finite, checked above
    if currency == base and rate != 1:
        raise ValueError(f"{base} is the base currency: its rate is 1, found {rate}")
    shift = minor_digits(base) - minor_digits(currency)
    return Factor(int(significant), exponent + len(text) - len(significant) + shift)
