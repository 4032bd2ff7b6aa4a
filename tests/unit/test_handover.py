"""Handovers as bytes: whatever one customer's record owes another's arrives as it was sent."""

from __future__ import annotations

import pytest

from app.core.address import address_of
from app.core.apply import Applied, Forwarded, Outbox, Repeated, receive
from app.core.change import Trigger
from app.core.due import NoCuts
from app.core.events import (
    Event,
    Inquired,
    ProfileErased,
    ProfileMerged,
    PurchaseCompleted,
    PurchaseRefunded,
    ReferralConverted,
    ReferralReversed,
)
from app.core.handover import Absorb, Credit, Forget, Forward, Handover, Named, Redirect
from app.core.instants import format_instant
from app.wire.handover import VERSION, Origin, decode, encode
from app.wire.record import RecordCodec, Unreadable
from tests.partitions import written
from tests.shop import Shop, at, ladder

STEPS = ladder("a: purchases >= 1\nb: purchases_in(5) >= 2")
CODEC = RecordCodec([STEPS])
NOON = at("2026-03-01T12:00")
AT_B = address_of("b")
TRIGGER = Trigger("/shop", "m", "profile.merged")


def there_and_back(handover: Handover, origin: Origin | None = None) -> tuple[Handover, object]:
    found = decode(encode(handover, CODEC, origin), CODEC)
    assert not isinstance(found, Unreadable), found
    return found


@pytest.mark.parametrize(
    "handover",
    [
        Credit("b", 5, Event("/l", "credit/c/1", "b", 5, ReferralConverted("c", 70, "VND"))),
        Credit("z", 5, Event("/l", "credit/c/2/r2", "b", 5, ReferralReversed("c"))),
        Credit("b", 5, Event("/l", "credit/c/1", "b", 5, ReferralConverted("c"))),
        Credit("", 5, Event("/l", "credit/c/1", "", 5, ReferralConverted("c")), 1, 2, AT_B),
        Named("Ngọc", 5),
        Forget("Ngọc", 5, 4),
        Redirect("Ngọc", 5, "b"),
        Absorb("b", 5, "c", None, (), TRIGGER, ("c",)),
        Absorb("b", 5, "c", None, ("d", "e"), TRIGGER, ("c", "d"), settle=True),
    ],
)
def test_a_handover_arrives_as_it_was_sent(handover: Handover) -> None:
    assert there_and_back(handover) == (handover, None)


BOUGHT = Event("/shop", "e", "c", NOON, PurchaseCompleted("o", 100, "VND"))
DATA = b'{"order_id": "o", "amount": 100, "currency": "VND"}'
BINARY: tuple[tuple[str, bytes | None], ...] = (
    ("ce_id", b"no longer"), ("ce_specversion", b"1.0"), ("CE_ID", b"e"), ("ce_source", b"/shop"),
    ("ce_type", b"purchase.completed"), ("ce_subject", b"c"), ("ce_time", b"2026-03-01T12:00:00Z"),
    ("ce_subject", None), ("Content-Type", b"application/json; noise=" + b"x" * 99_000),
)  # fmt: skip
STRUCTURED: tuple[tuple[str, bytes | None], ...] = (
    ("ce_id", b"another"), ("content-type", b"Application/CloudEvents+json; " + b"x" * 99_000),
    ("content-type", b"text/plain"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "headers"),
    [(written(BOUGHT), STRUCTURED), (written(BOUGHT), ()), (DATA, BINARY)],
)
def test_of_giant_headers_those_travel_that_the_event_is_read_by(
    value: bytes, headers: tuple[tuple[str, bytes | None], ...]
) -> None:
    """And what was left behind is known, for a letter that may come of it."""
    noise = tuple((f"noise-{n}", b"x" * 1000) for n in range(100))
    origin = Origin("in", 3, 17, b"c", value, (*noise, *headers, *noise))
    encoded = encode(Forward("b", NOON, BOUGHT), CODEC, origin)
    assert len(encoded) < 10_000
    arrived = decode(encoded, CODEC)
    assert not isinstance(arrived, Unreadable), arrived
    handover, came_in = arrived
    assert handover == Forward("b", NOON, BOUGHT)
    assert came_in is not None
    assert (came_in.offset, came_in.value, came_in.left_out) == (17, value, ("headers",))


@pytest.mark.parametrize("keyed", [True, False])
def test_a_forwarded_event_travels_as_the_record_that_it_came_in(keyed: bool) -> None:
    event = Event("/shop", "e", "c", NOON, PurchaseCompleted("o", 100, "VND"))
    origin = Origin("in", 3, 17, b"c" if keyed else None, written(event), (("h", b"\xff"),))
    handover = Forward("b", NOON, event)
    if keyed:
        assert there_and_back(handover, origin) == (handover, origin)
    else:
        assert isinstance(decode(encode(handover, CODEC, origin), CODEC), Unreadable)
    with pytest.raises(ValueError, match="record that it came in"):
        encode(handover, CODEC, None)


