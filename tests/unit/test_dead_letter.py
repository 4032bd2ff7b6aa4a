"""A dead letter's headers say why and where, after those that the record came with."""

import pytest
from msgspec.structs import replace

from app.core.events import REASONS
from app.wire import dead_letter

WRITTEN = [
    ("__streams.errors.exception", b"loyalty.Refused"),
    ("__streams.errors.message", "größer".encode()),
    ("__streams.errors.topic", b"commerce.purchases"),
    ("__streams.errors.partition", b"3"),
    ("__streams.errors.offset", b"9000000000"),
    ("loyalty.reason", b"bad-data"),
]


def test_the_names_and_forms_are_those_of_kip_1034_and_the_contract() -> None:
    found = dead_letter.headers("bad-data", "größer", "commerce.purchases", 3, 9_000_000_000)
    assert found == WRITTEN


def test_the_headers_it_came_with_stay_first_and_as_they_were() -> None:
    came: list[tuple[str, bytes | None]] = [("a", b"\xff"), ("b", None), ("a", b"")]
    found = dead_letter.headers("bad-data", "größer", "commerce.purchases", 3, 9_000_000_000, came)
    assert found == came + WRITTEN


def test_what_was_written_is_read_back() -> None:
    came: list[tuple[str, bytes | None]] = [("a", b"\xff"), ("b", None)]
    found = dead_letter.read(dead_letter.headers("future", "soon", "t", 0, 7, came))
    assert found == dead_letter.Letter("future", "soon", "t", 0, 7, came)


def test_a_record_that_was_dead_before_is_read_by_its_last_headers() -> None:
    first = dead_letter.headers("no-rate", "then", "t", 0, 7, [("a", b"b")])
    found = dead_letter.read(dead_letter.headers("bad-data", "now", "t", 0, 9, first))
    assert found == dead_letter.Letter("bad-data", "now", "t", 0, 9, [("a", b"b")])


def test_to_send_it_again_ours_are_left_out() -> None:
    assert dead_letter.original([("a", b"b"), *WRITTEN, ("c", None)]) == [("a", b"b"), ("c", None)]


@pytest.mark.parametrize(
    "found",
    [
        [],
        WRITTEN[:5],
        WRITTEN[1:2] + WRITTEN[3:],
        [*WRITTEN[:3], (WRITTEN[3][0], b"x"), *WRITTEN[4:]],
    ],
)
def test_what_lacks_our_headers_or_has_wrong_ones_is_no_letter_of_ours(
    found: list[tuple[str, bytes | None]],
) -> None:
    assert dead_letter.read(found) is None


def test_a_letter_that_does_not_fit_is_without_its_value_then_its_headers_then_its_key() -> None:
    """Each time it says which parts were left out, and of the value how to know it again."""
    came: list[tuple[str, bytes | None]] = [("a", b"\xff")]
    whole = dead_letter.headers("too-large", "5 bytes", "t", 0, 7, came)
    without_value = dead_letter.lighter(b"k", b"value", whole)
    assert without_value is not None
    key, value, headers = without_value
    assert (key, value, headers[: len(whole)]) == (b"k", None, whole)
    digest = "cd42404d52ad55ccfa9aca4adc828aa5800ad9d385a0671fbcbf724118320619"
    assert headers[len(whole) :] == [
        ("loyalty.left-out", b"value"),
        ("loyalty.value-bytes", b"5"),
        ("loyalty.value-sha256", digest.encode()),
    ]
    letter = dead_letter.Letter("too-large", "5 bytes", "t", 0, 7, came, ("value",), 5, digest)
    assert dead_letter.read(headers) == letter

    without_headers = dead_letter.lighter(key, value, headers)
    assert without_headers is not None
    key, value, headers = without_headers
    assert (key, value) == (b"k", None)
    expected = replace(letter, original=[], left_out=("value", "headers"))
    assert dead_letter.read(headers) == expected

    without_key = dead_letter.lighter(key, value, headers)
    assert without_key is not None
    key, value, headers = without_key
    assert (key, value) == (None, None)
    expected = replace(expected, left_out=("value", "headers", "key"))
    assert dead_letter.read(headers) == expected
    assert dead_letter.lighter(key, value, headers) is None


@pytest.mark.parametrize("value", [None, b""])
def test_a_value_without_bytes_is_not_left_out(value: bytes | None) -> None:
    lighter = dead_letter.lighter(b"k" * 9, value, dead_letter.headers("not-json", "m", "t", 0, 7))
    assert lighter is not None
    assert lighter[:2] == (None, value)
    found = dead_letter.read(lighter[2])
    assert found is not None
    assert (found.left_out, found.value_bytes) == (("key",), None)


def test_what_an_earlier_letter_was_without_says_nothing_of_a_later_one() -> None:
    """Somebody else sent a letter with its headers again, and it was refused again."""
    first = dead_letter.lighter(b"k", b"value", dead_letter.headers("bad-data", "then", "t", 0, 7))
    assert first is not None
    found = dead_letter.read(dead_letter.headers("not-json", "now", "t", 0, 9, first[2]))
    assert found == dead_letter.Letter("not-json", "now", "t", 0, 9, [])


def test_a_long_message_is_cut_and_half_a_character_does_no_harm() -> None:
    found = dict(dead_letter.headers("bad-data", "\ud800" + "x" * 5000, "t", 0, 0))
    assert found["__streams.errors.message"] == b"\\ud800" + b"x" * 1023


def test_every_reason_has_its_meaning_in_the_order_of_the_contract() -> None:
    assert tuple(dead_letter.MEANINGS) == REASONS
