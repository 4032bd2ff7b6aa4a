"""Instants and calendar days: contract sections 2 (time), 3 (a day) and 7 (times as written)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.instants import LATEST, Calendar, format_instant, parse_instant
from tests.shop import DAY, HOUR, SECOND, at

ZONES = [
    "UTC", "Asia/Ho_Chi_Minh", "America/New_York", "America/Sao_Paulo", "Pacific/Apia",
    "Pacific/Kwajalein", "America/St_Johns", "Antarctica/Casey", "Australia/Lord_Howe",
    "Asia/Kathmandu", "Africa/Cairo", "Asia/Tehran",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000001Z", 1),
        ("1970-01-01T07:00:00+07:00", 0),
        ("1969-12-31T23:00:01-01:00", SECOND),
        ("2024-02-29T12:30:00.5Z", 1_709_209_800_500_000),
        ("2024-02-29t12:30:00.123456999z", 1_709_209_800_123_456),
        ("2199-12-31T23:59:59.999999999Z", LATEST - 1),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND),
        ("2017-01-01T05:29:60.25+05:30", 1_483_228_800 * SECOND + 250_000),
        ("1972-06-30T16:59:60-07:00", 78_796_800 * SECOND),
    ],
)
def test_an_rfc_3339_time_with_an_offset_is_read_to_the_microsecond(
    text: str, instant: int
) -> None:
    assert parse_instant(text) == instant
    assert parse_instant(text) == instant  # once more, from what is remembered


@pytest.mark.parametrize(
    "text",
    [
        "", "2024-02-29", "2024-02-29T12:30:00", "2024-02-29 12:30:00Z", "2024-02-30T00:00:00Z",
        "2024-02-29T24:00:00Z", "2024-02-29T12:60:00Z", "2024-02-29T12:30:60Z",
        "2024-02-29T12:30Z", "2024-02-29T12:30:00.Z", "2024-02-29T12:30:00+7:00",
        "2024-02-29T12:30:00+24:00", "2024-02-29T12:30:00+00:60", "24-02-29T12:30:00Z",
        "1969-12-31T23:59:59Z", "1970-01-01T00:00:00+00:01", "2200-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "２０２４-02-29T12:30:00Z",
        "2024-02-29T12:30:00Z\n", "2199-12-31T23:59:59-00:01", "2016-12-31T23:59:61Z",
        "2016-12-31T22:59:60Z", "2016-12-30T23:59:60Z", "2016-12-31T23:59:60+01:00",
        "2199-12-31T23:59:60Z", "9999-12-31T23:59:60Z", "0001-01-01T00:00:60+00:01",
    ],
)  # fmt: skip
def test_any_other_text_is_no_time(text: str) -> None:
    assert parse_instant(text) is None


@given(st.integers(0, LATEST - 1))
def test_an_instant_is_written_in_utc_and_read_back_the_same(instant: int) -> None:
    text = format_instant(instant)
    assert parse_instant(text) == instant
    assert (len(text) == 20) == (instant % SECOND == 0)
    expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
    assert text == expected.isoformat().replace("+00:00", "Z")


BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
CLOCKS_SELDOM_CHANGE_TWICE_IN = 7 * DAY


def wall(zone: ZoneInfo, instant: int) -> datetime:
    """What clocks show."""
    return (BEGIN + timedelta(microseconds=instant)).astimezone(zone)


def date_of(zone: ZoneInfo, instant: int) -> int:
    return wall(zone, instant).date().toordinal() - BEGIN.date().toordinal()


@cache
def changes_of_clocks(zone: ZoneInfo) -> tuple[int, ...]:
    """The instants at which clocks change."""
    return tuple(_changes(zone))


def _changes(zone: ZoneInfo) -> Iterator[int]:
    before, offset = 0, wall(zone, 0).utcoffset()
    while before < LATEST - CLOCKS_SELDOM_CHANGE_TWICE_IN:
        after = before + CLOCKS_SELDOM_CHANGE_TWICE_IN
        then = wall(zone, after).utcoffset()
        if then != offset:
            low, high = before // SECOND, after // SECOND
            while high - low > 1:
                middle = (low + high) // 2
                same = wall(zone, middle * SECOND).utcoffset() == offset
                low, high = (middle, high) if same else (low, middle)
            yield high * SECOND
        before, offset = after, then


@cache
def zones() -> tuple[str, ...]:
    """Every zone once: many have several names."""
    by_file = {}
    for name in sorted(available_timezones()):
        places = [Path(folder, name) for folder in TZPATH]
        file = next((place for place in places if place.is_file()), None)
        by_file[name if file is None else file.read_bytes()] = name
    return tuple(by_file.values())


@pytest.mark.parametrize("part", range(4))
def test_in_every_zone_the_day_of_an_instant_is_the_date_on_the_wall(part: int) -> None:
    for name in zones()[part::4]:
        zone, calendar, back = ZoneInfo(name), Calendar(name), Calendar(name)
        around = [t for change in changes_of_clocks(zone) for t in (change - 1, change)]
        assert [calendar.day_of(t) for t in around] == [date_of(zone, t) for t in around], name
        # Whatever was asked for before.
        found = [back.day_of(t) for t in reversed(around)]
        assert found[::-1] == [date_of(zone, t) for t in around], name


@pytest.mark.parametrize("part", range(4))
def test_in_every_zone_a_day_has_begun_when_no_earlier_date_is_seen_any_more(part: int) -> None:
    for name in zones()[part::4]:
        zone, calendar = ZoneInfo(name), Calendar(name)
        for change in changes_of_clocks(zone):
            day = date_of(zone, change)
            for near in range(day - 1, day + 3):
                start = calendar.start_of(near)
                assert date_of(zone, start - 1) < near <= date_of(zone, start), (name, near)
                # Dates go back only where clocks are changed.
                assert change < start or date_of(zone, change) >= near, (name, near)
                assert calendar.today(start - 1) < near <= calendar.today(start), (name, near)


@given(instant=st.integers(0, LATEST - 1), zone=st.sampled_from(ZONES))
def test_an_instant_lies_in_the_day_that_a_clock_on_the_wall_shows(instant: int, zone: str) -> None:
    calendar = Calendar(zone)
    today = calendar.today(instant)
    assert calendar.day_of(instant) == date_of(ZoneInfo(zone), instant)
    assert calendar.start_of(today) <= instant < calendar.start_of(today + 1)


def test_a_date_that_clocks_go_back_out_of_has_begun_only_when_it_comes_to_stay() -> None:
    calendar = Calendar("America/St_Johns")
    sixth = at("2010-11-06") // DAY
    times = ["T02:29", "T02:30", "T02:31", "T02:45", "T03:29", "T03:30"]
    instants = [at(f"2010-11-07{time}") for time in times]
    assert [calendar.day_of(t) - sixth for t in instants] == [0, 1, 0, 0, 0, 1]
    assert [calendar.today(t) - sixth for t in instants] == [0, 0, 0, 0, 0, 1]
    assert calendar.start_of(sixth + 1) == at("2010-11-07T03:30")


def test_a_day_of_spring_has_23_hours_and_one_of_autumn_25() -> None:
    calendar = Calendar("America/New_York")
    spring, autumn = at("2024-03-10") // DAY, at("2024-11-03") // DAY
    assert calendar.start_of(spring + 1) - calendar.start_of(spring) == 23 * HOUR
    assert calendar.start_of(autumn + 1) - calendar.start_of(autumn) == 25 * HOUR


def test_a_day_whose_midnight_is_skipped_begins_at_its_first_instant() -> None:
    calendar = Calendar("America/Sao_Paulo")
    day = at("2018-11-04") // DAY
    assert calendar.start_of(day) == at("2018-11-04T03:00")
    assert calendar.day_of(at("2018-11-04T03:00") - 1) == day - 1


def test_a_midnight_that_comes_twice_begins_the_day_the_first_time() -> None:
    calendar = Calendar("Africa/Cairo")
    day = at("2014-09-26") // DAY  # at 24:00 of the 25th clocks went back to 23:00
    start = calendar.start_of(day)
    assert calendar.day_of(start) == day
    assert calendar.day_of(start - 1) == day - 1


def test_a_day_that_was_skipped_altogether_has_no_length() -> None:
    calendar = Calendar("Pacific/Apia")
    skipped = at("2011-12-30") // DAY
    assert calendar.start_of(skipped) == calendar.start_of(skipped + 1) == at("2011-12-30T10:00")
    assert calendar.day_of(at("2011-12-30T10:00")) == skipped + 1
    assert calendar.day_of(at("2011-12-30T10:00") - 1) == skipped - 1
    assert calendar.lasting(skipped) == calendar.lasting(skipped + 1) == skipped + 1
    assert [*calendar.begun(skipped - 2, skipped + 2)] == [skipped - 1, skipped + 1, skipped + 2]
