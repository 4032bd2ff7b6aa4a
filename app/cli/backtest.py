"""`ladder backtest`: events from files through the same rules, with no broker."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from app.cli import output, standings
from app.cli.moment import Moment
from app.cli.options import with_settings
from app.cli.shop import rules_of
from app.core.instants import format_instant
from app.errors import DataFileError, NothingTaken, UsageError
from app.offline.backtest import Backtest, DeadLetter
from app.offline.ndjson import STDIN, size_of
from app.offline.summary import LadderCount
from app.settings import Settings
from app.wire.dead_letter import MEANINGS

OUT = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
SAMPLES = 3
"""Places that are named for each reason of a refusal, and where everything was refused."""


@click.command()
@click.argument(
    "events",
    nargs=-1,
    required=True,
    metavar="EVENTS...",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
)
@with_settings("ladders", "rates", "timezone", "currency")
@click.option("--until", type=Moment(), help="Move the clock on to this instant at the end.")
@click.option("--changes", type=OUT, metavar="OUT", help="Write each stage change, one a line.")
@click.option("--customers", type=OUT, metavar="OUT", help="Write each customer, one a line.")
@click.option("--dead-letters", type=OUT, metavar="OUT", help="Write what was refused, and why.")
@click.option("--json", "in_json", is_flag=True, help="The summary as one JSON document.")
def backtest(
    settings: Settings,
    events: tuple[Path, ...],
    until: int | None,
    changes: Path | None,
    customers: Path | None,
    dead_letters: Path | None,
    in_json: bool,
) -> None:
    """Fold EVENTS (NDJSON, gzip or not; sorted by time first) through the rules, with no broker.

    Prints customers by rung, moves, how long rungs are held, and which lines were refused; exits
    with 1 if it was every line. `-` is standard input, and as an OUT standard output; the summary
    then goes to standard error.

    \b
    Example:
      ladder backtest history.ndjson --changes changes.ndjson
      ladder backtest history.ndjson.gz --until 2026-04-01T00:00:00Z --customers - | head -1
    """
    wanted = {"changes": changes, "customers": customers, "dead letters": dead_letters}
    outs = [out for out in wanted.values() if out]
    _refuse_muddle(events, outs, in_json=in_json)
    with _told(outs), ExitStack() as stack:
        streams = {what: stack.enter_context(_opened(out)) for what, out in wanted.items() if out}
        backtest = Backtest(rules_of(settings))
        _fold(backtest, events, until)
        _write(backtest, streams)
        letters, ladders = backtest.dead_letters(), backtest.summary()
    if in_json:
        output.as_json(_as_object(backtest, letters, ladders))
    else:
        _print(backtest, letters, ladders, err=STDIN in wanted.values())
    if letters and len(letters) == backtest.lines:
        raise NothingTaken([_told_of(letter) for letter in letters[:SAMPLES]], len(letters))


def _refuse_muddle(events: Sequence[Path], outs: Sequence[Path], *, in_json: bool) -> None:
    if outs.count(STDIN) + in_json > 1:
        raise UsageError("only one thing can go to standard output: give the others a file")
    files = [event.resolve() for event in events if event != STDIN]
    for number, out in enumerate(outs):
        if out != STDIN and out.resolve() in files:
            raise UsageError(f"{out} is one of the events' files: it would be overwritten")
        if out != STDIN and out.resolve() in [other.resolve() for other in outs[:number]]:
            raise UsageError(f"{out} is named twice: give each output its own file")


@contextmanager
def _opened(out: Path) -> Iterator[BinaryIO]:
    """A file, before any work is done, so that a place that cannot be written is told at once."""
    if out == STDIN:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        stream = out.open("wb")
    except OSError as error:
        raise DataFileError(str(out), 0, f"cannot be written: {error.strerror}") from error
    with stream:
        yield stream


@contextmanager
def _told(outs: Sequence[Path]) -> Iterator[None]:
    """What goes wrong in writing, a full disk most likely, is told by the files' names."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        names = ", ".join(str(out) for out in outs)
        raise DataFileError(names, 0, f"cannot be written: {error.strerror}") from error


