"""Asks a worker's API at a steady rate that waits for nobody; a process of its own, for `asked`.

A request's time counts from the moment at which it was due. Arguments: one, the fields of `Asking`
as JSON; prints the fields of `Answered`.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from contextlib import suppress
from urllib.parse import urlsplit

import msgspec

from benchmarks.made_up import customer_id

HISTORIES = 0.2
"""The share of requests that ask for a history; the others ask for the customer."""
PATIENCE = 10.0
TURNED_AWAY = 503
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"." * 900
"""As long as that for a customer."""


class Asking(msgspec.Struct):
    """What to ask: at so many a second, for so long, of customers that are numbered.

    `url` is that of the worker; None asks a server in this process.
    """

    url: str | None
    rate: float
    seconds: float
    customers: int


class Answered(msgspec.Struct):
    """What came of it: ms from the moment a request was due to its answer.

    `turned_away` were told to come again while the worker is behind; `failed` had no answer.
    """

    p50: float
    p99: float
    most: float
    answers: int
    found: int
    turned_away: int
    failed: int


class Connection:
    """One that is kept open. Past an HTTP library: those take longer to ask than we to answer, and
    what is measured shares the machine with this.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def status_of(self, path: str) -> int:
        """Ask, and read the answer whole; 0 for none."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._ask(path)
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError):
            self.close()
            return 0

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
        self._streams = None

    async def _ask(self, path: str) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [line[15:] for line in head.split(b"\r\n") if line[:15] == b"Content-Length:"]
        await reader.readexactly(int(lengths[0]))
        return int(head[9:12])


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError, OSError):
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(ANSWER)
    writer.close()


async def ask(asking: Asking) -> Answered:
    if asking.url is not None:
        return await _ask(asking, asking.url)
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answered = await _ask(asking, f"http://127.0.0.1:{port}")
    await asyncio.sleep(0.1)  # else the server's connections are cancelled, and say so
    return answered


async def _ask(asking: Asking, url: str) -> Answered:
    draw = random.Random(1)
    waits: list[float] = []
    statuses: list[int] = []
    count = int(asking.rate * asking.seconds)
    free: list[Connection] = []

    async def one(due: float, path: str) -> None:
        connection = free.pop() if free else Connection(url)
        status = await connection.status_of(path)
        free.append(connection)
        statuses.append(status)
        if status != TURNED_AWAY:
            waits.append((time.monotonic() - due) * 1000)

    begin = time.monotonic()
    under_way: set[asyncio.Task[None]] = set()
    for number in range(count):
        due = begin + number / asking.rate
        if (ahead := due - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        path = f"/v1/customers/{customer_id(draw.randrange(asking.customers))}"
        if draw.random() < HISTORIES:
            path += "/history"
        task = asyncio.create_task(one(due, path))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    for connection in free:
        connection.close()
    waits.sort()
    return Answered(
        waits[len(waits) // 2],
        waits[int(len(waits) * 0.99)],
        waits[-1],
        len(waits),
        statuses.count(200),
        statuses.count(TURNED_AWAY),
        sum(status not in (200, 404, TURNED_AWAY) for status in statuses),
    )


if __name__ == "__main__":
    found = asyncio.run(ask(msgspec.json.decode(sys.argv[1], type=Asking)))
    print(msgspec.json.encode(found).decode())
