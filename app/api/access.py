"""Who may ask: a Bearer token for `/v1`, and for `/metrics` unless it is open."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from aiohttp import web

from app.api.problem import Handler, problem, route_of

PROTECTED = "/v1/"
METRICS = "/metrics"


@dataclass(frozen=True)
class Access:
    """The token that callers must present, None for none; `metrics_open` frees `/metrics`."""

    token: str | None
    metrics_open: bool = False

    def allows(self, path: str, authorization: str | None) -> bool:
        if self.token is None or not self._protects(path):
            return True
        scheme, _, given = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return False
        # In constant time, so that nobody can feel the token out letter by letter.
        sent = given.strip().encode("utf-8", "surrogateescape")
        return hmac.compare_digest(sent, self.token.encode())

    def _protects(self, path: str) -> bool:
        if path == METRICS:
            return not self.metrics_open
        return path.startswith(PROTECTED)


def guard(access: Access) -> object:
    """The middleware that turns away whoever has no token."""

    @web.middleware
    async def turn_away(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization")
        # By the route as well: what is served counts, however the path is written.
        if access.allows(request.path, given) and access.allows(route_of(request), given):
            return await handler(request)
        return problem(
            401,
            "this path needs the header Authorization: Bearer with the worker's LADDER_API_TOKEN",
            headers={"WWW-Authenticate": 'Bearer realm="loyalty-ladder"'},
        )

    return turn_away
