"""Who spends most, beside a sort of everybody at every day boundary: contract section 3."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.customer import Customer, Slot, stranger
from app.core.events import Data, Event, ProfileErased, ProfileMerged, PurchaseCompleted
from app.core.facts import top_spender
from app.core.ranking import Ranking
from app.core.series import within
from tests.core_backtest import Backtest, Line
from tests.shop import at, ladder, rules_of

TOPS = [(20, 3), (50, 3), (30, 10), (100, 10), (1, 3)]
WHO = [f"c{number}" for number in range(8)]
Step = tuple[str, int, int]


def ranking() -> Ranking:
    return Ranking(TOPS)


def buyer(ranking: Ranking, customer: str, spend: int, today: int = 5) -> Customer:
    c = stranger(0, 1, 0)
    c.bought.change(today, (1, spend, 1), 1)
    ranking.note(customer, c, today, (today,))
    return c


def test_before_the_first_boundary_there_is_no_cut() -> None:
    one = ranking()
    c = buyer(one, "a", 100)
    assert one.at(5) == {}
    assert not top_spender(c, 5, one.at(5), 20, 3)


def test_the_cut_is_the_spend_at_the_rank_rounded_up_and_holds_for_the_day() -> None:
    one = ranking()
    spends = {f"c{spend}": buyer(one, f"c{spend}", spend) for spend in (10, 20, 30, 40, 50, 60)}
    one.turn(6, spends.get)
    cuts = one.at(6)
    assert {top: cuts[top] for top in TOPS} == {
        (20, 3): 50, (50, 3): 40, (30, 10): 50, (100, 10): 10, (1, 3): 60,
    }  # fmt: skip
    buyer(one, "new", 1000, 6)
    assert one.at(6) == cuts


def test_who_is_at_the_cut_is_a_top_spender_however_many_are() -> None:
    one = ranking()
    same = {name: buyer(one, name, 7) for name in WHO}
    one.turn(6, same.get)
    assert all(top_spender(c, 6, one.at(6), 1, 3) for c in same.values())


def test_who_spent_nothing_in_the_window_neither_counts_nor_is_a_top_spender() -> None:
    one = ranking()
    c = buyer(one, "free", 0)
    one.turn(6, {"free": c}.get)
    assert one.at(6) == {}
    assert not top_spender(c, 6, {(20, 3): 0}, 20, 3)


def test_the_cut_is_taken_after_the_drops_of_the_day() -> None:
    one = ranking()
    kept = {"old": buyer(one, "old", 100, 5), "new": buyer(one, "new", 1, 7)}
    for day, cut in ((6, 100), (7, 100), (8, 1), (9, 1)):
        one.turn(day, kept.get)
        assert one.at(day)[1, 3] == cut
    one.turn(10, kept.get)
    assert (1, 3) not in one.at(10)


def test_a_boundary_takes_the_drops_of_days_that_had_none() -> None:
    one = ranking()
    kept = {"old": buyer(one, "old", 100, 5), "new": buyer(one, "new", 1, 7)}
    one.turn(9, kept.get)  # "old" was dropped on the 8th
    assert one.at(9)[1, 3] == 1


def test_a_day_to_come_has_the_last_cut_and_an_unknown_past_day_none() -> None:
    one = ranking()
    c = buyer(one, "a", 100)
    one.turn(6, {"a": c}.get)
    assert one.at(9) == one.at(6) != {}
    assert one.at(4) == {}


class Naive:
    """Everybody's purchases; a sort at every boundary."""

    def __init__(self) -> None:
        self.records: dict[str, Customer] = {}
        self.cuts: dict[tuple[int, int], int] = {}

    def turn(self, day: int) -> set[str]:
        before = {who: self.tops(c, day) for who, c in self.records.items()}
        self.cuts = {}
        for percent, days in TOPS:
            spends = sorted(
                (within(c.bought, 1, day - days + 1) for c in self.records.values()), reverse=True
            )
            spends = [spend for spend in spends if spend > 0]
            if spends:
                self.cuts[percent, days] = spends[-(-percent * len(spends) // 100) - 1]
        return {who for who, c in self.records.items() if self.tops(c, day) != before[who]}

    def tops(self, c: Customer, day: int) -> list[bool]:
        return [top_spender(c, day, self.cuts, *top) for top in TOPS]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from(WHO), st.sampled_from([0, 1, 2, 9]), st.integers(-5, 20)),
        max_size=30,
    )
)
def test_cuts_and_who_flips_by_a_new_cut_equal_a_sort_at_every_boundary(steps: list[Step]) -> None:
    """An amount of -5 erases the customer; another below 0 refunds all of his last day."""
    one, naive, today = ranking(), Naive(), 100
    for who, gap, amount in steps:
        for day in range(today + 1, today + gap + 1):
            flipped = one.turn(day, naive.records.get)
            assert flipped >= naive.turn(day)
            assert one.at(day) == naive.cuts
        today += gap
        if amount == -5:
            naive.records.pop(who, None)
            one.forget(who)
            continue
        c = naive.records.setdefault(who, stranger(0, 1, 0))
        if amount < 0 and c.bought.days:
            c.bought.add(c.bought.days[-1], (0, -last_day_of(c), 0))
        else:
            c.bought.change(today, (1, max(amount, 0), 1), 1)
        one.note(who, c, today, (today,))


