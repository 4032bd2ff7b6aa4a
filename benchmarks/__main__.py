"""`python -m benchmarks`: measure, print, keep. `python -m benchmarks profile`: where time goes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks import figures
from benchmarks.broker import broker
from benchmarks.case import QUICK, Case, Sizes
from benchmarks.cases import CASES, ratios
from benchmarks.shop import no_settings_from_outside


@click.group(invoke_without_command=True)
@click.option("--quick", is_flag=True, help="Small sizes: to see that it works, not how fast.")
@click.option("--only", multiple=True, type=click.Choice(list(CASES)), help="Only this; again.")
@click.option("--rounds", type=click.IntRange(1), help="Default: 3, and 1 with --quick.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Default: results/.")
@click.pass_context
def main(
    context: click.Context, quick: bool, only: tuple[str, ...], rounds: int | None, out: Path | None
) -> None:
    """Measure everything in one run on this machine, in rounds: each case once, then all again."""
    no_settings_from_outside()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    if context.invoked_subcommand:
        return
    out = out.resolve() if out else None
    rounds = rounds or (1 if quick else 3)
    options: dict[str, object] = {"quick": quick, "rounds": rounds}
    with broker() as place:
        cases = [CASES[name](place, QUICK if quick else Sizes()) for name in only or CASES]
        measured = asyncio.run(_measure(cases, rounds))
    found = figures.document(measured, options)
    console = Console()
    figures.draw(console, found)
    click.echo(f"written to {figures.write(found, out)}", err=True)


async def _measure(cases: list[Case], rounds: int) -> dict[str, dict[str, Any]]:
    measured: dict[str, dict[str, Any]] = {
        case.name: {"what": case.what, "wanted": case.wanted, "rounds": []} for case in cases
    }
    for case in cases:
        click.echo(f"making ready: {case.what}", err=True)
        await case.prepare()
    for number in range(1, rounds + 1):
        for case in cases:
            figures_of_round = await case.measure(number)
            measured[case.name]["rounds"].append(figures_of_round)
            said = ", ".join(f"{k} {figures.shown(v)}" for k, v in figures_of_round.items())
            click.echo(f"round {number}, {case.what}: {said}", err=True)
        measured_ratios = ratios({name: each["rounds"] for name, each in measured.items()})
        for name, values in measured_ratios.items():
            measured[name]["rounds"][-1].update(values)
    return measured


@main.command()
@click.option("--events", default=Sizes().mixed, show_default=True, help="Size of the backlog.")
def profile(events: int) -> None:
    """Run the worker of the mixed case under py-spy, and print where its time goes."""
    from benchmarks.profiling import profiled

    with broker() as place:
        asyncio.run(profiled(place, Sizes(mixed=events)))


if __name__ == "__main__":
    main()
