"""`/v1/changes` hands stage changes on as server-sent events, for as long as somebody listens."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.api_workers import Worker, workers

ODD = "climb/a\nb/1"
CHANGE = json.dumps({"id": ODD, "data": {"ladder": "climb"}}).encode()


@pytest.fixture
async def server() -> AsyncIterator[Worker]:
    async with workers(range(4)) as (one,):
        yield one


async def until_blank(answer: aiohttp.ClientResponse, events: int) -> list[list[bytes]]:
    """So many events, each a list of its lines."""
    found: list[list[bytes]] = [[]]
    while len(found) <= events:
        line = (await answer.content.readline()).rstrip(b"\n")
        if line:
            found[-1].append(line)
        else:
            found.append([])
    return found[:-1]


async def test_changes_come_as_events_with_what_was_left_out(server: Worker) -> None:
    server.changes.said = [(), (CHANGE,), 1200]
    async with aiohttp.ClientSession() as client, client.get(f"{server.url}/v1/changes") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        first, change, skipped = await until_blank(answer, 3)
    assert first == [b": still here"]
    assert change == [b"event: change", b"id: climb/a b/1", b"data: " + CHANGE]
    assert skipped == [b"event: skipped", b'data: {"count": 1200}']


async def test_only_one_ladder_can_be_followed(server: Worker) -> None:
    url = f"{server.url}/v1/changes?ladder=climb"
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        await until_blank(answer, 1)
    assert server.changes.followed == ["climb"]
    assert (await server.get("/v1/changes?ladder=none"))[0] == 404


async def test_more_than_one_worker_serves_are_asked_to_come_back(server: Worker) -> None:
    server.changes.full = True
    status, body, headers = await server.get("/v1/changes")
    assert (status, headers["Retry-After"]) == (503, "1"), body


async def test_a_worker_that_stops_ends_the_stream() -> None:
    async with aiohttp.ClientSession() as client:
        async with workers(range(4)) as (one,):
            answer = await client.get(f"{one.url}/v1/changes")
            await until_blank(answer, 1)
        assert await answer.content.read() == b""
