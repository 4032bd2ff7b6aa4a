"""A stage change beside its topic has nobody's id in it but the customer's own."""

from __future__ import annotations

from hashlib import sha256

import pytest

from app.core.change import Change, Trigger
from app.wire import stage_change
from app.wire.credit_trigger import without_referred

ODD = [
    "c-42",
    "a/b",
    "c/1/r2",
    "c/7",
    'q"u\\o"',
    "Ngọc\n\t\x00",
    "顧客🙂",
    '"trigger":{"source":"/',
    "}",
]


def caused_by(source: str, id: str, customer: str = "who-brought") -> bytes:
    return stage_change.encode(
        Change(
            customer=customer, life=1, ladder="l", version=1, sequence=1, time=0,
            from_=None, to="a", direction="up", passed=[], cause="event",
            trigger=Trigger(source, id, "referral.converted"), because=None, since=None, held=None,
            next=None, suggest=None, quiet=False,
        )
    )  # fmt: skip


@pytest.mark.parametrize("referred", ODD)
@pytest.mark.parametrize("ending", ["/1", "/12/r2"])
def test_the_id_of_a_credit_has_a_hash_in_place_of_whom_it_is_for(
    referred: str, ending: str
) -> None:
    shown = stage_change.decode(
        without_referred(caused_by("/loyalty-ladder", f"credit/{referred}{ending}"))
    )
    digest = sha256(referred.encode()).hexdigest()
    assert shown.trigger == Trigger(
        "/loyalty-ladder", f"credit/sha256:{digest}{ending}", "referral.converted"
    )


@pytest.mark.parametrize("odd", ODD)
def test_everything_else_stays_to_the_letter(odd: str) -> None:
    for value in (
        caused_by("/shop", f"credit/{odd}/1"),
        caused_by("/loyalty-ladder", odd),
        caused_by(f'"source":"/loyalty-ladder","id":"credit/{odd}/1"', odd, odd),
    ):
        assert without_referred(value) == value
