"""Workers' APIs over made-up partitions, served on real sockets, that know each other."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from app.api.access import Access
from app.api.door import Door, Runner
from app.api.pace import Pace
from app.api.ports import (
    Census,
    Day,
    Elsewhere,
    Figures,
    NotReady,
    Shop,
    Standing,
    Stands,
    Stood,
    Told,
    TooMany,
    Unreadable,
)
from app.api.proof import FORWARDED, Proofs
from app.api.routes import add_routes
from app.api.shedding import Shedding
from app.core.ladder import Ladder
from app.ops.registry import Metrics
from tests.shop import ladder

PARTITIONS = 4
CLIMB: Ladder = ladder("low: inquiries >= 1\nhigh: purchases >= 1", id="climb")
NOW = 1_772_357_400_000_000
"""2026-03-01T09:30:00Z."""
TODAY = NOW // 86_400_000_000


class FakeHealth:
    """Alive and ready unless told otherwise."""

    def __init__(self) -> None:
        self.dead: list[str] = []
        self.waiting: list[str] = []
        self.worried: list[str] = []

    def not_alive(self) -> Sequence[str]:
        return self.dead

    def not_ready(self) -> Sequence[str]:
        return self.waiting

    def concerns(self) -> Sequence[str]:
        return self.worried

    def partitions(self) -> Mapping[int, Mapping[str, object]]:
        return {3: {"state": "restoring", "position": 1, "end": 9}}


class FakeLocal:
    """Partitions in which a customer `3/name` lies in partition 3; absorbed ones by `merged`."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = set(numbers)
        self.restoring: set[int] = set()
        self.merged: dict[str, str] = {}
        self.told: dict[str, list[bytes]] = {}
        self.census: Census | None = None
        self.facts: dict[str, object] = {"purchases": 2}

    def _follow(self, customer: str) -> str:
        if customer == "bug":
            raise RuntimeError("secret inside")
        if customer == "spoilt":
            raise Unreadable("partition 0: RowUnreadable")
        number = int(customer[0]) if customer[:1] in "0123" else 0
        if number not in self.numbers:
            raise Elsewhere(number, customer)
        if number in self.restoring:
            raise NotReady(number)
        into = self.merged.get(customer)
        return self._follow(into) if into is not None else customer

    def view(self, customer: str) -> dict[str, object] | None:
        survivor = self._follow(customer)
        if "nobody" in survivor:
            return None
        merged = {"merged_into": survivor} if survivor != customer else {}
        place = {
            "rung": None, "since": None, "sequence": 0, "because": None, "next": None,
            "due": None, "placed": None,
        }  # fmt: skip
        return {"customer_id": customer} | merged | {
            "as_of": "2026-03-01T09:30:00Z", "facts": self.facts, "ladders": {"climb": place}
        }  # fmt: skip

    def history(self, customer: str) -> Told | None:
        survivor = self._follow(customer)
        if "nobody" in survivor:
            return None
        return Told(survivor, True, self.told.get(survivor, []), ("climb",))

    def figures(self, ladder: str | None, days: int) -> list[Figures]:
        return [self._figures(number, ladder) for number in self.numbers - self.restoring]

    def _figures(self, number: int, ladder: str | None) -> Figures:
        figures = Figures(number, NOW + number, {"climb": {"low": 10, "high": number}})
        if ladder is not None:
            figures.days = {
                TODAY: Day({"": {"low": 2}, "low": {"high": 1}}, {"low": {30: 3}}),
                TODAY - 40: Day({"": {"low": 99}}, {}),
            }
            figures.census = self.census
        return figures

    async def stood(
        self, partition: int, ladder: str, rung: str, after: bytes, limit: int
    ) -> Stood:
        if partition not in self.numbers:
            raise Elsewhere(partition)
        if partition in self.restoring:
            raise NotReady(partition)
        first = int(after or b"0")
        found = [Stands(f"{partition}/c-{n}", NOW, n) for n in range(first, 5)][:limit]
        end = first + len(found)
        return Stood(found, str(end).encode() if end < 5 else None)


