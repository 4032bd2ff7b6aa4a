"""A worker as people run it, and the backtest of the same events, come to the same (contract 5)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.core.instants import format_instant
from tests.faults.reckoning import Reckoning
from tests.faults.setting_up import trial
from tests.faults.tale import Chapter, Told
from tests.faults.verdict import Trial
from tests.kafka.broker import Kafka
from tests.oracle.clock import DAY, SECOND


@pytest.fixture
async def shop(kafka: Kafka, unique: str, tmp_path: Path) -> AsyncIterator[Trial]:
    made = await trial(kafka.bootstrap, unique, tmp_path, seed=1, built_in=True)
    yield made
    made.fleet.kill()


async def test_a_worker_publishes_what_the_backtest_finds(shop: Trial) -> None:
    await shop.tell(shop.tale.chapter(2_000, 200))
    worker = shop.fleet.start()
    await shop.at_rest()
    await shop.check()
    await worker.stop()
    await shop.check_stores()
    assert shop.compared["changes"] > 3_000
    assert shop.compared["dead letters"] > 100
    assert by_command(shop) == shop.reckoning.changes(shop.tale.people("alone"))


def by_command(shop: Trial) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What `ladder backtest` writes of the same events, for those whom no handover concerns."""
    folder, settings = shop.fleet.folder, shop.fleet.settings
    lines = [
        told.value
        for number, told in enumerate(shop.reckoning.told)
        if number not in shop.reckoning.letters and told.value is not None
    ]
    (folder / "events").write_bytes(b"\n".join(lines))
    clean = {k: v for k, v in os.environ.items() if not k.startswith("LADDER_")}
    subprocess.run(
        [sys.executable, "-m", "app", "backtest", str(folder / "events"),
         "--changes", str(folder / "changes"),
         "--until", format_instant(shop.reckoning.until)],
        env=clean | {k: v for k, v in shop.fleet.env.items()
                     if k in ("LADDER_LADDERS", "LADDER_RATES", "LADDER_TIMEZONE",
                              "LADDER_ATTRIBUTES")},
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    assert settings.currency == "VND"
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    alone = {*shop.tale.people("alone")}
    for line in (folder / "changes").read_bytes().splitlines():
        change = json.loads(line)
        ladder = change["data"]["ladder"]
        if change["subject"] in alone and ladder not in shop.reckoning.top_ladders:
            found.setdefault((ladder, change["subject"]), []).append(change)
    return found


def where_it_is_noon(now: float) -> str:
    """A time zone in which no day ends while the test runs; the names of these count westwards."""
    ahead = 12 - time.gmtime(now).tm_hour
    return f"Etc/GMT{-ahead:+d}"


def nothing_falls_due(shop: Trial, chapter: Chapter) -> bool:
    """Whether time alone changes nothing in the quarter of an hour after a chapter."""
    reckoning = Reckoning(shop.reckoning.rules)
    reckoning.follow(chapter)
    before = len(reckoning.backtest.changes)
    reckoning.backtest.finish(chapter.until + 900 * SECOND)
    return len(reckoning.backtest.changes) == before


async def test_by_the_wall_clock_too_once_the_past_is_taken_in(
    kafka: Kafka, unique: str, tmp_path: Path
) -> None:
    now = int(time.time())
    for seed in range(100):
        (tmp_path / str(seed)).mkdir()
        shop = await trial(
            kafka.bootstrap, f"{unique}-{seed}", tmp_path / str(seed), seed=seed, clock="wall",
            zone=where_it_is_noon(now), start=format_instant(now * SECOND - 16 * DAY),
        )  # fmt: skip
        chapter = Chapter(shop.tale.chapter(700, 15).told, now * SECOND)
        if nothing_falls_due(shop, chapter):
            break
    else:
        raise AssertionError("no quiet quarter of an hour in a hundred tales")
    chapter.told.append(tomorrow_and_a_day(now))
    try:
        await shop.tell(chapter)
        worker = shop.fleet.start()
        await shop.at_rest()
        await shop.check()
        await worker.stop()
        await shop.check_stores()
        assert shop.compared["changes"] > 500
    finally:
        shop.fleet.kill()


def tomorrow_and_a_day(now: int) -> Told:
    """A purchase that is too far ahead."""
    event = {
        "specversion": "1.0", "id": "ahead", "source": "/shop", "type": "purchase.completed",
        "subject": "alone-0", "time": format_instant((now + 2 * 86_400) * SECOND),
        "data": {"order_id": "ahead", "amount": 1, "currency": "VND"},
    }  # fmt: skip
    return Told(0, b"alone-0", json.dumps(event).encode(), reason="future")
