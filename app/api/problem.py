"""Errors as `application/problem+json` (RFC 9457), whatever raised them."""

from __future__ import annotations

import http
from collections.abc import Awaitable, Callable

import orjson
import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONTENT_TYPE = "application/problem+json"


def problem(
    status: int, detail: str, *, headers: dict[str, str] | None = None, **more: object
) -> web.Response:
    """A problem of a status; `more` are members of its own beside the standard ones."""
    body = {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return web.Response(
        body=orjson.dumps(body), status=status, content_type=CONTENT_TYPE, headers=headers
    )


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What aiohttp raises and what breaks becomes a problem; a bug tells the caller nothing."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return problem(error.status, error.reason, headers=allowed)
    except Exception:
        log.exception(
            "a request failed",
            action="request-failed",
            method=request.method,
            route=_route(request),
        )
        return problem(500, "this request failed; the worker's log says why")


def _route(request: web.Request) -> str:
    """The route and not the path, which names a customer."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
