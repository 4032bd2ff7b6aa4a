"""Asking the other workers: a request goes on once, to the one that has the partition."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, NamedTuple

import aiohttp
import msgspec
import structlog
from aiohttp import web
from yarl import URL

from app.api.ports import Group
from app.api.problem import Refused, unavailable

log = structlog.get_logger(__name__)

FORWARDED = "Ladder-Forwarded"
"""The header of a request from one worker to another; such a request goes no further."""
PATIENCE = aiohttp.ClientTimeout(total=5.0, sock_connect=1.0)
LONGEST_ANSWER = 64 * 1024 * 1024
MOVED_ON = 421


class Said(NamedTuple):
    """What a peer answered."""

    status: int
    body: bytes
    content_type: str
    retry_after: str | None


def is_forwarded(request: web.Request) -> bool:
    return FORWARDED in request.headers


class Peers:
    """The other workers. `token` is the one they share, `trusted` what their certificates need."""

    def __init__(self, group: Group, token: str | None, trusted: ssl.SSLContext | None) -> None:
        self.group = group
        self._token = token
        self._trusted = trusted
        self._session: aiohttp.ClientSession | None = None

    async def close(self, _: web.Application | None = None) -> None:
        if self._session is not None:
            await self._session.close()

    async def owner_says(self, partition: int, path_and_query: str) -> Said:
        """Ask the worker that has a partition. Raises Refused (503) where none answers."""
        url = self.group.owners().get(partition)
        if url is None or url == self.group.own_url:
            raise unavailable(
                f"no worker is known to have partition {partition}; try again soon",
                partition=partition,
            )
        said = await self._ask(url, path_and_query)
        if said is None:
            raise unavailable(
                f"the worker that has partition {partition} does not answer; try again soon",
                partition=partition,
            )
        if said.status == 401:
            raise Refused(
                502,
                "the worker that has it refuses this one: give all workers the same "
                "LADDER_API_TOKEN",
            )
        return said

    async def all_say(self, path_and_query: str) -> list[bytes]:
        """Ask every other worker at once; the answers of those that give one."""
        urls = [*{*self.group.owners().values()} - {self.group.own_url}]
        answers = await asyncio.gather(*(self._ask(url, path_and_query) for url in urls))
        for url, said in zip(urls, answers, strict=True):
            if said is not None and said.status != 200:
                log.warning("a worker refuses", action="peer-refuses", url=url, status=said.status)
        return [said.body for said in answers if said is not None and said.status == 200]

    async def _ask(self, url: str, path_and_query: str) -> Said | None:
        """Return what a worker says, None if it is silent; whoever asks judges what it says."""
        try:
            return await self._get(url, path_and_query)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning(
                "a worker does not answer",
                action="peer-silent",
                url=url,
                error=type(error).__name__,
            )
            return None

    async def _get(self, url: str, path_and_query: str) -> Said:
        if self._session is None:
            # No proxy belongs between workers, and the token must not go through one.
            self._session = aiohttp.ClientSession(timeout=PATIENCE, trust_env=False)
        headers = {FORWARDED: "1"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        # As it was written: to decode and encode a path again may make another of it.
        whole = URL(url.rstrip("/") + path_and_query, encoded=True)
        ours: dict[str, Any] = {} if self._trusted is None else {"ssl": self._trusted}
        async with self._session.get(
            whole, headers=headers, allow_redirects=False, **ours
        ) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > LONGEST_ANSWER:
                    raise ValueError("the answer is too long")
            kind = answer.headers.get("Content-Type", "application/json")
            return Said(answer.status, bytes(body), kind, answer.headers.get("Retry-After"))


def decoded(body: bytes, kind: Any) -> Any:
    """Read what a peer says; None if it is of another version and cannot be read."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        log.warning(
            "a worker's answer cannot be read: is it of another version?",
            action="peer-unreadable",
        )
        return None
