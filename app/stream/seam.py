"""What a partition asks of whoever hosts it, and what it is given to work with."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from aiokafka.structs import TopicPartition

from app.core.rules import Rules
from app.ops.registry import Metrics
from app.ops.traces import HandedOn, NewTrail
from app.stream.faults import Faults
from app.stream.history import Turns
from app.stream.permits import Permits
from app.stream.shared import Shared
from app.stream.sizes import Sizes


class Host(Protocol):
    """Brings records to a partition and can be asked to wait, or to go back."""

    def seek(self, positions: Mapping[TopicPartition, int]) -> Awaitable[None]:
        """Consume from here; what was fetched before is dropped, nothing flows until resumed."""

    def pause(self, tp: TopicPartition) -> None:
        """Fetch no more; what is on its way may still come."""

    def resume(self, tp: TopicPartition) -> None:
        """Fetch again."""

    def end_of(self, tp: TopicPartition) -> int | None:
        """Return the last stable offset seen, None if unknown."""

    def position_of(self, tp: TopicPartition) -> int | None:
        """Return the offset after everything offered so far, transaction markers included."""

    def failed(self, number: int, error: BaseException) -> None:
        """Give up: the worker has to stop."""


def wall_clock() -> int:
    """Return µs since 1970."""
    return time.time_ns() // 1000


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What all partitions of a process have in common.

    topics: the input topics in their order; client: arguments for every aiokafka client;
    tombstones: seconds for which the changelog keeps deletions; sizes: what each topic takes;
    filling: how many new stores may be
    filled at a time, so that the first is ready soon; remembered: the note that goes
    with committed offsets; transactions: how many may be open at a time; piece: held by whoever
    does a piece of work, so that between any two pieces the loop comes round; batch: the most
    records of one transaction.
    """

    group: str
    topics: tuple[str, ...]
    handovers: str
    dead_letters: str
    changes_prefix: str
    changelog: str
    partitions: int
    data_dir: Path
    event_clock: bool
    merge_wait: float
    remembered: str
    rules: Rules
    client: Mapping[str, Any]
    tombstones: int
    metrics: Metrics
    sizes: Sizes = field(default_factory=Sizes)
    shared: Shared = field(default_factory=Shared)
    turns: Turns = field(default_factory=Turns)
    transactions: Permits = field(default_factory=Permits)
    piece: asyncio.Lock = field(default_factory=asyncio.Lock)
    filling: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    batch: int = 2000
    trail: NewTrail = HandedOn
    faults: Faults = field(default_factory=lambda: Faults({}))
    now: Callable[[], int] = wall_clock
