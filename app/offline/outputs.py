"""What a backtest writes, one JSON a line: stage changes, customers, dead letters (contract 8)."""

from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO

import msgspec

from app.core.change import Change
from app.core.explain import describe
from app.offline.backtest import Backtest, DeadLetter
from app.wire import stage_change

CHUNK = 4096
"""Lines that are written, and told of, at a time."""


def in_order(changes: Iterable[Change]) -> list[Change]:
    """Sort by time, then customer, ladder and sequence."""
    return sorted(
        changes, key=lambda change: (change.time, change.customer, change.ladder, change.sequence)
    )


def write_changes(
    stream: BinaryIO,
    changes: Sequence[Change],
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Write stage changes as they would be published; `progress` hears how many are done."""
    encode = stage_change.encode
    for start in range(0, len(changes), CHUNK):
        part = [encode(change) for change in changes[start : start + CHUNK]]
        part.append(b"")
        stream.write(b"\n".join(part))
        progress(start + len(part) - 1)


def write_customers(
    stream: BinaryIO, backtest: Backtest, progress: Callable[[int], None] = lambda done: None
) -> None:
    """Write each customer by id as the API gives it, as of the clock."""
    encode = msgspec.json.encode
    for done, slot in enumerate(backtest.customers(), 1):
        view = describe(backtest.rules, slot, slot.id, backtest.clock or 0, backtest.ranking)
        stream.write(encode(view) + b"\n")
        if not done % CHUNK:
            progress(done)


def write_dead_letters(stream: BinaryIO, letters: Iterable[DeadLetter]) -> None:
    """Write what was refused, and why."""
    stream.writelines(msgspec.json.encode(letter) + b"\n" for letter in letters)