def last_day_of(c: Customer) -> int:
    return within(c.bought, 1, c.bought.days[-1])


def test_thousands_are_ranked_as_a_sort_would() -> None:
    one, records = ranking(), {}
    for number in range(3000):
        name = f"c{number}"
        records[name] = buyer(one, name, number * 7919 % 3001)
    for number in range(0, 3000, 3):
        one.forget(f"c{number}")
        del records[f"c{number}"]
    one.turn(6, records.get)
    spends = sorted((c.bought.total(1) for c in records.values()), reverse=True)
    spends = [spend for spend in spends if spend]
    assert one.at(6)[20, 3] == spends[-(-20 * len(spends) // 100) - 1]
    assert one.at(6)[100, 10] == spends[-1]


TOP = ladder("top: top_spender(50, 3)\nbuyer: purchases >= 1", id="t", kind="segment")


def tell(tested: Backtest, data: Data, customer: str, time: str) -> None:
    tested.apply(Event("/shop", f"{customer} at {time}", customer, at(time), data), Line("-", 1))


def tops(tested: Backtest) -> list[str]:
    return [slot.id for slot in tested.customers() if list(record_of(slot).rungs) == [1]]


def record_of(slot: Slot) -> Customer:
    assert isinstance(slot.record, Customer)
    return slot.record


def test_a_backtest_takes_the_cuts_over_all_customers_at_each_boundary() -> None:
    tested = Backtest(rules_of(TOP))
    for name, amount, time in (("a", 10, "09:00"), ("b", 30, "10:00"), ("c", 20, "11:00")):
        tell(tested, PurchaseCompleted("o", amount, "VND"), name, f"2026-03-01T{time}")
    assert tops(tested) == []
    tested.advance_clock(at("2026-03-02"))
    assert tops(tested) == ["b", "c"]
    assert {(c.customer, c.time, c.cause) for c in tested.changes if c.to == "top"} == {
        ("b", at("2026-03-02"), "clock"),
        ("c", at("2026-03-02"), "clock"),
    }
    tell(tested, ProfileErased(), "b", "2026-03-02T01:00")
    tell(tested, ProfileMerged("d"), "a", "2026-03-02T02:00")
    tested.finish(at("2026-03-03"))
    assert tops(tested) == ["c"]
    tested.finish(at("2026-03-04"))
    assert tops(tested) == []


def test_a_backtest_of_nothing_has_no_customers_and_no_clock() -> None:
    tested = Backtest(rules_of(TOP))
    tested.finish()
    assert (list(tested.customers()), tested.clock, tested.changes) == ([], None, [])
