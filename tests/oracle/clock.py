"""Instants (microseconds since 1970 UTC) and calendar days (days since 1970-01-01)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1).toordinal()
MICRO = timedelta(microseconds=1)
SECOND = 1_000_000
DAY = 24 * 3600 * SECOND
HALF_AN_HOUR = 1800 * SECOND  # clocks go back by more, where they go back over midnight

RFC_3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:\.([0-9]+))?(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)


def parse_time(text: object) -> int | None:
    """RFC 3339 with an offset, years 1970 to 2199, digits beyond microseconds cut off.

    A leap second is the one after it.
    """
    if not isinstance(text, str):
        return None
    found = RFC_3339.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    micro = int(((found[7] or "") + "000000")[:6])
    offset = timedelta(0)
    if found[9]:
        if int(found[10]) > 23 or int(found[11]) > 59:
            return None
        offset = timedelta(hours=int(found[10]), minutes=int(found[11]))
        offset = -offset if found[9] == "-" else offset
    if not 1970 <= year <= 2199:
        return None
    leap = second == 60
    try:
        when = datetime(
            year, month, day, hour, minute, 59 if leap else second, tzinfo=timezone(offset)
        )
    except ValueError:
        return None
    if leap:
        when = when.astimezone(UTC) + timedelta(seconds=1)
        if (when.day, when.hour, when.minute, when.second) != (1, 0, 0, 0):
            return None
    return (when - EPOCH) // MICRO + micro


def format_time(instant: int) -> str:
    """UTC with Z; six digits of a second only where they are not zero."""
    when = EPOCH + instant * MICRO
    text = when.strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{when.microsecond:06d}Z" if when.microsecond else "Z")


class Days:
    """The calendar of one time zone."""

    def __init__(self, timezone_name: str) -> None:
        self.zone = ZoneInfo(timezone_name)
        self.start_of = lru_cache(maxsize=None)(self._start_of)

    def day_of(self, instant: int) -> int:
        """The date on the wall."""
        local = (EPOCH + instant * MICRO).astimezone(self.zone)
        return local.date().toordinal() - EPOCH_DAY

    def today(self, instant: int) -> int:
        """The latest day that has begun. The date may be ahead of it, where clocks go back over
        midnight: for the moment before they do.
        """
        day = self.day_of(instant)
        while self.start_of(day) > instant:
            day -= 1
        while self.start_of(day + 1) <= instant:
            day += 1
        return day

    def _start_of(self, day: int) -> int:
        """The first instant from which on the date is `day` or later, seen from behind."""
        later = (day + 2) * DAY
        while self.day_of(later - HALF_AN_HOUR) >= day:
            later -= HALF_AN_HOUR
        earlier = later - HALF_AN_HOUR
        while later - earlier > 1:
            middle = (earlier + later) // 2
            if self.day_of(middle) >= day:
                later = middle
            else:
                earlier = middle
        return later

    def next_boundary(self, instant: int) -> int:
        """The first day boundary after `instant`."""
        return self.start_of(self.today(instant) + 1)
