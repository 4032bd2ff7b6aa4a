"""What a worker answers over HTTP, asked over HTTP (contract section 10)."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from app.api.access import Access
from app.api.customers import Elsewhere, NotReady
from app.api.early import EarlyServer, Starting
from app.api.routes import add_routes
from app.ops.registry import Metrics

TOKEN = "s3cret-token"


class FakeHealth:
    def __init__(self) -> None:
        self.dead: list[str] = []
        self.waiting: list[str] = []

    def not_alive(self) -> Sequence[str]:
        return self.dead

    def not_ready(self) -> Sequence[str]:
        return self.waiting

    def partitions(self) -> Mapping[int, Mapping[str, object]]:
        return {3: {"state": "restoring", "position": 1, "end": 9}}


class FakeCustomers:
    def view(self, customer: str) -> dict[str, object] | None:
        if customer == "far":
            raise Elsewhere(5, "http://10.0.0.5:6066")
        if customer == "nowhere":
            raise Elsewhere(5, None)
        if customer == "soon":
            raise NotReady(2)
        if customer == "bug":
            raise RuntimeError("secret inside")
        return {"customer_id": customer} if customer in {"c-42", "a/b"} else None


class Server:
    """A running worker's API, and a client that speaks to it."""

    def __init__(self, url: str, health: FakeHealth, client: aiohttp.ClientSession) -> None:
        self.url, self.health, self._client = url, health, client

    async def get(self, path: str, token: str | None = None) -> tuple[int, Any, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._client.get(self.url + path, headers=headers) as answer:
            if "json" in answer.content_type:
                return answer.status, await answer.json(content_type=None), answer.headers
            return answer.status, await answer.text(), answer.headers

    async def method(self, method: str, path: str) -> tuple[int, Any]:
        async with self._client.request(method, self.url + path) as answer:
            return answer.status, await answer.json(content_type=None)


async def serve(access: Access) -> AsyncIterator[Server]:
    application = web.Application()
    health = FakeHealth()
    add_routes(
        application,
        access=access,
        health=health,
        metrics=Metrics(),
        customers=FakeCustomers(),
    )
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    async with aiohttp.ClientSession() as client:
        yield Server(f"http://127.0.0.1:{listener.getsockname()[1]}", health, client)
    await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async for each in serve(Access(None)):
        yield each


@pytest.fixture
async def guarded() -> AsyncIterator[Server]:
    async for each in serve(Access(TOKEN)):
        yield each


async def test_live_and_ready_are_200_when_all_is_well(server: Server) -> None:
    assert (await server.get("/health/live"))[:2] == (200, {"status": "ok", "reasons": []})
    status, body, _ = await server.get("/health/ready")
    assert (status, body["status"]) == (200, "ok")
    assert body["partitions"]["3"] == {"state": "restoring", "position": 1, "end": 9}


async def test_live_and_ready_are_503_with_the_reasons(server: Server) -> None:
    server.health.dead, server.health.waiting = ["stands still"], ["restoring"]
    assert (await server.get("/health/live"))[:2] == (
        503,
        {"status": "unavailable", "reasons": ["stands still"]},
    )
    status, body, _ = await server.get("/health/ready")
    assert (status, body["reasons"]) == (503, ["restoring"])


async def test_a_customer_is_json_also_when_the_id_has_a_slash(server: Server) -> None:
    assert (await server.get("/v1/customers/c-42"))[:2] == (200, {"customer_id": "c-42"})
    assert (await server.get("/v1/customers/a%2Fb"))[:2] == (200, {"customer_id": "a/b"})


@pytest.mark.parametrize(
    ("customer", "status", "more"),
    [
        ("nobody", 404, {}),
        ("far", 421, {"url": "http://10.0.0.5:6066", "partition": 5}),
        ("nowhere", 503, {"partition": 5}),
        ("soon", 503, {"partition": 2}),
        ("x" * 129, 400, {}),
        ("bug", 500, {}),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(
    server: Server, customer: str, status: int, more: dict[str, object]
) -> None:
    got, body, headers = await server.get(f"/v1/customers/{customer}")
    assert got == status == body["status"]
    assert headers["Content-Type"] == "application/problem+json"
    assert {name: body[name] for name in more} == more
    assert "secret" not in str(body)


async def test_an_unknown_path_and_a_wrong_method_are_problems(server: Server) -> None:
    assert (await server.get("/table"))[0] == 404
    assert (await server.get("/"))[1]["title"] == "Not Found"
    status, body = await server.method("POST", "/v1/customers/c-42")
    assert (status, body["status"]) == (405, 405)


@pytest.mark.parametrize("path", ["/v1/customers/c-42", "/v1/anything", "/metrics"])
@pytest.mark.parametrize("token", [None, "wrong", TOKEN + "x", "é"])
async def test_with_a_token_set_nothing_is_told_without_it(
    guarded: Server, path: str, token: str | None
) -> None:
    status, body, headers = await guarded.get(path, token)
    assert (status, body["status"]) == (401, 401)
    assert headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_token_opens_and_health_needs_none(guarded: Server) -> None:
    assert (await guarded.get("/v1/customers/c-42", TOKEN))[0] == 200
    status, text, headers = await guarded.get("/metrics", TOKEN)
    assert (status, headers["Content-Type"].split(";")[0]) == (200, "text/plain")
    assert "ladder_build_info{" in text
    assert (await guarded.get("/health/live"))[0] == 200


async def test_metrics_may_be_open_beside_a_token() -> None:
    async for each in serve(Access(TOKEN, metrics_open=True)):
        assert (await each.get("/metrics"))[0] == 200
        assert (await each.get("/v1/customers/c-42"))[0] == 401


async def test_before_faust_the_same_socket_says_what_is_waited_for() -> None:
    """And afterwards it still listens, so that nobody is refused in between."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    starting = Starting()
    async with aiohttp.ClientSession() as client, EarlyServer(listener, starting):
        starting.waits_for = "waiting for Kafka"
        async with client.get(f"{url}/health/live") as live:
            assert live.status == 200
        async with client.get(f"{url}/health/ready") as ready:
            assert ready.status == 503
            assert (await ready.json())["reasons"] == ["waiting for Kafka"]
    socket.create_connection(listener.getsockname(), timeout=1).close()
    listener.close()
