"""What is stored of somebody who was erased, in whosever rows: contract section 6, *Erase*.

Customers are bytes here, as in the store and the changelog, and so is what one owes another.
"""

from __future__ import annotations

import copy
import random

import pytest

from app.core.events import (
    Data,
    Event,
    Inquired,
    ProfileErased,
    ProfileMerged,
    PurchaseCompleted,
    PurchaseRefunded,
    Registered,
)
from app.core.people import MOST_ALIASES
from app.wire.stage_change import change_id
from tests.partitions import Partitions
from tests.shop import DAY, HOUR, at, ladder, rules_of

RUNGS = "a: purchases >= 1\nb: referrals >= 1\nc: referral_revenue >= 500"
RULES = rules_of(ladder(RUNGS, climb="free"))
START = at("2026-03-01")
REFERRER, REFERRED = "who-brought-others", "who-was-brought"


RECORDED = rules_of(ladder("a: purchases >= 1\nb: referrals >= 1"))
VERSION_1 = {
    b"cold": (
        "010000dc8338f1dc0017cf4000000000000000cf00064c45ad0c900001c40100c401009100910094c42030f4"
        "7a16bae4404a9dc3c1d0977b307808244e84d29e36f9ee7959671045090cc40000c094c400c40000c0939090"
        "909292cd5021cd50259192010294c400c40000c092909094c4108a8bce337034a30fb1da8d7f94e0f02ec40c"
        "92cd50259192cd5025cd02bc00c09291cd502592910191cd02bc9291cd502191910192909000c0c080ff80"
    ),
    b"cnew": (
        "010000dc8338f1dc0017cf4000000000000000cf00064c45ad0c900001c40101c4010191cf00064c45ad0c90"
        "00910194c4203925e25cfe6471feb02a7f7a21e7d9a0d63b81ff41a76815dede00d5b123e9e9c40000c094c4"
        "104ccbe3a80f8112da36171794db81f2d5c40d98cd5025cd02bc0100c2a0010000c09391cd502593910191cd"
        "02bc910191019292cd5022cd50259192010294c400c40000c092909094c400c40000c0929090929090929090"
        "00c093cd5022a36f6c6495a36e657701a36f6c6401c380ff80"
    ),
    b"cwaits": (
        "010000dc8338f1dc0017cf4000000000000000cf00064c095386700001c40100c401009100910094c41091d8"
        "80284d37727bd7e783dfb032be7dc40000c094c400c40000c0939090909291cd502291910194c400c40000c0"
        "92909094c400c40000c092909092909092909000c093cd5022a36f6c64c080ff80"
    ),
    b"x<H#F\xf3u\x02vw\xfa\x8a\rh0\xa3'\x14\xd4\xf1?\x9e\x94\xc2\xd9\xe2\x15\xe0\xac Z\xd4\xe5": (
        "019292cf00064beb26c360000091a5616c696173"
    ),
    b"cback": (
        "010020dc8338f1dc0017cf4000000000000000cf00064bff449ac00001c40101c4010191cf00064bff449ac0"
        "00910194c410a2dc0012fe9e69ed31482fa00a0bac79c40000c094c410e0a026604a43e43e0d0379c458b49a"
        "1ac40b98cd5022640100c2a0010000c09391cd50229391019164910191019291cd502291910194c400c40000"
        "c092909094c400c40000c092909092909092909000c0c080ff80"
    ),
    b"calias": ("010100dc8338f193a46261636b0090"),
    b"chers": (
        "010000dc8338f1dc0017cf4000000000000000cf00064c1d715dd00001c40100c401009100910094c410f708"
        "b9ad04e25293c52fdd73220e9c18c40000c094c400c40000c0939090909291cd502391910194c400c40000c0"
        "92909094c400c40000c092909092909092909000c093cd5023a46261636bc080ff80"
    ),
}
"""A store that version 1 wrote."""


def told(*story: tuple[str, Data]) -> Partitions:
    """A shop in which one of these was applied after the other, and nothing is on its way."""
    shop = Partitions(RULES, ())
    tell(shop, *story)
    return shop


