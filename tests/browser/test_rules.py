"""Rules as the page reads them: the same truth as the worker's, and words for all of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.async_api import Page

from app.core.condition_facts import PLAIN, WINDOWED
from tests.browser.conftest import Open
from tests.browser.reckoned import Reckoned
from tests.browser.stub import Stub

pytestmark = pytest.mark.asyncio(loop_scope="session")
SITE = Path(__file__).parents[2] / "app" / "api" / "page" / "site"
ODD: list[tuple[str, dict[str, Any], bool]] = [
    ("profile.age != 35", {"profile.age": None}, True),
    ("profile.age + 1 != 35", {"profile.age": None}, False),
    ("not profile.age < 35", {"profile.age": None}, True),
    ("profile.vip >= 1", {"profile.vip": True}, False),
    ("profile.age == '30'", {"profile.age": 30}, False),
    ("profile.city not in ['Hanoi', 'Hue']", {"profile.city": None}, False),
    ("'golf' in profile.interests", {"profile.interests": "golf"}, False),
    ("'golf' not in profile.interests", {"profile.interests": ["tea"]}, True),
    ("20 <= profile.age < 40", {"profile.age": 30}, True),
    ("profile.age", {"profile.age": 0}, False),
    ("units_in( 3 ) * 2 - 1 >= -(1 - 6)", {"units_in( 3 )": 3}, True),
    ("a.b == 1 or purchases > 1 and not registered", {"purchases": 2, "registered": True}, False),
    ('card == "it\'s"', {"card": "it's"}, True),
]
BEYOND = 10**25 + 1
"""More than the page's own numbers hold, as the sums below are."""
LARGE: list[tuple[str, dict[str, Any], bool]] = [
    ("spend > 100", {"spend": BEYOND}, True),
    ("spend == units", {"spend": BEYOND, "units": BEYOND - 1}, False),
    ("spend == units", {"spend": 2**53, "units": 2**53 + 1}, False),
    ("spend - units == 1", {"spend": 2**64, "units": 2**64 - 1}, True),
    ("spend * 3 == units * 3 + 3", {"spend": 2**53, "units": 2**53 - 1}, True),
    ("spend > 1.5", {"spend": BEYOND}, True),
    ("spend * 1.5 > 10.5", {"spend": BEYOND}, True),
    ("spend < 0", {"spend": -(2**63) - 1}, True),
    ("spend == 999999999999999999", {"spend": 10**18 - 1}, True),
    ("spend == 999999999999999999", {"spend": 10**18}, False),
]


async def test_what_the_page_ticks_is_what_the_worker_holds_true(
    open_page: Open, stub: Stub, shop: Reckoned
) -> None:
    page = await (await open_page(stub.url)).go()
    asked = [*ODD]
    ranking, clock = shop.backtest.ranking, shop.backtest.clock
    assert clock is not None
    day = shop.rules.calendar.day_of(clock)
    for slot in shop.backtest.customers():
        for ladder in shop.rules.ladders:
            for place, rung in enumerate(ladder.rungs):
                about: Any = (slot.record, day, ranking.at(day))
                facts = ladder.rung_facts(place, *about)
                asked.append((rung.when, facts, ladder.holds(place, *about)))
    asked += LARGE
    told = await page.evaluate(
        """async (asked) => { const { holds, parse } = await import('/page/condition.js');
        const { exactly } = await import('/page/numbers.js');
        return exactly(asked).map(([rule, facts]) => holds(parse(rule), facts)); }""",
        json.dumps([[rule, facts] for rule, facts, _ in asked]),
    )
    wrong = [(*each, page) for each, page in zip(asked, told, strict=True) if bool(each[2]) != page]
    assert wrong == []
    assert len(asked) > 5_000


async def _words(page: Page, language: str, rules: list[str]) -> list[str]:
    found: list[str] = await page.evaluate(
        """async ([language, rules]) => { document.documentElement.lang = language;
        const { phrase } = await import('/page/words.js');
        return rules.map(phrase); }""",
        [language, rules],
    )
    return found


async def test_every_fact_has_words_in_both_languages(open_page: Open, stub: Stub) -> None:
    page = await (await open_page(stub.url)).go()
    rules = [f"{name} >= 2" for name in PLAIN] + [f"{name}(30) >= 2" for name in WINDOWED]
    rules += ["top_spender(20, 365)", "registered", "card != none"]
    for language, window in (("en", "30 days"), ("vi", "30 ngày")):
        for rule, words in zip(rules, await _words(page, language, rules), strict=True):
            assert "_" not in words, rule
            assert "undefined" not in words, rule
            assert ("(30)" in rule) == (window in words), rule


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("purchases >= 1", "at least 1 purchase"),
        ("purchases_in(365) > 2", "at least 3 purchases in the last 365 days"),
        ("negatives_in(30) == 0", "no negative reviews in the last 30 days"),
        ("0 == negatives", "no negative reviews"),
        ("positives + testimonials >= 1", "at least 1 positive review or testimonial"),
        ("positives_in(7) + testimonials >= 1",
         "positive reviews in the last 7 days plus testimonials at least 1"),
        ("2 * reviews + referrals >= 3",
         "2 times reviews plus referrals that bought at least 3"),
        ("profile.age + 1 >= 3", "age plus 1 at least 3"),
        ("spend_in(365) >= 20000000", "spend in the last 365 days at least ₫20,000,000"),
        ("spend_in(365) > 0", "any spend in the last 365 days"),
        ("card in ['silver', 'gold']", "card is silver or gold"),
        ("card == none and registered", "holds no card and has signed up"),
        ("need_in(30) >= 3", "is looking for a brand or further on in the last 30 days"),
        ("'golf' in profile.interests", "interests include “golf”"),
        ("not (registered or purchases >= 1)", "not: has signed up or at least 1 purchase"),
        ("this is no rule", "this is no rule"),
    ],
)  # fmt: skip
async def test_a_rule_reads_as_people_say_it(
    open_page: Open, stub: Stub, rule: str, words: str
) -> None:
    page = await (await open_page(stub.url)).go()
    assert await _words(page, "en", [rule]) == [words]


