"""`/health/live` and `/health/ready`: 200, or 503 with the reasons.

The body is `{"status": "ok" | "degraded" | "unavailable", "reasons": [...]}`; degraded is 200: this
process does its part, and the reasons say what keeps others from doing theirs. With `partitions`
where there are some: `{"3": {"state": "restoring", "position": 1200, "end": 40000,
"customers": 1100, "to_go": 35000, "per_second": 9000}, "4": {"state": "standby", "position": 812,
"end": 812}}`. `position` and `end` are offsets in the changelog, `to_go` is an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import orjson
from aiohttp import web

NO_STORE = {"Cache-Control": "no-store"}


class Health(Protocol):
    """What a process says of itself; an empty list of reasons means yes."""

    def not_alive(self) -> Sequence[str]: ...
    def not_ready(self) -> Sequence[str]: ...
    def concerns(self) -> Sequence[str]: ...
    def partitions(self) -> Mapping[int, Mapping[str, object]]: ...


def add_health(application: web.Application, health: Health) -> None:
    async def live(request: web.Request) -> web.Response:
        return _answer(health.not_alive(), (), {})

    async def ready(request: web.Request) -> web.Response:
        return _answer(health.not_ready(), health.concerns(), health.partitions())

    application.router.add_get("/health/live", live)
    application.router.add_get("/health/ready", ready)


def _answer(
    reasons: Sequence[str],
    concerns: Sequence[str],
    partitions: Mapping[int, Mapping[str, object]],
) -> web.Response:
    body: dict[str, object] = {
        "status": "unavailable" if reasons else "degraded" if concerns else "ok",
        "reasons": [*reasons, *concerns],
    }
    if partitions:
        body["partitions"] = {str(number): dict(told) for number, told in partitions.items()}
    return web.Response(
        body=orjson.dumps(body),
        status=503 if reasons else 200,
        content_type="application/json",
        headers=NO_STORE,
    )
