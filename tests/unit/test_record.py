"""A customer's rows: how large they get, and which are written: architecture.md, *Bounded*."""

from __future__ import annotations

from app.core.customer import Moved, Slot
from app.core.events import (
    Inquired,
    ProfileErased,
    ProfileMerged,
    PurchaseCompleted,
    ReferralConverted,
    ReviewPosted,
)
from app.core.series import within
from app.wire.record import HOT, TRACES, layout_of
from tests.partitions import Rows
from tests.shop import BUILT_IN, DAY, HOUR, SECOND, Shop, at, ladder

SMALL_RECORD = 400
"""Bytes of a record with three purchases and nothing else, under the ten built-in ladders."""

LARGEST_HOT_ROW = 32 * 1024
LARGEST_OLDER_ROW = 32 * 1024
"""Bytes, whatever a customer does in ten years; all five rows together are far below the 1 MiB
that a Kafka broker takes for one record."""

WIDE_ROW = (
    "020000dc8338f1dc0017cf00064c4fbbf84000cf00064bff44aa024001c40102c4010291cf00064bff449ac0009102"
    "94c43030f47a16bae4404a9dc3c1d0977b30783925e25cfe6471feb02a7f7a21e7d9a091d880284d37727bd7e783df"
    "b032be7dc40000c094c42075d71e1dfcedd315ed8f3f2fd195db2bf0cb5f5441e8e939448cf391a2daa37cc42698cd"
    "5021cf00038d7ea4c680000100c2a0010098cd5022cf00038d7ea4c680000100c2a0010000c09392cd5021cd502293"
    "92010292cfffffffffffffffffd8010000000000084595161401484a0000019201029201019292cd5021cd50229192"
    "010394c400c40000c092909094c4102d4e1f50c09a9d7adce7355ef7fdd27ac41292cd50229192cd5022cf00038d7e"
    "a4c6800000c09291cd502292910191d8010000000000000001000000000000000092909092909000c0c080ff80"
)
"""A customer of `STEPS` with sums beyond 64 bits, as such rows are stored for ever after."""

STEPS = ladder("a: purchases >= 1\nb: purchases_in(5) >= 2")


def shop() -> tuple[Shop, Rows]:
    one = Shop(STEPS)
    return one, Rows(one.rules)


def keys(rows: Rows, customer: str = "c") -> str:
    return "".join(sorted(key[:1].decode() for key in rows.held if key[1:] == customer.encode()))


def test_a_record_with_three_purchases_and_nothing_else_is_under_400_bytes() -> None:
    one = Shop(*BUILT_IN)
    rows = Rows(one.rules)
    for number, day in enumerate((0, 20, 45)):
        one.buy(f"order-{number}", at("2026-03-01T09:30") + day * DAY, amount=1_250_000)
    rows.save(one.slot())
    assert sum(len(key) + len(row) for key, row in rows.held.items()) < SMALL_RECORD


def test_the_rows_of_somebody_with_20000_orders_are_bounded() -> None:
    one = Shop(*BUILT_IN)
    rows = Rows(one.rules)
    largest: dict[bytes, int] = {}
    for number in range(20_000):
        time = at("2016-03-01") + number * 4 * HOUR
        one.buy(f"o{number}", time, amount=10**12 + number, units=10**6)
        if number % 500 == 499:
            rows.save(one.slot())
            one.slots = {"c": rows.load("c")}
            for key, row in rows.held.items():
                largest[key[:1]] = max(largest.get(key[:1], 0), len(row))
    assert one.facts()["purchases"] == 20_000
    assert largest.keys() == {b"c", b"s", b"o"}
    assert largest.pop(HOT) < LARGEST_HOT_ROW
    assert max(largest.values()) < LARGEST_OLDER_ROW


def test_the_rows_of_somebody_who_buys_seldom_for_decades_are_bounded() -> None:
    one = Shop(*BUILT_IN)
    for number in range(1500):  # every remembered order lies on a day of its own
        one.buy(f"o{number}", at("1970-01-01") + number * 50 * DAY, amount=10**12)
    rows = Rows(one.rules)
    rows.save(one.slot())
    assert len(rows.held[HOT + b"c"]) < LARGEST_HOT_ROW
    assert len(one.record().bought.days) <= 512 + 730


def test_the_rows_of_somebody_reviewing_and_referring_without_end_are_bounded() -> None:
    one, rows = shop()
    for number in range(1500):
        time = at("2020-03-01") + number * DAY
        one.tell(ReviewPosted(f"r{number}", 5), time)
        one.tell(ReferralConverted(f"f{number}", 10**12, "VND"))
        one.tell(Inquired())
    rows.save(one.slot())
    assert keys(rows) == "cfrs"
    assert max(map(len, rows.held.values())) < LARGEST_HOT_ROW
    assert len(one.record().happened.days) <= 731


