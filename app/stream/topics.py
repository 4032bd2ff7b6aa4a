"""Every topic, declared once: what it is for, and the settings without which it is not safe.

`ladder topics create` makes them, `ladder topics check` and a starting worker compare them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.settings import Settings
from app.stream.remembered import START_ANEW

DAY_MS = 86_400_000
INPUT_RETENTION_DAYS = 30
"""How long an outage may be before events are lost; a shop may well keep its history longer."""
HANDOVER_RETENTION_DAYS = 7
DEAD_LETTER_RETENTION_DAYS = 30
TOMBSTONE_RETENTION_DAYS = 7
"""For so long the changelog still says that a record was deleted. A store that stood still for
more than half of it may have missed a deletion and is rebuilt."""
LARGEST_INPUT = 1_048_588
"""Bytes of a batch, Kafka's own default."""
LARGEST_OUTPUT = 2 * 1_048_576
"""A dead letter is its record and our headers, so it must be let through where the record was."""
LEAST_OUTPUT = 1_000_000
"""What a topic must take: a stage change, a customer's record, and a merge, which carries one with
the ids that have passed it on and the event. Dead letters can be made smaller."""


@dataclass(frozen=True)
class Topic:
    """A topic as it must be; config is what Kafka's defaults do not give."""

    name: str
    kind: Literal["input", "changes", "dead letters", "handovers", "changelog"]
    direction: Literal["in", "out", "internal"]
    key: str
    what: str
    partitions: int
    config: Mapping[str, str]

    @property
    def compacted(self) -> bool:
        return self.config["cleanup.policy"] == "compact"


@dataclass(frozen=True)
class Found:
    """A topic as the cluster has it; config lacks what we may not ask about."""

    partitions: int
    config: Mapping[str, str]


def _kept(days: int, largest: int = LARGEST_OUTPUT) -> dict[str, str]:
    return {
        **_BY_ARRIVAL,
        "cleanup.policy": "delete",
        "retention.ms": str(days * DAY_MS),
        "max.message.bytes": str(largest),
    }


_BY_ARRIVAL = {
    # Retention counts from the arrival. By the shop's own timestamps a replay of history, with
    # times years back, would be deleted before it is read; and of a worker whose clock jumped an
    # hour ahead brokers would take nothing.
    "message.timestamp.type": "LogAppendTime",
}
_INPUT = _kept(INPUT_RETENTION_DAYS, LARGEST_INPUT)
_CHANGELOG = {
    **_BY_ARRIVAL,
    "cleanup.policy": "compact",
    "delete.retention.ms": str(TOMBSTONE_RETENTION_DAYS * DAY_MS),
    # Only closed segments are compacted: small ones keep a restore near the size of the state.
    "segment.bytes": str(64 * 1_048_576),
    "segment.ms": str(DAY_MS // 4),
    "min.cleanable.dirty.ratio": "0.3",
    # An erased customer is gone from the disk after a day, however quiet the topic is.
    "max.compaction.lag.ms": str(DAY_MS),
    "max.message.bytes": str(LARGEST_OUTPUT),
}


def declared(settings: Settings, ladders: Iterable[str]) -> tuple[Topic, ...]:
    """All topics for these settings and ladder ids, in the order of the contract's table."""

    def topic(name: str, kind: Any, direction: Any, key: str, what: str, config: Any) -> Topic:
        return Topic(name, kind, direction, key, what, settings.partitions, config)

    customer = "customer id"
    changes = _kept(settings.retention_days)
    return (
        *(
            topic(name, "input", "in", customer, "events", _INPUT)
            for name in settings.topics
        ),
        *(
            topic(settings.changes_topic(ladder), "changes", "out", customer,
                  f"each move on the ladder {ladder}", changes)
            for ladder in ladders
        ),
        topic(settings.dead_letters, "dead letters", "out", "as received",
              "what could not be applied, bytes untouched", _kept(DEAD_LETTER_RETENTION_DAYS)),
        topic(settings.handovers, "handovers", "internal", "customer id; of a credit its SHA-256",
              "what one customer's record owes another's", _kept(HANDOVER_RETENTION_DAYS)),
        topic(settings.changelog, "changelog", "internal", "internal",
              "the customers' records", _CHANGELOG),
    )  # fmt: skip


def with_copies(topic: Topic, copies: int) -> dict[str, str]:
    """The topic's settings for so many copies: with three, two must have every record."""
    if copies < 3:
        return dict(topic.config)
    return {**topic.config, "min.insync.replicas": "2"}


def problems(topics: Sequence[Topic], found: Mapping[str, Found]) -> list[str]:
    """One sentence for each topic that is missing or would do harm as it is."""
    sentences = []
    for topic in topics:
        there = found.get(topic.name)
        if there is None:
            sentences.append(f"{topic.name} is missing: `ladder topics create` makes it")
            continue
        if there.partitions != topic.partitions:
            other = other_partitions(topic.name, there.partitions, topic.partitions)
            sentences.append(other)
        cleanup = there.config.get("cleanup.policy", topic.config["cleanup.policy"])
        if cleanup != "compact" if topic.compacted else "compact" in cleanup:
            sentences.append(_cleanup(topic, cleanup))
        takes = there.config.get("max.message.bytes") or str(LEAST_OUTPUT)
        if topic.kind not in ("input", "dead letters") and int(takes) < LEAST_OUTPUT:
            sentences.append(
                f"{topic.name} has max.message.bytes={takes} and must have {LEAST_OUTPUT} or more: "
                "what a worker writes there would be refused, and end it"
            )
    return sentences


def differences(topics: Sequence[Topic], found: Mapping[str, Found]) -> list[str]:
    """One sentence for each setting that an operator has, or may have, changed on purpose."""
    return [
        f"{topic.name} has {name}={found[topic.name].config[name]}, not {value}"
        for topic in topics
        if topic.name in found
        for name, value in topic.config.items()
        if name != "cleanup.policy" and found[topic.name].config.get(name, value) != value
    ]


def other_partitions(name: str, has: int, must: int) -> str:
    """Return what is wrong with such a topic; the brokers take no partition away again."""
    return (
        f"{name} has {_counted(has)} and must have {must}, like all others: make it anew, or set "
        f"LADDER_PARTITIONS={has} if all have so many and nothing was counted yet; else "
        f"{START_ANEW}"
    )


def _cleanup(topic: Topic, cleanup: str) -> str:
    harm = (
        "customers' records would be deleted while they are needed"
        if topic.compacted
        else "all but the last record of each customer would be deleted"
    )
    return (
        f"{topic.name} has cleanup.policy={cleanup} and must have "
        f"{topic.config['cleanup.policy']}: {harm}"
    )


def _counted(partitions: int) -> str:
    return f"{partitions} partition" + ("" if partitions == 1 else "s")
