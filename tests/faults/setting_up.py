"""A trial from nothing: ladders, rates, topics, a tale from a seed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from app.core.instants import Calendar
from app.core.money import Rates
from app.core.rules import Rules
from app.wire.definition import read_folder
from tests.faults.fleet import Fleet
from tests.faults.reckoning import Reckoning
from tests.faults.tale import RATES, Tale
from tests.faults.verdict import Trial
from tests.oracle.clock import parse_time
from tests.oracle.scenarios import BUILT_IN, EDGY

ZONE = "America/New_York"
ATTRIBUTES = ("city", "vip")
EPOCH = date(1970, 1, 1)


FEW = ("brief", "now", "steps")
"""Ladders that say much: a cluster of three makes topics slowly. None of them: all."""


def ladders_in(folder: Path, *, built_in: bool, few: Sequence[str]) -> Path:
    """The ladders with short windows and graces, and the built-in ones where they are wanted."""
    there = folder / "ladders"
    shutil.copytree(EDGY, there)
    if few:
        for file in there.glob("*.yaml"):
            if file.stem not in few:
                file.unlink()
    if built_in:
        shutil.copytree(BUILT_IN, there, dirs_exist_ok=True)
    return there


def write_only(folder: Path, texts: Mapping[str, str]) -> None:
    for file in folder.iterdir():
        file.unlink()
    for name, text in texts.items():
        (folder / name).write_text(text)


async def trial(
    bootstrap: str,
    name: str,
    folder: Path,
    *,
    seed: int,
    built_in: bool = False,
    partitions: int = 4,
    lanes: int = 6,
    clock: str = "event",
    zone: str = ZONE,
    start: str = "2024-02-27T12:00:00Z",
    few: Sequence[str] = (),
    texts: Mapping[str, str] | None = None,
    create: bool = True,
    **env: str,
) -> Trial:
    ladders = ladders_in(folder, built_in=built_in, few=few)
    if texts is not None:
        write_only(ladders, texts)
    rates = folder / "rates.csv"
    rates.write_text("date,currency,rate\n" + "".join(",".join(row) + "\n" for row in RATES))
    fleet = Fleet(
        bootstrap, name, folder, partitions=partitions, lanes=lanes, LADDER_CLOCK=clock,
        LADDER_LADDERS=str(ladders), LADDER_RATES=str(rates), LADDER_TIMEZONE=zone,
        LADDER_ATTRIBUTES=",".join(ATTRIBUTES), **env,
    )  # fmt: skip
    if create:
        await fleet.create()
    rows = [
        ((date.fromisoformat(day) - EPOCH).days, currency, Decimal(rate))
        for day, currency, rate in RATES
    ]
    rules = Rules(read_folder(ladders), Calendar(zone), Rates("VND", rows), ATTRIBUTES, None)
    begin = parse_time(start)
    assert begin is not None
    tale = Tale(seed, ladders, zone, partitions=partitions, start=begin, lanes=lanes)
    return Trial(fleet, tale, Reckoning(rules))
