"""What a worker says of its health: alive while its loop turns and partitions make progress,
ready once it joined its group and everything assigned to it is restored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiokafka.structs import TopicPartition


class Partition(Protocol):
    """Of `app.stream.partition.Partition`."""

    @property
    def state(self) -> str: ...
    @property
    def progress(self) -> Any: ...


class Assigned(Protocol):
    """Of `app.stream.assignment.Assignment`."""

    @property
    def partitions(self) -> Mapping[int, Any]: ...
    @property
    def generation(self) -> int | None: ...


class Watched(Protocol):
    """Of `app.stream.watchdog.Watchdog`."""

    @property
    def stalled(self) -> Mapping[TopicPartition, float]: ...


class Copied(Protocol):
    """Of `app.stream.standby.Standbys`."""

    @property
    def copies(self) -> Mapping[int, Any]: ...


class Readiness:
    """Health of a running worker. `ending` is set when it was told to stop."""

    def __init__(self, assigned: Assigned, watched: Watched, copied: Copied) -> None:
        self._assigned = assigned
        self._watched = watched
        self._copied = copied
        self.ending = False

    def not_alive(self) -> Sequence[str]:
        return [
            f"{tp.topic}[{tp.partition}]: no commit for {age:.0f} s though there is lag"
            for tp, age in sorted(self._watched.stalled.items())
        ]

    def not_ready(self) -> Sequence[str]:
        if self.ending:
            return ["the worker is stopping"]
        if self._assigned.generation is None:
            return ["waiting for the group to assign partitions"]
        return [
            f"partition {number} is {partition.state}"
            for number, partition in sorted(self._assigned.partitions.items())
            if partition.state != "ready"
        ]

    def partitions(self) -> Mapping[int, Mapping[str, object]]:
        copies = {
            number: {"state": "standby", "position": copy.position, "end": copy.end}
            for number, copy in list(self._copied.copies.items())
        }
        own = {number: _told(part) for number, part in list(self._assigned.partitions.items())}
        return dict(sorted({**copies, **own}.items()))


def _told(partition: Partition) -> dict[str, object]:
    told: dict[str, object] = {"state": partition.state}
    if partition.state == "restoring":
        progress = partition.progress
        told.update(
            position=progress.position,
            end=progress.end,
            customers=progress.customers,
            to_go=progress.to_go,
            per_second=progress.per_second,
        )
    return told
