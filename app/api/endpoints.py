"""An endpoint declared once: its route is made from it, and its part of the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec
from aiohttp import web

from app.api.problem import Refused
from app.core.instants import EARLIEST, LATEST, parse_instant

JSON = "application/json"
NO_STORE = {"Cache-Control": "no-store"}
View = Callable[[web.Request], Awaitable[web.StreamResponse]]
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Parameter:
    """One parameter: `schema` as in OpenAPI; absent ones are `default`."""

    name: str
    where: Literal["path", "query"]
    schema: Mapping[str, Any]
    meaning: str
    required: bool = False
    default: Any = None
    example: Any = None


@dataclass(frozen=True)
class Endpoint:
    """`GET path`. `answers` are the types of its JSON, none for one of another `media`.

    `problems` are the statuses beside those that every endpoint may have.
    """

    path: str
    name: str
    view: View
    summary: str
    answers: tuple[Any, ...]
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[int, ...] = ()
    media: str = JSON


def add(application: web.Application, endpoints: Sequence[Endpoint]) -> None:
    for each in endpoints:
        # To ask for the head of an endless answer would begin it.
        heads = each.media != "text/event-stream"
        # By itself aiohttp takes no braces in a part of a path; ids may have them.
        path = re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", each.path)
        application.router.add_get(path, each.view, name=each.name, allow_head=heads)


def answer(value: Any) -> web.Response:
    """A value of one of the types in `app.api.shapes`, or what has its form, as a response.

    Whole numbers keep all their digits, however many: a sum may have 128 bits.
    """
    return web.Response(body=_encode(value), content_type=JSON, headers=NO_STORE)


def whole(request: web.Request, parameter: Parameter) -> int:
    """Read a whole number within the bounds of its schema. Raises Refused."""
    text = _one(request, parameter)
    low, high = parameter.schema["minimum"], parameter.schema["maximum"]
    if text is None:
        return int(parameter.default)
    digits = text.isascii() and text.removeprefix("-").isdigit() and len(text) < 12
    if not digits or not low <= int(text) <= high:
        raise Refused(400, f"{parameter.name} is a whole number from {low} to {high}")
    return int(text)


def instant(request: web.Request, parameter: Parameter) -> int | None:
    """Read an RFC 3339 time in µs; None if it is not there. Raises Refused.

    One before 1970 or after 2199 is taken for the first or the last of them.
    """
    text = _one(request, parameter)
    if text is None:
        return None
    text = text.replace(" ", "+")  # which an unencoded plus in a query stands for
    found = parse_instant(text)
    return found if found is not None else _nearest(text, parameter)


def _nearest(text: str, parameter: Parameter) -> int:
    with suppress(ValueError):
        moment = datetime.fromisoformat(text.upper())
        if moment.tzinfo is not None and not 1970 <= moment.year <= 2199:
            return EARLIEST if moment.year < 1970 else LATEST - 1
    raise Refused(400, f"{parameter.name} is a time like 2026-03-01T09:30:00Z")


def word(request: web.Request, parameter: Parameter) -> str | None:
    """Read a text; None if it is not there. Raises Refused where it must be."""
    text = _one(request, parameter)
    if text is None and parameter.required:
        raise Refused(400, f"{parameter.name} is missing")
    return text


def _one(request: web.Request, parameter: Parameter) -> str | None:
    found = request.query.getall(parameter.name, [])
    if len(found) > 1:
        raise Refused(400, f"{parameter.name} is given {len(found)} times")
    return found[0] if found else None
