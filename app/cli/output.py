"""Where words go: data to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

import click
import orjson
from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from app.errors import UsageError

WIDE = 10_000
"""Columns where nobody looks: in a file or a pipe no cell is cut."""


def say(text: str) -> None:
    """One message for the person who called."""
    click.echo(text, err=True)


def line(data: bytes | str) -> None:
    """One line of data, which the reader of a pipe has at once."""
    click.echo(data)


def as_json(value: object) -> None:
    """One JSON document, on a line of its own."""
    line(orjson.dumps(value, default=str))


def confirm(question: str) -> bool:
    """Ask on standard error; only a plain yes is one. Raises UsageError when nobody is there."""
    click.echo(f"{question} [y/N] ", nl=False, err=True)
    answer = sys.stdin.readline()
    if not answer:
        say("")
        raise UsageError("nobody answers on standard input; --yes answers for you")
    return answer.strip().casefold() in {"y", "yes"}


class _Console(Console):
    """Leaves it to the entry point what a reader that went away means."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def console(*, err: bool = False) -> Console:
    """A console that draws for a terminal, and writes plain text anywhere else."""
    stream = sys.stderr if err else sys.stdout
    return _Console(file=stream, highlight=False, width=None if stream.isatty() else WIDE)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[str | Text]], *, fold: Sequence[str] = ()
) -> None:
    """A table on standard output; the columns named in fold may take several lines."""
    drawn = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    for heading in headings:
        drawn.add_column(heading, overflow="fold", no_wrap=heading not in fold)
    for row in rows:
        # Text, not markup: a customer called [red] stays what he is.
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    console().print(drawn)


def progress(unit: str) -> Progress:
    """A bar on standard error that counts, gone when done; nothing where nobody looks."""
    return _bar(MofNCompleteColumn(), TextColumn(unit))


def byte_progress() -> Progress:
    """The same for bytes of a file."""
    return _bar(DownloadColumn())


def _bar(*middle: ProgressColumn) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), *middle, TimeElapsedColumn())
    shown = console(err=True)
    return Progress(*columns, console=shown, transient=True, disable=not shown.is_terminal)
