"""`GET /`: a page for people, and the files it is made of (contract section 10).

The page is static: it asks the API for everything it shows, with the token that its reader types
in, so nothing here needs one. Files are read once and answered from memory.
"""

from __future__ import annotations

import hashlib
import mimetypes
from importlib import resources
from typing import NamedTuple

from aiohttp import web

from app.api.problem import Handler

START = "index.html"
PREFIX = "/page/"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # Asked for anew with each visit, and answered by 304 while it is the same.
    "Cache-Control": "no-cache",
}
_TYPES = {".js": "text/javascript", ".svg": "image/svg+xml"}


class File(NamedTuple):
    """A file of the page: its bytes, its media type, and a tag that changes with the bytes."""

    body: bytes
    type: str
    tag: str


def files() -> dict[str, File]:
    """Read the files of the page, by name."""
    folder = resources.files(__name__).joinpath("site")
    return {each.name: _file(each.name, each.read_bytes()) for each in folder.iterdir()}


def add_page(application: web.Application) -> None:
    known = files()
    application.router.add_get("/", _show(known[START]), name="page")
    for name, file in known.items():
        if name != START:
            application.router.add_get(PREFIX + name, _show(file))


def _file(name: str, body: bytes) -> File:
    ending = name[name.rfind(".") :]
    kind = _TYPES.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    return File(body, kind, hashlib.sha256(body).hexdigest()[:32])


def _show(file: File) -> Handler:
    charset = None if file.type.startswith("image/png") else "utf-8"

    async def show(request: web.Request) -> web.Response:
        same = any(tag.value in (file.tag, "*") for tag in request.if_none_match or ())
        if same:
            answer = web.Response(status=304, headers=HEADERS)
        else:
            answer = web.Response(
                body=file.body, content_type=file.type, charset=charset, headers=HEADERS
            )
        answer.etag = file.tag
        return answer

    return show
