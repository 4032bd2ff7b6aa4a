"""What comes while a worker has no time is refused unread, and only where that is surely right."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from app.api import shedding as module
from app.api.pace import Pace
from app.api.shedding import HOLD_SECONDS, Connection, Shedding
from app.ops import metrics as m
from app.ops.registry import Metrics
from tests.api_workers import Worker, workers

PLAIN = b"GET /v1/customers/c-1 HTTP/1.1\r\nHost: ladder\r\nConnection: keep-alive\r\n\r\n"


class Behind(asyncio.Protocol):
    """What HTTP is handed."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.lost = 0

    def data_received(self, data: bytes) -> None:
        self.got.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost += 1


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []

    def write(self, data: Any) -> None:
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return False


class Rig:
    """One connection to a worker that is `behind` and busy, on a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, behind: float = 60.0) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Any]] = []
        pace = Pace(lambda: behind, lambda: self.now, lambda: self.now)
        self.metrics = Metrics()
        self.shedding = Shedding(pace, self.metrics)
        self.now = 10.0
        for _ in range(1_000):
            pace.admits()
        monkeypatch.setattr(asyncio, "get_running_loop", lambda: self)

    def connect(self) -> tuple[Connection, Behind, Wire]:
        behind, wire = Behind(), Wire()
        connection = Connection(behind, self.shedding)
        connection.connection_made(wire)
        return connection, behind, wire

    def call_later(self, seconds: float, then: Any) -> Any:
        self.timers.append((seconds, then))
        return self

    def time(self) -> float:
        return self.now

    def cancel(self) -> None:
        """A timer that is cancelled twice, or after it ran, does nothing."""


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    return Rig(monkeypatch)


def test_a_request_is_refused_unread_half_a_second_later(rig: Rig) -> None:
    connection, behind, wire = rig.connect()
    connection.data_received(PLAIN)
    ((wait, answer),) = rig.timers
    assert (wait, wire.sent) == (HOLD_SECONDS, [])
    answer()
    head, _, body = wire.sent[0].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["behind_seconds"] == 60.0
    assert not behind.got
    assert f"{m.API_TURNED_AWAY.name} 1.0" in rig.metrics.text().decode()


def test_who_has_time_reads_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(monkeypatch, behind=0.0)
    connection, behind, wire = rig.connect()
    for _ in range(3):
        connection.data_received(PLAIN)
        connection.answered()
    assert (behind.got, wire.sent, rig.timers) == ([PLAIN] * 3, [], [])


@pytest.mark.parametrize(
    "data",
    [
        PLAIN.replace(b"/v1/customers/c-1", b"/health/ready"),
        PLAIN.replace(b"GET", b"POST"),
        PLAIN.replace(b"1.1", b"1.0"),
        PLAIN.replace(b"keep-alive", b"Close"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nladder-forwarded: 1\r\n\r\n"),
        PLAIN[:-1],
        PLAIN + PLAIN,
        PLAIN.replace(b"\r\nHost", b"\n\nGET /v1/ladders HTTP/1.1\r\nHost"),
    ],
)
def test_whatever_is_not_the_simplest_request_is_for_http_to_read(rig: Rig, data: bytes) -> None:
    connection, behind, wire = rig.connect()
    connection.data_received(data)
    assert (behind.got, wire.sent, rig.timers) == ([data], [], [])


@pytest.mark.parametrize(
    "head",
    [
        PLAIN.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 99\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length: 99\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length : 99\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nContent-Length\t: 99\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nX: y\r\n Content-Length: 99\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nX: y\rContent-Length: 99\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nX: \0\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
        PLAIN.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"),
        PLAIN.replace(b"keep-alive", b"Upgrade").replace(b"\r\n\r\n", b"\r\nUpgrade: x\r\n\r\n"),
        PLAIN.replace(b"keep-alive", b"keep-alive, close"),
        PLAIN.replace(b" HTTP", b"  HTTP"),
        PLAIN.replace(b"1.1", b"1.0"),
        PLAIN.replace(b"/v1/customers/c-1", b"http://ladder/v1/customers/c-1"),
        b"\r\n" + PLAIN,
        PLAIN + PLAIN,
        PLAIN[:-4],
    ],
)
def test_a_connection_with_anything_but_plain_requests_is_never_answered_unread(
    rig: Rig, head: bytes
) -> None:
    """What comes behind such a head may be its body, however much it looks like a request."""
    connection, behind, wire = rig.connect()
    connection.data_received(head)
    connection.answered()
    connection.data_received(PLAIN)
    assert (behind.got, wire.sent, rig.timers) == ([head, PLAIN], [], [])


async def test_a_body_that_looks_like_a_request_is_no_request() -> None:
    async with workers(range(4)) as (one,):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(one))
        head = b"GET /v1/ladders HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % len(PLAIN))
        assert (await an_answer(reader))[0] == 200
        one.overload(behind=60.0)
        writer.write(PLAIN)
        writer.write_eof()
        rest = await reader.read()
        assert rest == b""
        writer.close()


async def an_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
    return int(head.split()[1]), await reader.readexactly(length)


def test_nothing_is_refused_while_something_else_is_answered(rig: Rig) -> None:
    """Its answer would come in the place of the other's."""
    connection, behind, wire = rig.connect()
    health = PLAIN.replace(b"/v1/customers/c-1", b"/health/ready")
    connection.data_received(health)
    connection.data_received(PLAIN)
    connection.answered()
    connection.data_received(PLAIN)
    assert (behind.got, wire.sent, rig.timers) == ([health, PLAIN, PLAIN], [], [])


