"""`ladder demo`: the whole job on this machine, on real purchases."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from app import settings as declarations
from app.cli import output, standings
from app.cli.demo_screen import Screen
from app.core.ladder import Ladder
from app.embedded import demo as play
from app.embedded.broker import why_not_here
from app.embedded.demo_events import Story, tell
from app.embedded.demo_numbers import ladders_of
from app.embedded.demo_place import Place, Worker, elsewhere, embedded
from app.embedded.demo_purchases import DATA
from app.errors import DataFileError, EmbeddedBrokerError
from app.ops import logs
from app.wire.definition import read_folder

EVENTS = "events.ndjson"
RATES = "rates.csv"
USUAL = 2_000
"""Customers, unless told otherwise: seen in well under a minute."""
ALL = sys.maxsize
LONG_ENOUGH = 2.0
"""Seconds of work below which a speed would say little."""


class Customers(click.IntRange):
    """A number of customers, or `all`, which is ALL."""

    def __init__(self) -> None:
        super().__init__(min=1)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if str(value).casefold() == "all":
            return ALL
        return int(super().convert(value, param, ctx))


@click.command()
@click.option(
    "--customers",
    type=Customers(),
    metavar="N|all",
    default=str(USUAL),
    show_default=True,
    help="So many of the 23,570 customers, evenly chosen; or the whole history.",
)
@click.option("--keep", is_flag=True, help="Leave everything running at the end, until Ctrl-C.")
@click.option(
    "--brokers",
    metavar="HOST:PORT",
    help="Use this Kafka and not the embedded broker; topics of its own are made, then deleted.",
)
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Only write the events and the rates there, for `ladder backtest`.",
)
def demo(customers: int, keep: bool, brokers: str | None, write: Path | None) -> None:
    """The whole job on this machine, nothing else needed.

    Starts the embedded broker, makes the topics, sends a history of real purchases (CDNOW, 1997 to
    1998) with made-up registrations, reviews and the like around them, starts a worker that applies
    them, shows stage changes as they come, and ends with customers by rung. Leaves nothing behind.

    \b
    Example:
      ladder demo
      ladder demo --customers all --keep
    """
    began = time.monotonic()
    if brokers is None and write is None and (reason := why_not_here()) is not None:
        raise EmbeddedBrokerError(reason)
    story = tell(customers)
    _say_what_is_real(story)
    if write is not None:
        _write(story, write)
        return
    _quiet_libraries()
    with _ended_by_signals(), ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="ladder-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        ladders = read_folder()
        place = _place(stack, folder, brokers, ladders)
        outcome = _play(stack, place, story, ladders)
        _print_outcome(story, ladders, outcome, time.monotonic() - began)
        if keep:
            _print_ways_in(place, story)
            _until_interrupted()
    if not keep:
        _print_ways_on()


def _place(
    stack: ExitStack, folder: Path, brokers: str | None, ladders: tuple[Ladder, ...]
) -> Place:
    if brokers is None:
        output.say("starting the embedded broker ...")
        place = stack.enter_context(embedded(folder))
    else:
        given = declarations.environment(os.environ, declarations.DOTENV)
        place = elsewhere(folder, brokers, given)
        stack.callback(lambda: asyncio.run(play.delete_topics(place.settings, ladders)))
    asyncio.run(play.create_topics(place.settings, ladders))
    return place


def _play(
    stack: ExitStack, place: Place, story: Story, ladders: tuple[Ladder, ...]
) -> play.Outcome:
    with Screen(len(story.lines)) as screen:
        asyncio.run(play.send(place.settings, story, screen))
        worker = stack.enter_context(Worker(place))
        return asyncio.run(play.follow(place, worker, ladders, screen))


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End on SIGTERM and SIGHUP as on Ctrl-C: with everything stopped and tidied up."""

    def interrupt(*_: object) -> None:
        # The loop has its own way with Ctrl-C: it cancels what runs, and lets it tidy up.
        signal.raise_signal(signal.SIGINT)

    chosen: dict[int, Any] = {signal.SIGTERM: interrupt, signal.SIGINT: signal.default_int_handler}
    # SIGINT also where it is ignored: a shell does that to what it starts with `&`, and the others
    # end by it. SIGHUP not: who started this with nohup wants it to go on.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        chosen[signal.SIGHUP] = interrupt
    before = {number: signal.signal(number, handler) for number, handler in chosen.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _until_interrupted() -> None:
    with suppress(KeyboardInterrupt):
        signal.pause()
    output.say("ended, and nothing left behind")


def _quiet_libraries() -> None:
    logs.configure(sys.stderr, form="console", level="error", others="critical", colour=False)


def _say_what_is_real(story: Story) -> None:
    made_up = len(story.lines) - story.purchases
    output.say(
        f"Real: {story.purchases:,} purchases of {story.customers:,} customers of CDNOW, a shop "
        "for music CDs, 1997 to 1998."
    )
    output.explain(
        f"Made up, from a fixed seed: the {made_up:,} other events (registrations, cards, reviews, "
        "referrals, visits, refunds, ...) and\nthe hours of the day. Where it all comes from: "
        f"{DATA.joinpath('README.md')}"
    )


def _write(story: Story, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / EVENTS).write_bytes(b"\n".join((*story.lines, b"")))
        (folder / RATES).write_bytes(DATA.joinpath(RATES).read_bytes())
    except OSError as error:
        raise DataFileError(str(folder), 0, f"cannot be written: {error.strerror}") from error
    output.say(f"{len(story.lines):,} events are in {folder / EVENTS}. Now, for example:")
    output.say(f"  ladder backtest {folder / EVENTS} --rates {folder / RATES}")


def _print_outcome(
    story: Story, ladders: tuple[Ladder, ...], outcome: play.Outcome, seconds: float
) -> None:
    numbers = outcome.numbers
    counts = ladders_of(numbers, ladders)
    console = output.console()
    console.print()
    standings.draw(console, counts, stays=False)
    up, down = sum(ladder.up for ladder in counts), sum(ladder.down for ladder in counts)
    moved = sum(ladder.moved for ladder in counts)
    events, work = len(story.lines), outcome.seconds
    console.print(
        f"{events:,} events of {numbers.people:,} customers made {numbers.changes:,} stage "
        f"changes: {up:,} up, {down:,} down, {moved:,} between segments."
    )
    refused = ", ".join(f"{count} {reason}" for reason, count in sorted(numbers.refused.items()))
    console.print(f"Refused, on purpose of the demo: {refused or 'nothing'}.")
    speed = ""
    if work >= LONG_ENOUGH:
        speed = f"{events / work:,.0f} events/s, {numbers.changes / work:,.0f} stage changes/s, "
    console.print(
        f"The worker took {work:.1f} s: {speed}each exactly once. {seconds:.1f} s for everything."
    )


def _print_ways_in(place: Place, story: Story) -> None:
    settings = place.settings
    output.explain(
        f"\nAll of it runs on, until Ctrl-C. See it in a browser:\n"
        f"  {settings.api_url}/\n"
        f"  {settings.api_url}/#/customers/{story.warmest} (who bought most often)\n"
        f"In another terminal:\n"
        f"  export LADDER_API_URL={settings.api_url} LADDER_BROKERS={settings.brokers}\n"
        f"  ladder show {story.warmest}\n"
        "  ladder watch raving-fan --from-start --limit 20\n"
        "  ladder dead-letters list\n"
        f"The API is described at {settings.api_url}/v1/openapi.json, metrics are at /metrics."
    )


def _print_ways_on() -> None:
    output.explain(
        "\nWhere to look next:\n"
        "  ladder demo --keep               the same, left running: ask for a customer, watch\n"
        "  ladder demo --write demo-data    the events as a file, for `ladder backtest`\n"
        "  ladder backtest --help           what would have happened, with ladders of your own\n"
        "  docs/                            how it works, how to write a ladder, how to run it"
    )
