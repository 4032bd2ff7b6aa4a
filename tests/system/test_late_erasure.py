"""An erasure that comes late: what a worker makes of it, and a backtest (contract 5 and 6)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.embedded.broker import EmbeddedBroker
from tests.faults.fleet import Fleet
from tests.faults.tale import Told

LADDER = """\
id: buyers
version: 1
title: {en: Buyers}
kind: ladder
climb: cumulative
down: never
rungs:
  - {id: once, title: {en: Once}, when: purchases >= 1}
  - {id: twice, title: {en: Twice}, when: purchases >= 2}
"""
ERASED, SPARED = "erased", "spared"


@pytest.fixture
async def fleet(
    embedded_broker: EmbeddedBroker, unique: str, tmp_path: Path
) -> AsyncIterator[Fleet]:
    (tmp_path / "ladders").mkdir()
    (tmp_path / "ladders" / "buyers.yaml").write_text(LADDER)
    made = await Fleet(
        embedded_broker.bootstrap, unique, tmp_path, partitions=1, LADDER_CLOCK="event",
        LADDER_LADDERS=str(tmp_path / "ladders"),
    ).create()  # fmt: skip
    yield made
    made.kill()


def event(customer: str, day: int, type_: str = "purchase.completed") -> dict[str, Any]:
    order = {"order_id": f"o-{day}", "amount": 100, "currency": "VND"}
    return {
        "specversion": "1.0", "id": f"{type_} {day}", "source": "/shop", "type": type_,
        "subject": customer, "time": f"2026-03-{day:02}T00:00:00Z",
        "data": order if type_ == "purchase.completed" else {},
    }  # fmt: skip


def record(told: dict[str, Any]) -> Told:
    lane = 5 if told["type"].startswith("profile.") else 0
    return Told(lane, told["subject"].encode(), json.dumps(told).encode())


EARLY = [event(who, day) for who in (ERASED, SPARED) for day in (1, 5)]
LATE = [event(ERASED, 3, "profile.erased")]
AFTER = [event(ERASED, 2), event(ERASED, 4)]


async def seen(fleet: Fleet, customer: str) -> list[tuple[Any, ...]]:
    """Id, time, where to and why of each stage change of a customer."""
    changes = [json.loads(found.value or b"") for found in await fleet.read(topic(fleet))]
    return [
        (change["id"], change["time"], change["data"]["to"], change["data"]["cause"])
        for change in changes
        if change["subject"] == customer
    ]


def topic(fleet: Fleet) -> str:
    return fleet.settings.changes_topic("buyers")


def in_backtest(fleet: Fleet, events: list[dict[str, Any]]) -> dict[str, int]:
    """How many purchases a backtest of the same events knows of each customer."""
    file, out = fleet.folder / "events.ndjson", fleet.folder / "out"
    file.write_text("\n".join(map(json.dumps, events)))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LADDER_")}
    subprocess.run(
        [sys.executable, "-m", "app", "backtest", str(file), "--customers", str(out)],
        env=clean | {"LADDER_LADDERS": fleet.env["LADDER_LADDERS"]},
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    told = map(json.loads, out.read_text().splitlines())
    return {each["customer_id"]: each["facts"]["purchases"] for each in told}


async def test_a_late_erasure_takes_along_what_is_dated_after_it_where_a_backtest_keeps_it(
    fleet: Fleet,
) -> None:
    fleet.start()
    await fleet.send([record(told) for told in EARLY])
    await fleet.applied()
    await fleet.send([record(told) for told in LATE])
    await fleet.applied()
    assert await fleet.view(ERASED) is None
    spared = await fleet.view(SPARED)
    assert spared is not None
    assert spared["facts"]["purchases"] == 2
    assert in_backtest(fleet, EARLY + LATE) == {ERASED: 1, SPARED: 2}

    # What is dated up to the erasure is dropped, what is dated after it begins a new record.
    await fleet.send([record(told) for told in AFTER])
    await fleet.applied()
    anew = await fleet.view(ERASED)
    assert anew is not None
    assert anew["facts"]["purchases"] == 1
    assert in_backtest(fleet, EARLY + LATE + AFTER)[ERASED] == 2
    await fleet.settled()
    assert await seen(fleet, ERASED) == [
        ("buyers/erased/1", "2026-03-01T00:00:00Z", "once", "event"),
        ("buyers/erased/2", "2026-03-05T00:00:00Z", "twice", "event"),
        ("buyers/erased/3", "2026-03-05T00:00:00Z", None, "erasure"),
        ("buyers/erased/1/r2", "2026-03-04T00:00:00Z", "once", "event"),
    ]
