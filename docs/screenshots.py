"""Takes the pictures of the page that README.md and docs/page.md show.

`ladder demo --keep` in one terminal; in another, with Chromium installed,
`python -m docs.screenshots http://127.0.0.1:PORT/` with the address that it prints.
"""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import Browser, sync_playwright

from docs.made import ROOT

FOLDER = ROOT / "docs" / "images"
WIDE, NARROW = {"width": 1280, "height": 980}, {"width": 390, "height": 844}


def take(browser: Browser, url: str, name: str, route: str, **how: object) -> None:
    context = browser.new_context(reduced_motion="reduce", **how)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{url}#{route}")
    page.locator("#heading").wait_for()
    if "customers" not in route:
        page.locator("label[for=period-365]").click()
        page.locator(".bar").first.wait_for()
        page.locator(".live-item").first.wait_for()
        page.locator(".rungs-card .note", has_text="365").wait_for()
        page.locator("main .notice").wait_for(state="detached")
    page.mouse.move(0, 0)
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()


def main(url: str, customer: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for theme in ("light", "dark"):
            take(browser, url, f"page-{theme}", "/ladders/key-account",
                 viewport=WIDE, color_scheme=theme, locale="en-GB")  # fmt: skip
        take(browser, url, "page-customer", f"/customers/{customer}",
             viewport=WIDE, color_scheme="light", locale="en-GB")  # fmt: skip
        take(browser, url, "page-narrow-vi", "/ladders/raving-fan",
             viewport=NARROW, color_scheme="light", locale="vi-VN")  # fmt: skip
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "c-00048")
