"""Whoever connects and says nothing, or is slow, takes nothing away from who asks."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.api import door as module
from app.api import tls
from app.api.access import Access
from app.api.connections import (
    HEAD_SECONDS,
    LEAST_TAKEN,
    TAKE_SECONDS,
    Connection,
    Connections,
)
from app.api.door import Door, Runner
from app.api.limits import LONGEST_HEAD
from app.ops import descriptors
from tests.api_workers import Worker

LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
FOLLOW = b"GET /v1/changes HTTP/1.1\r\nHost: localhost\r\n\r\n"
CERTIFICATES = Path(__file__).parents[1] / "certificates"


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  a socket of the same process tells nobody
        await asyncio.sleep(0)


class Caller:
    """A connection on which a test says what no client would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, request: bytes) -> int:
        """Say it; the status of the answer, 0 if the connection was closed instead."""
        self.writer.write(request)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
            await self.reader.readexactly(int(length or b"0"))
            return int(head.split()[1])
        return 0

    async def is_closed(self) -> bool:
        """Wait until it is."""
        with suppress(ConnectionError):
            while await self.reader.read(65536):
                pass
        return True


class Rig:
    """A worker that takes `most` connections, and who calls it."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.connections = worker.door.connections
        self._callers: list[Caller] = []

    async def call(self) -> Caller:
        """Connect, and wait until the worker has taken it in."""
        known = set(self.connections.open)
        port = int(self.worker.url.rpartition(":")[2])
        caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
        self._callers.append(caller)
        await until(lambda: self.connections.open - known or caller.reader.at_eof())
        return caller

    def look(self, seconds: float) -> None:
        """Look as if so many seconds had passed."""
        self.connections.look(asyncio.get_running_loop().time() + seconds)

    def close(self) -> None:
        for caller in self._callers:
            caller.writer.close()


@asynccontextmanager
async def rig(most: int | None = None, secure: bool = False) -> AsyncIterator[Rig]:
    worker = Worker(Access(None), 0, 1, 2, 3)
    worker.most = most
    if secure:
        worker.tls = tls.serving(CERTIFICATES / "certificate.pem", CERTIFICATES / "key.pem")
    async with aiohttp.ClientSession() as client:
        await worker.start(client)
        made = Rig(worker)
        yield made
        made.close()
        await worker.stop()


async def test_who_is_idle_for_longest_makes_room_for_who_comes() -> None:
    async with rig(most=3) as shop:
        first, second, third = [await shop.call() for _ in range(3)]
        assert await first.ask(LIVE) == 200  # so it is idle since later than the second
        fourth = await shop.call()
        assert await second.is_closed()
        for caller in (fourth, first, third):
            assert await caller.ask(LIVE) == 200
        assert len(shop.connections.open) == 3


async def test_half_a_request_is_idle_too() -> None:
    async with rig(most=1) as shop:
        slow = await shop.call()
        slow.writer.write(LIVE[:20])
        assert await (await shop.call()).ask(LIVE) == 200
        assert await slow.is_closed()


async def test_nobody_who_is_answered_is_closed_for_another() -> None:
    async with rig(most=1) as shop:
        follower = await shop.call()
        follower.writer.write(FOLLOW)
        await follower.reader.readuntil(b"\r\n\r\n")
        assert await (await shop.call()).is_closed()
        await shop.worker.changes.close()
        assert (await follower.reader.readuntil(b"0\r\n\r\n")).startswith(b"e\r\n: still here")
        assert await follower.ask(LIVE) == 200


async def test_who_does_not_shake_hands_is_idle() -> None:
    async with rig(most=2, secure=True) as shop:
        silent = [await shop.call() for _ in range(2)]
        url = f"{shop.worker.url}/health/live"
        trusted = tls.asking(CERTIFICATES / "certificate.pem")
        async with (
            aiohttp.ClientSession() as client,
            client.get(url, ssl=trusted) as answer,  # type: ignore[arg-type]
        ):
            assert answer.status == 200
        assert await silent[0].is_closed()


@pytest.mark.parametrize("said", [b"", LIVE[:1], LIVE[:-1]])
async def test_a_head_has_ten_seconds_to_come_whole(said: bytes) -> None:
    async with rig() as shop:
        caller = await shop.call()
        caller.writer.write(said)
        shop.look(HEAD_SECONDS - 1)
        assert await caller.ask(LIVE[len(said) :]) == 200
        late = await shop.call()
        late.writer.write(said)
        shop.look(HEAD_SECONDS)
        assert await late.is_closed()


async def test_the_body_of_a_request_is_no_head() -> None:
    async with rig() as shop:
        caller = await shop.call()
        head = b"POST /health/live HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
        assert await caller.ask(head + b"body") == 405
        shop.look(6 * HEAD_SECONDS)
        assert await caller.ask(LIVE) == 200


async def test_who_said_what_is_no_http_is_told_so_and_let_go() -> None:
    async with rig() as shop:
        caller = await shop.call()
        assert await caller.ask(b"\0\0\r\n\r\n") == 400
        assert await caller.is_closed()


class Wire(asyncio.Transport):
    """A transport that holds so many bytes back."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def abort(self) -> None:
        self.aborted = True


