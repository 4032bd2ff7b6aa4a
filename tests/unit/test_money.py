"""Conversion is exact, rounds half to even, and takes the newest rate on or before the day."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import Factor, Rates, convert, minor_digits


@pytest.mark.parametrize(
    ("currency", "digits"),
    [("USD", 2), ("EUR", 2), ("VND", 0), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ZZZ", 2)],
)
def test_minor_units_follow_iso_4217_and_an_unlisted_code_has_two_digits(
    currency: str, digits: int
) -> None:
    assert minor_digits(currency) == digits


def test_the_base_currency_is_worth_itself_on_every_day() -> None:
    assert Rates.only("VND").factor("VND", -5) == Factor(1, 0)


def test_a_currency_without_a_row_has_no_rate() -> None:
    assert Rates.only("VND").factor("USD", 20000) is None


def test_the_newest_row_on_or_before_the_day_counts_whatever_order_the_rows_have() -> None:
    rates = Rates("USD", [(20, "EUR", Decimal("1.2")), (10, "EUR", Decimal("1.1"))])
    assert rates.factor("EUR", 9) is None
    assert [
        convert(100, found) for day in (10, 19, 20, 99) if (found := rates.factor("EUR", day))
    ] == [110, 110, 120, 120]


@pytest.mark.parametrize(
    ("base", "currency", "rate", "amount", "expected"),
    [
        ("VND", "USD", "25000", 199, 49750),  # 1.99 dollars, no minor unit in the base
        ("USD", "VND", "0.00004", 125_000, 500),  # 125,000 dong are 5.00 dollars
        ("KWD", "USD", "0.3", 1000, 3000),  # three digits: 10.00 dollars are 3.000 dinars
        ("USD", "KWD", "3.25", 1, 0),  # a fils is a third of a cent
        ("USD", "CLF", "40", 10_000, 4000),
        ("JPY", "USD", "150", 1, 2),  # one cent is 1.5 yen: half, to even
        ("JPY", "USD", "50", 1, 0),  # 0.5 yen: half, to even
        ("JPY", "USD", "50", 3, 2),  # 1.5 yen
        ("JPY", "USD", "50.0001", 1, 1),  # a little over half
        ("USD", "EUR", "1", 10**15, 10**15),
    ],
)
def test_conversion_is_in_minor_units_of_both_sides(
    base: str, currency: str, rate: str, amount: int, expected: int
) -> None:
    factor = Rates(base, [(0, currency, Decimal(rate))]).factor(currency, 0)
    assert factor is not None
    assert convert(amount, factor) == expected


@given(
    amount=st.integers(-(10**15), 10**15),
    rate=st.decimals("0.000001", 1_000_000, places=6),
    currencies=st.tuples(
        st.sampled_from(["USD", "VND", "KWD", "CLF"]), st.sampled_from(["EUR", "JPY", "BHD", "UYW"])
    ),
)
def test_conversion_equals_decimal_arithmetic(
    amount: int, rate: Decimal, currencies: tuple[str, str]
) -> None:
    base, currency = currencies
    factor = Rates(base, [(0, currency, rate)]).factor(currency, 0)
    assert factor is not None
    major = Decimal(amount).scaleb(-minor_digits(currency)) * rate
    exact = major.scaleb(minor_digits(base))
    assert convert(amount, factor) == int(exact.to_integral_value(ROUND_HALF_EVEN))


@given(st.integers(1, 10**15 - 1), st.integers(-14, 14))
def test_a_mantissa_fits_sixty_four_bits(digits: int, exponent: int) -> None:
    rate = Decimal(digits).scaleb(exponent - 14)
    if not -15 <= rate.adjusted() <= 15:
        return
    factor = Rates("USD", [(0, "EUR", rate)]).factor("EUR", 0)
    assert factor is not None
    assert 0 < factor.mantissa < 2**63


@pytest.mark.parametrize(
    "rate", ["0", "-1", "NaN", "Infinity", "1e16", "1e-16", "1.000000000000001"]
)
def test_a_rate_that_cannot_be_exact_or_means_nothing_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="rate"):
        Rates("USD", [(0, "EUR", Decimal(rate))])


def test_zeros_at_the_end_do_not_count_as_digits() -> None:
    factor = Rates("VND", [(0, "JPY", Decimal("170.000000000000000000"))]).factor("JPY", 0)
    assert factor == Factor(17, 1)


def test_two_rates_for_one_day_are_refused_but_the_same_twice_is_not() -> None:
    row = (0, "EUR", Decimal("1.10"))
    assert Rates("USD", [row, (0, "EUR", Decimal("1.1"))]).factor("EUR", 0) == Factor(11, -1)
    with pytest.raises(ValueError, match="EUR"):
        Rates("USD", [row, (0, "EUR", Decimal("1.2"))])


def test_the_base_currency_may_be_listed_only_at_one() -> None:
    assert Rates("USD", [(0, "USD", Decimal("1.0"))]).factor("USD", 0) == Factor(1, 0)
    with pytest.raises(ValueError, match="base currency"):
        Rates("USD", [(0, "USD", Decimal(2))])
