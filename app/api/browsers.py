"""What browsers are told of every answer: that it is no page, script or style of anybody's."""

from __future__ import annotations

from aiohttp import web

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


async def tell(request: web.Request, answer: web.StreamResponse) -> None:
    """Say it in an answer that says nothing else: the page has a policy of its own."""
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
