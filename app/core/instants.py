"""Instants and calendar days.

An instant is an integer: microseconds since 1970-01-01T00:00:00Z. A day is an integer: days
since 1970-01-01 of the calendar date in the shop's time zone.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = 1_000_000
DAY = 86_400 * SECOND
EARLIEST = 0
LATEST = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()) * SECOND
"""Instants run from 1970 up to, but not including, 2200 (contract section 2)."""

_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)
_EPOCH = date(1970, 1, 1).toordinal()

# Both are bounded by what they hold: the dates of 230 years and the seconds of a day.
_dates: dict[str, int] = {}
_clock_times: dict[str, int] = {}


def parse_instant(text: str) -> int | None:
    """Read an RFC 3339 time with an offset; digits beyond microseconds are cut off.

    A leap second, `23:59:60` UTC at the end of a month, is the second after it: days have 86,400
    here. None when it is no such time or lies outside 1970 to 2199 (in UTC).
    """
    if text[-1:] == "Z" and text[10:11] == "T":
        day = _dates.get(text[:10])
        clock_time = _clock_times.get(text[11:19])
        if day is not None and clock_time is not None:
            if len(text) == 20:
                return day + clock_time
            fraction = text[20:26]
            if text[19] == "." and len(text) == 27 and fraction.isascii() and fraction.isdigit():
                return day + clock_time + int(fraction)
    return _parse(text)


def _parse(text: str) -> int | None:
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    day_text, hour, minute, second, fraction, sign, off_hour, off_minute = found.groups()
    if hour > "23" or minute > "59" or second > "60":
        return None
    day = _dates.get(day_text)
    if day is None:
        try:
            day = (date.fromisoformat(day_text).toordinal() - _EPOCH) * DAY
        except ValueError:
            return None
        if EARLIEST <= day < LATEST:
            _dates[day_text] = day
    clock_time = ((int(hour) * 60 + int(minute)) * 60 + int(second)) * SECOND
    instant = day + clock_time
    if sign:
        if off_hour > "23" or off_minute > "59":
            return None
        offset = (int(off_hour) * 60 + int(off_minute)) * 60 * SECOND
        instant += offset if sign == "-" else -offset
    if not EARLIEST <= instant < LATEST:
        return None
    if second != "60":
        _clock_times[f"{hour}:{minute}:{second}"] = clock_time
    elif instant % DAY or date.fromordinal(instant // DAY + _EPOCH).day != 1:
        return None
    return instant + int(fraction[:6].ljust(6, "0")) if fraction else instant


_day_texts: dict[int, str] = {}
_clock_texts: dict[int, str] = {}


def format_instant(instant: int) -> str:
    """Write an instant in UTC with `Z`; six digits of a second only where they are not zero."""
    day, rest = divmod(instant, DAY)
    text = _day_texts.get(day)
    if text is None:
        text = date.fromordinal(day + _EPOCH).isoformat()
        if EARLIEST <= instant < LATEST:
            _day_texts[day] = text
    seconds, fraction = divmod(rest, SECOND)
    clock_text = _clock_texts.get(seconds)
    if clock_text is None:
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        clock_text = _clock_texts[seconds] = f"T{hour:02}:{minute:02}:{second:02}"
    if fraction:
        return f"{text}{clock_text}.{fraction:06}Z"
    return f"{text}{clock_text}Z"


class Calendar:
    """Calendar days in one time zone.

    The date of an instant is what a clock on the wall shows. Where clocks go back over midnight,
    the date goes back with them: St John's had a minute of 7 November 2010, then an hour of the 6th
    again. So a date alone does not say which days are over. Of these `today` knows: a day begins
    with the last midnight before it, from which on no earlier date is seen, and ends where the next
    one begins. A day that clocks skip altogether has no length: it begins where the next one does.
    """

    __slots__ = ("_begin", "_day", "_end", "_firsts", "_starts", "_zone", "timezone")

    def __init__(self, timezone: str) -> None:
        """Take an IANA name; raises `zoneinfo.ZoneInfoNotFoundError` for an unknown one."""
        self.timezone = timezone
        self._zone = None if timezone == "UTC" else ZoneInfo(timezone)
        self._starts: dict[int, int] = {}
        # When the date of a day is first seen, for those that clocks then go back out of.
        self._firsts: dict[int, int] = {}
        # The day asked for last, as long as no date but its own is seen: a stream in order of time
        # asks for the same again and again.
        self._day = self._begin = self._end = 0

    def day_of(self, instant: int) -> int:
        """Return the date of an instant: the day on which what happens then has happened."""
        if self._begin <= instant < self._end:
            return self._day
        if self._zone is None:
            return instant // DAY
        today = self.today(instant)
        return today if instant < self._end else self._date(instant)

    def today(self, instant: int) -> int:
        """Return the latest day that has begun: the one that windows end with."""
        if self._begin <= instant < self._end:
            return self._day
        day = instant // DAY
        if self._zone is None:
            return day
        while instant < self.start_of(day):
            day -= 1
        while instant >= self.start_of(day + 1):
            day += 1
        end = self.start_of(day + 1)
        self._day, self._begin, self._end = day, self.start_of(day), self._firsts.get(day + 1, end)
        return day

    def start_of(self, day: int) -> int:
        """Return the instant at which the calendar day begins."""
        if self._zone is None:
            return day * DAY
        start = self._starts.get(day)
        if start is None:
            start = self._starts[day] = self._look_up(day)
        return start

    def lasting(self, day: int) -> int:
        """Return the first day from this one on that has a length; both begin at one instant."""
        while self.start_of(day) == self.start_of(day + 1):
            day += 1
        return day

    def begun(self, after: int, last: int) -> Sequence[int]:
        """Return the days that begin after the begin of one, up to another; each has a length."""
        days = range(after + 1, last + 1)
        if self._zone is None:
            return days
        return [day for day in days if self.start_of(day) < self.start_of(day + 1)]

    def early(self, first: int, last: int) -> list[tuple[int, int, int]]:
        """Return when days from `first` up to `last` are seen before they begin.

        Each comes as the instant at which it is first seen, that at which clocks go back out of it,
        and the day.
        """
        for day in range(first, last + 1):
            self.start_of(day)
        return [
            (begin, self._change(begin, self.start_of(day), day), day)
            for day, begin in sorted(self._firsts.items())
            if first <= day <= last
        ]

    def _look_up(self, day: int) -> int:
        midnight = datetime.fromordinal(day + _EPOCH).replace(tzinfo=self._zone)
        first, last = _instant(midnight), _instant(midnight.replace(fold=1))
        if first < last and self._date(last - 1) < day:  # midnight comes twice
            self._firsts[day] = first
            return last
        # Where midnight is skipped: where does its day begin?
        return self._change(last, first, day - 1) if last < first - 1 else first

    def _change(self, one: int, other: int, day: int) -> int:
        """Return when clocks begin to show another date than a day that they show at `one`."""
        while one < other - 1:
            middle = (one + other) // 2
            if self._date(middle) == day:
                one = middle
            else:
                other = middle
        return other

    def _date(self, instant: int) -> int:
        moment = _MOMENT + timedelta(microseconds=instant)
        return moment.astimezone(self._zone).toordinal() - _EPOCH


_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(moment: datetime) -> int:
    return (moment - _MOMENT) // timedelta(microseconds=1)