def test_after_an_answer_the_next_may_be_refused(rig: Rig) -> None:
    connection, behind, _ = rig.connect()
    health = PLAIN.replace(b"/v1/customers/c-1", b"/health/ready")
    connection.data_received(health)
    connection.answered()
    connection.data_received(PLAIN)
    assert (behind.got, len(rig.timers)) == ([health], 1)


def test_who_does_not_wait_for_the_refusal_gets_it_before_the_next_answer(rig: Rig) -> None:
    connection, behind, wire = rig.connect()
    connection.data_received(PLAIN)
    connection.data_received(PLAIN)
    assert (len(wire.sent), behind.got) == (1, [PLAIN])
    rig.timers[0][1]()
    assert len(wire.sent) == 1


@pytest.mark.parametrize("ends", ["connection_lost", "eof_received"])
def test_who_goes_while_waiting_is_counted_out_once(rig: Rig, ends: str) -> None:
    connection, behind, wire = rig.connect()
    connection.data_received(PLAIN)
    assert rig.shedding.held == 1
    if ends == "eof_received":
        connection.eof_received()
        assert len(wire.sent) == 1
    connection.connection_lost(None)
    rig.timers[0][1]()
    assert (rig.shedding.held, behind.lost) == (0, 1)
    assert len(wire.sent) == (ends == "eof_received")


def test_only_so_many_wait_at_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_HELD", 2)
    for _ in range(3):
        rig.connect()[0].data_received(PLAIN)
    assert [wait for wait, _ in rig.timers] == [HOLD_SECONDS, HOLD_SECONDS, 0.0]


async def test_one_connection_is_refused_and_answered_in_turn() -> None:
    async with workers(range(4)) as (one,):
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(one))
        for busy, path in [
            (False, b"/v1/ladders"),
            (True, b"/v1/ladders"),
            (True, b"/health/live"),
            (True, b"/v1/ladders"),
            (False, b"/v1/ladders"),
        ]:
            one.behind = 60.0 if busy else 0.0
            one.passed += 100.0
            while busy and one.pace.admits():
                pass
            writer.write(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            await reader.readexactly(length)
            refused = busy and path.startswith(b"/v1")
            assert head.split()[1] == (b"503" if refused else b"200")
        writer.close()
        await writer.wait_closed()


def port_of(worker: Worker) -> int:
    return int(worker.url.rpartition(":")[2])