def tell(shop: Partitions, *story: tuple[str, Data]) -> None:
    for customer, data in story:
        number = shop.steps
        shop.tell(Event("/shop", f"e{number}", customer, START + number * HOUR, data))
        shop.run(lambda many: 0, 100_000)


def buy(order: str, amount: int = 700) -> PurchaseCompleted:
    return PurchaseCompleted(order, amount, "VND")


def rows_naming(shop: Partitions, customer: str) -> list[bytes]:
    """The keys of all rows that have an id in them anywhere."""
    name = customer.encode()
    return [key for key, value in shop.rows.held.items() if name in key + value]


def test_no_row_of_who_was_brought_has_the_id_of_who_brought_him() -> None:
    shop = told((REFERRER, Inquired()), ("x", Registered(REFERRER)), ("y", Registered(REFERRER)))
    tell(shop, ("x", buy("o")), ("heir", Inquired()), ("x", ProfileMerged("heir")))
    assert all(REFERRER.encode() in key or key[:1] == b"x" for key in rows_naming(shop, REFERRER))
    tell(shop, (REFERRER, ProfileErased()))
    assert rows_naming(shop, REFERRER) == []


def test_who_was_named_and_never_known_is_gone_with_an_erasure_too() -> None:
    shop = told(("x", Registered(REFERRER)))
    assert rows_naming(shop, REFERRER) != []
    tell(shop, (REFERRER, ProfileErased()), ("x", buy("o")), ("y", Registered(REFERRER)))
    assert rows_naming(shop, REFERRER) == []
    assert REFERRER not in shop.records()


def test_who_was_named_and_never_known_is_known_by_the_credit() -> None:
    shop = told(("x", Registered(REFERRER)), ("x", buy("o")))
    assert shop.facts(START)[REFERRER]["referral_revenue"] == 700


def test_a_credit_reaches_the_record_that_an_erased_referrer_has_since() -> None:
    shop = told((REFERRER, Inquired()), ("x", Registered(REFERRER)), (REFERRER, ProfileErased()))
    tell(shop, ("x", buy("1")), ("x", PurchaseRefunded("1", 700, "VND")))
    assert REFERRER not in shop.records()
    tell(shop, (REFERRER, Inquired()), ("x", buy("2", 500)))
    assert shop.facts(START)[REFERRER]["referral_revenue"] == 500
    last = shop.changes[-1]
    assert (last.customer, last.trigger and last.trigger.id) == (REFERRER, "credit/x/3")
    tell(shop, (REFERRER, ProfileErased()))
    assert rows_naming(shop, REFERRER) == []


def test_a_credit_reaches_whom_the_referrer_was_absorbed_into() -> None:
    shop = told((REFERRER, Inquired()), ("x", Registered(REFERRER)), ("heir", Inquired()))
    tell(shop, (REFERRER, ProfileMerged("heir")), ("x", buy("1")))
    assert shop.facts(START)["heir"]["referrals"] == 1
    tell(shop, ("heir", ProfileErased()))
    assert rows_naming(shop, REFERRER) == rows_naming(shop, "heir") == []


def test_nothing_of_who_was_brought_stays_with_who_brought_him() -> None:
    shop = told((REFERRER, Inquired()), (REFERRED, Registered(REFERRER)), (REFERRED, buy("o")))
    tell(shop, (REFERRED, PurchaseRefunded("o", 700, "VND")), (REFERRED, buy("p")))
    assert shop.facts(START)[REFERRER]["referrals"] == 1
    tell(shop, (REFERRED, ProfileErased()))
    assert rows_naming(shop, REFERRED) == []


def test_who_has_become_one_with_the_referrer_is_still_ignored() -> None:
    shop = told((REFERRER, Inquired()), ("x", Registered(REFERRER)), ("x", Inquired()))
    tell(shop, (REFERRER, ProfileMerged("x")), ("x", buy("o")))
    assert shop.facts(START)["x"]["referrals"] == 0


