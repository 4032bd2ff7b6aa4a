"""Asks a worker's API at a steady rate that waits for nobody; a process of its own, for `asked`.

A request's time counts from the moment at which it was due. Arguments: one, the fields of `Asking`
as JSON; prints the fields of `Answered`.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time

import aiohttp
import msgspec

from benchmarks.made_up import customer_id

HISTORIES = 0.2
"""The share of requests that ask for a history; the others ask for the customer."""
CONNECTIONS = 32
PATIENCE = 10.0
TURNED_AWAY = 503


class Asking(msgspec.Struct):
    """What to ask: at so many a second, for so long, of customers that are numbered."""

    url: str
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


async def ask(asking: Asking) -> Answered:
    draw = random.Random(1)
    waits: list[float] = []
    statuses: list[int] = []
    count = int(asking.rate * asking.seconds)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:

        async def one(due: float, path: str) -> None:
            try:
                async with client.get(asking.url + path) as answer:
                    await answer.read()
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError, OSError):
                status = 0
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
