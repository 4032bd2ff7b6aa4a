"""`ladder broker`: the embedded broker in the foreground."""

from __future__ import annotations

import time
from pathlib import Path

import click

from app.cli import output
from app.cli.options import with_settings
from app.embedded.broker import EmbeddedBroker
from app.errors import EmbeddedBrokerError
from app.settings import Settings


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=9092, show_default=True)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where its data is kept.  [default: the folder broker in LADDER_DATA_DIR]",
)
@with_settings()
def broker(settings: Settings, port: int, folder: Path | None) -> None:
    """The embedded broker alone, on loopback, until Ctrl-C. Its data is kept.

    For one machine: it has one copy of everything and no security. Elsewhere run Apache Kafka.

    \b
    Example:
      ladder broker --port 9092
    """
    place = folder or settings.data_dir / "broker"
    with EmbeddedBroker(place, port) as running:
        output.say(f"Kafka answers at {running.bootstrap}, data in {place}; Ctrl-C ends it")
        while running.poll() is None:
            time.sleep(0.2)
        raise EmbeddedBrokerError(f"the broker ended by itself; see {running.log}")
