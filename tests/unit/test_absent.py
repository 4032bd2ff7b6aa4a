"""Partitions are worked on by nobody when the worker that has them does not answer."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from app.stream.absent import Absent

OWN = "http://127.0.0.1:1"


class Rig:
    """A group of four partitions, of which the worker that asks has two."""

    def __init__(self, other: str, session: aiohttp.ClientSession) -> None:
        self.own_url = OWN
        self.partitions = 4
        self.had = {0: OWN, 1: other, 2: OWN, 3: other}
        self.settled = True
        self.absent = Absent(self, None, lambda: self.settled)
        self.session = session

    def owners(self) -> dict[int, str]:
        return self.had

    async def found(self) -> list[int]:
        await self.absent.look(self.session)
        return sorted(self.absent.partitions)


@pytest.fixture
async def other() -> AsyncIterator[TestServer]:
    async def stalled(request: web.Request) -> web.Response:
        return web.Response(status=503)

    application = web.Application()
    application.router.add_get("/health/live", stalled)
    server = TestServer(application)
    await server.start_server()
    yield server
    await server.close()


@pytest.fixture
async def rig(other: TestServer) -> AsyncIterator[Rig]:
    async with aiohttp.ClientSession() as session:
        yield Rig(str(other.make_url("/")), session)


async def test_a_worker_that_says_anything_is_there(rig: Rig) -> None:
    assert await rig.found() == []


async def test_those_of_one_that_does_not_answer_are_with_nobody(
    rig: Rig, other: TestServer
) -> None:
    await other.close()
    assert await rig.found() == [1, 3]


async def test_one_that_answers_no_more_is_found_and_one_that_does_again_too(rig: Rig) -> None:
    there = rig.had[1]
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    rig.had = {**rig.had, 1: gone, 3: gone}
    assert await rig.found() == [1, 3]
    rig.had = {**rig.had, 1: there, 3: there}
    assert await rig.found() == []


async def test_a_partition_of_which_no_worker_is_known_is_with_nobody(rig: Rig) -> None:
    del rig.had[2]
    assert await rig.found() == [2]


async def test_while_the_group_shares_out_nothing_is_said(rig: Rig, other: TestServer) -> None:
    await other.close()
    rig.settled = False
    assert await rig.found() == []


async def test_an_address_that_is_none_is_asked_by_nobody(rig: Rig) -> None:
    rig.had = {**rig.had, 1: "file:///etc/passwd"}
    assert await rig.found() == [1]


async def test_nobody_is_sent_on_to_another_address(rig: Rig, other: TestServer) -> None:
    asked: list[str] = []

    async def elsewhere(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound("/elsewhere")

    application = web.Application()
    application.router.add_get("/{any:.*}", elsewhere)
    async with TestServer(application) as server:
        rig.had = {**rig.had, 3: str(server.make_url("/"))}
        assert await rig.found() == []
    assert asked == ["/health/live"]
