"""One headless Chromium for the run, and pages of it that take note of what goes wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    async_playwright,
    expect,
)

from app.embedded.demo_events import tell
from tests.browser.reckoned import Reckoned
from tests.browser.stub import Stub

NAMES = ("chromium", "chromium-browser", "google-chrome")
CUSTOMERS = 150
PATIENCE = 60_000
"""Milliseconds; a limit for slow machines, not a measure."""
WIDE, NARROW = 1280, 390
USUAL: dict[str, object] = {
    "locale": "en-GB",
    "color_scheme": "light",
    # What moves is drawn again and again, and nobody looks.
    "reduced_motion": "reduce",
}


@dataclass
class Opened:
    """A page of the browser, and what it complained of."""

    page: Page
    context: BrowserContext
    url: str
    complaints: list[str] = field(default_factory=list)

    async def go(self, route: str = "") -> Page:
        """Show a part of the page and wait until it is there."""
        await self.page.goto(f"{self.url}#{route}")
        await self.page.locator("#heading").wait_for()
        return self.page

    def hear(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(f"{said.text} ({said.location.get('url', '')})")


expect.set_options(timeout=PATIENCE)
Open = Callable[..., Awaitable[Opened]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        reason = f"needs one of {', '.join(NAMES)} (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(f"CI must run this: {reason}")
        pytest.skip(reason)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=found)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Open]:
    """Open the page at an address. Nothing may go wrong in it but what a test has taken away."""
    opened: list[Opened] = []

    async def new(url: str, width: int = WIDE, **more: object) -> Opened:
        context = await browser.new_context(
            viewport={"width": width, "height": 900},
            **{**USUAL, **more},  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE)
        one = Opened(await context.new_page(), context, url)
        one.page.on("console", one.hear)
        one.page.on("pageerror", lambda error: one.complaints.append(f"{error}"))
        opened.append(one)
        return one

    yield new
    complaints = [complaint for one in opened for complaint in one.complaints]
    for one in opened:
        await one.context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def shop() -> Reckoned:
    return Reckoned(tell(CUSTOMERS))


@pytest_asyncio.fixture(loop_scope="session")
async def stub(shop: Reckoned) -> AsyncIterator[Stub]:
    serving = Stub(shop)
    serving.url = await serving.start()
    yield serving
    await serving.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(shop: Reckoned) -> AsyncIterator[Stub]:
    """The same behind a token."""
    serving = Stub(shop, token="s3cret")
    serving.url = await serving.start()
    yield serving
    await serving.stop()