def test_rows_of_version_1_are_read_and_keep_no_referrer_once_they_are_touched() -> None:
    # `new` was credited to `old`, `waits` not yet; `hers` names `back`, who was erased and is back.
    shop = Partitions(RECORDED, ())
    shop.steps = 30 * 24
    shop.rows.held = {key: bytes.fromhex(value) for key, value in VERSION_1.items()}
    shop.customers = {"old", "new", "waits", "back", "alias", "hers"}
    assert shop.facts(START)["old"]["referral_revenue"] == 700
    assert shop.rows.load("back").aliases == ("alias",)
    tell(shop, ("new", PurchaseRefunded("o", 700, "VND")), ("waits", buy("1", 5)))
    assert shop.facts(START)["old"]["referral_revenue"] == 5
    tell(shop, ("hers", buy("2", 6)), ("new", buy("3", 7)))
    facts = shop.facts(START)
    assert [facts[who]["referral_revenue"] for who in ("old", "back")] == [12, 6]
    tell(shop, ("old", ProfileErased()), ("back", ProfileErased()))
    assert rows_naming(shop, "old") == rows_naming(shop, "back") == []


@pytest.fixture(scope="module")
def crowd() -> Partitions:
    """`survivor`, into whom `early` was absorbed, and then more than are remembered."""
    shop = told(("early", buy("o")), ("early", ProfileMerged("survivor")))
    for many in range(MOST_ALIASES // 64 + 1):
        head = f"absorbed-{many}"
        tell(shop, *((f"{head}-{number}", ProfileMerged(head)) for number in range(63)))
        tell(shop, (head, ProfileMerged("survivor")))
    return shop


def test_who_is_one_too_many_to_be_remembered_begins_anew_under_ids_that_were_not_there(
    crowd: Partitions,
) -> None:
    shop = copy.deepcopy(crowd)
    tell(shop, ("early", buy("p", 5)))
    facts = shop.facts(START)
    assert [facts[who]["spend"] for who in ("survivor", "early")] == [700, 5]
    own = [change_id(change) for change in shop.changes if change.customer == "early"]
    assert own == ["l/early/1", "l/early/2", "l/early/1/r2"]


def test_no_forwarding_is_left_to_who_was_erased_however_many_led_there(crowd: Partitions) -> None:
    shop = copy.deepcopy(crowd)
    assert len(shop.forwardings()) == MOST_ALIASES
    tell(shop, ("survivor", ProfileErased()))
    for name in ("survivor", "absorbed-", "early"):
        assert rows_naming(shop, name) == []


def test_absorbed_ids_that_are_long_are_remembered_as_far_as_a_row_reaches() -> None:
    shop = told(("survivor", Inquired()))
    for number in range(700):
        tell(shop, (f"{number:0>3}" + "顧" * 125, ProfileMerged("survivor")))
    assert 200_000 < max(map(len, shop.rows.held.values())) <= 260 * 1024
    tell(shop, ("survivor", ProfileErased()))
    assert rows_naming(shop, "顧") == rows_naming(shop, "survivor") == []


def test_whatever_came_before_nothing_is_left_of_whoever_is_erased_at_last() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        people = [f"somebody-{letter}" for letter in "abcde"]
        shop = Partitions(RULES, ())
        for number in range(30):
            who, other = chance.choice(people), chance.choice(people)
            data: Data = chance.choice(
                [Registered(other), Registered(other), buy(f"o{number}"), buy(f"p{number}")]
                + [ProfileMerged(other)] * (who != other)
                + [ProfileErased()] * (number > 5)
            )
            shop.tell(Event("/shop", f"e{number}", who, START + number * DAY, data))
        shop.run(chance.randrange, 100_000)
        gone = chance.sample(people, 2)
        for who in gone:
            shop.tell(Event("/shop", f"last {who}", who, START + 99 * DAY, ProfileErased()))
        shop.run(chance.randrange, 100_000)
        assert [key for who in gone for key in rows_naming(shop, who)] == [], seed
