"""`ladder emit`: events from files to their topics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import click

from app.cli import output
from app.cli.lines import lines, size
from app.cli.moment import Moment
from app.cli.options import with_settings
from app.core.events import Refused
from app.errors import BrokerError
from app.settings import Settings
from app.stream import clients
from app.stream.emit import PRODUCER, Emitter, Pace, Router
from app.wire.cloudevents import decode

NO_EVENT = ("not-json", "not-an-event")
"""Reasons for which a line is refused whatever its type."""


class Looks:
    """Counts lines that look like no event at all, and keeps what is wrong with the first."""

    def __init__(self) -> None:
        self.strange = 0
        self.first = ""

    def at(self, line: bytes) -> None:
        judged = decode(line, keyed=False)
        if isinstance(judged, Refused) and judged.reason in NO_EVENT:
            self.first = self.first or judged.message
            self.strange += 1


@click.command()
@click.argument(
    "files",
    nargs=-1,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@click.option("--topic", metavar="TOPIC", help="Send everything to this topic.")
@click.option("--until", type=Moment(), help="Then move the event clock of every partition here.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Not more than so many a second."
)
@with_settings("brokers")
def emit(
    settings: Settings,
    files: tuple[Path, ...],
    topic: str | None,
    until: int | None,
    rate: float | None,
) -> None:
    """Send structured events, one JSON a line, to the topics of their types.

    A FILE may be packed with gzip; `-` is standard input.

    Refuses nothing: a bad line becomes a dead letter of the worker, and it is said how many look
    like no event at all. A line without type or subject goes to the first topic, without a key.

    \b
    Example:
      ladder emit history.ndjson --until 2026-04-01T00:00:00Z
      tail -f events.ndjson | ladder emit -
    """
    if not files and until is None:
        raise click.UsageError("name a FILE (- is standard input), or --until TIME")
    asyncio.run(_emit(settings, files, Router(settings.topics, topic), until, Pace(rate)))


async def _emit(
    settings: Settings, files: Sequence[Path], router: Router, until: int | None, pace: Pace
) -> None:
    async with clients.admin(settings) as admin:
        await router.check(admin)
    began = time.monotonic()
    emitter: Emitter | None = None
    looks = Looks()
    try:
        async with clients.producer(settings, **PRODUCER) as producer:
            emitter = Emitter(producer, router)
            await _send(emitter, files, pace, looks)
            if until is not None:
                await emitter.advance(until)
    finally:
        # After the producer's end, which delivers what an interrupt left on its way.
        if emitter is not None:
            _report(emitter, looks, time.monotonic() - began)
    if emitter.too_large:
        raise BrokerError(f"{emitter.too_large} lines are larger than Kafka takes; left out")


async def _send(emitter: Emitter, files: Sequence[Path], pace: Pace, looks: Looks) -> None:
    with output.byte_progress() as progress:
        task = progress.add_task("sending", total=size(files))
        async for line in lines(files, lambda done: progress.advance(task, done)):
            await pace.turn()
            looks.at(line)
            await emitter.send(line)
        await emitter.close()


def _report(emitter: Emitter, looks: Looks, seconds: float) -> None:
    speed = emitter.sent / seconds if seconds > 0 else 0
    output.say(f"{emitter.sent:,} events sent in {seconds:.1f} s ({speed:,.0f}/s)")
    if emitter.unkeyed:
        output.say(
            f"{emitter.unkeyed:,} of the lines have no type or subject: to "
            f"{emitter.router.first} without a key"
        )
    if looks.strange:
        output.say(
            f"{looks.strange:,} of the lines look like no event at all, and will be dead letters; "
            f"the first one: {looks.first}"
        )