class FakeGroup:
    """Who has which partition, as one worker believes."""

    partitions = PARTITIONS

    def __init__(self) -> None:
        self.urls: dict[int, str] = {}
        self.own_url = ""

    def owners(self) -> Mapping[int, str]:
        return self.urls


class FakeChanges:
    """Says what it is told to, then waits to be closed; `full`: as many follow as may."""

    def __init__(self) -> None:
        self.said: list[tuple[bytes, ...] | int] = [()]
        self.full = False
        self.followed: list[str | None] = []
        self._over = asyncio.Event()

    async def follow(self, ladder: str | None) -> AsyncGenerator[tuple[bytes, ...] | int, None]:
        if self.full:
            raise TooMany
        self.followed.append(ladder)
        for each in self.said:
            yield each
        await self._over.wait()

    async def close(self) -> None:
        self._over.set()


def census(low: int) -> Census:
    """A finished count in which so much was spent on the lowest rung."""
    return Census(NOW, {"low": Standing(2, low, {10: 2})})


class Worker:
    """A running worker's API, and a client that speaks to it."""

    def __init__(self, access: Access, *numbers: int) -> None:
        self.local = FakeLocal(*numbers)
        self.group = FakeGroup()
        self.health = FakeHealth()
        self.access = access
        self.changes = FakeChanges()
        self.behind = self.passed = 0.0
        self.pace = Pace(lambda: self.behind, lambda: self.passed, lambda: self.passed)
        self.metrics = Metrics()
        self.tls: ssl.SSLContext | None = None
        self.trusted: ssl.SSLContext | None = None
        self.most: int | None = None

    async def start(self, client: aiohttp.ClientSession) -> None:
        self.application = application = web.Application()
        add_routes(
            application, access=self.access, health=self.health, metrics=self.metrics,
            local=self.local, group=self.group, changes=self.changes, pace=self.pace,
            trusted=self.trusted,
            shop=Shop((CLIMB,), {"climb": b"id: climb\n"}, "VND", "UTC"),
        )  # fmt: skip
        self._runner = Runner(application)
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        shedding = Shedding(self.pace, self.metrics)
        self.door = Door(self._runner, listener, self.tls, shedding.connection, self.most)
        await self.door.start()
        scheme = "https" if self.tls else "http"
        self.url = self.group.own_url = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
        self._client = client

    def overload(self, behind: float) -> None:
        """Be busy and so many seconds behind, with as many requests answered as are then."""
        self.behind, self.passed = behind, self.passed + 10.0
        while self.pace.admits():
            pass

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def get(self, path: str, token: str | None = None, **more: str) -> tuple[int, Any, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._client.get(self.url + path, headers=headers | more) as answer:
            if "json" in answer.content_type:
                return answer.status, await answer.json(content_type=None), answer.headers
            return answer.status, await answer.text(), answer.headers

    async def get_as_worker(self, path: str, token: str | None = None) -> tuple[int, Any, Any]:
        """Ask as another worker does."""
        proof = Proofs(token, str).made("GET", self.url, path)
        return await self.get(path, **{FORWARDED: proof})

    async def method(self, method: str, path: str, **more: Any) -> tuple[int, Any, Any]:
        async with self._client.request(method, self.url + path, **more) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers


@asynccontextmanager
async def workers(
    *numbers: Sequence[int], token: str | None = None, metrics_open: bool = False
) -> AsyncIterator[list[Worker]]:
    """One worker for each sequence of partition numbers; each knows what the others have."""
    made = [Worker(Access(token, metrics_open), *each) for each in numbers]
    async with aiohttp.ClientSession() as client:
        for worker in made:
            await worker.start(client)
        for worker in made:
            worker.group.urls = {n: w.url for w in made for n in w.local.numbers}
        yield made
        for worker in made:
            await worker.stop()
