"""What stands between workers and brokers in a test: a road that is long, cut or blocked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.kafka.broker import Kafka

CHUNK = 1 << 16


class Detour:
    """One TCP proxy for each broker of a cluster that was made with detours.

    `delay` is in seconds and each way; while `open` is not set nothing passes, and nobody is told.
    """

    def __init__(self, cluster: Kafka) -> None:
        self.cluster = cluster
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in cluster.detours.values())
        self.delay = 0.0
        self.open = asyncio.Event()
        self.open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> int:
        """Drop every connection, as a firewall that restarts; says how many."""
        count = len(self._writers) // 2
        for writer in self._writers:
            writer.transport.abort()
        return count

    async def serve(self, port: int, behind: int) -> asyncio.Server:
        async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            # asyncio's server would report the end of a task that was cancelled as an error.
            with contextlib.suppress(asyncio.CancelledError):
                await self._carry(reader, writer, behind)
            self._tasks.discard(task)

        return await asyncio.start_server(come, "127.0.0.1", port, backlog=256)

    async def end(self) -> None:
        self.open.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, behind: int
    ) -> None:
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", behind)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, there_writer}
        self._writers |= both
        ways = [
            asyncio.create_task(self._one_way(reader, there_writer)),
            asyncio.create_task(self._one_way(there_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for each in both:
                each.transport.abort()
            self._writers -= both

    async def _one_way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1_000)

        async def leave() -> None:
            while data := await reader.read(CHUNK):
                await on_the_way.put((loop.time() + self.delay, data))
            await on_the_way.put((0.0, b""))

        leaving = asyncio.create_task(leave())
        try:
            with contextlib.suppress(OSError):
                while True:
                    due, data = await on_the_way.get()
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    await self.open.wait()
                    if not data:
                        return
                    writer.write(data)
                    await writer.drain()
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)


@asynccontextmanager
async def detour(cluster: Kafka) -> AsyncIterator[Detour]:
    """Workers that are given its `bootstrap` reach every broker through it, and no other way."""
    made = Detour(cluster)
    servers = [
        await made.serve(port, cluster.behind[node]) for node, port in cluster.detours.items()
    ]
    try:
        yield made
    finally:
        for server in servers:
            server.close()
        await made.end()
