"""What can be read off the page."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page


async def choose(page: Page, choice: str) -> None:
    """Choose as one does with a pointer: by what is written on it."""
    await page.locator(f'label[for="{choice}"]').click()


async def rungs(page: Page) -> dict[str, dict[str, str]]:
    """The figures of each rung as they are written: customers, share, came, went, median."""
    rows: dict[str, dict[str, str]] = await page.evaluate("""() => Object.fromEntries(
        [...document.querySelectorAll('.rung')].map((row) => [row.dataset.rung, Object.fromEntries(
            [...row.querySelectorAll('.figure')].map((each) => [
                each.className.match(/figure-(\\w+)/)[1],
                each.querySelector('.figure-value').textContent,
            ]))]))""")
    return rows


async def tiles(page: Page) -> dict[str, str]:
    found: dict[str, str] = await page.evaluate("""() => Object.fromEntries(
        [...document.querySelectorAll('[data-tile]')].map((each) => [
            each.dataset.tile, each.querySelector('dd').textContent]))""")
    return found


def whole(text: str) -> int:
    """A whole number as it is written in either language; a dash is none."""
    return int(re.sub(r"\D", "", text) or 0)


def moves(told: dict[str, Any], days: int) -> list[dict[str, Any]]:
    """The moves of an answer that fall into the last so many days."""
    first = date.fromisoformat(told["today"]) - timedelta(days=days - 1)
    return [move for move in told["moves"] if date.fromisoformat(move["day"]) >= first]


def expected(told: dict[str, Any], rung: str, days: int) -> tuple[int, int]:
    """How many climbed to a rung and fell back from it, by the answer of the API; of groups, how
    many came in and went out.
    """
    recent = moves(told, days)
    came = [move for move in recent if move["to"] == rung]
    went = [move for move in recent if move["from"] == rung]
    if told["kind"] == "ladder":
        came = [move for move in came if move["direction"] == "up" and move["from"]]
        went = [move for move in went if move["direction"] == "down" and move["to"]]
    return sum(move["count"] for move in came), sum(move["count"] for move in went)


async def violations(page: Page) -> list[str]:
    """What axe finds that is serious or worse."""
    found = await Axe().run(page)
    return [
        f"{each['id']}: {node['html'][:160]} {node.get('failureSummary', '')}"
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]
