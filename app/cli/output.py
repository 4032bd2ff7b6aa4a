"""Where words go: data to standard output, everything else to standard error.

Data that is not for a terminal is written as it is, in UTF-8. On a terminal control codes in it are
shown and not obeyed.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence

import click
import msgspec
from rich import box
from rich.cells import cell_len
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
from app.ops.control_codes import escaped

WIDE = 10_000
"""Columns where nobody looks: in a file or a pipe no cell is cut."""


def say(text: str) -> None:
    """One message for the person who called, on one line."""
    _write(text, err=True, lines=False)


def explain(text: str) -> None:
    """A message of several lines."""
    _write(text, err=True, lines=True)


def line(data: bytes | str, *, err: bool = False) -> None:
    """One line of data, which the reader of a pipe has at once."""
    _write(data, err=err, lines=False)


def document(data: bytes) -> None:
    """A text of several lines."""
    _write(data, err=False, lines=True)


def styled(*parts: tuple[str, str]) -> None:
    """One line of data, of texts and their styles; colours are for a terminal."""
    if sys.stdout.isatty():
        console().print(Text.assemble(*((escaped(text), style) for text, style in parts)))
    else:
        line("".join(text for text, _ in parts))


def csv_row(cells: Sequence[str]) -> None:
    """One row by RFC 4180: a line break within a cell is quoted; the row ends with a line feed."""
    row = io.StringIO()
    # With this end the writer quotes both CR and LF, in every version of Python.
    csv.writer(row, lineterminator="\r\n").writerow(cells)
    line(row.getvalue().removesuffix("\r\n"))


def _write(data: bytes | str, *, err: bool, lines: bool) -> None:
    stream = sys.stderr if err else sys.stdout
    if stream.isatty():
        text = data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
        click.echo(escaped(text, lines=lines), err=err)
        return
    # Names of files that are no UTF-8 come out as they are on disk.
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    click.echo(raw, err=err)


def as_json(value: object) -> None:
    """One JSON document, on a line of its own."""
    line(msgspec.json.encode(value, enc_hook=str))


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
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, fold: Sequence[str] = ()
) -> None:
    """A table on standard output; the columns named in fold may take several lines."""
    if not sys.stdout.isatty():
        _columns([headings, *rows])
        return
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        drawn.add_column(heading, overflow="fold", no_wrap=heading not in fold)
    for row in rows:
        # Text, not markup: a customer called [red] stays what he is.
        drawn.add_row(*(Text(escaped(cell)) for cell in row))
    console().print(drawn)


def _columns(rows: Sequence[Sequence[str]]) -> None:
    """The same for a file or a pipe: cells as they are, one below the other."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for *padded, last in rows:
        cells = [cell + " " * (widths[at] - cell_len(cell)) for at, cell in enumerate(padded)]
        line("  ".join([*cells, last]))


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
