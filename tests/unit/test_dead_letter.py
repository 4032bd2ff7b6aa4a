"""A dead letter's headers say why and where, after those that the record came with."""

import pytest

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


def test_a_long_message_is_cut_and_half_a_character_does_no_harm() -> None:
    found = dict(dead_letter.headers("bad-data", "\ud800" + "x" * 5000, "t", 0, 0))
    assert found["__streams.errors.message"] == b"\\ud800" + b"x" * 1023


def test_every_reason_has_its_meaning_in_the_order_of_the_contract() -> None:
    assert tuple(dead_letter.MEANINGS) == REASONS
