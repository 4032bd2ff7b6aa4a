"""Fold events from files through the rules, with no broker (contract 8): the engine's driver.

Blocks of lines are decoded on all cores; one thread folds, since credits and cuts cross from
customer to customer; what comes of it is written as JSON on all cores again.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from app._engine import Backtest as Engine
from app._engine import Decoded, decode
from app.core.rules import Rules
from app.offline.ndjson import Block, blocks_of, name_of
from app.offline.summary import LadderCount
from app.wire import handed

AT_A_TIME = 4_096
"""Events between two looks at the progress bar, and stage changes in a piece of output."""

Progress = Callable[[int], None]
"""Hears how much is done, now and then."""

Job = TypeVar("Job")
Result = TypeVar("Result")
_ladder_counts = msgspec.json.Decoder(tuple[LadderCount, ...])


class DeadLetter(msgspec.Struct, frozen=True, gc=False):
    """A line that was refused, and why. Lines count from 1."""

    reason: str
    message: str
    file: str
    line: int


class Backtest:
    """All customers of one shop, in memory: `read` all files, `fold`, then ask what came of it.

    `latest` is the latest time that an event may have (microseconds), if there is one. A
    RuntimeError is a defect of the engine, and names the file and the line at which it happened.
    """

    def __init__(self, rules: Rules, latest: int | None = None) -> None:
        self.rules = rules
        self.lines = 0
        self.events = 0
        self._files: Sequence[Path] = ()
        self._engine = Engine(
            handed.definitions(rules.ladders),
            handed.shop(rules),
            handed.day_starts(rules.calendar),
            latest,
        )

    def read(
        self, files: Sequence[Path], stdin: BinaryIO, progress: Progress = lambda _: None
    ) -> None:
        """Decode files of events, `-` being `stdin`. Raises DataFileError.

        `progress` hears how many bytes were decoded.
        """
        self._files = files
        done = 0
        for block, decoded in _on_all_cores(_decoded, blocks_of(files, stdin)):
            self._engine.take(decoded)
            self.lines += decoded.lines
            done += len(block.text)
            progress(done)
        self.events = self._engine.sort()

    def fold(self, until: int | None = None, progress: Progress = lambda _: None) -> None:
        """Apply all events in order, and what is due by the clock, moved on to `until`.

        `progress` hears how many events were applied.
        """
        while waiting := self._engine.fold(AT_A_TIME):
            progress(self.events - waiting)
        self._engine.finish(until)
        progress(self.events)

    @property
    def clock(self) -> int | None:
        """The greatest event time, or what the clock was moved on to (microseconds)."""
        return self._engine.clock

    @property
    def repeated(self) -> int:
        """How many events were applied before."""
        return self._engine.repeated

    @property
    def dropped(self) -> int:
        """How many events were of erased customers."""
        return self._engine.dropped

    @property
    def changes(self) -> int:
        """How many stage changes there are."""
        return self._engine.change_count

    @property
    def customers(self) -> int:
        """How many customers have a record."""
        return self._engine.customer_count

    def dead_letters(self) -> list[DeadLetter]:
        """Return what was refused, in the order of the files and their lines."""
        names = [name_of(file) for file in self._files]
        return [
            DeadLetter(reason, message, names[file], line)
            for reason, message, file, line in self._engine.dead_letters()
        ]

    def summary(self) -> tuple[LadderCount, ...]:
        """Count customers and moves, ladder by ladder in the order of the rules."""
        return _ladder_counts.decode(self._engine.summary())

    def write_changes(self, stream: BinaryIO, progress: Progress = lambda _: None) -> None:
        """Write stage changes as they would be published, one a line, by time, then customer,
        ladder and sequence; `progress` hears how many are written.
        """
        _write(self._engine.changes, self.changes, stream, progress)

    def write_customers(self, stream: BinaryIO, progress: Progress = lambda _: None) -> None:
        """Write each customer by id as the API gives it, as of the clock, one a line."""
        _write(self._engine.customers, self.customers, stream, progress)

    def write_dead_letters(self, stream: BinaryIO) -> None:
        """Write what was refused, and why, one JSON a line."""
        stream.writelines(msgspec.json.encode(letter) + b"\n" for letter in self.dead_letters())


def _decoded(block: Block) -> Decoded:
    return decode(block.text, block.file, block.first)


def _write(
    text: Callable[[int, int], bytes], count: int, stream: BinaryIO, progress: Progress
) -> None:
    """Write the text of all things from 0 to `count`, a piece at a time."""
    pieces = (range(count)[first : first + AT_A_TIME] for first in range(0, count, AT_A_TIME))
    for piece, written in _on_all_cores(lambda piece: text(piece.start, piece.stop), pieces):
        stream.write(written)
        progress(piece.stop)


def _on_all_cores(
    work: Callable[[Job], Result], jobs: Iterable[Job]
) -> Iterator[tuple[Job, Result]]:
    """Yield each job with its result, in order; not many more than there are cores wait."""
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    waiting: deque[tuple[Job, Future[Result]]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        for job in jobs:
            waiting.append((job, pool.submit(work, job)))
            if len(waiting) > 2 * cores:
                first, result = waiting.popleft()
                yield first, result.result()
        for job, result in waiting:
            yield job, result.result()
