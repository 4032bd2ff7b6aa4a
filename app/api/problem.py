"""Errors as `application/problem+json` (RFC 9457), whatever raised them."""

from __future__ import annotations

import http
from collections.abc import Awaitable, Callable, Mapping

import orjson
import structlog
from aiohttp import web

from app.api import browsers
from app.api.ports import Unreadable

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 1
"""What `Retry-After` says: a partition comes back within seconds, or after a restore."""


class Refused(Exception):
    """A request that is answered with a problem; `more` are members of its own in it."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.more = more or {}


def unavailable(detail: str, **more: object) -> Refused:
    """Return the refusal of what may be asked again soon; `more` are members of its own."""
    return Refused(503, detail, headers={"Retry-After": str(RETRY_SECONDS)}, more=more)


def problem(
    status: int, detail: str, *, headers: Mapping[str, str] | None = None, **more: object
) -> web.Response:
    """A problem of a status; `more` are members of its own beside the standard ones."""
    body = _body(status, detail, more)
    return web.Response(body=body, status=status, content_type=CONTENT_TYPE, headers=headers)


def written(refused: Refused) -> bytes:
    """A whole answer in HTTP/1.1, for where no request was read."""
    body = _body(refused.status, refused.detail, refused.more)
    headers = {
        "Content-Type": CONTENT_TYPE, "Content-Length": str(len(body)), **browsers.HEADERS,
        **(refused.headers or {}),
    }  # fmt: skip
    head = [f"HTTP/1.1 {refused.status} {http.HTTPStatus(refused.status).phrase}"]
    lines = [*head, *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _body(status: int, detail: str, more: Mapping[str, object]) -> bytes:
    phrase = http.HTTPStatus(status).phrase
    standard = {"type": "about:blank", "title": phrase, "status": status, "detail": detail}
    return orjson.dumps(standard | dict(more))


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What aiohttp raises and what breaks becomes a problem; a bug tells the caller nothing."""
    try:
        return await handler(request)
    except Refused as refused:
        return problem(refused.status, refused.detail, headers=refused.headers, **refused.more)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else None
        return problem(error.status, error.reason, headers=allowed)
    except Unreadable as error:
        log.error(
            "a stored record cannot be read",
            action="record-unreadable",
            why=str(error),
            route=route_of(request),
        )
        return problem(500, "a stored record cannot be read; the worker's log says where")
    except ConnectionError:
        raise  # whoever asked has gone away
    except Exception:
        log.exception(
            "a request failed",
            action="request-failed",
            method=request.method,
            route=route_of(request),
        )
        return problem(500, "this request failed; the worker's log says why")


def route_of(request: web.Request) -> str:
    """The route and not the path, which names a customer."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "none"
