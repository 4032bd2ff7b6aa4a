"""`python -m benchmarks`: measure, print, keep. `python -m benchmarks profile`: where time goes."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import click
from rich.console import Console

from benchmarks import figures
from benchmarks.broker import broker
from benchmarks.case import QUICK, Sizes
from benchmarks.cases import CASES, wanted
from benchmarks.rounds import measure
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
    rounds = rounds or (1 if quick else 3)
    kept = figures.Kept("bench", out.resolve() if out else None, {"quick": quick, "rounds": rounds})
    with broker() as place:
        cases = [CASES[name](place, QUICK if quick else Sizes()) for name in wanted(only)]
        measured, failures = asyncio.run(measure(cases, rounds, kept.write))
    figures.draw(Console(), kept.write(measured, failures))
    click.echo(f"written to {kept.file}", err=True)
    for failure in failures:
        click.echo(f"FAILED: {failure}", err=True)
    context.exit(1 if failures else 0)


@main.command()
@click.option("--events", default=Sizes().mixed, show_default=True, help="Size of the backlog.")
def profile(events: int) -> None:
    """Run the worker of the mixed case under py-spy, and print where its time goes."""
    from benchmarks.profiling import profiled

    with broker() as place:
        asyncio.run(profiled(place, Sizes(mixed=events)))


if __name__ == "__main__":
    main()
