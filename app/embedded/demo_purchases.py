"""The real part of the demo: CDNOW's purchases, 1997 and 1998 (see `data/README.md`)."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

DATA: Traversable = files("app.embedded").joinpath("data")
CURRENCY = "USD"
DAY = 86_400
OPENS = 8 * 3_600
OPEN_FOR = 14 * 3_600
"""The purchases have no time of day. We spread them over these seconds of it."""
_STRIDE = 7_919
"""Shares no factor with OPEN_FOR, so neighbours get times far apart."""
_EPOCH = date(1970, 1, 1).toordinal()


class Purchase(NamedTuple):
    """A line of the file; `number` counts lines from 1, time in seconds since 1970, UTC."""

    number: int
    customer: str
    time: int
    units: int
    cents: int

    @property
    def order_id(self) -> str:
        return f"o-{self.number:05}"


def read_purchases() -> list[Purchase]:
    """All of them, in the order of the file: by customer, then by date."""
    with DATA.joinpath("cdnow.txt.gz").open("rb") as packed:
        lines = gzip.decompress(packed.read()).decode("ascii").splitlines()[1:]
    days: dict[str, int] = {}
    return [_purchase(number, line, days) for number, line in enumerate(lines, 1)]


def _purchase(number: int, line: str, days: dict[str, int]) -> Purchase:
    customer, day, units, dollars = line.split()
    midnight = days.get(day)
    if midnight is None:
        midnight = days[day] = (date.fromisoformat(day).toordinal() - _EPOCH) * DAY
    time = midnight + OPENS + number * _STRIDE % OPEN_FOR
    return Purchase(number, f"c-{customer}", time, int(units), int(dollars.replace(".", "")))


def by_customer(purchases: Iterable[Purchase]) -> dict[str, list[Purchase]]:
    """Each customer's purchases in the order of their times."""
    found: dict[str, list[Purchase]] = {}
    for purchase in purchases:
        found.setdefault(purchase.customer, []).append(purchase)
    for bought in found.values():
        bought.sort(key=lambda purchase: purchase.time)
    return found


def chosen(customers: Sequence[str], number: int | None) -> list[str]:
    """So many of them, evenly spread over the file, which has them by their first purchase."""
    if number is None or number >= len(customers):
        return list(customers)
    return [customers[place * len(customers) // number] for place in range(number)]
