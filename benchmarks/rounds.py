"""Rounds: each case once, then all again, so that a machine that is busy for a while hurts all."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import click

from benchmarks.case import Measurable
from benchmarks.figures import Round, shown

LIMIT = 900.0
"""Seconds after which one measurement, or one case's making ready, is given up."""

Measured = dict[str, dict[str, Any]]


async def measure(
    cases: Sequence[Measurable], rounds: int, keep: Callable[[Measured, list[str]], object]
) -> tuple[Measured, list[str]]:
    """Measure cases in rounds, telling of it as it goes; second are the failures, in words.

    One that fails is left out of that round, and for good when it could not be made ready. `keep`
    is given what there is after each round, so that a run that is cut short was not for nothing.
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
        of_round: dict[str, Round] = {}
        for case in usable:
            case.earlier = of_round
            doing = f"round {number} of {rounds}"
            found = await _done(case, doing, case.measure(number), failures)
            if found is not None:
                of_round[case.name] = found
                measured[case.name]["rounds"].append(found)
        keep(measured, failures)
    return measured, failures


async def _done(case: Measurable, doing: str, work: Any, failures: list[str]) -> Round | None:
    """Give what came of it; None, and a line in the failures, when nothing did."""
    began = time.monotonic()
    click.echo(f"{doing}: {case.what} ...", err=True)
    try:
        async with asyncio.timeout(LIMIT):
            found: Round = await work or {}
    except Exception as error:
        why = str(error) or f"no end after {time.monotonic() - began:.0f} s"
        failures.append(f"{case.name}, {doing}: {type(error).__name__}: {why}")
        click.echo(f"  FAILED: {failures[-1]}", err=True)
        return None
    took = time.monotonic() - began
    said = ", ".join(f"{name} {shown(value)}" for name, value in found.items())
    click.echo(f"  {took:.0f} s: {said or 'ready'}", err=True)
    return found
