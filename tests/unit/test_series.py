"""Running totals by day: which days are kept, and what windows make of them."""

from app.core.customer import Bought
from app.core.series import Peaks, Series, highest, highest_of_both, united, within


def test_an_empty_series_has_no_total_and_empty_windows() -> None:
    assert (Series().total(0), within(Series(), 0, 0), Series().at(0, 5)) == (0, 0, 0)
    assert highest(Peaks(), 0) == 0


def test_what_happened_on_a_day_counts_as_long_as_the_window_reaches_it() -> None:
    series = Series()
    series.add(10, (2,))
    series.add(12, (3,))
    assert [within(series, 0, first) for first in (9, 10, 11, 12, 13)] == [5, 5, 3, 3, 0]


def test_days_beyond_730_are_dropped_but_for_the_one_that_windows_subtract() -> None:
    series = Series()
    for day in (0, 5, 9, 735, 739):
        series.add(day, (1, 10))
    assert series.days == [9, 735, 739]  # at day 739 the longest window begins with day 10
    assert within(series, 1, 739 - 729) == 20
    assert series.total(1) == 50


def test_a_day_that_the_longest_window_reaches_is_not_dropped() -> None:
    series = Series()
    for day in (8, 9, 10, 739):
        series.add(day, (1,))
    assert series.days == [9, 10, 739]
    assert within(series, 0, 739 - 729) == 2


def test_a_late_day_before_all_that_is_kept_still_counts_in_the_total() -> None:
    series = Series()
    for day in (0, 9, 739):
        series.add(day, (1,))
    series.add(3, (5,))
    assert series.total(0) == 8
    assert within(series, 0, 10) == 1


def test_what_is_taken_back_on_an_older_day_leaves_every_window_that_reaches_it() -> None:
    series = Series()
    series.add(1, (1, 100))
    series.add(3, (1, 50))
    series.add(1, (-1, -100))
    assert [within(series, 1, first) for first in (1, 2, 4)] == [50, 50, 0]
    assert series.total(0) == 1


def test_running_totals_are_told_by_day() -> None:
    series = Series()
    series.add(2, (4,))
    series.add(5, (6,))
    assert [series.at(0, day) for day in (1, 2, 4, 5, 9)] == [0, 4, 4, 10, 10]


def test_united_series_keep_every_day_that_a_window_reaches() -> None:
    one, other = Series([5, 700], [[1, 2]]), Series([6], [[10]])
    assert united(one, other) == Series([5, 6, 700], [[1, 11, 12]])
    late = Series([0, 1, 2], [[1, 2, 3]])
    assert united(late, Series([732], [[10]])) == Series([2, 732], [[3, 13]])


def test_united_with_nothing_a_series_stays_as_it_is() -> None:
    series = Series([3], [[7]])
    assert united(series, Series()) is series
    assert united(Series(), series) is series


def test_peaks_keep_the_greatest_of_a_day_and_drop_what_no_window_reaches() -> None:
    peaks = Peaks()
    for day, value in ((9, 4), (10, 1), (10, 3), (10, 2), (739, 1)):
        peaks.add(day, value)
    assert (peaks.days, peaks.peaks) == ([10, 739], [3, 1])
    peaks.add(740, 1)
    assert peaks.days == [739, 740]
    assert highest(peaks, 11) == 1


def test_the_greater_peak_of_a_day_wins_when_two_become_one() -> None:
    both = highest_of_both(Peaks([1, 2], [3, 1]), Peaks([2, 4], [4, 2]))
    assert (both.days, both.peaks) == ([1, 2, 4], [3, 4, 2])


def test_days_with_a_remembered_order_are_never_dropped_and_others_are() -> None:
    bought = Bought()
    bought.change(0, (1, 10, 1), 1)
    bought.change(4, (1, 10, 1), 1)
    bought.change(4, (-1, -10, -1), -1)
    bought.change(9, (1, 10, 1), 1)
    bought.change(800, (1, 10, 1), 1)
    assert (bought.days, bought.kept) == ([0, 9, 800], [1, 1, 1])
    assert (bought.total(0), within(bought, 0, 800 - 729)) == (3, 1)


def test_a_day_whose_last_order_is_forgotten_is_dropped_with_the_next_new_day() -> None:
    bought = Bought()
    for day in (0, 1, 2):
        bought.change(day, (1, 10, 1), 1)
    bought.change(0, (0, 0, 0), -1)
    assert bought.days == [0, 1, 2]
    bought.change(900, (1, 10, 1), 1)
    assert bought.days == [1, 2, 900]
    assert bought.total(1) == 40


def test_money_taken_off_an_order_changes_no_count_of_remembered_orders() -> None:
    bought = Bought()
    bought.change(5, (1, 100, 2), 1)
    bought.add(5, (0, -30, 0))
    assert (bought.total(0), bought.total(1), bought.total(2), bought.kept) == (1, 70, 2, [1])
