"""What is declared to Faust: the table, and one thin agent for each input topic."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from app.stream.host import LadderApp

CUSTOMERS = "customers"
"""Its changelog is the topic <app id>-customers-changelog."""


def declare(
    app: LadderApp, sources: Iterable[str], partitions: int, deliver: Callable[[Any], None]
) -> None:
    """The customers table, for its changelog's place in the assignment, and one agent a topic.

    An agent hands every fetch on at once and never waits: a partition that is busy must not hold
    up its neighbours.
    """
    app.Table(CUSTOMERS, partitions=partitions, key_type=bytes, value_type=bytes)

    async def hand_on(fetches: Any) -> None:
        async for fetch in fetches:
            deliver(fetch)

    for source in sources:
        channel = app.topic(
            source, key_type=None, value_type=None, key_serializer="raw", value_serializer="raw"
        )
        app.agent(channel, name=f"intake of {source}", concurrency=1)(hand_on)