def test_the_rows_of_somebody_whose_events_come_the_newest_first_are_bounded() -> None:
    one, rows = shop()
    for number in range(2_000, 0, -1):
        one.buy(f"o{number}", at("2020-03-01") + number * DAY, amount=10**12)
        one.tell(ReviewPosted(f"r{number}", 5))
        one.tell(ReferralConverted(f"f{number}", 10**12, "VND"))
        one.tell(Inquired())
    rows.save(one.slot())
    c = one.record()
    assert max(len(each.days) for each in (c.happened, c.reviewed, c.brought, c.asked)) <= 731
    assert len(c.bought.days) <= 512 + 731
    assert sum(map(len, rows.held.values())) < 128 * 1024
    facts = one.facts()
    assert [facts[name] for name in ("purchases", "reviews", "referrals")] == [2_000] * 3


def test_the_rows_of_somebody_who_absorbs_many_of_other_years_are_bounded() -> None:
    one, rows = shop()
    for year in range(30):
        for number in range(400):
            time = at(f"{1970 + 3 * year}-01-01") + number * DAY
            one.buy(f"o{year}-{number}", time, customer=f"c{year}", amount=10**12)
            one.tell(Inquired(), customer=f"c{year}")
    one.told = at("2060-01-01")
    for year in range(30):
        one.tell(ProfileMerged("c"), customer=f"c{year}")
    rows.save(one.slot())
    c = one.record()
    assert max(len(each.days) for each in (c.happened, c.asked)) <= 731
    assert len(c.bought.days) <= 512 + 731
    assert (one.facts()["purchases"], one.facts()["inquiries"]) == (12_000, 12_000)


def test_only_the_hot_row_is_written_while_the_recent_part_takes_what_comes() -> None:
    one, rows = shop()
    for number in range(20):
        one.buy(f"o{number}")
    rows.save(one.slot())
    assert keys(rows) == "cos"
    one.buy("one more")
    assert [key[:1] for key, _ in rows.codec.changed_rows(ready(one))] == [HOT]
    one.refund("o3", 100)  # lies in the older part
    assert [key[:1] for key, _ in rows.codec.changed_rows(ready(one))] == [HOT, b"o"]


def ready(shop: Shop) -> Slot:
    slot = shop.slot()
    assert slot.touched
    shop.record().due = 1
    return slot


def test_what_is_left_of_an_absorbed_customer_is_a_forwarding() -> None:
    one, rows = shop()
    for number in range(40):
        one.buy(f"o{number}")
    rows.save(one.slot())
    one.tell(ProfileMerged("b"))
    for customer in "cb":
        rows.save(one.slot(customer))
    assert keys(rows) == "c"
    assert isinstance(rows.load("c").record, Moved)
    assert keys(rows, "b") == "cos"
    assert rows.load("b").aliases == ("c",)


def test_what_is_left_of_an_erased_customer_is_a_marker_until_a_new_record_joins_it() -> None:
    one, rows = shop()
    for number in range(40):
        one.buy(f"o{number}")
    rows.save(one.slot())
    one.tell(ProfileErased())
    rows.save(one.slot())
    assert {key[:1] for key in rows.held} == {TRACES}
    assert b"c" not in {key[1:] for key in rows.held}
    loaded = rows.load("c")
    assert (loaded.record, loaded.erased) == (None, one.slot().erased)
    one.slots = {"c": loaded}
    one.buy("new", one.told + SECOND)
    rows.save(one.slot())
    assert {key[:1] for key in rows.held} == {HOT, TRACES}
    assert (rows.load("c").erased, rows.load("c").next_life) == (loaded.erased, 2)


def test_a_row_with_sums_beyond_64_bits_is_read_as_it_was_written() -> None:
    one, rows = shop()
    rows.held[HOT + b"c"] = bytes.fromhex(WIDE_ROW)
    one.slots = {"c": rows.load("c")}
    facts = one.facts()
    assert (facts["spend"], facts["referral_revenue"]) == (10**25 + 1, 2**64)
    assert within(one.record().bought, 1, 20_514) == 10**25 + 1 - (2**64 - 1)
    one.tell(PurchaseCompleted("one more", 7, "VND"), at("2026-03-03"), id="one more")
    rows.save(one.slot())
    assert rows.load("c").record == one.record()
    assert one.facts()["spend"] == 10**25 + 8


def test_the_layout_is_another_for_other_ladders_rungs_or_orders_of_them() -> None:
    other = ladder("a: purchases >= 1", id="m")
    layouts = [
        layout_of(ladders)
        for ladders in (
            [STEPS],
            [STEPS, other],
            [other, STEPS],
            [ladder("b: purchases >= 1\na: purchases_in(5) >= 2")],
        )
    ]
    assert len({*layouts}) == 4
    renamed = ladder("a: purchases >= 9\nb: true")
    assert layout_of([renamed]) == layouts[0]  # rules may change: a later issue lives with it


def test_what_outlives_a_record_is_not_written_again_with_every_event() -> None:
    one, rows = shop()
    one.tell(ProfileMerged("b"))
    one.buy("o", customer="b")
    rows.save(one.slot("b"))
    one.buy("p", customer="b")
    one.record("b").due = 1
    assert [key[:1] for key, _ in rows.codec.changed_rows(one.slot("b"))] == [HOT]
