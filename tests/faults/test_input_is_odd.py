"""Faults 7 and 9: records that nobody can read, and customers who are most of the shop."""

from __future__ import annotations

import pytest

from app.core.events import Event
from app.wire.cloudevents import decode
from tests.faults.conftest import Begin
from tests.faults.load import DAYS, EVENTS
from tests.faults.poison import with_poison
from tests.faults.purchases import purchase
from tests.faults.tale import Chapter, Told

pytestmark = pytest.mark.slow
IN_A_ROW = 1_000
ORDERS = 20_000
HUGE = 1_000_000


async def test_fault_7_poison_in_every_topic(begin: Begin) -> None:
    """All kinds of it between good records, then a thousand in a row before the next good one."""
    shop = await begin("7 poison", lanes=6)
    fleet = shop.fleet
    fleet.start(0)
    fleet.start(1)
    await fleet.ready()

    def nonsense() -> Chapter:
        chapter = with_poison(shop)
        row = [Told(0, b"alone-0", b"{row %d" % n, reason="not-json") for n in range(IN_A_ROW)]
        return Chapter(row + chapter.told, chapter.until)

    chapters = iter([with_poison(shop), nonsense()])
    async with shop.under_load(lambda: next(chapters, None) or with_poison(shop)) as events:
        await events.reaches(EVENTS + IN_A_ROW + 400)
        await shop.recovered("poison")
    await shop.conclude()
    assert shop.trial.compared["dead letters"] > IN_A_ROW


async def test_fault_9_one_customer_is_a_third_of_the_traffic(begin: Begin) -> None:
    """And another one has made twenty thousand orders."""
    shop = await begin("9 giant customers")
    trial, fleet = shop.trial, shop.fleet
    fleet.start(0)
    fleet.start(1)
    await fleet.ready()
    chapters = iter([orders(trial.tale.chapter(2, 1, bad=False, rest=1), "alone-1", ORDERS)])

    def next_chapter() -> Chapter:
        chapter = trial.tale.chapter(EVENTS, DAYS, bad=False, rest=1)
        return next(chapters, None) or orders(chapter, "alone-0", len(chapter.told) * 3 // 7)

    async with shop.under_load(next_chapter) as events:
        events.slice = HUGE
        await events.reaches(ORDERS)
        await shop.recovered(f"{ORDERS} orders of one customer")
        events.slice = 15
        await events.reaches(3 * EVENTS)
        await shop.recovered("a customer with 30 % of the traffic")
    await shop.conclude()


def orders(chapter: Chapter, customer: str, count: int) -> Chapter:
    """The chapter, and so many orders of one customer evenly among its records."""
    told: list[Told] = []
    made, now = 0, 0
    for place, one in enumerate(chapter.told, 1):
        found = decode(one.value, one.key, [*one.headers])
        if isinstance(found, Event):
            now = found.time
        told.append(one)
        while now and made < count * place // len(chapter.told):
            told.append(purchase(customer, now, made))
            made += 1
    return Chapter(told, chapter.until)
