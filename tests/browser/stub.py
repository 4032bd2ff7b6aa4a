"""A worker's API over a reckoned shop, and with it everything that a real one seldom does."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from importlib import resources
from typing import Any

import msgspec
from aiohttp import web

from app.api.access import Access, guard
from app.api.page import add_page
from app.api.problem import problem, problems
from app.api.proof import Proofs
from tests.browser.reckoned import WHOLE, Reckoned

RECENT = 50


class Stub:
    """Serves the page and its API; its fields say how it behaves."""

    def __init__(self, shop: Reckoned, token: str | None = None) -> None:
        self.shop = shop
        self.summed = True
        self.partly = False
        self.restoring = False
        self.behind = False
        self.facts: dict[str, Any] = {}
        """In place of what a customer's are."""
        self.revenue: int | None = None
        """In place of what those on each rung have spent."""
        self.url = ""
        self.listeners: dict[asyncio.Queue[bytes], str | None] = {}
        """Whoever follows stage changes, and of which ladder; None for all."""
        middlewares: list[Any] = [problems, guard(Access(token), Proofs(token, str))]
        application = web.Application(middlewares=middlewares)
        add_page(application)
        application.router.add_get("/v1/ladders", self._ladders)
        application.router.add_get("/v1/ladders/{id}", self._ladder)
        application.router.add_get("/v1/ladders/{id}/definition", self._definition)
        application.router.add_get("/v1/ladders/{id}/customers", self._standing)
        application.router.add_get("/v1/customers", self._customer)
        application.router.add_get("/v1/history", self._history)
        application.router.add_get("/v1/changes", self._changes)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)

    async def start(self) -> str:
        """Listen on loopback; the address of the page."""
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(self._runner, listener).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    async def stop(self) -> None:
        self.hang_up()
        await self._runner.cleanup()

    def publish(self, change: dict[str, Any]) -> None:
        for listener, ladder in self.listeners.items():
            if ladder in (None, change["data"]["ladder"]):
                listener.put_nowait(_event("change", change, change["id"]))

    def hang_up(self) -> None:
        """End every stream, as a worker that is replaced."""
        for listener in self.listeners:
            listener.put_nowait(b"")

    async def _ladders(self, request: web.Request) -> web.Response:
        if self.restoring:
            return problem(503, "partition 0 is being restored", headers={"Retry-After": "1"})
        if self.behind:
            return problem(503, "behind", headers={"Retry-After": "1"}, behind_seconds=9.5)
        return _json(self.shop.ladders())

    async def _ladder(self, request: web.Request) -> web.Response:
        days = int(request.query.get("days", "30"))
        found = self.shop.one_ladder(request.match_info["id"], days, self.summed)
        if found is None:
            return problem(404, "no such ladder")
        if self.revenue is not None:
            rungs = [rung | {"revenue": self.revenue} for rung in found["rungs"]]
            found = found | {"rungs": rungs}
        return _json(found | ({"complete": False, "missing": [2, 3]} if self.partly else {}))

    async def _definition(self, request: web.Request) -> web.Response:
        file = resources.files("app").joinpath("ladders", f"{request.match_info['id']}.yaml")
        return web.Response(body=file.read_bytes(), content_type="application/yaml")

    async def _standing(self, request: web.Request) -> web.Response:
        rung, name = request.query["rung"], request.match_info["id"]
        begin, limit = int(request.query.get("cursor", "0")), int(request.query["limit"])
        found = self.shop.standing(name, rung)
        following = str(begin + limit) if begin + limit < len(found) else None
        return _json({
            **WHOLE, "ladder": name, "rung": rung, "customers": found[begin : begin + limit],
            "next": following,
        })  # fmt: skip

    async def _customer(self, request: web.Request) -> web.Response:
        found = self.shop.customer(request.query["id"])
        if found is None:
            return problem(404, "nothing is known of this customer")
        return _json(found | {"facts": found["facts"] | self.facts})

    async def _history(self, request: web.Request) -> web.Response:
        who = request.query["id"]
        return _json({"customer_id": who, "complete": True, "changes": self.shop.history(who)})

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        listener: asyncio.Queue[bytes] = asyncio.Queue()
        self.listeners[listener] = request.query.get("ladder")
        try:
            await answer.write(b": hello\n\n")
            with suppress(ConnectionError):
                while said := await listener.get():
                    await answer.write(said)
        finally:
            del self.listeners[listener]
        return answer


def _event(name: str, data: dict[str, Any], id_: str) -> bytes:
    return b"event: %s\nid: %s\ndata: %s\n\n" % (
        name.encode(),
        id_.encode(),
        msgspec.json.encode(data),
    )


def _json(body: dict[str, Any]) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), content_type="application/json")
