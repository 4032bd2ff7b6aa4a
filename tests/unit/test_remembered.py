"""A start under other settings or ladders than the state was made with is refused, and says why."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from app.errors import LadderChanged, RememberedSettingsDiffer, StartupRefused
from app.stream.remembered import Remembered, decode, encode, note, refuse_if_changed, remember


@dataclass(frozen=True)
class Named:
    id: str
    version: int
    digest: str


NOW = remember("UTC", "VND", 8, ("a", "b"), [Named("rfm", 1, "d1"), Named("fan", 2, "d2")])


def other(**changes: object) -> Remembered:
    return msgspec.structs.replace(NOW, **changes)


def test_what_is_written_is_read_back() -> None:
    assert decode(encode(NOW)) == NOW


def test_the_order_of_ladders_does_not_matter() -> None:
    turned = remember("UTC", "VND", 8, ("a", "b"), [Named("fan", 2, "d2"), Named("rfm", 1, "d1")])
    assert encode(turned) == encode(NOW)


def test_offsets_without_a_note_are_nobody_s_state() -> None:
    assert decode("") is None


def test_a_note_of_somebody_else_is_refused() -> None:
    with pytest.raises(StartupRefused, match="LADDER_APP_ID"):
        decode("spark checkpoint 12")


def test_the_same_is_let_through() -> None:
    refuse_if_changed(NOW, other())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"timezone": "Asia/Tokyo"}, "LADDER_TIMEZONE is Asia/Tokyo, .* made with UTC"),
        ({"currency": "EUR"}, "LADDER_CURRENCY is EUR, .* made with VND"),
        ({"partitions": 4}, "LADDER_PARTITIONS is 4, .* made with 8"),
        ({"topics": ("b", "a")}, "LADDER_TOPICS is b,a, .* made with a,b"),
    ],
)
def test_a_setting_that_differs_is_named_with_both_values_and_the_way_out(
    changes: dict[str, object], said: str
) -> None:
    with pytest.raises(RememberedSettingsDiffer, match=said) as refused:
        refuse_if_changed(NOW, other(**changes))
    assert "a new LADDER_APP_ID and a LADDER_HANDOVERS" in str(refused.value)


def test_all_settings_that_differ_are_named_at_once() -> None:
    with pytest.raises(RememberedSettingsDiffer) as refused:
        refuse_if_changed(NOW, other(timezone="Asia/Tokyo", currency="EUR"))
    assert "LADDER_TIMEZONE" in str(refused.value)
    assert "LADDER_CURRENCY" in str(refused.value)


@pytest.mark.parametrize(
    ("ladders", "said"),
    [
        (
            {"rfm": (1, "dX"), "fan": (2, "d2")},
            "rfm means something else, .* still 1",
        ),
        ({"rfm": (2, "dX"), "fan": (2, "d2")}, "rfm has version 2; .* under 1"),
        ({"fan": (2, "d2")}, "rfm is gone"),
        ({"rfm": (1, "d1"), "fan": (2, "d2"), "new": (1, "d")}, "new is new"),
    ],
)
def test_a_ladder_that_changed_under_customers_is_refused(
    ladders: dict[str, tuple[int, str]], said: str
) -> None:
    with pytest.raises(LadderChanged, match=said) as refused:
        refuse_if_changed(NOW, other(ladders=ladders))
    assert "a new LADDER_APP_ID and a LADDER_HANDOVERS" in str(refused.value)


def test_a_note_that_kafka_would_not_take_is_left_out() -> None:
    """It lies in the changelog too; a commit that Kafka refuses would stop the partition."""
    many = [Named(f"ladder-{number:03}-{'x' * 40}", 1, "d" * 64) for number in range(64)]
    text = encode(remember("UTC", "VND", 8, ("a",), many))
    assert len(text) > 4_096
    assert note(text) == ""
    assert note(encode(NOW)) == encode(NOW)
