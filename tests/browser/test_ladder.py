"""A ladder on the page: its numbers, its moves, its rules, and what happens while one looks."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Open
from tests.browser.reckoned import Reckoned, told
from tests.browser.seen import choose, expected, rungs, tiles, whole
from tests.browser.stub import Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_rungs_show_the_customers_shares_and_moves_of_the_backtest(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    opened = await open_page(stub.url)
    for name, periods in (("advocacy", (1, 7, 30, 365)), ("moment", (30,))):
        page = await opened.go(f"/ladders/{name}")
        for days in periods:
            await choose(page, f"period-{days}")
            want = shop.one_ladder(name, max(30, days))
            assert want is not None
            await expect(page.locator(".rungs-card .note")).to_contain_text(f"{max(30, days)} days")
            seen = await rungs(page)
            assert list(seen) == [
                rung["id"]
                for rung in (want["rungs"] if want["kind"] == "segment" else want["rungs"][::-1])
            ]
            for rung in want["rungs"]:
                row = seen[rung["id"]]
                assert whole(row["customers"]) == rung["customers"]
                share = 100 * rung["customers"] / want["customers"]
                assert abs(float(row["share"].rstrip("%")) - share) <= 0.51
                figures = whole(row["came"]), whole(row["went"])
                assert figures == expected(want, rung["id"], days), (name, rung["id"], days)


async def test_revenue_and_the_sums_above_are_those_of_the_backtest(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    want = shop.one_ladder("raving-fan")
    assert want is not None
    written = await page.locator(".bar").evaluate_all(
        "bars => bars.map((bar) => [bar.dataset.rung, bar.querySelector('.bar-value').title])"
    )
    assert {name: whole(money) for name, money in written} == {
        rung["id"]: rung["revenue"] for rung in want["rungs"]
    }
    seen = await tiles(page)
    assert whole(seen["customers"]) == want["customers"]
    climbed = [each for each in want["moves"] if each["direction"] == "up" and each["from"]]
    assert whole(seen["up"]) == sum(each["count"] for each in climbed)


async def test_the_tile_of_revenue_says_that_it_is_of_a_lifetime(
    open_page: Open, stub: Stub
) -> None:
    """All tiles beside it are of the period that is chosen."""
    opened = await open_page(stub.url)
    page = await opened.go("/ladders/raving-fan")
    await expect(page.locator("[data-tile=revenue] dt")).to_have_text("Lifetime revenue")
    await choose(page, "language-vi")
    await expect(page.locator("[data-tile=revenue] dt")).to_have_text("Doanh thu luỹ kế")


async def test_tiles_and_columns_of_climbed_and_fell_back_count_the_same(
    open_page: Open, stub: Stub
) -> None:
    opened = await open_page(stub.url)
    for name in ("raving-fan", "advocacy"):
        page = await opened.go(f"/ladders/{name}")
        for days in (30, 365):
            await choose(page, f"period-{days}")
            above, rows = await tiles(page), (await rungs(page)).values()
            assert sum(whole(row["came"]) for row in rows) == whole(above["up"]), (name, days)
            assert sum(whole(row["went"]) for row in rows) == whole(above["down"]), (name, days)
            assert whole(above["up"]) > 0 or days == 30
        note = page.locator(".rungs-card .note")
        await expect(note).to_contain_text("count moves from one rung to another")


async def test_a_median_is_told_as_about_with_its_cases_and_not_of_fewer_than_five(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    want = shop.one_ladder("raving-fan", 30)
    assert want is not None
    seen = await rungs(page)
    told_of = set()
    for rung in want["rungs"]:
        text = seen[rung["id"]]["median"]
        if rung["median_held_seconds"] is not None:
            assert text.startswith("≈ "), text
            assert text.endswith(f" {rung['held_cases']} left"), text
            told_of.add("left")
        elif rung["median_standing_seconds"] is not None:
            assert text.startswith("(≈ "), text
            assert text.endswith(f") {rung['standing_cases']} here"), text
            told_of.add("here")
        else:
            assert text == "–fewer than five cases"
            told_of.add("none")
    assert len(told_of) >= 2


async def test_until_revenue_is_added_up_the_page_says_so_and_then_shows_it(
    open_page: Open, stub: Stub
) -> None:
    stub.summed = False
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await expect(page.locator(".revenue-card .counting")).to_be_visible()
    stub.summed = True
    await expect(page.locator(".bar")).to_have_count(7)


async def test_the_flow_has_a_ribbon_and_a_row_for_each_way_that_was_gone(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/advocacy")
    await choose(page, "period-365")
    want = shop.one_ladder("advocacy", 365)
    assert want is not None
    ways = {(each["from"], each["to"]) for each in want["moves"]}
    assert len(ways) > 5
    await expect(page.locator(".ribbon")).to_have_count(len(ways))
    await page.get_by_text("The same as a table").click()
    rows = await page.locator(".flow-card td.right").all_inner_texts()
    assert sum(whole(row) for row in rows) == sum(each["count"] for each in want["moves"])
    assert len(rows) == len(ways)


async def test_who_stands_on_a_rung_unfolds_in_pages_and_leads_to_the_customer(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    there = shop.standing("raving-fan", "customer")
    assert len(there) > 24
    row = page.locator("[data-rung=customer].rung")
    await row.get_by_role("button", name="Customer").click()
    await expect(row.locator(".people-list li")).to_have_count(24)
    await row.get_by_role("button", name="Show more").click()
    await expect(row.locator(".people-list li")).to_have_count(min(48, len(there)))
    await row.get_by_role("link", name=there[0]["customer_id"]).click()
    await expect(page.locator("#heading")).to_contain_text(there[0]["customer_id"])


async def test_a_stage_change_appears_by_itself_with_its_reason(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await expect(page.locator(".live-state")).to_have_text("connected")
    change = next(
        each
        for each in shop.changes
        if each.ladder == "raving-fan" and each.from_ == "shopper" and each.to == "customer"
    )
    stub.publish(told(change))
    first = page.locator(".live-item").first
    await expect(first).to_contain_text(f"{change.customer} climbed from Shopper to Customer")
    await expect(first).to_contain_text("a purchase · 2 purchases")
    await expect(page.locator("#said")).to_have_text("1 new stage change")


async def test_the_list_is_in_the_order_of_time_also_where_changes_come_late(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    """The newest first; of one instant by ladder, customer and sequence, the last first."""
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await expect(page.locator(".live-state")).to_have_text("connected")
    some = next(told(each) for each in shop.changes if each.ladder == "raving-fan")
    order = [
        ("b", 1, "1998-06-30T10:00:01Z"),
        ("b", 1, "1998-06-30T10:00:00.000001Z"),
        ("c", 10, "1998-06-30T10:00:00Z"),
        ("c", 9, "1998-06-30T10:00:00Z"),
        ("a", 4, "1998-06-30T10:00:00Z"),
        ("z", 7, "1998-06-29T23:59:59.999999Z"),
    ]
    changes = [
        some | {"id": f"raving-fan/{who}/{sequence}{place}", "subject": who, "time": time}
        | {"data": some["data"] | {"sequence": sequence}}
        for place, (who, sequence, time) in enumerate(order)
    ]  # fmt: skip
    for place in (3, 5, 0, 2, 4, 1):
        stub.publish(changes[place])
    items = page.locator(".live-item")
    await expect(items).to_have_count(len(order))
    seen = await items.evaluate_all("all => all.map((each) => each.dataset.change)")
    assert seen == [each["id"] for each in changes]


async def test_paused_the_list_stands_still_and_goes_on_where_it_was(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await expect(page.locator(".live-state")).to_have_text("connected")
    one, two = [told(each) for each in shop.changes if each.ladder == "raving-fan"][:2]
    stub.publish(one)
    await expect(page.locator(".live-item")).to_have_count(1)
    await page.get_by_role("button", name="Pause").click()
    stub.publish(two)
    await expect(page.get_by_role("button", name="1 more")).to_be_visible()
    await expect(page.locator(".live-item")).to_have_count(1)
    await page.get_by_role("button", name="Continue").click()
    await expect(page.locator(".live-item")).to_have_count(2)


async def test_a_stream_that_ends_is_opened_again_and_nothing_is_shown_twice(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await expect(page.locator(".live-state")).to_have_text("connected")
    one, two = [told(each) for each in shop.changes if each.ladder == "raving-fan"][:2]
    stub.publish(one)
    await expect(page.locator(".live-item")).to_have_count(1)
    before = set(stub.listeners)
    stub.hang_up()
    while not {*stub.listeners} - before:
        await page.evaluate("new Promise(requestAnimationFrame)")
    stub.publish(one)
    stub.publish(two)
    await expect(page.locator(".live-item")).to_have_count(2)
    await expect(page.locator(".live-state")).to_have_text("connected")


async def test_the_rules_are_told_in_words_and_as_the_file(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/advocacy")
    rules = page.locator(".rules-card")
    await expect(rules).to_contain_text("has 30 days, then falls one rung at a time")
    await expect(rules).to_contain_text("at least 6 purchases in the last 365 days and no negative")
    await expect(rules).to_contain_text("negative reviews in the last 365 days above")
    await rules.get_by_text("As YAML").click()
    await expect(rules.locator("pre")).to_contain_text("down: {grace_days: 30, step: one}")
    ladder = shop.ladder("advocacy")
    assert ladder is not None
    for rung in ladder.rungs:
        await expect(rules.locator("pre")).to_contain_text(rung.when)


async def test_what_is_left_out_is_said(open_page: Open, stub: Stub) -> None:
    stub.partly = True
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await expect(page.locator("main .notice")).to_contain_text("partition 2 and 3")


async def test_the_stream_is_that_of_the_ladder_or_of_all_as_one_chooses(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await expect(page.locator(".live-state")).to_have_text("connected")
    mine = next(told(each) for each in shop.changes if each.ladder == "raving-fan")
    other = next(told(each) for each in shop.changes if each.ladder == "moment")
    stub.publish(other)
    stub.publish(mine)
    await expect(page.locator(".live-item")).to_have_count(1)
    await page.locator('label[for="live-all"]').click()
    await expect(page.locator(".live-state")).to_have_text("connected")
    await expect(page.locator(".live-item")).to_have_count(0)
    while None not in stub.listeners.values():
        await page.evaluate("new Promise(requestAnimationFrame)")
    stub.publish(other)
    await expect(page.locator(".live-item")).to_contain_text("Value right now")
