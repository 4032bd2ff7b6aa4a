"""What happens to a fetch in the main loop: it reaches its partition, in order and without a hole.

Where every partition of a topic stands is kept here too, and what moves it is asked for here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from aiokafka.structs import TopicPartition

from app.stream.fetched import Record


class Fetch(msgspec.Struct, frozen=True):
    """What one partition of a topic gave: records, and where it stands after them.

    `generation` tells which assignment it belongs to and `epoch` which seek; `start` and `end`
    are fetch positions (transaction markers take offsets too, so `records` may be empty);
    `stable` is the last stable offset.
    """

    tp: TopicPartition
    records: Sequence[Record]
    generation: int
    epoch: int
    start: int
    end: int
    stable: int | None


class Sought(msgspec.Struct, frozen=True):
    """Where a partition of a topic was put: from here on only fetches of `epoch` count."""

    epoch: int
    position: int
    stable: int


class Thread(Protocol):
    """Of `app.stream.intake.ConsumerThread`: `place` runs in it, the others from any thread."""

    async def call_thread(self, work: Callable[..., Any], *arguments: Any) -> Any: ...
    async def place(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, Sought]:
        """Run by `call_thread`."""

    def later(self, change: Callable[..., object], *arguments: object) -> None: ...
    def flow(self, tp: TopicPartition, epoch: int) -> None: ...
    def stem(self, tp: TopicPartition) -> None: ...


class Delivery:
    """The main loop's side: where every partition of a topic stands, and what moves it.

    `deliver` is the only place at which records reach a partition. It drops what belongs to an
    older seek, and stops everything when a fetch does not begin where the one before ended.
    """

    def __init__(self, thread: Callable[[], Thread]) -> None:
        self._thread = thread
        self._at: dict[TopicPartition, Sought] = {}

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        """Consume from here, once resumed. Until then these partitions are still."""
        thread = self._thread()
        self._at.update(await thread.call_thread(thread.place, positions))

    def resume(self, tp: TopicPartition) -> None:
        if tp in self._at:
            thread = self._thread()
            thread.later(thread.flow, tp, self._at[tp].epoch)

    def pause(self, tp: TopicPartition) -> None:
        thread = self._thread()
        thread.later(thread.stem, tp)

    def end_of(self, tp: TopicPartition) -> int | None:
        """The last stable offset seen with the fetch that was delivered last."""
        at = self._at.get(tp)
        return None if at is None else at.stable

    def position_of(self, tp: TopicPartition) -> int | None:
        """The offset after everything that was delivered, transaction markers included."""
        at = self._at.get(tp)
        return None if at is None else at.position

    def forget(self) -> None:
        """What is still on its way belongs to an assignment that is over."""
        self._at.clear()

    def deliver(
        self, fetch: Fetch, offer: Callable[[TopicPartition, Sequence[Record]], None]
    ) -> None:
        at = self._at.get(fetch.tp)
        if at is None or at.epoch != fetch.epoch:
            return
        if fetch.start != at.position:
            raise RuntimeError(
                f"{fetch.tp.topic}[{fetch.tp.partition}]: a fetch begins at {fetch.start} where "
                f"{at.position} was due: records would be skipped"
            )
        stable = at.stable if fetch.stable is None else fetch.stable
        self._at[fetch.tp] = Sought(fetch.epoch, fetch.end, stable)
        offer(fetch.tp, fetch.records)
