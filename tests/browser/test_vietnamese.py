"""The page in Vietnamese, as people in a shop say it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from playwright.async_api import Page

from app.wire.definition import sources
from tests.browser.conftest import Open
from tests.browser.stub import Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")
SHOP = {"currency": "VND", "currency_digits": 0, "timezone": "Asia/Ho_Chi_Minh"}
SEGMENTS = [each for each in map(yaml.safe_load, sources().values()) if each["kind"] == "segment"]


async def said(page: Page, what: str, given: Any) -> str:
    """What a call of the page's own words gives in Vietnamese."""
    told: str = await page.evaluate(
        """async ([shop, what, given]) => {
            const language = await import('/page/language.js');
            const words = await import('/page/words.js');
            document.documentElement.lang = 'vi';
            language.tellOfShop(shop);
            return ({ ...language, ...words })[what](...given);
        }""",
        [SHOP, what, given],
    )
    return told.replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("what", "given", "words"),
    [
        ("money", [2_600_000_000, True], "2,6 tỷ ₫"),
        ("money", [16_500_000, True], "16,5 triệu ₫"),
        ("money", [666_000, True], "666 nghìn ₫"),
        ("money", [5_000, True], "5.000 ₫"),
        ("date", ["1998-06-26T17:00:00Z"], "27/6/1998"),
        ("moment", ["1998-06-26T17:00:00Z"], "27/6/1998, 00:00"),
        ("phrase", ["not registered"], "chưa đăng ký"),
        ("phrase", ["defences_in(365) >= 2"], "ít nhất 2 lần bảo vệ cửa hàng trong 365 ngày qua"),
        ("phrase", ["'travel' in profile.interests"], "sở thích có “du lịch”"),
        ("suggestion", ["co-create"], "mời cùng sáng tạo"),
        ("suggestion", ["a-word-of-the-shop"], "a word of the shop"),
        ("say", ["cause.clock"], "do hết thời hạn"),
        ("say", ["type.purchase.completed"], "có đơn mới"),
        ("say", ["customer.place", {"place": 3, "of": 4}], "nấc 3/4"),
    ],
)
async def test_words_numbers_and_dates_are_those_of_people(
    open_page: Open, stub: Stub, what: str, given: list[Any], words: str
) -> None:
    page = await (await open_page(stub.url)).go()
    assert await said(page, what, given) == words


async def test_every_suggestion_of_a_built_in_ladder_has_words(open_page: Open, stub: Stub) -> None:
    page = await (await open_page(stub.url)).go()
    for text in sources().values():
        for rung in yaml.safe_load(text)["rungs"]:
            if word := rung.get("suggest"):
                assert await said(page, "suggestion", [word]) != word.replace("-", " "), word


@pytest.mark.parametrize("segment", [each["id"] for each in SEGMENTS])
async def test_the_page_of_a_segment_speaks_of_groups_and_never_of_rungs(
    open_page: Open, stub: Stub, segment: str
) -> None:
    page = await (await open_page(stub.url, locale="vi-VN")).go(f"/ladders/{segment}")
    await page.locator(".rung").first.wait_for()
    text = await page.locator("main").inner_text()
    assert not re.search(r"\bnấc\b(?! thang)", text, re.IGNORECASE), text


async def test_nobody_is_called_a_terrorist() -> None:
    for text in sources().values():
        assert "khủng bố" not in text.decode()
