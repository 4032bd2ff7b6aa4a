"""A rates file is read exactly, and what is wrong in one is named by file and line."""

from datetime import date
from pathlib import Path

import pytest

from app.core.money import Factor
from app.errors import DataFileError
from app.wire.rates import read_rates

HEADER = b"date,currency,rate\n"
DAY = date(2026, 3, 1).toordinal() - date(1970, 1, 1).toordinal()


def test_rows_are_read_in_any_order_with_blank_lines_quotes_and_a_byte_order_mark() -> None:
    data = b"\xef\xbb\xbf" + HEADER + b'\n2026-03-02,EUR,27000\r\n"2026-03-01", USD ,25000.50\n'
    rates = read_rates(data, "VND")
    assert rates.factor("USD", DAY - 1) is None
    assert rates.factor("USD", DAY) == Factor(250005, -3)
    assert rates.factor("EUR", DAY) is None
    assert rates.factor("EUR", DAY + 400) == Factor(27, 1)


def test_a_header_alone_gives_rates_for_the_base_only() -> None:
    assert read_rates(HEADER, "USD").factor("USD", 0) == Factor(1, 0)


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", 1, "date,currency,rate"),
        (b"currency,date,rate\n", 1, "date,currency,rate"),
        (HEADER + b"2026-03-01,USD\n", 2, "3 fields"),
        (HEADER + b"2026-03-01,USD,1,2\n", 2, "3 fields"),
        (HEADER + b"2026-02-30,USD,1\n", 2, "date"),
        (HEADER + b"20260301,USD,1\n", 2, "date"),
        (HEADER + b"\n2026-03-01,usd,1\n", 3, "three capitals"),
        (HEADER + b"2026-03-01,USD,1e3\n", 2, "number"),
        (HEADER + b"2026-03-01,USD,NaN\n", 2, "number"),
        (HEADER + b'2026-03-01,USD,"25,000"\n', 2, "number"),
        (HEADER + b"2026-03-01,USD,-1\n", 2, "number"),
        (HEADER + b"2026-03-01,USD,0\n", 2, "above 0"),
        (HEADER + b"2026-03-01,USD,1.0000000000000001\n", 2, "15 digits"),
        (HEADER + b"2026-03-01,VND,2\n", 2, "base currency"),
        (HEADER + b"2026-03-01,USD,1\n2026-03-01,USD,2\n", 3, "second rate"),
        (HEADER + b"2026-03-01,USD,1\n2026-03-01,\xff,2\n", 3, "UTF-8"),
        (HEADER + b'2026-03-01,"USD,1\n', 2, "CSV"),
    ],
)
def test_what_is_wrong_is_named_by_file_and_line(data: bytes, line: int, words: str) -> None:
    with pytest.raises(DataFileError, match=words) as caught:
        read_rates(data, "VND", "shop.csv")
    assert (caught.value.file, caught.value.line) == ("shop.csv", line)


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "rates.csv"
    path.write_bytes(HEADER + b"2026-03-01,USD,25000\n")
    assert read_rates(path, "VND").factor("USD", DAY) == Factor(25, 1)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"nowhere\.csv.*cannot be read"):
        read_rates(tmp_path / "nowhere.csv", "VND")
