"""`ladder check`: ladder definitions, and events before they are sent."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from app.cli import output
from app.cli.options import with_settings
from app.cli.shop import rules_of
from app.core.ladder import Ladder
from app.core.rules import Rules
from app.errors import DefinitionErrors, UsageError
from app.offline.backtest import Backtest
from app.offline.ndjson import STDIN, name_of
from app.settings import Settings
from app.wire.definition import SUFFIXES, definitions_in, read_files, suffix_of

EVENTS = (".ndjson", ".jsonl")
_DAY = 24 * 60 * 60 * 1_000_000


class Finding(NamedTuple):
    """What is wrong, and where; reason is that of a dead letter, None in a definition."""

    file: str
    line: int
    column: int
    reason: str | None
    message: str

    def __str__(self) -> str:
        place = ":".join([self.file, *(str(part) for part in (self.line, self.column) if part)])
        return (
            f"{place}: {self.reason}: {self.message}" if self.reason else f"{place}: {self.message}"
        )


@click.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@with_settings("ladders", "rates", "timezone", "currency", "clock")
@click.option("--json", "in_json", is_flag=True, help="One JSON object a finding, one a line.")
def check(settings: Settings, files: tuple[Path, ...], in_json: bool) -> None:
    """Check ladder definitions (.yaml, or a folder of them) and events (.ndjson, or `-`).

    Either may be packed with gzip.

    Tells every fault with its place and what to write instead. Of events it tells which would
    become dead letters and why, as if these files were all that ever happened; they are judged by
    the definitions given beside them, else by those of the settings. Exit code 1 if there is
    anything to tell.

    \b
    Example:
      ladder check ladders/raving-fan.yaml
      ladder check ladders/*.yaml events.ndjson
    """
    definitions, events = _sorted_out(files)
    findings: list[Finding] = []
    ladders: tuple[Ladder, ...] = ()
    try:
        ladders = read_files(definitions)
    except DefinitionErrors as error:
        findings += [
            Finding(name_of(fault.file), fault.line, fault.column, None, fault.message)
            for fault in error.problems
        ]
    for ladder in ladders:
        rungs = f"{len(ladder.rungs)} rung{'s' if len(ladder.rungs) > 1 else ''}"
        output.say(f"{ladder.kind} {ladder.id}, version {ladder.version}: {rungs}, nothing wrong")
    if events and not findings:
        rules = rules_of(settings)
        if ladders:
            rules = Rules(ladders, rules.calendar, rules.rates, settings.attributes)
        findings += _refused(rules, events, _latest(settings))
    for finding in findings:
        if in_json:
            output.as_json(finding._asdict())
        else:
            output.line(str(finding))
    if findings:
        click.get_current_context().exit(1)


def _sorted_out(files: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Tell definitions from events."""
    definitions: list[Path] = []
    events: list[Path] = []
    for file in files:
        if file.is_dir():
            found = definitions_in(file)
            definitions += found
            _say_what_is_passed_over(file, found)
        elif suffix_of(file.name) in SUFFIXES:
            definitions.append(file)
        elif file == STDIN or suffix_of(file.name) in EVENTS:
            events.append(file)
        else:
            wanted = ", ".join((*SUFFIXES, *EVENTS))
            raise UsageError(f"{file}: neither a definition nor events; the name ends in {wanted}")
    return definitions, events


def _say_what_is_passed_over(folder: Path, read: Sequence[Path]) -> None:
    """A ladder in a file of another name is one that nobody stands on."""
    for file in sorted({*folder.iterdir()} - {*read}):
        if not file.name.startswith("."):
            output.say(f"{file}: passed over; a definition's name ends in {' or '.join(SUFFIXES)}")


def _latest(settings: Settings) -> int | None:
    """The instant after which an event is from the future; None under the event clock."""
    return time.time_ns() // 1000 + _DAY if settings.clock == "wall" else None


def _refused(rules: Rules, files: Sequence[Path], latest: int | None) -> Iterator[Finding]:
    """Fold the events, and yield what is refused in the order of the files."""
    backtest = Backtest(rules, latest)
    with output.progress("events") as progress:
        task = progress.add_task("reading", total=None)
        backtest.read(files, sys.stdin.buffer)
        progress.update(task, description="checking", total=backtest.events)
        backtest.fold(progress=lambda done: progress.update(task, completed=done))
    letters = backtest.dead_letters()
    told = f"{len(letters):,} refused, {backtest.repeated:,} repeated"
    output.say(f"{backtest.lines:,} events: {told}")
    for letter in letters:
        yield Finding(letter.file, letter.line, 0, letter.reason, letter.message)
