"""`GET /v1/changes`: stage changes as they are committed, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import aclosing, suppress

import msgspec
from aiohttp import web

from app.api.endpoints import Endpoint, Parameter, word
from app.api.ports import Changes, TooMany
from app.api.problem import Refused, unavailable
from app.core.nearest import none_such

STREAM = "text/event-stream"
HEADERS = {
    "Content-Type": f"{STREAM}; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # a proxy that collects would show nothing for minutes
}
LADDER = Parameter("ladder", "query", {"type": "string"}, "only changes on this ladder")
LONGEST_WRITE = 30.0
"""Seconds after which a reader who takes nothing is given up."""


class _Identified(msgspec.Struct):
    id: str


_read = msgspec.json.Decoder(_Identified).decode


class ChangeViews:
    """Hands on what `changes` gives; `ladders` are the ids that there are."""

    def __init__(self, changes: Changes, ladders: Collection[str]) -> None:
        self._changes = changes
        self._ladders = ladders

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "/v1/changes", "followChanges", self.follow,
                "Stage changes of all workers as server-sent events: the newest few of customers "
                "who have not left the ladder since, then live. The id of a credit in a trigger "
                "has the SHA-256 of who was referred in place of the id. "
                "Where there are too many a sample; `skipped` says how many were left out",
                (), (LADDER,), problems=(404,), media=STREAM,
            )
        ]  # fmt: skip

    async def follow(self, request: web.Request) -> web.StreamResponse:
        ladder = word(request, LADDER)
        if ladder is not None and ladder not in self._ladders:
            raise Refused(404, none_such("ladder", ladder, sorted(self._ladders)))
        answer = web.StreamResponse(headers=HEADERS)
        async with aclosing(self._changes.follow(ladder)) as stream:
            try:
                first = await anext(stream)
            except TooMany:
                raise unavailable("as many follow the changes as one worker serves") from None
            except StopAsyncIteration:
                raise unavailable("the worker is stopping") from None
            # Whoever goes away ends a stream that has no end.
            with suppress(ConnectionError):
                await answer.prepare(request)
                await _write(answer, _events(first))
                async for said in stream:
                    await _write(answer, _events(said))
        return answer


async def _write(answer: web.StreamResponse, text: bytes) -> None:
    try:
        async with asyncio.timeout(LONGEST_WRITE):
            await answer.write(text)
    except TimeoutError:
        raise ConnectionResetError("the reader takes nothing") from None


def _events(said: tuple[bytes, ...] | int) -> bytes:
    if isinstance(said, int):
        return b'event: skipped\ndata: {"count": %d}\n\n' % said
    if not said:
        return b": still here\n\n"
    return b"".join(_event(value) for value in said)


def _event(value: bytes) -> bytes:
    """One change. A line break would end an id, and a customer's may have one."""
    name = _read(value).id.replace("\r", " ").replace("\n", " ").replace("\0", " ")
    return b"event: change\nid: %s\ndata: %s\n\n" % (name.encode(), value)