def test_a_forwarded_event_without_data_in_binary_mode_travels_as_it_came() -> None:
    attributes = {"specversion": "1.0", "id": "e", "source": "/shop", "subject": "c"}
    attributes |= {"type": "profile.erased", "time": format_instant(NOON)}
    headers = tuple((f"ce_{name}", text.encode()) for name, text in attributes.items())
    origin = Origin("in", 3, 17, b"c", None, headers)
    handover = Forward("b", NOON, Event("/shop", "e", "c", NOON, ProfileErased()))
    assert there_and_back(handover, origin) == (handover, origin)


@pytest.mark.parametrize("orders", [1, 40])
def test_an_absorbed_record_arrives_with_all_that_it_remembers(orders: int) -> None:
    sender, receiver = Shop(STEPS), Shop(STEPS)
    for number in range(orders):
        sender.buy(f"o{number}", customer="c")
    absorb = Absorb("b", sender.told, "c", sender.record("c"), (), TRIGGER, ("c",))
    expected = sender.facts("c")
    arrived, _ = there_and_back(absorb)
    receiver.deliver(arrived)
    assert receiver.facts("b") == expected
    receiver.told = sender.told
    for number in range(orders):
        data = PurchaseRefunded(f"o{number}", 100, "VND")
        assert receiver.tell(data, customer="b", id=f"refund {number}") == Applied()
    assert receiver.facts("b")["purchases"] == 0
    assert receiver.tell(Inquired(), customer="b", id="e1") == Repeated()


def test_a_credit_that_carries_anything_else_is_a_bug() -> None:
    with pytest.raises(TypeError):
        encode(Credit("b", 5, Event("/l", "x", "b", 5, Inquired())), CODEC, None)
    shop = Shop(STEPS)
    with pytest.raises(TypeError):
        shop.deliver(Credit("b", 5, Event("/l", "x", "b", 5, Inquired())))


def test_what_is_no_handover_of_this_version_is_unreadable() -> None:
    good = encode(Forget("b", 5, 4), CODEC, None)
    for value in (None, b"", bytes([VERSION + 1]) + good[1:], good[:-1], good + b"\x00"):
        assert isinstance(decode(value, CODEC), Unreadable)


def test_a_credit_of_version_1_is_read_as_it_was_sent() -> None:
    value = bytes.fromhex(
        "0199a6637265646974a36f6c64cf00064c45ad0c9000af2f6c6f79616c74792d6c6164646572ac637265"
        "6469742f6e65772f31a36f6c6493a36e6577cd02bca3564e440000"
    )
    sent = Event(
        "/loyalty-ladder", "credit/new/1", "old", at("2026-03-05T12:00"),
        ReferralConverted("new", 700, "VND"),
    )  # fmt: skip
    assert decode(value, CODEC) == (Credit("old", sent.time, sent), None)


def test_a_record_of_other_ladders_is_unreadable() -> None:
    shop = Shop(STEPS)
    shop.buy("o", customer="c")
    value = encode(Absorb("b", 5, "c", shop.record("c"), (), TRIGGER, ("c",)), CODEC, None)
    other = RecordCodec([ladder("a: purchases >= 1")])
    assert decode(value, other) == Unreadable("written under other ladders")


def test_what_was_forwarded_to_a_survivor_that_was_erased_goes_back_to_whom_it_named() -> None:
    shop = Shop(STEPS)
    event = Event("/shop", "e", "c", NOON, Inquired())
    out = Outbox()
    forward = Forward("b", NOON, event)
    assert receive(shop.rules, shop.slot("b"), forward, NoCuts(), out) == Forwarded()
    assert route(out) == [(Forward, "c", event)]
    credit = Credit("b", 5, Event("/l", "credit/x/1", "c", 5, ReferralConverted("x")))
    assert receive(shop.rules, shop.slot("b"), credit, NoCuts(), out) == Forwarded()
    assert route(out)[1:] == [(Credit, "c", credit.event)]


def route(out: Outbox) -> list[tuple[type[Handover], str, Event]]:
    return [(type(h), h.to, h.event) for h in out.handovers if isinstance(h, Forward | Credit)]


def test_what_was_forwarded_goes_on_when_the_survivor_has_moved_on() -> None:
    shop = Shop(STEPS)
    shop.tell(ProfileMerged("z"), NOON, customer="b")
    out = Outbox()
    event = Event("/shop", "e", "c", NOON, Inquired())
    receive(shop.rules, shop.slot("b"), Forward("b", NOON, event), NoCuts(), out)
    credit = Credit("b", 5, Event("/l", "credit/x/1", "c", 5, ReferralConverted("x")))
    receive(shop.rules, shop.slot("b"), credit, NoCuts(), out)
    assert route(out) == [(Forward, "z", event), (Credit, "z", credit.event)]


def test_an_erasure_reaches_each_absorbed_id_as_one_handover() -> None:
    shop = Shop(STEPS)
    for customer in "abc":
        shop.buy(f"of {customer}", NOON, customer=customer)
    shop.tell(ProfileMerged("c"), customer="a")
    shop.tell(ProfileMerged("c"), customer="b")
    shop.tell(ProfileErased(), customer="c")
    forgotten = [sent for sent in shop.sent if isinstance(sent, Forget)]
    assert sorted(sent.to for sent in forgotten) == ["a", "b"]
    assert {sent.instant for sent in forgotten} == {shop.told - 1_000_000}
