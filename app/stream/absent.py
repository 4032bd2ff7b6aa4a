"""Which partitions nobody works on though the group has given them to somebody.

A worker that was killed, or cut off, is a member until its session is over, and for as long its
partitions stand still. The group does not know; so the other workers are asked themselves.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

import aiohttp

from app.api.addresses import origin

LOOK_SECONDS = 3.0
PATIENCE = aiohttp.ClientTimeout(total=3.0)


class Group(Protocol):
    """Of `app.stream.lookup.Owners`."""

    own_url: str
    partitions: int

    def owners(self) -> Mapping[int, str]: ...


class Absent:
    """`partitions` are those whose worker did not answer when it was last asked for its health.

    settled: whether the group has shared its partitions out; while it does, nothing is said.
    """

    def __init__(
        self, group: Group, trusted: ssl.SSLContext | None, settled: Callable[[], bool]
    ) -> None:
        self.partitions: Collection[int] = ()
        self._group = group
        self._trusted = trusted
        self._settled = settled

    async def run(self) -> None:
        # No proxy belongs between workers.
        async with aiohttp.ClientSession(timeout=PATIENCE, trust_env=False) as session:
            while True:
                await self.look(session)
                await asyncio.sleep(LOOK_SECONDS)

    async def look(self, session: aiohttp.ClientSession) -> None:
        owners = dict(self._group.owners()) if self._settled() else {}
        own = origin(self._group.own_url)
        there = {own}
        addresses = {number: origin(url) for number, url in owners.items()}
        others = sorted({address for address in addresses.values() if address} - there)
        answers = await asyncio.gather(*(self._answers(session, each) for each in others))
        there |= {each for each, answered in zip(others, answers, strict=True) if answered}
        if owners and owners == dict(self._group.owners()) and self._settled():
            numbers = range(self._group.partitions)
            self.partitions = [each for each in numbers if addresses.get(each) not in there]
        else:
            self.partitions = ()

    async def _answers(self, session: aiohttp.ClientSession, address: str) -> bool:
        """Whatever it says of its health: one that says something is there."""
        ours: dict[str, Any] = {} if self._trusted is None else {"ssl": self._trusted}
        try:
            async with session.get(f"{address}/health/live", allow_redirects=False, **ours):
                return True
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False
