"""Who may ask: a Bearer token for `/v1`, and for `/metrics` unless it is open.

Without a token only this machine may, and only under its own names: a browser here would also ask
for a web page whose owner lets his name stand for 127.0.0.1 (DNS rebinding).
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from functools import lru_cache

from aiohttp import web

from app.api.problem import Handler, problem, route_of
from app.api.proof import Proofs
from app.setting_kinds import is_loopback

PROTECTED = "/v1/"
METRICS = "/metrics"
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::[0-9]{0,5})?")


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

    def answers(self, request: web.BaseRequest) -> bool:
        """Tell whether it is asked under a name that it answers under."""
        if self.token is not None:
            return True
        named = request.headers.getall("Host", [])
        # A request line may name a host, too, and then that one counts.
        return len(named) == 1 and names_loopback(named[0]) and names_loopback(request.host)

    def _protects(self, path: str) -> bool:
        if path == METRICS:
            return not self.metrics_open
        return path.startswith(PROTECTED)


@lru_cache(maxsize=64)
def names_loopback(host: str) -> bool:
    """Tell whether a host is this machine: localhost, 127.0.0.0/8 or ::1; a port may follow."""
    named = _HOST.fullmatch(host)
    return is_loopback(named[1].strip("[]").lower() if named is not None else host)


def addressed(access: Access) -> object:
    """The middleware that answers nobody who asks for another host."""

    @web.middleware
    async def turn_away(request: web.Request, handler: Handler) -> web.StreamResponse:
        if access.answers(request):
            return await handler(request)
        return problem(
            421,
            "without LADDER_API_TOKEN this worker answers under the names of its own machine only: "
            "ask http://localhost or http://127.0.0.1, or give it a token",
        )

    return turn_away


def guard(access: Access, proofs: Proofs) -> object:
    """The middleware that turns away whoever has no token, and does not prove to know it."""

    @web.middleware
    async def turn_away(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization")
        if (
            await proofs.proven(request)
            # By the route as well: what is served counts, however the path is written.
            or (access.allows(request.path, given) and access.allows(route_of(request), given))
        ):
            return await handler(request)
        return problem(
            401,
            "this path needs the header Authorization: Bearer with the worker's LADDER_API_TOKEN",
            headers={"WWW-Authenticate": 'Bearer realm="loyalty-ladder"'},
        )

    return turn_away
