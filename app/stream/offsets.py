"""Where a partition starts to read its topics: at what was committed with its last batch."""

from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from app.errors import OffsetsLost, RememberedSettingsDiffer
from app.stream.remembered import WAY_OUT

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
    return {
        tp: _checked(tp, committed[tp], kept.get(tp.topic), begins[tp], ends[tp]) for tp in sources
    }


def _checked(
    tp: TopicPartition, committed: int | None, kept: int | None, begin: int, end: int
) -> int:
    start = committed if committed is not None else kept
    if start is None:
        return begin
    place = f"{tp.topic}[{tp.partition}]"
    if start < begin:
        raise OffsetsLost(
            f"{place}: the records from offset {start} up to {begin} were deleted before they were "
            "read (retention was shorter than the outage). To go on without them, set the group's "
            "offset to what is left (kafka-consumer-groups --reset-offsets); or take a new "
            "LADDER_APP_ID and replay (docs/operating.md says how)"
        )
    if start > end:
        raise OffsetsLost(
            f"{place}: offset {start} comes next, but the topic ends at {end}: it was made anew or "
            "has lost records. Set the group's offset to where to go on "
            "(kafka-consumer-groups --reset-offsets), or take a new LADDER_APP_ID and replay "
            "(docs/operating.md says how)"
        )
    return start