@pytest.mark.parametrize(
    ("currency", "digits", "words"),
    [
        ("IDR", 2, "Rp 1,234,567.89"),  # a browser would take it for 0
        ("ITL", 0, "ITL 123,456,789"),
        ("PTE", 0, "PTE 123,456,789"),  # a browser would take it for 2
        ("KWD", 3, "KWD 123,456.789"),
        ("VND", 0, "₫123,456,789"),
    ],
)
async def test_money_has_the_digits_that_the_worker_counts_by(
    open_page: Open, stub: Stub, currency: str, digits: int, words: str
) -> None:
    page = await (await open_page(stub.url)).go()
    told = await page.evaluate(
        """async (told) => { const { money, tellOfShop } = await import('/page/language.js');
        tellOfShop(told); return money(123456789); }""",
        {"currency": currency, "currency_digits": digits, "timezone": "UTC"},
    )
    assert told.replace("\N{NO-BREAK SPACE}", " ") == words


async def test_what_is_missing_is_counted(open_page: Open, stub: Stub) -> None:
    page = await (await open_page(stub.url)).go()
    told = await page.evaluate(
        """async (asked) => { const { demands, wanting } = await import('/page/words.js');
        return asked.map(([rule, facts]) => wanting(demands(rule, facts))); }""",
        [
            ["purchases >= 2", {"purchases": 1}],
            ["spend_in(365) >= 500", {"spend_in(365)": 200}],
            ["positives + defences >= 2", {"positives": 0, "defences": 0}],
            ["defences_in(9) + referrals_in(9) >= 1", {"defences_in(9)": 0, "referrals_in(9)": 0}],
            ["purchases_in(9) >= 6 and negatives == 0", {"purchases_in(9)": 4, "negatives": 0}],
            ["registered or purchases >= 1", {"registered": False, "purchases": 0}],
            ["2 * reviews + referrals >= 3", {"reviews": 0, "referrals": 0}],
            ["purchases >= 2", {"purchases": 2}],
        ],
    )
    assert told == [
        "1 more purchase",
        "₫300 more (spend in the last 365 days)",
        "2 more positive reviews or defences of the shop",
        "1 more defence of the shop or referral that bought in the last 9 days",
        "2 more purchases in the last 9 days",
        "to sign up or 1 more purchase",
        "2 times reviews plus referrals that bought at least 3",
        None,
    ]


def _texts() -> dict[str, list[Any]]:
    """The texts as data: the file is a table of JSON but for comments and last commas."""
    file = (SITE / "texts.js").read_text("utf-8")
    found: dict[str, list[Any]] = yaml.safe_load(file[file.index("{") : file.rindex("}") + 1])
    return found


async def test_every_text_is_there_in_both_languages_with_the_same_blanks() -> None:
    blanks = re.compile(r"\{(\w+)\}")
    for name, (english, vietnamese) in _texts().items():
        forms = english if isinstance(english, list) else [english]
        for form in forms:
            assert form, name
            assert vietnamese, name
            assert {*blanks.findall(form)} - {"n"} == {*blanks.findall(vietnamese)} - {"n"}, name


async def test_every_text_is_used_and_every_text_that_is_used_is_there() -> None:
    files = [each for each in SITE.glob("*.js") if each.name != "texts.js"]
    code = "\n".join(each.read_text("utf-8") for each in files)
    whole = {*re.findall(r'"((?:[a-z]+)\.[\w.><=!]+)"', code)} & {*_texts()}
    begun = {*re.findall(r"`((?:[a-z]+)\.)\$\{", code)}
    unused = {name for name in _texts() if name not in whole and not name.startswith(tuple(begun))}
    assert unused == set()
    said = {*re.findall(r'say\("([^"]+)"', code)}
    assert said - {*_texts()} == set()


async def test_money_beyond_the_pages_own_numbers_keeps_its_cents(
    open_page: Open, stub: Stub
) -> None:
    page = await (await open_page(stub.url)).go()
    told = await page.evaluate(
        """async (amounts) => { const { exactly } = await import('/page/numbers.js');
        const { money, tellOfShop } = await import('/page/language.js');
        tellOfShop({ currency: 'USD', currency_digits: 2, timezone: 'UTC' });
        return exactly(amounts).map((amount) => money(amount)); }""",
        json.dumps([10**20 + 12, -(10**20) - 12, 10**20, 1234]),
    )
    whole = "1,000,000,000,000,000,000"
    assert told == [f"${whole}.12", f"-${whole}.12", f"${whole}", "$12.34"]
