"""What a worker answers over HTTP, asked over HTTP (contract section 10)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from urllib.parse import quote

import aiohttp
import orjson
import pytest

from app.api.access import Access
from app.api.early import EarlyServer, Starting
from tests.api_workers import Worker, workers

TOKEN = "s3cret-token"


@pytest.fixture
async def server() -> AsyncIterator[Worker]:
    async with workers(range(4)) as (one,):
        yield one


@pytest.fixture
async def guarded() -> AsyncIterator[Worker]:
    async with workers(range(4), token=TOKEN) as (one,):
        yield one


async def test_live_and_ready_are_200_when_all_is_well(server: Worker) -> None:
    assert (await server.get("/health/live"))[:2] == (200, {"status": "ok", "reasons": []})
    status, body, _ = await server.get("/health/ready")
    assert (status, body["status"]) == (200, "ok")
    assert body["partitions"]["3"] == {"state": "restoring", "position": 1, "end": 9}


async def test_live_and_ready_are_503_with_the_reasons(server: Worker) -> None:
    server.health.dead, server.health.waiting = ["stands still"], ["restoring"]
    assert (await server.get("/health/live"))[:2] == (
        503,
        {"status": "unavailable", "reasons": ["stands still"]},
    )
    status, body, _ = await server.get("/health/ready")
    assert (status, body["reasons"]) == (503, ["restoring"])


async def test_ready_is_200_with_the_reasons_when_others_are_kept_from_their_part(
    server: Worker,
) -> None:
    server.health.worried = ["nobody works on partition 2"]
    status, body, _ = await server.get("/health/ready")
    assert (status, body["status"], body["reasons"]) == (
        200,
        "degraded",
        ["nobody works on partition 2"],
    )
    server.health.waiting = ["restoring"]
    status, body, _ = await server.get("/health/ready")
    assert (status, body["status"]) == (503, "unavailable")
    assert body["reasons"] == ["restoring", "nobody works on partition 2"]


@pytest.mark.parametrize(
    ("path", "customer"),
    [
        ("c-42", "c-42"),
        ("a%2Fb", "a/b"),
        ("0%20%C3%A9", "0 é"),
        ("%E1%BA%A1%F0%9F%8E%81", "ạ🎁"),
        ("a%3Fb%23c%25d", "a?b#c%d"),
        ("%2e%2e%2Fetc", "../etc"),
        ("+", "+"),
        ("%7Bc-42%7D", "{c-42}"),
        ("{c-42}", "{c-42}"),
    ],
)
async def test_a_customer_is_found_under_any_id_percent_encoded(
    server: Worker, path: str, customer: str
) -> None:
    reader, writer = await asyncio_connection(server)
    writer.write(f"GET /v1/customers/{path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b" 200 " in head.splitlines()[0]
    assert orjson.loads(body)["customer_id"] == customer


@pytest.mark.parametrize("customer", [".", "..", "{c-42}", "a/b?c#d", "c 42", "ạ🎁"])
async def test_any_id_may_be_asked_for_as_a_query(server: Worker, customer: str) -> None:
    for path in ("/v1/customers", "/v1/history"):
        status, body, _ = await server.get(f"{path}?id={quote(customer, safe='')}")
        assert (status, body["customer_id"]) == (200, customer)
        assert (await server.get(path))[0] == 400


@pytest.mark.parametrize(
    ("customer", "status"),
    [("nobody", 404), ("x" * 129, 400), ("x" * 10_000, 400), ("bug", 500), ("spoilt", 500)],
)
async def test_what_cannot_be_answered_is_a_problem(
    server: Worker, customer: str, status: int
) -> None:
    for path in (f"/v1/customers/{customer}", f"/v1/customers/{customer}/history"):
        got, body, headers = await server.get(path)
        assert got == status == body["status"]
        assert headers["Content-Type"] == "application/problem+json"
        assert "secret" not in str(body)


@pytest.mark.parametrize(
    "line",
    [
        b"GET /v1/customers/\xff\xfe HTTP/1.1",
        b"GET /v1/customers/%ED%A0%80 HTTP/1.1",
        b"GET /v1/customers/%zz HTTP/1.1",
    ],
)
async def test_bytes_that_are_no_text_are_no_server_error(server: Worker, line: bytes) -> None:
    reader, writer = await asyncio_connection(server)
    writer.write(line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    status = int((await reader.readline()).split()[1])
    writer.close()
    assert status in (200, 400, 404)


async def test_a_request_that_is_no_http_is_refused_and_not_logged(
    server: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio_connection(server)
    writer.write(b"GET /v1/customers/c-42 HTTP/1.1\r\nAuthorization: s3cret\0\r\n\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()
    assert "s3cret" not in caplog.text


async def test_an_unknown_path_and_a_wrong_method_are_problems(server: Worker) -> None:
    for path in ("/table", "/v1", "/v1/", "/v1/customer", "/v1/ladders/climb/nothing"):
        status, body, headers = await server.get(path)
        assert (status, body["title"]) == (404, "Not Found"), path
        assert headers["Content-Type"] == "application/problem+json"
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        status, body, headers = await server.method(method, "/v1/customers/c-42")
        assert (status, body["status"]) == (405, 405)
        assert "GET" in headers["Allow"]


async def test_a_large_body_is_refused_before_it_is_read(server: Worker) -> None:
    status, body, headers = await server.method("GET", "/v1/ladders", data=b"x" * 70_000)
    assert (status, body["status"]) == (413, 413)
    assert headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/v1/customers/c-42", "/v1/ladders", "/v1/anything", "/v1/openapi.json", "/metrics"]
)
@pytest.mark.parametrize("token", [None, "wrong", TOKEN + "x", "é"])
async def test_with_a_token_set_nothing_is_told_without_it(
    guarded: Worker, path: str, token: str | None
) -> None:
    status, body, headers = await guarded.get(path, token)
    assert (status, body["status"]) == (401, 401)
    assert headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_token_opens_and_health_needs_none(guarded: Worker) -> None:
    assert (await guarded.get("/v1/customers/c-42", TOKEN))[0] == 200
    status, text, headers = await guarded.get("/metrics", TOKEN)
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert "ladder_build_info{" in text
    assert (await guarded.get("/health/live"))[0] == 200


async def test_metrics_may_be_open_beside_a_token() -> None:
    async with workers(range(4), token=TOKEN, metrics_open=True) as (one,):
        assert (await one.get("/metrics"))[0] == 200
        assert (await one.get("/v1/customers/c-42"))[0] == 401


LOOPBACK = [
    "localhost", "LocalHost:6066", "localhost:", "127.0.0.1", "127.0.0.1:6066", "127.8.9.10:1",
    "[::1]", "[::1]:6066", "[0:0:0:0:0:0:0:1]:80", "::1",
]  # fmt: skip
ELSEWHERE = [
    "", "localhost, evil.example", "evil.example", "evil.example:6066", "10.0.0.1:6066", "0.0.0.0",
    "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80:127.0.0.1",
    "localhost:6066@evil.example", "[::2]:6066", "[::1]x", "[::1", "localhost:x", "127.1",
    "2130706433", "0x7f.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/v1/ladders", "/v1/nothing", "/", "/metrics", "/health/ready"])
@pytest.mark.parametrize("host", LOOPBACK)
async def test_without_a_token_every_name_of_this_machine_is_answered(
    server: Worker, path: str, host: str
) -> None:
    assert (await server.get(path, Host=host))[0] == (404 if "nothing" in path else 200)


@pytest.mark.parametrize("path", ["/v1/ladders", "/v1/nothing", "/", "/metrics", "/health/ready"])
@pytest.mark.parametrize("host", ELSEWHERE)
async def test_without_a_token_no_other_name_is_answered(
    server: Worker, path: str, host: str
) -> None:
    """Else a page whose owner lets its name stand for 127.0.0.1 reads it all (DNS rebinding)."""
    status, body, headers = await server.get(path, Host=host)
    assert (status, body["status"]) == (421, 421)
    assert headers["Content-Type"] == "application/problem+json"
    assert "LADDER_API_TOKEN" in body["detail"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/ladders HTTP/1.0\r\n",
        b"GET /v1/ladders HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n",
        b"GET /v1/ladders HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n",
        b"GET http://evil.example/v1/ladders HTTP/1.1\r\nHost: localhost\r\n",
        b"GET http://localhost/v1/ladders HTTP/1.1\r\nHost: evil.example\r\n",
    ],
)
async def test_who_names_nobody_or_two_is_not_answered(server: Worker, head: bytes) -> None:
    reader, writer = await asyncio_connection(server)
    writer.write(head + b"Connection: close\r\n\r\n")
    assert (await reader.readline()).split()[1] in (b"400", b"421")
    writer.close()


@pytest.mark.parametrize("host", ["ladder.example", "10.0.0.1:6066", "localhost"])
async def test_with_a_token_any_name_is_answered(guarded: Worker, host: str) -> None:
    assert (await guarded.get("/v1/ladders", TOKEN, Host=host))[0] == 200
    assert (await guarded.get("/health/live", Host=host))[0] == 200


async def test_with_a_token_whoever_names_nobody_is_answered(guarded: Worker) -> None:
    reader, writer = await asyncio_connection(guarded)
    writer.write(b"GET /health/live HTTP/1.0\r\n\r\n")
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()


@pytest.mark.parametrize(("token", "status"), [(None, 421), (TOKEN, 200)])
async def test_before_faust_no_other_name_is_answered_either(
    token: str | None, status: int
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/health/live"
    early = EarlyServer(listener, Starting(), Access(token))
    async with (
        aiohttp.ClientSession() as client,
        early,
        client.get(url, headers={"Host": "evil.example"}) as answer,
    ):
        assert answer.status == status
    listener.close()


async def test_before_faust_the_same_socket_says_what_is_waited_for() -> None:
    """And afterwards it still listens, so that nobody is refused in between."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    starting = Starting()
    async with aiohttp.ClientSession() as client, EarlyServer(listener, starting, Access(None)):
        starting.waits_for = "waiting for Kafka"
        async with client.get(f"{url}/health/live") as live:
            assert live.status == 200
        async with client.get(f"{url}/health/ready") as ready:
            assert ready.status == 503
            assert (await ready.json())["reasons"] == ["waiting for Kafka"]
    socket.create_connection(listener.getsockname(), timeout=1).close()
    listener.close()


async def asyncio_connection(
    server: Worker,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a test writes what no client would."""
    return await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
