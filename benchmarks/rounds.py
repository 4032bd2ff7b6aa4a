"""Rounds: each case once, then all again, so that a machine that is busy for a while hurts all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import click

from benchmarks.case import Case
from benchmarks.cases import ratios
from benchmarks.figures import Round, shown

LIMIT = 900.0
"""Seconds after which one measurement, or one case's making ready, is given up."""

Measured = dict[str, dict[str, Any]]


async def measure(cases: Sequence[Case], rounds: int) -> tuple[Measured, list[str]]:
    """Measure cases in rounds, telling of it as it goes; second are the failures, in words.

    One that fails is left out of that round, and for good when it could not be made ready.
    """
    measured: Measured = {
        case.name: {"what": case.what, "wanted": case.wanted, "rounds": []} for case in cases
    }
    failures: list[str] = []
    usable = [
        case
        for case in cases
        if await _done(case, "making ready", case.prepare(), failures) is not None
    ]
    for number in range(1, rounds + 1):
        for case in usable:
            case.earlier = {name: each["rounds"] for name, each in measured.items()}
            doing = f"round {number} of {rounds}"
            found = await _done(case, doing, case.measure(number), failures)
            if found is not None:
                measured[case.name]["rounds"].append(found)
                _compare(measured, case.name)
    return measured, failures


async def _done(case: Case, doing: str, work: Any, failures: list[str]) -> Round | None:
    """Give what came of it; None, and a line in the failures, when nothing did."""
    began = time.monotonic()
    click.echo(f"{doing}: {case.what} ...", err=True)
    try:
        async with asyncio.timeout(LIMIT):
            found: Round = await work or {}
    except Exception as error:
        failures.append(f"{case.name}, {doing}: {type(error).__name__}: {error}")
        click.echo(f"  FAILED: {failures[-1]}", err=True)
        return None
    took = time.monotonic() - began
    said = ", ".join(f"{name} {shown(value)}" for name, value in found.items())
    click.echo(f"  {took:.0f} s: {said or 'ready'}", err=True)
    return found


def _compare(measured: Measured, name: str) -> None:
    """Add to the last round of a case how it compares with what others did in the same round."""
    rounds = measured[name]["rounds"]
    rounds[-1].update(ratios(name, {each: found["rounds"] for each, found in measured.items()}))
