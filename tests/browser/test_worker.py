"""The page of a worker as people run it, on Apache Kafka, behind a token (contract section 10)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from app.core.change import Change
from app.embedded import demo
from app.embedded.demo_events import tell
from app.embedded.demo_numbers import Numbers
from app.embedded.demo_purchases import DATA
from app.stream import clients
from app.stream.emit import Emitter, Router
from tests.browser.conftest import CUSTOMERS, Open, Opened
from tests.browser.reckoned import Reckoned
from tests.browser.seen import expected, rungs, violations, whole
from tests.faults.fleet import Fleet
from tests.faults.rest import until
from tests.kafka.broker import Kafka

pytestmark = pytest.mark.asyncio(loop_scope="session")
TOKEN = "to-be-typed-in"
BY_FACTS_ALONE = ("need", "basket", "interests", "moment", "people", "rhythm")
"""Ladders on which a rung is what the final facts say, however late a handover came."""


class Silent:
    """Implements `app.embedded.demo.Show`."""

    def sending(self, sent: int, of: int) -> None: ...
    def working(self, numbers: Numbers) -> None: ...
    def change(self, change: Change) -> None: ...


@dataclass
class Running:
    """A worker that has taken in a shop's story and has nothing left to do."""

    fleet: Fleet
    url: str

    async def ask(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            aiohttp.ClientSession(headers=headers) as client,
            client.get(self.url + path) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json(content_type=None)

    async def knows_all_moves(self) -> bool:
        told = await self.ask("v1/ladders/raving-fan")
        return bool(told["complete"] and told["moves_complete"])

    async def buy(self, customer: str, order: str, time: str) -> None:
        event = {
            "specversion": "1.0", "id": order, "source": "/shop", "type": "purchase.completed",
            "subject": customer, "time": time,
            "data": {"order_id": order, "amount": 250_000, "currency": "VND"},
        }  # fmt: skip
        async with clients.producer(self.fleet.settings) as producer:
            emitter = Emitter(producer, Router(self.fleet.settings.topics))
            await emitter.send(json.dumps(event).encode())
            await emitter.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running(kafka: Kafka, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("page")
    rates = folder / "rates.csv"
    rates.write_bytes(DATA.joinpath("rates.csv").read_bytes())
    fleet = Fleet(
        kafka.bootstrap, folder.name, folder, partitions=2, LADDER_CLOCK="event",
        LADDER_RATES=str(rates), LADDER_API_TOKEN=TOKEN, LADDER_METRICS_OPEN="true",
    )  # fmt: skip
    try:
        await fleet.create()
        await demo.send(fleet.settings, tell(CUSTOMERS), Silent())
        worker = fleet.start()
        await fleet.ready()
        await fleet.applied()
        await fleet.nothing_due()
        found = Running(fleet, f"http://127.0.0.1:{worker.port}/")
        await until("all moves are gathered", found.knows_all_moves)
        yield found
    finally:
        fleet.kill()


async def enter(opened: Opened, route: str) -> Page:
    """Open a part of the page, and type the token in."""
    await opened.page.goto(f"{opened.url}#{route}")
    await opened.page.get_by_role("textbox", name="Token").fill(TOKEN)
    await opened.page.keyboard.press("Enter")
    await opened.page.locator("#heading").wait_for()
    # The browser notes the answer 401 that made the page ask.
    opened.complaints[:] = [each for each in opened.complaints if "401" not in each]
    return opened.page


async def test_the_numbers_are_those_of_the_api_and_of_the_backtest(
    open_page: Open, running: Running, shop: Reckoned
) -> None:
    opened = await open_page(running.url)
    page = await enter(opened, "/")
    for ladder in shop.rules.ladders:
        await page.locator(f'#ladders a[href="#/ladders/{ladder.id}"]').click()
        await expect(page.locator("#heading")).to_have_text(ladder.title["en"])
        told = await running.ask(f"v1/ladders/{ladder.id}")
        seen = await rungs(page)
        for rung in told["rungs"]:
            row = seen[rung["id"]]
            assert whole(row["customers"]) == rung["customers"]
            assert (whole(row["came"]), whole(row["went"])) == expected(told, rung["id"], 30)
        if ladder.id in BY_FACTS_ALONE:
            reckoned = shop.one_ladder(ladder.id)
            assert reckoned is not None
            assert {name: whole(row["customers"]) for name, row in seen.items()} == {
                rung["id"]: rung["customers"] for rung in reckoned["rungs"]
            }
            await expect(page.locator(".bar")).to_have_count(len(ladder.rungs))
            earned = await page.locator(".bar-value").evaluate_all("all => all.map((e) => e.title)")
            assert sum(map(whole, earned)) == sum(rung["revenue"] for rung in reckoned["rungs"])
    assert await violations(page) == []


async def test_what_a_customer_does_appears_by_itself_and_is_told_with_why(
    open_page: Open, running: Running
) -> None:
    opened = await open_page(running.url)
    page = await enter(opened, "/ladders/raving-fan")
    await expect(page.locator(".live-state")).to_have_text("connected")
    before = whole((await rungs(page))["customer"]["customers"])
    await running.buy("page-1", "o-1", "1998-07-01T10:00:00Z")
    live = page.locator(".live-list")
    await expect(live).to_contain_text("page-1 entered at Shopper")
    await running.buy("page-1", "o-2", "1998-07-02T10:00:00Z")
    await expect(live).to_contain_text("page-1 climbed from Shopper to Customer")
    count = page.locator("[data-rung=customer] .figure-customers .figure-value")
    await expect(count).to_have_text(f"{before + 1:,}")
    await page.get_by_label("Look a customer up").fill("page-1")
    await page.keyboard.press("Enter")
    await expect(page.locator("#heading")).to_have_text("Customer page-1")
    stand = page.locator("[data-ladder=raving-fan]")
    await expect(stand.locator(".stand-rung")).to_have_text("Customer")
    await expect(stand.locator(".why")).to_contain_text("at least 2 purchases · now 2")
    await expect(stand.locator(".next")).to_contain_text("Still missing: a card")
    await page.get_by_label("Show", exact=True).select_option("raving-fan")
    await expect(page.locator(".move")).to_have_count(2)


async def test_without_the_token_nobody_is_told_anything(open_page: Open, running: Running) -> None:
    opened = await open_page(running.url)
    await opened.page.goto(running.url)
    await expect(opened.page.get_by_role("dialog")).to_contain_text("asks for a token")
    await opened.page.get_by_role("textbox", name="Token").fill("guessed")
    await opened.page.keyboard.press("Enter")
    await expect(opened.page.get_by_role("alert")).to_contain_text("refuses this token")
    assert await opened.page.locator(".rung, .stand").count() == 0
    opened.complaints[:] = [each for each in opened.complaints if "401" not in each]
