"""Two customers for whom one record has no room, merged while everything is on its way."""

from __future__ import annotations

import random

import pytest

from app.core.customer import Customer
from app.core.events import (
    Data,
    Event,
    ProfileErased,
    ProfileMerged,
    ProfileUpdated,
    PurchaseCompleted,
    ReferralConverted,
    Refused,
)
from app.core.handover import Absorb
from app.stream.batch import Batch
from app.stream.clock import WallClock
from app.stream.cuts import TopSpenders
from app.stream.fetched import Fetched
from app.stream.items import Delivered, Item
from app.stream.meta import Meta
from app.stream.slots import Slots
from app.wire import dead_letter
from app.wire import handover as wire
from app.wire.handover import Origin
from app.wire.record import Unreadable
from tests.partitions import Partitions, Rows
from tests.shop import SECOND, Shop, at, ladder, rules_of

NAMES = tuple(f"a{number:02}" for number in range(60))
BUYERS = ladder("low: purchases >= 1\nhigh: purchases >= 3", climb="free")
RULES = rules_of(BUYERS, attributes=NAMES)
BEGIN = at("2026-03-01")
MOST_STEPS = 2_000


class Story:
    """Events, each a second after the one before."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def tell(self, customer: str, data: Data) -> None:
        number = len(self.events)
        self.events.append(Event("/s", f"e{number}", customer, BEGIN + number * SECOND, data))

    def fill(self, customer: str, names: tuple[str, ...]) -> None:
        for name in names:
            self.tell(customer, ProfileUpdated({name: ["x" * 250] * 62}))

    def buy(self, *customers: str) -> None:
        for customer in customers:
            self.tell(customer, PurchaseCompleted(f"o{len(self.events)}", 100, "VND"))


def told() -> Story:
    story = Story()
    story.fill("a", NAMES[:20])
    story.fill("b", NAMES[20:40])
    story.buy("a", "b", "z")
    story.tell("z", ProfileMerged("a"))
    story.tell("a", ProfileMerged("b"))
    story.buy("a", "b", "a", "z")
    return story


@pytest.mark.parametrize("seed", range(30))
def test_in_whatever_order_everybody_works_nothing_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    together = Partitions(RULES, told().events)
    together.run(chance.randrange, MOST_STEPS)
    assert {refused.reason for refused in together.refused} == {"too-much"}
    facts = together.facts(BEGIN)
    assert sum(each["purchases"] for each in facts.values()) == 7
    held = [name for each in facts.values() for name in NAMES if each[f"profile.{name}"]]
    assert len(held) == len({*held})
    # Either the merge is refused, or it came first, and then what there was no more room for.
    assert len(together.refused) == (1 if {"a", "b"} <= facts.keys() else 40 - len(held))
    assert len(held) == 40 or facts.keys() == {"b"}


def test_where_each_works_at_once_both_are_as_if_nobody_had_merged_them() -> None:
    story = told()
    together = Partitions(RULES, [])
    for event in story.events:
        together.tell(event)
        together.run(lambda _: 0, MOST_STEPS)
    assert [refused.reason for refused in together.refused] == ["too-much"]
    assert {id: each["purchases"] for id, each in together.facts(BEGIN).items()} == {"a": 5, "b": 2}
    assert together.forwardings() == {"z": "a"}
    for id, slot in together.records().items():
        assert isinstance(slot.record, Customer)
        changes = [change for change in together.changes if change.customer == id]
        assert [change.sequence for change in changes] == [*range(1, len(changes) + 1)]
        assert changes[-1].to == {"a": "high", "b": "low"}[id]
        assert slot.record.sequences == [len(changes)]


def test_who_is_erased_while_the_merge_is_refused_is_gone() -> None:
    story = told()
    story.tell("a", ProfileErased())
    for seed in range(10):
        together = Partitions(RULES, story.events)
        together.run(random.Random(seed).randrange, MOST_STEPS)
        left = [*together.records().values()]
        assert all(slot.id == "b" for slot in left if slot.record)


FULL = {name: ["x" * 250] * 62 for name in NAMES[:33]}
RECORD = Fetched("loyalty.handovers", 0, 7, BEGIN // 1000, b"a", b"all of it", ())
ORIGIN = Origin("commerce.profiles", 3, 5, b"a", b"the merge", (("h", b"v"),))


def absorb(to: str, path: tuple[str, ...] = ("a",)) -> Absorb:
    """The record of a, full, on its way."""
    shop = Shop(rules=RULES)
    for name, value in FULL.items():
        shop.tell(ProfileUpdated({name: value}), customer="a")
    shop.tell(ProfileMerged("b"), customer="a")
    (sent,) = shop.sent
    assert isinstance(sent, Absorb)
    return Absorb(to, sent.time, "a", sent.record, (), sent.trigger, path)


def arrived(handover: Absorb, origin: Origin | None) -> Batch:
    """A batch in which it has met a customer who is full, too."""
    shop, rows = Shop(rules=RULES), Rows(RULES)
    for name, value in FULL.items():
        shop.tell(ProfileUpdated({name.replace("a", "b"): value, name: value}), customer="full")
    slot = shop.slot("full")
    slot.id = handover.to
    rows.save(slot)
    slots = Slots(RULES, rows.codec, lambda keys: [*map(rows.held.get, keys)])
    batch = Batch(
        RULES, rows.codec, slots, WallClock(BEGIN), TopSpenders(RULES, Meta(), 0),
        group="g", number=0, partitions=4, now=BEGIN, judged=True,
    )  # fmt: skip
    batch.take(Item(0, RECORD, Delivered(handover, origin)))
    return batch


def test_a_merge_that_is_refused_is_a_dead_letter_as_it_was_received() -> None:
    handover = absorb("b")
    assert handover.record is not None
    handover.record.attributes = {f"b{name}": value for name, value in FULL.items()}
    batch = arrived(handover, ORIGIN)
    ((letter,),) = batch.letters.values()
    assert list(batch.letters) == [3]
    why = dead_letter.read(letter.headers)
    assert why is not None
    assert (letter.key, letter.value) == (b"a", b"the merge")
    assert (why.reason, why.topic, why.partition, why.offset, why.original) == (
        "too-much", "commerce.profiles", 3, 5, [("h", b"v")]
    )  # fmt: skip
    ((home,),) = batch.handovers.values()
    found = wire.decode(home.value, Rows(RULES).codec)
    assert not isinstance(found, Unreadable)
    assert isinstance(found[0], Absorb)
    assert (home.key, found[0].to, found[0].record is not None, found[1]) == (
        b"a", "a", True, ORIGIN
    )  # fmt: skip


def test_a_record_that_finds_no_room_at_home_either_stays_in_its_own_dead_letter() -> None:
    """Whole, as it was handed over, so that it can be sent again."""
    handover = absorb("a", ("b",))
    assert handover.record is not None
    handover.record.attributes = {f"b{name}": value for name, value in FULL.items()}
    batch = arrived(handover, ORIGIN)
    ((letter,),) = batch.letters.values()
    assert (letter.key, letter.value, batch.handovers) == (b"a", b"all of it", {})
    why = dead_letter.read(letter.headers)
    assert why is not None
    assert (why.reason, why.topic, why.offset) == ("too-much", "loyalty.handovers", 7)


def test_a_merge_from_an_earlier_version_is_refused_without_its_value() -> None:
    """What it came in is not known, and to send the whole record again would count it twice."""
    handover = absorb("b")
    assert handover.record is not None
    handover.record.attributes = {f"b{name}": value for name, value in FULL.items()}
    batch = arrived(handover, None)
    ((letter,),) = batch.letters.values()
    assert (letter.key, letter.value) == (b"a", None)
    assert batch.handovers


GREATEST = 2**127 - 1


def test_a_sum_beyond_128_bits_is_refused_and_changes_nothing() -> None:
    shop = Shop(rules=RULES)
    shop.buy("o1")
    shop.tell(ReferralConverted("r", 5, "VND"))
    shop.record().bought.sums[1] = [GREATEST - 99]
    shop.record().brought.sums[1] = [GREATEST]
    changes, facts = len(shop.changes), shop.facts()
    for refused in (shop.buy("o2"), shop.tell(ReferralConverted("s", 1, "VND"))):
        assert isinstance(refused, Refused)
        assert refused.reason == "too-much"
    assert (shop.facts(), len(shop.changes)) == (facts, changes)
    shop.buy("o3", amount=99)
    assert shop.facts()["spend"] == GREATEST


def test_two_whose_sums_are_beyond_128_bits_together_stay_two() -> None:
    shop = Shop(rules=RULES)
    for customer in ("a", "b"):
        shop.buy(f"of {customer}", customer=customer)
        shop.record(customer).bought.sums[1] = [2**126]
    shop.tell(ProfileMerged("b"), customer="a")
    assert [shop.facts(customer)["spend"] for customer in ("a", "b")] == [2**126] * 2
    shop.record("b").bought.sums[1] = [2**126 - 1]
    shop.tell(ProfileMerged("b"), customer="a")
    assert shop.facts("b")["spend"] == GREATEST
