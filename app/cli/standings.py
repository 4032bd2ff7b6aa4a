"""Customers by rung, ladder by ladder, as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.offline.summary import LadderCount, RungCount

DAY = 86_400
HOUR = 3_600
BAR = 16
"""Columns of the bar of the fullest rung."""


def draw(console: Console, ladders: Sequence[LadderCount], *, stays: bool) -> None:
    """Print one table of all ladders, lowest rung first; `stays` adds how long rungs are held."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("ladder", "rung"):
        table.add_column(heading, no_wrap=True)
    for heading in ("customers", "up", "down", "moved"):
        table.add_column(heading, justify="right", no_wrap=True)
    if stays:
        table.add_column("median stay", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for ladder in ladders:
        for row in _rows(ladder, stays=stays):
            table.add_row(*row)
        table.add_row()
    console.print(table)


def _rows(ladder: LadderCount, *, stays: bool) -> Iterable[list[Text]]:
    shown = [rung for rung in ladder.rungs if rung.rung or rung.customers or _arrived(rung)]
    most = max((rung.customers for rung in shown), default=0)
    for number, rung in enumerate(shown):
        row = [
            Text("" if number else ladder.ladder, style="bold"),
            Text(rung.rung or "(none)", style="" if rung.rung else "dim"),
            Text(f"{rung.customers:,}"),
            _count(rung.up, "green"),
            _count(rung.down, "red"),
            _count(rung.moved, "cyan"),
        ]
        if stays:
            row.append(Text(duration(rung.median_held_seconds), style="dim"))
        row.append(Text("█" * -(-rung.customers * BAR // most) if most else "", style="blue"))
        yield row


def _arrived(rung: RungCount) -> int:
    return rung.up + rung.down + rung.moved


def _count(number: int, style: str) -> Text:
    return Text(f"{number:,}" if number else "", style=style)


def duration(seconds: int | None) -> str:
    """Write a length of time for people: days, else hours, else minutes."""
    if seconds is None:
        return ""
    if seconds >= DAY:
        return f"{seconds / DAY:.0f} d"
    if seconds >= HOUR:
        return f"{seconds / HOUR:.0f} h"
    return f"{seconds / 60:.0f} min"
