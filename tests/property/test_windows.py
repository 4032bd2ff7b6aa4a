"""Windows beside a naive implementation of them: a list of what happened, counted from scratch."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import sqrt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.customer import Bought, stranger
from app.core.events import Inquired, PurchaseCompleted, PurchaseRefunded
from app.core.facts import gap_days, gap_spread
from app.core.series import Peaks, Series, highest, highest_of_both, united, within
from tests.shop import DAY, HOUR, Shop, at, ladder

ADDS = st.lists(
    st.tuples(st.integers(0, 1500) | st.integers(700, 740), st.integers(-3, 9), st.integers(0, 2)),
    max_size=40,
)
WINDOWS = st.sampled_from([1, 2, 7, 365, 729, 730])


class Recount:
    """What happened on which day, in the order in which it was heard of."""

    def __init__(self, adds: list[tuple[int, int, int]]) -> None:
        self.adds = adds

    @property
    def newest(self) -> int:
        return max((day for day, *_ in self.adds), default=0)

    def within(self, column: int, today: int, window: int) -> int:
        return sum(add[1 + column] for add in self.adds if today - window < add[0] <= today)

    def total(self, column: int) -> int:
        return sum(add[1 + column] for add in self.adds)

    def highest(self, today: int, window: int) -> int:
        return max((add[2] for add in self.adds if today - window < add[0] <= today), default=0)


def series_of(adds: list[tuple[int, int, int]]) -> Series:
    series = Series()
    for day, *amounts in adds:
        series.add(day, tuple(amounts))
    return series


def peaks_of(adds: list[tuple[int, int, int]]) -> Peaks:
    peaks = Peaks()
    for day, _, value in adds:
        peaks.add(day, value)
    return peaks


@given(adds=ADDS, window=WINDOWS, ahead=st.integers(0, 800))
def test_a_window_sum_equals_a_recount_whatever_the_order_of_days(
    adds: list[tuple[int, int, int]], window: int, ahead: int
) -> None:
    recount, series = Recount(adds), series_of(adds)
    today = recount.newest + ahead
    for column in (0, 1):
        assert within(series, column, today - window + 1) == recount.within(column, today, window)
        assert series.total(column) == recount.total(column)
    assert sorted(set(series.days)) == series.days


@given(one=ADDS, other=ADDS, window=WINDOWS, ahead=st.integers(0, 800))
def test_the_windows_of_united_series_equal_a_recount_of_both(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]], window: int, ahead: int
) -> None:
    recount = Recount(one + other)
    series = united(series_of(one), series_of(other))
    peaks = highest_of_both(peaks_of(one), peaks_of(other))
    first = recount.newest + ahead - window + 1
    for column in (0, 1):
        assert within(series, column, first) == recount.within(
            column, recount.newest + ahead, window
        )
        assert series.total(column) == recount.total(column)
    assert highest(peaks, first) == recount.highest(recount.newest + ahead, window)


@given(adds=ADDS, window=WINDOWS, ahead=st.integers(0, 800))
def test_the_peak_of_a_window_equals_a_recount(
    adds: list[tuple[int, int, int]], window: int, ahead: int
) -> None:
    recount, peaks = Recount(adds), peaks_of(adds)
    today = recount.newest + ahead
    assert highest(peaks, today - window + 1) == recount.highest(today, window)


@given(adds=ADDS)
def test_days_that_no_window_can_reach_are_dropped_all_but_one(
    adds: list[tuple[int, int, int]],
) -> None:
    by_day = sorted(adds)
    for days in (series_of(by_day).days, peaks_of(by_day).days):
        assert len([day for day in days if day <= Recount(adds).newest - 730]) <= 1


@given(
    orders=st.lists(st.tuples(st.integers(0, 1500), st.booleans()), max_size=30),
    window=WINDOWS,
)
def test_days_of_remembered_orders_are_kept_however_old_and_give_the_gaps(
    orders: list[tuple[int, bool]], window: int
) -> None:
    c = stranger(0, 1, 0)
    for day, _ in orders:
        c.bought.change(day, (1, 5, 1), 1)
    for day, void in orders:
        if void:
            c.bought.change(day, (-1, -5, -1), -1)
    left = [day for day, void in orders if not void]
    newest = max((day for day, _ in orders), default=0)
    in_window = [day for day in left if day > newest - window]
    assert within(c.bought, 0, newest - window + 1) == len(in_window)
    assert c.bought.total(1) == 5 * len(left)
    assert [d for d, kept in zip(c.bought.days, c.bought.kept, strict=True) if kept] == sorted(
        set(left)
    )
    expected = naive_gaps(left)
    assert gap_days(c) == (pytest.approx(expected[0]) if expected else None)
    assert gap_spread(c) == (pytest.approx(expected[1]) if expected else None)


def naive_gaps(days: list[int]) -> tuple[float, float] | None:
    """Mean of the gaps between the last twelve dates, and their relative deviation."""
    dates = sorted(set(days))[-12:]
    if len(dates) < 3:
        return None
    gaps = [later - earlier for earlier, later in pairwise(dates)]
    mean = sum(gaps) / len(gaps)
    return mean, sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) / mean


@given(days=st.lists(st.integers(0, 2000), min_size=2, max_size=40))
def test_dropped_days_keep_the_running_totals_of_purchases(days: list[int]) -> None:
    bought = Bought()
    for day in sorted(days):
        bought.change(day, (1, day, 1), 1)
        bought.change(day, (0, 0, 0), -1)
    assert bought.total(0) == len(days)
    assert bought.total(1) == sum(days)
    assert len([day for day in bought.days if day <= max(days) - 730]) <= 1


ZONES = ["UTC", "Asia/Ho_Chi_Minh", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia"]
STARTS = ["2018-10-30T20:00", "2011-12-27T08:00", "2024-02-27T22:00", "2018-02-15T12:00"]
LADDER = ladder(
    """
    quiet: purchases_in(3) == 0 and events_in(9) >= 1
    buyer: purchases_in(2) >= 1
    often: purchases_in(5) >= 2
    much: spend_in(4) >= 300
    keen: units_in(1) + inquiries_in(3) >= 3
    """,
    climb="free",
    down="now",
)
GAPS = st.sampled_from([0, 1, HOUR // 4, 5 * HOUR, 12 * HOUR, DAY, DAY, 2 * DAY, 4 * DAY, 9 * DAY])
Told = tuple[int, str, int]


class Naive:
    """The rung at any instant, from the list of what was told until then."""

    def __init__(self, told: list[Told], timezone: str) -> None:
        self.told, self.zone = told, ZoneInfo(timezone)

    def date(self, instant: int) -> date:
        start = datetime(1970, 1, 1, tzinfo=UTC)
        return (start + timedelta(microseconds=instant)).astimezone(self.zone).date()

    def rung(self, instant: int) -> str | None:
        today = self.date(instant)

        def count(window: int, what: str, worth: Any = lambda amount: 1) -> int:
            first = today - timedelta(days=window - 1)
            return sum(
                worth(amount)
                for time, said, amount in self.told
                if time <= instant and said in what and first <= self.date(time)
            )

        known = [one for one in self.told if one[0] <= instant]
        holds = {
            "quiet": bool(known) and count(3, "b") == 0 and count(9, "bi") >= 1,
            "buyer": count(2, "b") >= 1,
            "often": count(5, "b") >= 2,
            "much": count(4, "b", lambda amount: amount) >= 300,
            "keen": count(1, "b") + count(3, "i") >= 3,
        }
        return next((name for name in reversed(holds) if holds[name]), None)


@given(
    said=st.lists(
        st.tuples(GAPS, st.sampled_from("bbi"), st.sampled_from([0, 100, 300])),
        min_size=1,
        max_size=12,
    ),
    timezone=st.sampled_from(ZONES),
    start=st.sampled_from(STARTS),
    looks=st.lists(st.integers(0, 60 * 96), max_size=20),
)
def test_the_rung_at_every_instant_is_that_of_a_recount_from_scratch(
    said: list[Told], timezone: str, start: str, looks: list[int]
) -> None:
    shop, told, now = Shop(LADDER, timezone=timezone), [], at(start)
    for number, (gap, what, amount) in enumerate(said):
        now += gap
        told.append((now, what, amount))
        if what == "b":
            shop.tell(PurchaseCompleted(f"o{number}", amount, "VND"), now)
        else:
            shop.tell(Inquired(), now)
    shop.wait(now + 20 * DAY)
    naive = Naive(told, timezone)
    probes = {time for time, *_ in told} | {change.time for change in shop.changes}
    probes |= {at(start) + quarters * HOUR // 4 for quarters in looks}
    for probe in sorted(probes | {probe - 1 for probe in probes}):
        if probe <= now + 20 * DAY and sum(time == probe for time, *_ in told) <= 1:
            at_probe = [change.to for change in shop.changes if change.time <= probe]
            assert (at_probe or [None])[-1] == naive.rung(probe), probe


@given(
    said=st.lists(st.tuples(GAPS, st.sampled_from([0, 100, 300])), min_size=1, max_size=8),
    refunded=st.sets(st.integers(0, 7)),
)
def test_a_refund_is_dated_on_the_orders_own_date_in_every_window(
    said: list[tuple[int, int]], refunded: set[int]
) -> None:
    shop, told, now = Shop(LADDER), [], at("2024-02-27T22:00")
    for number, (gap, amount) in enumerate(said):
        now += gap
        shop.tell(PurchaseCompleted(f"o{number}", amount, "VND"), now)
        if number not in refunded:
            told.append((now, amount))
    now += DAY
    for number in sorted(refunded & {*range(len(said))}):
        shop.tell(PurchaseRefunded(f"o{number}", 300, "VND"), now)
    facts = shop.facts(time=now)
    for window in (2, 3, 5):
        days = [time // DAY for time, _ in told]
        assert facts[f"purchases_in({window})"] == sum(day > now // DAY - window for day in days)
    spent = sum(amount for time, amount in told if time // DAY > now // DAY - 4)
    assert facts["spend_in(4)"] == spent