class Taken:
    """A connection that is taken in over such a transport, at a time that a test sets."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.connection = Connection(asyncio.Protocol())
        self.connection.connection_made(self.wire)
        self._others = Connections(10)
        self._others.add(self.connection)
        self._now = asyncio.get_running_loop().time()

    def is_kept(self, after: float) -> bool:
        self._now += after
        self._others.look(self._now)
        return not self.wire.aborted


async def test_a_head_that_does_not_end_is_not_kept() -> None:
    taken = Taken()
    taken.connection.began()
    taken.connection.data_received(bytes(2 * LONGEST_HEAD))
    assert not taken.wire.aborted  # the rest of what is answered, and the reader's to bound
    taken.connection.answered()
    taken.connection.data_received(bytes(LONGEST_HEAD))
    assert not taken.wire.aborted
    taken.connection.data_received(b"x")
    assert taken.wire.aborted


async def test_the_ten_seconds_of_the_next_head_begin_with_its_first_byte() -> None:
    taken = Taken()
    taken.connection.began()
    taken.connection.answered()
    assert taken.is_kept(6 * HEAD_SECONDS)
    taken = Taken()
    taken.connection.began()
    taken.connection.answered()
    taken.connection.data_received(LIVE[:5])
    assert taken.is_kept(HEAD_SECONDS - 1)
    assert not taken.is_kept(2)


async def test_a_head_that_began_while_another_was_answered_has_ten_seconds_from_then() -> None:
    taken = Taken()
    taken.connection.began()
    taken.connection.data_received(LIVE[:5])
    assert taken.is_kept(6 * HEAD_SECONDS)
    taken = Taken()
    taken.connection.began()
    taken.connection.data_received(LIVE[:5])
    taken.connection.answered()
    assert not taken.is_kept(HEAD_SECONDS + 1)


async def test_who_takes_nothing_of_an_answer_for_half_a_minute_is_closed() -> None:
    taken = Taken()
    taken.connection.began()
    assert taken.is_kept(10 * TAKE_SECONDS)  # nothing is there to be taken
    taken = Taken()
    taken.connection.began()
    taken.wire.unsent = 10 * LEAST_TAKEN
    taken.connection.pause_writing()
    assert taken.is_kept(1)
    for _ in range(3):
        taken.wire.unsent -= LEAST_TAKEN
        assert taken.is_kept(TAKE_SECONDS)
    taken.connection.resume_writing()
    assert taken.is_kept(TAKE_SECONDS)
    taken = Taken()
    taken.connection.began()
    taken.wire.unsent = 10 * LEAST_TAKEN
    taken.connection.pause_writing()
    taken.wire.unsent -= LEAST_TAKEN - 1
    assert taken.is_kept(TAKE_SECONDS - 1)
    assert not taken.is_kept(2)


class Starved(socket.socket):
    """Listens, and has no file descriptor for some of those who come."""

    fails: list[int]

    def accept(self) -> Any:
        if self.fails:
            raise OSError(self.fails.pop(0), "no")
        return super().accept()


async def test_without_descriptors_it_makes_room_and_tries_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runner = Runner(web.Application())
    await runner.setup()
    listener = Starved(socket.AF_INET, socket.SOCK_STREAM)
    listener.fails = []
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    door = Door(runner, listener)
    await door.start()
    loop = asyncio.get_running_loop()
    call_later, pauses = loop.call_later, []

    def later(seconds: float, then: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        if then == door._open:
            pauses.append(seconds)
            seconds = 0
        return call_later(seconds, then, *arguments)

    monkeypatch.setattr(loop, "call_later", later)
    there = socket.create_connection(listener.getsockname())
    await until(lambda: door.connections.open)
    listener.fails = [errno.EMFILE, errno.ENFILE, errno.ENOBUFS]
    coming = socket.create_connection(listener.getsockname())
    await until(lambda: not listener.fails and len(door.connections.open) == 1)
    assert pauses == [module.PAUSE_SECONDS] * 3
    assert there.recv(1) == b""
    coming.close()
    there.close()
    await runner.cleanup()


async def test_there_is_room_for_half_of_the_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = Runner(web.Application())
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        for limit, most in [(100, 50), (1_000_000, module.MOST)]:
            monkeypatch.setattr(descriptors, "limit", lambda limit=limit: limit)
            assert Door(runner, listener).connections.most == most
    await runner.cleanup()


@pytest.mark.parametrize(
    ("soft", "hard", "refused", "taken"),
    [
        (1_024, 4_096, [], 4_096),
        (1_024, 1_048_576, [], 65_536),
        (100_000, 1_048_576, [], None),
        (4_096, 4_096, [], None),
        (256, -1, [], 65_536),
        (256, -1, [65_536], 10_240),
        (256, -1, [65_536, 10_240], None),
        (-1, -1, [], None),
    ],
)
def test_the_soft_limit_is_raised_as_far_as_is_of_use_and_may_be(
    monkeypatch: pytest.MonkeyPatch,
    soft: int,
    hard: int,
    refused: Sequence[int],
    taken: int | None,
) -> None:
    given: list[tuple[int, int]] = []

    def setrlimit(_: int, limits: tuple[int, int]) -> None:
        if limits[0] in refused:
            raise ValueError("current limit exceeds maximum limit")
        given.append(limits)

    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", setrlimit)
    descriptors.take()
    assert given == ([] if taken is None else [(taken, hard)])
