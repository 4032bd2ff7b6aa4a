"""`python -m benchmarks.peers`: the race against others, and its table in docs/benchmarks.md."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

import click
from rich.console import Console

from benchmarks import figures
from benchmarks.broker import broker
from benchmarks.peers import page
from benchmarks.peers.java import class_path
from benchmarks.peers.names import NAMES
from benchmarks.peers.race import FULL, QUICK, cases
from benchmarks.rounds import measure
from benchmarks.shop import no_settings_from_outside
from tests.fetched import NotInstallable

LEFT_GIB = 20
"""What a run may need of the disk: the topics of three rounds lie there together."""


@click.command()
@click.option("--quick", is_flag=True, help="Small sizes: to see that it works, not how fast.")
@click.option("--only", multiple=True, type=click.Choice(NAMES), help="Only this; again.")
@click.option("--rounds", type=click.IntRange(1), help="Default: 3, and 1 with --quick.")
@click.option("--json", "out", type=click.Path(path_type=Path), help="Default: results/.")
@click.option("--page/--no-page", "write", default=None, help="Default: unless --quick or --only.")
@click.pass_context
def main(
    context: click.Context,
    quick: bool,
    only: tuple[str, ...],
    rounds: int | None,
    out: Path | None,
    write: bool | None,
) -> None:
    """Run the worker and its peers in turns on this machine, and write down what they came to."""
    no_settings_from_outside()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    rounds = rounds or (1 if quick else 3)
    kept = figures.Kept("peers", out.resolve() if out else None, {"quick": quick, "rounds": rounds})
    names = only or NAMES
    if any(name.startswith("streams-") for name in names):
        click.echo("building the program on Kafka Streams, if it is not there ...", err=True)
        try:
            class_path()
        except NotInstallable as error:
            raise click.ClickException(
                f"{error} (a JDK 17 and Maven), or leave it out: --only"
            ) from error
    with broker() as place:
        if not quick and shutil.disk_usage(place.folder).free < LEFT_GIB << 30:
            raise click.ClickException(f"{place.folder}: less than {LEFT_GIB} GiB are free")
        taking_part = cases(place, QUICK if quick else FULL, names)
        measured, failures = asyncio.run(measure(taking_part, rounds, kept.write))
    found = kept.write(measured, failures)
    figures.draw(Console(), found)
    click.echo(f"written to {kept.file}", err=True)
    if write or (write is None and not quick and not only):
        click.echo(f"written to {page.write(found)}", err=True)
    for failure in failures:
        click.echo(f"FAILED: {failure}", err=True)
    context.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