def _fold(backtest: Backtest, files: Sequence[Path], until: int | None) -> None:
    """Read and apply everything."""
    with output.byte_progress() as progress:
        task = progress.add_task("reading", total=size_of(files))
        backtest.read(files, sys.stdin.buffer, _to(progress, task))
    with output.progress("events") as progress:
        task = progress.add_task("folding", total=backtest.events)
        backtest.fold(until, _to(progress, task))


def _write(backtest: Backtest, streams: dict[str, BinaryIO]) -> None:
    if "changes" in streams:
        with output.progress("changes") as progress:
            task = progress.add_task("writing", total=backtest.changes)
            backtest.write_changes(streams["changes"], _to(progress, task))
    if "customers" in streams:
        with output.progress("customers") as progress:
            task = progress.add_task("writing", total=backtest.customers)
            backtest.write_customers(streams["customers"], _to(progress, task))
    if "dead letters" in streams:
        backtest.write_dead_letters(streams["dead letters"])


def _to(progress: Any, task: Any) -> Callable[[int], None]:
    return lambda done: progress.update(task, completed=done)


def _as_object(
    backtest: Backtest, letters: Sequence[DeadLetter], ladders: Sequence[LadderCount]
) -> dict[str, object]:
    return {
        "lines": backtest.lines,
        "refused": dict(sorted(_reasons(letters).items())),
        "repeated": backtest.repeated,
        "dropped": backtest.dropped,
        "customers": backtest.customers,
        "changes": backtest.changes,
        "clock": None if backtest.clock is None else format_instant(backtest.clock),
        "ladders": [
            {
                "ladder": ladder.ladder,
                "kind": ladder.kind,
                "up": ladder.up,
                "down": ladder.down,
                "moved": ladder.moved,
                "rungs": [
                    {name: getattr(rung, name) for name in rung.__struct_fields__}
                    for rung in ladder.rungs
                ],
            }
            for ladder in ladders
        ],
    }


def _told_of(letter: DeadLetter) -> str:
    return f"{letter.file}:{letter.line}: {letter.reason}: {letter.message}"


def _reasons(letters: Sequence[DeadLetter]) -> Counter[str]:
    return Counter(letter.reason for letter in letters)


def _print(
    backtest: Backtest,
    letters: Sequence[DeadLetter],
    ladders: Sequence[LadderCount],
    *,
    err: bool,
) -> None:
    standings.draw(output.console(err=err), ladders, stays=True)
    up, down = sum(ladder.up for ladder in ladders), sum(ladder.down for ladder in ladders)
    moved = sum(ladder.moved for ladder in ladders)
    clock = "" if backtest.clock is None else f", as of {format_instant(backtest.clock)}"
    changes = f"{backtest.changes:,} stage changes"
    output.line(f"{backtest.lines:,} events, {backtest.customers:,} customers{clock}", err=err)
    output.line(f"{changes}: {up:,} up, {down:,} down, {moved:,} between segments", err=err)
    if backtest.repeated or backtest.dropped:
        dropped = f"{backtest.dropped:,} of erased customers"
        output.line(f"{backtest.repeated:,} repeats dropped, {dropped}", err=err)
    _print_refused(letters, err=err)


def _print_refused(letters: Sequence[DeadLetter], *, err: bool) -> None:
    if letters:
        output.line(f"{len(letters):,} lines were refused:", err=err)
    for reason, number in _reasons(letters).most_common():
        found = [letter for letter in letters if letter.reason == reason][:SAMPLES]
        output.line(f"  {number:,} {reason}: {MEANINGS[reason]}", err=err)
        for letter in found:
            output.line(f"    {letter.file}:{letter.line}: {letter.message}", err=err)
