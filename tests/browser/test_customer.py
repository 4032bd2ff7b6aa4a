"""A customer looked up on the page."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from app.core.customer import Moved
from tests.browser.conftest import Open
from tests.browser.reckoned import Reckoned, told
from tests.browser.stub import Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")


def busiest(shop: Reckoned) -> str:
    return max(
        (slot.id for slot in shop.backtest.customers()), key=lambda who: len(shop.history(who))
    )


async def test_who_is_typed_in_is_shown_on_every_ladder_with_since_and_why(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    who = busiest(shop)
    page = await (await open_page(stub.url)).go()
    await page.get_by_label("Look a customer up").fill(f" {who} ")
    await page.keyboard.press("Enter")
    await expect(page.locator("#heading")).to_have_text(f"Customer {who}")
    await expect(page.locator("#heading")).to_be_focused()
    view = shop.customer(who)
    assert view is not None
    for ladder in shop.rules.ladders:
        stand = page.locator(f"[data-ladder={ladder.id}]")
        told = view["ladders"][ladder.id]
        rung = next((each for each in ladder.rungs if each.id == told["rung"]), None)
        name = rung.title["en"] if rung else "In none of these groups"
        await expect(stand.locator(".stand-rung")).to_have_text(name)
        if told["because"]:
            await expect(stand.locator(".why .check.holds").first).to_be_visible()
            rule = await stand.locator(".why .raw code").first.text_content()
            assert rule == told["because"]["rule"]
        if told["due"]:
            await expect(stand.locator(".due")).to_contain_text("if nothing happens")


async def test_what_comes_next_says_what_is_missing(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    who, view = next(
        (slot.id, view)
        for slot in shop.backtest.customers()
        if (view := shop.customer(slot.id)) is not None
        and view["ladders"]["raving-fan"]["rung"] == "shopper"
    )
    assert view["ladders"]["raving-fan"]["next"]["facts"] == {"purchases": 1}
    page = await (await open_page(stub.url)).go(f"/customers/{who}")
    following = page.locator("[data-ladder=raving-fan] .next")
    await expect(following).to_contain_text("Next: Customer")
    await expect(following).to_contain_text("Still missing: 1 more purchase")
    await expect(following.locator(".check")).to_contain_text("now 1")


async def test_the_history_is_whole_newest_first_and_can_be_narrowed_to_a_ladder(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    who = busiest(shop)
    page = await (await open_page(stub.url)).go(f"/customers/{who}")
    ids = [each["id"] for each in shop.history(who)]
    await page.get_by_role("button", name="Show all").click()
    await expect(page.locator(".move")).to_have_count(len(ids))
    seen = await page.locator(".move").evaluate_all("all => all.map((each) => each.dataset.change)")
    assert seen == ids[::-1]
    await page.get_by_label("Show", exact=True).select_option("moment")
    mine = [each for each in ids if each.startswith("moment/")]
    await expect(page.locator(".move")).to_have_count(len(mine))
    held = page.locator(".timeline .held")
    lanes = {each.split("/")[0] for each in ids}
    assert await held.count() >= len(lanes)
    await expect(page.locator(".timeline .lane")).to_have_count(len(lanes))


async def test_who_was_merged_is_told_as_the_survivor(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    slot = next(each for each in shop.backtest.slots.values() if isinstance(each.record, Moved))
    page = await (await open_page(stub.url)).go(f"/customers/{slot.id}")
    await expect(page.locator("main .notice")).to_contain_text(slot.record.into)  # type: ignore[union-attr]


async def test_nobody_knows_an_id_and_markup_in_it_is_text(open_page: Open, stub: Stub) -> None:
    opened = await open_page(stub.url)
    page = await opened.go()
    odd = "<img src=x onerror=alert(1)>/../&"
    await page.get_by_label("Look a customer up").fill(odd)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text(f"Nothing is known of “{odd}”")
    assert await page.locator("main img").count() == 0
    # The browser notes each answer 404 by itself.
    opened.complaints[:] = [each for each in opened.complaints if "404" not in each]


async def test_a_customer_who_moves_while_one_looks_is_told_anew(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    who = busiest(shop)
    page = await (await open_page(stub.url)).go(f"/customers/{who}")
    await page.get_by_role("button", name="Show all").click()
    await expect(page.locator(".move")).to_have_count(len(shop.history(who)))
    last = shop.changes.pop(
        max(place for place, each in enumerate(shop.changes) if each.customer == who)
    )
    try:
        stub.publish(told(last))
        await expect(page.locator(".move")).to_have_count(len(shop.history(who)))
    finally:
        shop.changes.append(last)
        shop.changes.sort(key=lambda change: change.time)


@pytest.mark.parametrize(
    ("spend", "shown"),
    [
        (2**53 + 1, "9,007,199,254,740,993"),
        (2**64, "18,446,744,073,709,551,616"),
        (10**25 + 1, "10,000,000,000,000,000,000,000,001"),
    ],
)
async def test_a_sum_of_any_size_is_shown_with_all_its_digits(
    open_page: Open, stub: Stub, shop: Reckoned, spend: int, shown: str
) -> None:
    stub.facts = {"spend": spend}
    page = await (await open_page(stub.url)).go(f"/customers/{busiest(shop)}")
    await expect(page.locator("dl.facts").first).to_contain_text(shown)


async def test_what_a_rung_has_spent_is_added_up_whatever_its_size(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    stub.revenue = 2 * 10**25 + 1
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    bars = page.locator(".revenue-card .bar-value")
    rungs = len(next(each for each in shop.rules.ladders if each.id == "raving-fan").rungs)
    await expect(bars).to_have_count(rungs)
    assert "20,000,000,000,000,000,000,000,001" in (await bars.first.get_attribute("title") or "")
    await expect(page.locator(".revenue-card .bar-share").first).to_have_text(f"{100 / rungs:.0f}%")
    tile = page.locator("[data-tile=revenue]")
    await expect(tile).to_contain_text(f"{rungs * 2 * 10**13:,}")
