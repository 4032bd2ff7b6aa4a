"""Where a partition starts to read its topics: at what was committed with its last batch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from app.errors import OffsetsLost, RememberedSettingsDiffer
from app.stream.remembered import START_ANEW, WAY_OUT

log = structlog.get_logger(__name__)

Positions = dict[TopicPartition, int]
Reach = Mapping[TopicPartition, tuple[int, int]]
"""From where to where a partition of a topic has records."""


def refuse_left_behind(kept: Mapping[str, int], sources: Iterable[TopicPartition]) -> None:
    """Raises RememberedSettingsDiffer when the state has read a topic that is read no more.

    Input topics are remembered by themselves, so it is most likely the handovers': what is on its
    way there, whole records among it, would never arrive.
    """
    left = sorted(kept.keys() - {tp.topic for tp in sources})
    if left:
        raise RememberedSettingsDiffer(
            f"the state was made with {', '.join(left)}, which is read no more (LADDER_TOPICS and "
            f"LADDER_HANDOVERS name what is read): what waits there would be lost. {WAY_OUT}"
        )


class Gap(NamedTuple):
    """Records that come next and are gone; the topic has those from `begin` up to `end`."""

    tp: TopicPartition
    next: int
    begin: int
    end: int

    def __str__(self) -> str:
        place = f"{self.tp.topic}[{self.tp.partition}]"
        if self.next < self.begin:
            return (
                f"{place}: the records from offset {self.next} up to {self.begin} were deleted "
                "before they were read (retention was shorter than the outage)"
            )
        return (
            f"{place}: offset {self.next} comes next, but the topic ends at {self.end}: it has "
            f"lost records, or was made anew (then go on at {self.begin})"
        )

    @property
    def goes_on_at(self) -> int:
        """Of a topic that is shorter than it was, all that is left was read already."""
        return self.begin if self.next < self.begin else self.end


async def starting_points(
    client: Mapping[str, Any],
    group: str,
    sources: Iterable[TopicPartition],
    kept: Mapping[str, int],
    partitions: int,
) -> Positions:
    """Return where each source goes on: the group's offset, else the one kept with the state.

    `partitions` is how many each topic has. What has neither starts at its begin. Raises
    OffsetsLost when records that come next are gone; it tells of all partitions of these topics
    then, so that one stop of all workers mends all.
    """
    sources = list(sources)
    async with _member(client, group) as consumer:
        committed, reach = await _look(consumer, sources)
        if kept and all(offset is None for offset in committed.values()):
            log.warning(
                "the group's offsets are gone, those kept with the state are used",
                action="offsets-taken-from-state",
                group=group,
            )
        starts = {
            tp: _start(committed[tp], kept.get(tp.topic), begin) for tp, (begin, _) in reach.items()
        }
        if lost := _gaps(starts, reach):
            topics = [tp.topic for tp in sources]
            others = [tp for tp in _places(topics, partitions) if tp not in starts]
            lost += await _not_read(consumer, others)
            raise _told(client, group, lost)
    return starts


def _places(topics: Iterable[str], partitions: int) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics for number in range(partitions)]


async def _not_read(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]) -> list[Gap]:
    """The gaps there, as far as the group's offsets tell."""
    committed, reach = await _look(consumer, places)
    starts = {tp: offset for tp, offset in committed.items() if offset is not None}
    return _gaps(starts, reach)


def _member(client: Mapping[str, Any], group: str) -> AIOKafkaConsumer:
    """Reads the group's offsets and takes no part in it."""
    return AIOKafkaConsumer(
        **client,
        group_id=group,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="none",
    )


async def _look(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]
) -> tuple[dict[TopicPartition, int | None], Reach]:
    consumer.assign(places)
    begins = await consumer.beginning_offsets(places)
    ends = await consumer.end_offsets(places)
    committed = {tp: await consumer.committed(tp) for tp in places}
    return committed, {tp: (begins[tp], ends[tp]) for tp in places}


def _gaps(starts: Mapping[TopicPartition, int], reach: Reach) -> list[Gap]:
    gaps = (Gap(tp, start, *reach[tp]) for tp, start in starts.items())
    return [gap for gap in gaps if not gap.begin <= gap.next <= gap.end]


def _told(client: Mapping[str, Any], group: str, gaps: Iterable[Gap]) -> OffsetsLost:
    ordered = sorted(gaps)
    resets = "\n".join(reset(client, group, gap.tp, gap.goes_on_at) for gap in ordered)
    return OffsetsLost(
        "\n".join(map(str, ordered)) + "\nTo go on with what is left and without these, "
        f"stop all workers, run\n{resets}\nand start them again; or {START_ANEW}"
    )


def reset(client: Mapping[str, Any], group: str, tp: TopicPartition, offset: int) -> str:
    """Return Kafka's own command that makes a group go on at an offset."""
    return (
        f"kafka-consumer-groups --bootstrap-server {client['bootstrap_servers']} --group {group} "
        f"--topic {tp.topic}:{tp.partition} --reset-offsets --to-offset {offset} --execute"
    )


def _start(committed: int | None, kept: int | None, begin: int) -> int:
    if committed is not None:
        return committed
    return begin if kept is None else kept
