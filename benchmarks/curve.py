"""How far a program has come and what it took, seen from outside: the group's committed offsets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from benchmarks.child import Usage, said
from benchmarks.figures import Round

LOOK_SECONDS = 0.1
PATIENCE = 90.0
"""Seconds without any progress after which a measurement is given up."""


class Seen(NamedTuple):
    """At a moment (monotonic seconds): events committed, processor seconds, bytes of memory."""

    at: float
    done: int
    cpu: float
    rss: int


class Watched(Protocol):
    """One program, or several as one."""

    name: str
    log: Path

    def usage(self) -> Usage: ...


class Curve:
    """What was seen of a program while it took in `total` events."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.seen: list[Seen] = []

    def figures(self) -> Round:
        """Give speed from the first commit to the last but one, and over the second half of that.

        The last commit may come long after the last event, where commits are seconds apart.
        """
        commits = [
            now
            for before, now in zip([None, *self.seen], self.seen, strict=False)
            if now.done and (before is None or now.done > before.done)
        ]
        if len(commits) > 4:
            commits.pop()
        first, last = commits[0], commits[-1]
        memory = {"RSS MB": max(each.rss for each in self.seen) / 1e6}
        if last.done == first.done:
            return memory  # all of it in one commit: too little to tell a speed
        half = next(each for each in commits if each.done >= (first.done + last.done) / 2)
        # Too few commits may be seen to tell the second half by itself.
        second = {"events/s, second half": _speed(half, last)} if half is not last else {}
        return {
            "events/s": _speed(first, last),
            **second,
            "CPU s per million": (last.cpu - first.cpu) / (last.done - first.done) * 1e6,
            **memory,
        }


def _speed(one: Seen, other: Seen) -> float:
    return (other.done - one.done) / (other.at - one.at) if other.at > one.at else 0.0


async def follow(
    client: Mapping[str, Any], child: Watched, group: str, topics: Collection[str], total: int
) -> Curve:
    """Look at a running program until everything is committed; topics begin at offset 0.

    Raises TimeoutError when it stands still, ChildEnded when it ends.
    """
    curve = Curve(total)
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        moved = time.monotonic()
        while not curve.seen or curve.seen[-1].done < total:
            done = await _committed(admin, group, topics)
            seen = Seen(time.monotonic(), done, *child.usage())
            if not curve.seen or done > curve.seen[-1].done:
                moved = seen.at
            elif seen.at - moved > PATIENCE:
                raise TimeoutError(
                    f"{child.name} stands still at {done} of {total}, {said(child.log)}"
                )
            curve.seen.append(seen)
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await admin.close()
    return curve


async def first_commit(
    client: Mapping[str, Any], child: Watched, group: str, topics: Collection[str]
) -> float:
    """Return the moment (monotonic) at which the first events were seen to be committed.

    Raises TimeoutError, ChildEnded.
    """
    admin = AIOKafkaAdminClient(**client)
    await admin.start()
    try:
        began = time.monotonic()
        while not await _committed(admin, group, topics):
            child.usage()
            if time.monotonic() - began > PATIENCE:
                raise TimeoutError(f"{child.name} commits nothing, {said(child.log)}")
            await asyncio.sleep(LOOK_SECONDS / 2)
        return time.monotonic()
    finally:
        await admin.close()


async def _committed(admin: Any, group: str, topics: Collection[str]) -> int:
    try:
        found = await admin.list_consumer_group_offsets(group)
    except KafkaError:
        return 0  # the broker is only now making its topic of offsets
    return sum(max(0, at.offset) for tp, at in found.items() if tp.topic in topics)
