"""The rates file: a CSV `date,currency,rate`, read into `app.core.money.Rates`.

Contract section 2, *Money*: rate is base major units for one major unit of the currency.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

from app.core.money import Rates
from app.errors import DataFileError
from app.wire.plain_text import NotText, plain

HEADER = ("date", "currency", "rate")

_EPOCH = date(1970, 1, 1).toordinal()
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(r"\d{1,40}(\.\d{1,40})?", re.ASCII)


def read_rates(source: Path | bytes, base: str, name: str = "rates") -> Rates:
    """Read rates to the currency `base` from a file, or from the bytes of one called `name`.

    Raises DataFileError, which names the file and the line, for a file that cannot be read, is not
    UTF-8, has another first line than `date,currency,rate`, or has a row that is none.
    """
    if isinstance(source, Path):
        name = str(source)
        try:
            source = source.read_bytes()
        except OSError as error:
            raise DataFileError(name, 0, f"cannot be read: {error.strerror}") from error
    try:
        source = plain(source)
    except NotText as error:
        raise DataFileError(name, 0, str(error)) from error
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise DataFileError(name, line, "is not UTF-8 text") from error
    seen: dict[tuple[int, str], Decimal] = {}
    for line, (day, currency, rate) in _rows(text, name):
        if seen.setdefault((day, currency), rate) != rate:
            raise DataFileError(name, line, f"a second rate for {currency} on the same date")
        try:
            Rates(base, [(day, currency, rate)])
        except ValueError as error:
            raise DataFileError(name, line, str(error)) from error
    return Rates(base, ((day, currency, rate) for (day, currency), rate in seen.items()))


def _rows(text: str, name: str) -> Iterator[tuple[int, tuple[int, str, Decimal]]]:
    reader = csv.reader(text.splitlines(), strict=True)
    try:
        header = next(reader, [])
        if tuple(cell.strip() for cell in header) != HEADER:
            raise DataFileError(name, 1, f"the first line must be {','.join(HEADER)}")
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, _row(cells, name, reader.line_num)
    except csv.Error as error:
        raise DataFileError(name, reader.line_num, f"is no CSV: {error}") from error


def _row(cells: list[str], name: str, line: int) -> tuple[int, str, Decimal]:
    if len(cells) != len(HEADER):
        raise DataFileError(name, line, f"{len(HEADER)} fields expected, found {len(cells)}")
    day, currency, rate = (cell.strip() for cell in cells)
    try:
        ordinal = date.fromisoformat(day).toordinal() if _DATE.fullmatch(day) else None
    except ValueError:
        ordinal = None
    if ordinal is None:
        raise DataFileError(name, line, f"a date as 2026-03-01 expected, found {day!r}")
    if not _CURRENCY.fullmatch(currency):
        raise DataFileError(
            name, line, f"a currency of three capitals expected, found {currency!r}"
        )
    if not _NUMBER.fullmatch(rate):
        raise DataFileError(name, line, f"a number as 25000 or 0.92 expected, found {rate!r}")
    return ordinal - _EPOCH, currency, Decimal(rate)
