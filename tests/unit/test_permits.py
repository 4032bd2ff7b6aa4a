"""Few partitions are at work at a time, and one that hangs keeps nobody from working."""

from __future__ import annotations

import asyncio

from app.stream.permits import Permits


async def turns(times: int = 10) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


class Guest:
    """Comes in when it may, and stays until it is let out."""

    def __init__(self, permits: Permits) -> None:
        self.inside = asyncio.Event()
        self._out = asyncio.Event()
        self._task = asyncio.create_task(self._visit(permits))

    async def _visit(self, permits: Permits) -> None:
        async with permits.one():
            self.inside.set()
            await self._out.wait()

    async def leave(self) -> None:
        self._out.set()
        await self._task


async def test_no_more_than_so_many_are_inside_and_the_next_follows_who_leaves() -> None:
    permits = Permits(2, patience=60.0)
    first, second, third = (Guest(permits) for _ in range(3))
    await turns()
    assert [each.inside.is_set() for each in (first, second, third)] == [True, True, False]
    await first.leave()
    await third.inside.wait()
    await second.leave()
    await third.leave()


async def test_one_that_hangs_keeps_nobody_out_and_gives_back_what_it_had_but_once() -> None:
    permits = Permits(1, patience=0.01)
    hangs = Guest(permits)
    await hangs.inside.wait()
    second = Guest(permits)
    await asyncio.wait_for(second.inside.wait(), 10)
    await hangs.leave()
    await second.leave()
    permits._patience = 60.0
    third, fourth = Guest(permits), Guest(permits)
    await turns()
    assert (third.inside.is_set(), fourth.inside.is_set()) == (True, False)
    await third.leave()
    await fourth.leave()
