"""What a worker says of its health: alive while its loop turns and partitions make progress,
ready while it is a member of its group and everything assigned to it is restored.

What keeps partitions from being worked on without being this worker's fault is told besides: that
Kafka does not answer, or that another worker does not. Only when Kafka has been silent for longer
than a session, the group may have given to others what this one had; then it is not ready.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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


class Kafka(Protocol):
    """Of `app.stream.contact.Contact`."""

    @property
    def away(self) -> float | None: ...
    def silent(self) -> Mapping[TopicPartition, float]: ...


class Others(Protocol):
    """Of `app.stream.absent.Absent`."""

    @property
    def partitions(self) -> Collection[int]: ...


MOST_NAMED = 20
"""Partitions of which the numbers are told; of more their count says enough."""


class Readiness:
    """Health of a running worker. `ending` is set when it was told to stop.

    session: seconds after which the group takes a member that it does not hear for gone.
    """

    def __init__(
        self,
        assigned: Assigned,
        watched: Watched,
        copied: Copied,
        kafka: Kafka,
        others: Others,
        session: float,
    ) -> None:
        self._assigned = assigned
        self._watched = watched
        self._copied = copied
        self._kafka = kafka
        self._others = others
        self._session = session
        self.ending = False

    def not_alive(self) -> Sequence[str]:
        return [
            f"{tp.topic}[{tp.partition}]: no commit for {age:.0f} s though there is lag"
            for tp, age in sorted(self._watched.stalled.items())
        ]

    def not_ready(self) -> Sequence[str]:
        if self.ending:
            return ["the worker is stopping"]
        away = self._kafka.away
        told = []
        if away is not None and away > self._session:
            told.append(
                f"Kafka has not answered for {away:.0f} s, longer than a session "
                f"({self._session:g} s): the group may have given its partitions to others"
            )
        if self._assigned.generation is None:
            return [*told, "waiting for the group to assign partitions"]
        return told + [
            f"partition {number} is {partition.state}"
            for number, partition in sorted(self._assigned.partitions.items())
            if partition.state != "ready"
        ]

    def concerns(self) -> Sequence[str]:
        return [*self._of_kafka(), *self._of_others()]

    def _of_kafka(self) -> Iterator[str]:
        away = self._kafka.away
        if away is not None:
            if away <= self._session:
                yield f"Kafka has not answered for {away:.0f} s"
        elif silent := self._kafka.silent():
            numbers = _numbers({tp.partition for tp in silent})
            age = max(silent.values())
            yield f"{numbers}: the brokers that lead them have not answered for {age:.0f} s"

    def _of_others(self) -> Iterator[str]:
        if absent := self._others.partitions:
            yield (
                f"{_numbers(absent)}: the worker that has them does not answer, "
                "so perhaps nobody works on them"
            )

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


def _numbers(numbers: Iterable[int]) -> str:
    found = sorted(numbers)
    if len(found) > MOST_NAMED:
        return f"{len(found)} partitions"
    return f"{'partition' if len(found) == 1 else 'partitions'} {', '.join(map(str, found))}"
