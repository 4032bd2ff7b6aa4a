"""What each kind of client must be allowed on the cluster, derived from the declared topics.

Reading or writing a topic includes describing it; that configurations may be described lets a
start see that no topic would lose what is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.settings import Settings
from app.stream.topics import Topic

Role = Literal["worker", "operator", "backend", "reader"]
ROLES: dict[Role, str] = {
    "worker": "`ladder worker`",
    "operator": "`ladder topics`, `emit`, `watch` and `dead-letters`",
    "backend": "sends events to the input topics",
    "reader": "acts on stage changes",
}
_LOOK = ("Describe", "DescribeConfigs")
_OF_TOPICS: dict[Role, dict[str, tuple[str, ...]]] = {
    "worker": {
        "input": ("Read", *_LOOK),
        # Read, too: the history of a customer is rebuilt from them.
        "changes": ("Read", "Write", *_LOOK),
        "dead letters": ("Write", *_LOOK),
        "handovers": ("Read", "Write", *_LOOK),
        "changelog": ("Read", "Write", *_LOOK),
    },
    "operator": {
        "input": ("Create", "Write", *_LOOK),
        "changes": ("Create", "Read", *_LOOK),
        "dead letters": ("Create", "Read", *_LOOK),
        "handovers": ("Create", *_LOOK),
        "changelog": ("Create", *_LOOK),
    },
    "backend": {"input": ("Write",)},
    "reader": {"changes": ("Read",)},
}


@dataclass(frozen=True)
class Allowed:
    """Operations on resources of one kind; with `prefixed` the names are beginnings of names."""

    resource: Literal["topic", "group", "transactional-id"]
    names: tuple[str, ...]
    operations: tuple[str, ...]
    prefixed: bool = False


def needed(
    role: Role, settings: Settings, declared: Sequence[Topic], group: str
) -> tuple[Allowed, ...]:
    """Everything that this role needs and nothing else; group: that of a reader."""
    by_operations: dict[tuple[str, ...], list[str]] = {}
    for topic in declared:
        operations = _OF_TOPICS[role].get(topic.kind)
        if operations is not None:
            by_operations.setdefault(operations, []).append(topic.name)
    topics = [Allowed("topic", tuple(names), each) for each, names in by_operations.items()]
    if role == "worker":
        topics += [
            Allowed("group", (settings.app_id,), ("Read",)),
            # <app id>-<partition>, and what a partition's offsets are read and moved with.
            Allowed("transactional-id", (f"{settings.app_id}-",), ("Write",), prefixed=True),
        ]
    if role == "reader":
        topics.append(Allowed("group", (group,), ("Read",)))
    return tuple(topics)
