"""The page as a whole: the token, languages, themes, the keyboard, and what it may load."""

from __future__ import annotations

import itertools

import pytest
from playwright.async_api import Request, expect

from tests.browser.conftest import NARROW, WIDE, Open
from tests.browser.reckoned import Reckoned, told
from tests.browser.seen import choose, rungs, violations, whole
from tests.browser.stub import Stub
from tests.browser.test_customer import busiest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_every_ladder_is_in_the_list_with_how_many_stand_on_it(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go()
    for each in shop.ladders()["ladders"]:
        link = page.locator(f'#ladders a[href="#/ladders/{each["id"]}"]')
        await expect(link).to_contain_text(each["title"]["en"])
        assert whole(await link.locator(".ladder-count").inner_text()) == each["customers"]
    await page.get_by_role("link", name="Value right now").click()
    await expect(page.locator("#heading")).to_have_text("Value right now")
    await expect(page).to_have_title("Value right now · Loyalty Ladder")


async def test_without_the_token_nothing_is_shown_and_with_it_everything(
    open_page: Open, guarded: Stub
) -> None:
    opened = await open_page(guarded.url)
    page = opened.page
    await page.goto(guarded.url)
    prompt = page.get_by_role("dialog")
    await expect(prompt).to_contain_text("asks for a token")
    await expect(page.get_by_role("textbox", name="Token")).to_be_focused()
    assert await page.locator(".rung").count() == 0
    await page.keyboard.press("Escape")
    await expect(prompt).to_be_visible()
    assert await violations(page) == []
    await page.get_by_role("textbox", name="Token").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("refuses this token")
    await page.get_by_role("textbox", name="Token").fill("s3cret")
    await page.keyboard.press("Enter")
    await expect(page.locator(".rung")).to_have_count(5)
    await expect(page.locator(".live-state")).to_have_text("connected")
    await page.reload()
    await expect(page.locator(".rung")).to_have_count(5)
    await page.get_by_role("button", name="Forget the token").click()
    await expect(prompt).to_be_visible()
    # The browser notes each answer 401 by itself.
    opened.complaints[:] = [each for each in opened.complaints if "401" not in each]


async def test_vietnamese_is_chosen_by_the_browser_or_the_reader_and_remembered(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await choose(page, "language-vi")
    for _ in range(2):
        await expect(page.locator("#heading")).to_have_text("Nấc thang khách hàng trung thành")
        assert await page.evaluate("document.documentElement.lang") == "vi"
        await expect(page.locator(".rung-name").first).to_contain_text("Fan ruột")
        rules = page.locator(".rules-card")
        await expect(rules).to_contain_text("ít nhất 2 lần mua")
        await page.reload()
    theirs = await (await open_page(stub.url, locale="vi-VN")).go("/ladders/raving-fan")
    await expect(theirs.locator("#heading")).to_have_text("Nấc thang khách hàng trung thành")
    assert await rungs(theirs) == await rungs(page)


async def test_dark_is_chosen_by_the_system_or_the_reader_and_remembered(
    open_page: Open, stub: Stub
) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    page = await (await open_page(stub.url)).go()
    light = await page.evaluate(paper)
    await choose(page, "theme-dark")
    dark = await page.evaluate(paper)
    assert dark != light
    await page.reload()
    await page.locator("#heading").wait_for()
    assert await page.evaluate(paper) == dark
    theirs = await (await open_page(stub.url, color_scheme="dark")).go()
    assert await theirs.evaluate(paper) == dark
    await choose(theirs, "theme-light")
    assert await theirs.evaluate(paper) == light


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(
    open_page: Open, stub: Stub, shop: Reckoned, width: int, scheme: str
) -> None:
    locale = "vi-VN" if scheme == "dark" else "en-GB"
    opened = await open_page(stub.url, width, color_scheme=scheme, locale=locale)
    page = await opened.go("/ladders/advocacy")
    await page.locator(".rung button").first.click()
    await page.locator(".people-list").wait_for()
    await choose(page, "rules-yaml")
    await page.locator(".file code").wait_for()
    assert await violations(page) == []
    await opened.go(f"/customers/{busiest(shop)}")
    assert await violations(page) == []


@pytest.mark.parametrize("locale", ["en-GB", "vi-VN"])
@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_nothing_sticks_out_sideways(
    open_page: Open, stub: Stub, shop: Reckoned, width: int, locale: str
) -> None:
    opened = await open_page(stub.url, width, locale=locale)
    for route in ("/ladders/key-account", "/ladders/moment", f"/customers/{busiest(shop)}"):
        page = await opened.go(route)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, route


async def test_it_can_be_used_by_keyboard_alone(open_page: Open, stub: Stub) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    await page.keyboard.press("Tab")
    await expect(page.locator("#skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.locator("#period-30")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator("#period-7")).to_be_checked()
    await expect(page.locator("#period-7")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    unfolded = page.locator('.rung button[aria-expanded="true"]')
    await expect(unfolded).to_be_focused()


async def test_landmarks_and_one_first_heading(open_page: Open, stub: Stub) -> None:
    page = await (await open_page(stub.url)).go("/ladders/raving-fan")
    for role in ("banner", "navigation", "main", "contentinfo", "search"):
        await expect(page.get_by_role(role)).to_have_count(1)
    levels = await page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => Number(each.tagName[1]))"
    )
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(following - before <= 1 for before, following in itertools.pairwise(levels))


async def test_who_wants_less_motion_gets_none(open_page: Open, stub: Stub) -> None:
    still = await (await open_page(stub.url, reduced_motion="reduce")).go()
    await expect(still.locator(".live-state")).to_have_text("connected")
    assert await still.evaluate("document.getAnimations().length") == 0
    moving = await (await open_page(stub.url, reduced_motion="no-preference")).go()
    await expect(moving.locator(".live-state")).to_have_text("connected")
    assert await moving.evaluate("document.getAnimations().length") > 0


async def test_everything_comes_from_the_worker_itself(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    opened = await open_page(stub.url)
    opened.page.on("request", note)
    await opened.go()
    await opened.go(f"/customers/{busiest(shop)}")
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(stub.url)] == []


async def test_while_the_worker_restores_or_is_behind_the_page_waits_and_then_shows_everything(
    open_page: Open, stub: Stub
) -> None:
    stub.restoring = True
    opened = await open_page(stub.url)
    await opened.page.goto(stub.url)
    trouble = opened.page.locator("#trouble")
    await expect(trouble).to_contain_text("still restoring")
    stub.behind = True
    stub.restoring = False
    await expect(trouble).to_contain_text("catching up")
    stub.behind = False
    await expect(opened.page.locator(".rung")).to_have_count(5)
    await expect(trouble).to_be_hidden()
    # The browser notes each answer 503 by itself.
    opened.complaints[:] = [each for each in opened.complaints if "503" not in each]


async def test_when_numbers_can_no_longer_be_had_the_old_ones_stay_and_it_is_said(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    opened = await open_page(stub.url)
    page = await opened.go("/ladders/raving-fan")
    await expect(page.locator(".live-state")).to_have_text("connected")
    stub.restoring = True
    stub.publish(told(next(each for each in shop.changes if each.ladder == "raving-fan")))
    await expect(page.locator("#trouble")).to_contain_text("still restoring")
    await expect(page.locator(".rung")).to_have_count(7)
    stub.restoring = False
    await expect(page.locator("#trouble")).to_be_hidden()
    opened.complaints[:] = [each for each in opened.complaints if "503" not in each]
