"""Asking the other workers: a request goes on once, to the one that has the partition.

Each member of the group names its own address, so what answers there may be anybody: it gets no
token, and what it says is taken only as the JSON that it must be.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, NamedTuple

import aiohttp
import msgspec
import structlog
from aiohttp import web
from yarl import URL

from app.api import shapes
from app.api.addresses import origin
from app.api.ports import Group
from app.api.problem import Refused, unavailable
from app.api.proof import FORWARDED, Proofs

log = structlog.get_logger(__name__)

PATIENCE = aiohttp.ClientTimeout(total=5.0, sock_connect=1.0)
LONGEST_ANSWER = 16 * 1024 * 1024
LONGEST_FIGURES = 64 * 1024 * 1024
"""Bytes of what a worker's partitions add up to: 400 days of each."""
MOVED_ON = 421
PROBLEMS = (400, 404, 413, MOVED_ON, 500, 503)
"""What a worker may say when it does not answer."""


class Said(NamedTuple):
    """What a worker answered: the bytes of a JSON value, and the value, of the kind asked for or a
    `Problem`.
    """

    status: int
    body: bytes
    value: Any


class Peers:
    """The other workers. They know this one by `proofs`, and it knows them by what is `trusted`."""

    def __init__(self, group: Group, proofs: Proofs, trusted: ssl.SSLContext | None) -> None:
        self.group = group
        self._proofs = proofs
        self._trusted = trusted
        self._session: aiohttp.ClientSession | None = None

    async def close(self, _: web.Application | None = None) -> None:
        if self._session is not None:
            await self._session.close()

    async def owner_says(self, partition: int, target: str, kind: Any) -> Said:
        """Ask the worker that has a partition for a path and query.

        Raises Refused: 503 where none answers, 502 where one says what it may not.
        """
        address = origin(self.group.owners().get(partition, ""))
        if address is None or address == origin(self.group.own_url):
            raise unavailable(
                f"no worker is known to have partition {partition}; try again soon",
                partition=partition,
            )
        answer = await self._ask(address, target, LONGEST_ANSWER)
        if answer is None:
            raise unavailable(
                f"the worker that has partition {partition} does not answer; try again soon",
                partition=partition,
            )
        status, body = answer
        if status == 401:
            raise Refused(
                502,
                "the worker that has it refuses this one: give all workers the same "
                "LADDER_API_TOKEN, the same version, and clocks that agree within 30 seconds",
            )
        said = _understood(status, body, kind)
        if said is None:
            raise unreadable()
        return said

    async def all_say(self, target: str, kind: Any) -> list[Any]:
        """Ask every other worker at once; what those say that answer and can be understood."""
        named = {origin(url) for url in self.group.owners().values()}
        urls = sorted(url for url in named if url and url != origin(self.group.own_url))
        answers = await asyncio.gather(*(self._ask(url, target, LONGEST_FIGURES) for url in urls))
        told = []
        for url, answer in zip(urls, answers, strict=True):
            if answer is None:
                continue
            said = _understood(*answer, kind)
            if said is not None and said.status == 200:
                told.append(said.value)
            elif said is not None or answer[0] == 401:
                log.warning("a worker refuses", action="peer-refuses", url=url, status=answer[0])
        return told

    async def _ask(self, address: str, target: str, longest: int) -> tuple[int, bytes] | None:
        """Return what a worker says, None if it is silent; whoever asks judges what it says."""
        try:
            return await self._get(address, target, longest)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning(
                "a worker does not answer",
                action="peer-silent",
                url=address,
                error=type(error).__name__,
            )
            return None

    async def _get(self, address: str, target: str, longest: int) -> tuple[int, bytes]:
        if self._session is None:
            # No proxy belongs between workers. What is packed could unpack to anything.
            self._session = aiohttp.ClientSession(
                timeout=PATIENCE, trust_env=False, auto_decompress=False
            )
        headers = {
            FORWARDED: self._proofs.made("GET", address, target),
            "Accept-Encoding": "identity",
        }
        # As it was written: to decode and encode a path again may make another of it.
        whole = URL(address + target, encoded=True)
        ours: dict[str, Any] = {} if self._trusted is None else {"ssl": self._trusted}
        async with self._session.get(
            whole, headers=headers, allow_redirects=False, **ours
        ) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > longest:
                    raise ValueError("the answer is too long")
            return answer.status, bytes(body)


def unreadable() -> Refused:
    """Return what is told of a worker that said what it may not."""
    return Refused(502, "the worker that has it gave no answer that can be read")


def _understood(status: int, body: bytes, kind: Any) -> Said | None:
    """Read what a worker says; None if it is not what one says."""
    wanted = kind if status == 200 else shapes.Problem if status in PROBLEMS else None
    try:
        value = None if wanted is None else msgspec.json.decode(body, type=wanted)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value = None
    if value is None or (status != 200 and value.status != status):
        log.warning(
            "a worker's answer cannot be read: is it of another version?",
            action="peer-unreadable",
            status=status,
        )
        return None
    return Said(status, body, value)
