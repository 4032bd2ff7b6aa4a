"""Partitions being opened: side by side, and on through a rebalance that leaves them here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiokafka.structs import TopicPartition

Positions = Mapping[TopicPartition, int]


class Openings:
    """One opening at most for each partition number, `at_once` of them at the same time."""

    def __init__(self, at_once: int) -> None:
        self._tasks: dict[int, asyncio.Task[Positions]] = {}
        self._ending: dict[int, set[asyncio.Task[Positions]]] = {}
        self._at_once = asyncio.Semaphore(at_once)

    def __contains__(self, number: int) -> bool:
        """Whether one is under way, or ended and nobody took its result."""
        return number in self._tasks

    async def result(self, number: int, begin: Callable[[], Awaitable[Positions]]) -> Positions:
        """Where the partition starts, from the opening under way or else a new one.

        Whoever waits may be cancelled: the opening goes on and is there for the next to ask.
        """
        if number not in self._tasks:
            self._tasks[number] = asyncio.create_task(self._run(number, begin))
        task = self._tasks[number]
        try:
            return await asyncio.shield(task)
        finally:
            if task.done() and self._tasks.get(number) is task:
                del self._tasks[number]

    async def give_up(self, number: int) -> None:
        """Cancel it, and return when it has ended; no new one begins before, whoever waits here."""
        task = self._tasks.pop(number, None)
        if task is not None:
            ending = self._ending.setdefault(number, set())
            ending.add(task)
            task.add_done_callback(ending.discard)
            task.cancel()
        await self._ended(number)

    async def give_up_all(self) -> None:
        await asyncio.gather(*(self.give_up(number) for number in list(self._tasks)))

    async def _ended(self, number: int) -> None:
        if ending := self._ending.get(number):
            await asyncio.wait(list(ending))

    async def _run(self, number: int, begin: Callable[[], Awaitable[Positions]]) -> Positions:
        await self._ended(number)
        async with self._at_once:
            return await begin()
