"""Telling the group how far the stores here are, and when copies are ready to be taken over.

A worker that joins with nothing gets what it is to have as copies first. Once those have caught up
it asks the group to share out again, and then the partitions change hands in no time.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

import structlog

from app.stream.freshness import Freshness

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.5


class Copies(Protocol):
    """Of `app.stream.standby.Standbys`."""

    @property
    def copies(self) -> Any: ...
    def near(self, number: int) -> bool: ...


class Warming:
    """Looks twice a second. `app` is the host, which knows what warms up and can join again."""

    def __init__(self, app: Any, assignment: Any, copies: Copies, freshness: Freshness) -> None:
        self._app = app
        self._assignment = assignment
        self._copies = copies
        self._freshness = freshness
        self._asked: int | None = None
        """The generation that was asked to end."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        self.note()
        generation = self._assignment.generation
        warming = self._app.assignor.warming
        if not warming or generation is None or generation == self._asked:
            return
        if all(self._copies.near(number) for number in warming):
            self._asked = generation
            log.info(
                "copies have caught up, to be taken over now",
                action="standbys-warm",
                partitions=sorted(warming),
            )
            self._app.rejoin()

    def note(self) -> None:
        """Note where all open stores stand."""
        stands = {
            number: copy.position
            for number, copy in self._copies.copies.items()
            if copy.store is not None
        }
        for number, partition in self._assignment.partitions.items():
            if partition.stands_at is not None:
                stands[number] = partition.stands_at
        self._freshness.note(stands)
