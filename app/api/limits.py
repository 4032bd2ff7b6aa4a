"""How large a request may be. Beyond it: 413 for a body, 400 for a line or a header."""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web

from app.api.problem import Handler, problem

LONGEST_BODY = 64 * 1024
"""Bytes; nothing here takes a body, so this is only patience with odd clients."""
LONGEST_LINE = 64 * 1024
"""Bytes of the request line: an id of 128 characters takes 1.5 kB, percent-encoded."""
LONGEST_HEAD = 256 * 1024
"""Bytes that are kept of a head that is not whole; whoever sends more is let go without a word."""
QUIET = logging.getLogger("app.api.unreadable-requests")
QUIET.disabled = True
"""For aiohttp's own lines, which show what is no HTTP, with the token or customer in it."""
SERVER: dict[str, Any] = {
    "max_line_size": LONGEST_LINE,
    "max_field_size": 16 * 1024,
    "lingering_time": 1.0,
    "keepalive_timeout": 75.0,
    "logger": QUIET,
}
"""Arguments of aiohttp's server."""


@web.middleware
async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what says that it is too large before anything of it is read."""
    length = request.content_length
    if length is None or length <= LONGEST_BODY:
        return await handler(request)
    answer = problem(413, f"a request may have {LONGEST_BODY} bytes, and needs none")
    answer.force_close()
    return answer
