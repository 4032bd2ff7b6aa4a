"""What the demo shows while it runs: on a terminal a live view, elsewhere a few plain lines."""

from __future__ import annotations

import time
from collections import deque

from rich.console import Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from app.cli import output
from app.core.change import Change
from app.core.instants import format_instant
from app.embedded.demo_numbers import Numbers
from app.ops.control_codes import escaped

LINES = 12
"""Stage changes that are seen at a time."""
PLAIN_LINES = 24
"""Of those printed where nobody scrolls; the first ones come quicker."""
PLAIN_SECONDS = 1.0
STYLES = {"up": "green", "down": "red", "moved": "cyan"}
ARROWS = {"up": "↑", "down": "↓", "moved": "→"}


def line_of(change: Change) -> Text:
    """Write who moved, from where to where, and why."""
    return Text.assemble(
        (format_instant(change.time)[:16].replace("T", " "), "dim"),
        (f"  {escaped(change.customer):<9}", "bold"),
        f" {change.ladder:<12}",
        (
            f"{change.from_ or '-'} {ARROWS[change.direction]} {change.to or '-'}".ljust(34),
            STYLES[change.direction],
        ),
        (escaped(_why(change)), "dim"),
        no_wrap=True,
        overflow="ellipsis",
    )


def _why(change: Change) -> str:
    if change.because is None:
        return f"{change.cause}"
    facts = ", ".join(f"{name} = {value}" for name, value in change.because.facts.items())
    return f"{change.cause}: {facts}"


class Screen:
    """Implements `app.embedded.demo.Show`; a context manager."""

    def __init__(self, events: int) -> None:
        self._console = output.console(err=True)
        self._lines: deque[Text] = deque(maxlen=LINES)
        self._progress = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("events"),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._send = self._progress.add_task("events sent to Kafka", total=events)
        self._work = self._progress.add_task("applied by the worker", total=events, start=False)
        self._total = events
        self._counter = Text()
        self._live: Live | None = None
        self._plain = not self._console.is_terminal
        self._printed = 0
        self._said = 0.0

    def __enter__(self) -> Screen:
        if not self._plain:
            self._live = Live(self._view(), console=self._console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.update(self._view(), refresh=True)
            self._live.stop()

    def sending(self, sent: int, of: int) -> None:
        self._progress.update(self._send, completed=sent)
        if self._plain and sent == of:
            self._console.print(f"{of:,} events sent to Kafka")
        self._redraw()

    def working(self, numbers: Numbers) -> None:
        if not self._progress.tasks[self._work].started:
            self._progress.start_task(self._work)
        self._progress.update(self._work, completed=min(numbers.done, self._total))
        refused = f"{numbers.refused.total():,} refused" if numbers.refused else ""
        self._counter = Text.assemble(
            (f"{numbers.changes:,}", "bold"), " stage changes   ",
            (f"{numbers.people:,}", "bold"), " customers   ", (refused, "yellow"),
        )  # fmt: skip
        self._redraw()

    def change(self, change: Change) -> None:
        line = line_of(change)
        if not self._plain:
            self._lines.append(line)
            self._redraw()
        elif self._printed < PLAIN_LINES and time.monotonic() - self._said > PLAIN_SECONDS:
            self._printed += 1
            self._said = time.monotonic()
            self._console.print(line)

    def _redraw(self) -> None:
        if self._live is not None:
            self._live.update(self._view())

    def _view(self) -> Group:
        blank = [Text("")] * (LINES - len(self._lines))
        return Group(self._progress, self._counter, Text(""), *self._lines, *blank)
