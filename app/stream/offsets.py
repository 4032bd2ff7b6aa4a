"""Where a partition starts to read its topics: at what was committed with its last batch."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from app.errors import OffsetsLost, RememberedSettingsDiffer
from app.stream.remembered import START_ANEW, WAY_OUT

log = structlog.get_logger(__name__)

Positions = dict[TopicPartition, int]


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


async def starting_points(
    client: Mapping[str, Any],
    group: str,
    sources: Iterable[TopicPartition],
    kept: Mapping[str, int],
) -> Positions:
    """Return where each source goes on: the group's offset, else the one kept with the state.

    What has neither starts at its begin. Raises OffsetsLost when records that come next are gone.
    """
    sources = list(sources)
    async with AIOKafkaConsumer(
        **client,
        group_id=group,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="none",
    ) as consumer:
        consumer.assign(sources)
        begins = await consumer.beginning_offsets(sources)
        ends = await consumer.end_offsets(sources)
        committed = {tp: await consumer.committed(tp) for tp in sources}
    if kept and all(offset is None for offset in committed.values()):
        log.warning(
            "the group's offsets are gone, those kept with the state are used",
            action="offsets-taken-from-state",
            group=group,
        )
    starts = {tp: _start(committed[tp], kept.get(tp.topic), begins[tp]) for tp in sources}
    lost = [_lost(tp, start, begins[tp], ends[tp]) for tp, start in starts.items()]
    if any(lost):
        # Of a topic that is shorter than it was, all that is left was read already.
        moved = {
            tp: begins[tp] if starts[tp] < begins[tp] else ends[tp]
            for tp, what in zip(sources, lost, strict=True)
            if what
        }
        resets = "\n".join(reset(client, group, tp, at) for tp, at in moved.items())
        raise OffsetsLost(
            "\n".join(filter(None, lost)) + "\nTo go on with what is left and without these, "
            f"stop all workers, run\n{resets}\nand start them again; or {START_ANEW}"
        )
    return starts


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


def _lost(tp: TopicPartition, start: int, begin: int, end: int) -> str | None:
    place = f"{tp.topic}[{tp.partition}]"
    if start < begin:
        return (
            f"{place}: the records from offset {start} up to {begin} were deleted before they were "
            "read (retention was shorter than the outage)"
        )
    if start > end:
        return (
            f"{place}: offset {start} comes next, but the topic ends at {end}: it has lost "
            f"records, or was made anew (then go on at {begin})"
        )
    return None
