"""How a worker proves to another that it is one, without sending the token that they share.

What one worker asks another has the header

    Ladder-Forwarded: v1 <time> <nonce> <body> <proof>

`time` is in ms since 1970, `nonce` 16 random bytes, `body` the SHA-256 of the request's body, and
`proof` the HMAC-SHA256, under LADDER_API_TOKEN, of these and of the method, the path and the query
as they are sent, and the address of the worker that is asked. So who is asked learns nothing that
it could use elsewhere, and who listens nothing that could be used twice. Without a token, where
everybody on the machine may ask for everything, the key is empty: then it proves nothing, and says
that the request goes no further.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable

import structlog
from aiohttp import web

from app.api.addresses import origin

log = structlog.get_logger(__name__)

FORWARDED = "Ladder-Forwarded"
"""The header of a request from one worker to another; with a proof, such a request goes no
further, and without one it is like any other.
"""
TOLERANCE = 30_000
"""Milliseconds that the clocks of two workers may differ, the way between them included."""
MOST_NONCES = 100_000
"""Proofs of the last minute that are remembered; with more, the older ones are taken for used."""
_PURPOSE = "loyalty-ladder worker to worker, v1"
_PROVEN = web.RequestKey("proven", bool)
_FORM = re.compile(r"v1 ([0-9]{13}) ([A-Za-z0-9_-]{22}) ([A-Za-z0-9_-]{43}) ([A-Za-z0-9_-]{43})")


def is_forwarded(request: web.Request) -> bool:
    """Tell whether another worker asks."""
    return bool(request.get(_PROVEN, False))


def wall_clock() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Proofs:
    """Makes proofs, and checks each once. `own_url` gives the address of this worker."""

    def __init__(
        self,
        token: str | None,
        own_url: Callable[[], str],
        clock: Callable[[], int] = wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._key = (token or "").encode()
        self._own_url = own_url
        self._clock = clock
        self._monotonic = monotonic
        self._began = monotonic()
        self._used = Used()

    def made(self, method: str, address: str, target: str, body: bytes = b"") -> str:
        """Return what the header says, for a path and query to be asked of a worker."""
        at, nonce, hashed = str(self._clock()), _text(secrets.token_bytes(16)), _hashed(body)
        proof = self._proof(at, nonce, method, target, hashed, address)
        return f"v1 {at} {nonce} {hashed} {proof}"

    async def proven(self, request: web.Request) -> bool:
        """Tell whether another worker asks, and let `is_forwarded` tell it from then on."""
        given = request.headers.getall(FORWARDED, [])
        if not given:
            return False
        wrong = await self._wrong(request, given)
        if wrong is not None:
            log.warning("what came as another worker's is not", action="proof-refused", why=wrong)
            return False
        request[_PROVEN] = True
        return True

    async def _wrong(self, request: web.Request, given: list[str]) -> str | None:
        said = _FORM.fullmatch(given[0]) if len(given) == 1 else None
        if said is None:
            return "it is no proof"
        at, nonce, hashed, proof = said.groups()
        now, address = self._clock(), origin(self._own_url()) or ""
        if abs(now - int(at)) > TOLERANCE:
            return "the clocks differ"
        # What was used with the process that stood here before is not known. By its age, since a
        # machine's clock may be set right after the start.
        if now - int(at) > 1000 * (self._monotonic() - self._began):
            return "it is older than this process"
        right = self._proof(at, nonce, request.method, request.raw_path, hashed, address)
        # In constant time, so that nobody can feel it out letter by letter.
        if not hmac.compare_digest(right, proof):
            return "it is made with another token, for another worker or for another request"
        # Only now, so that nobody else fills the memory, or has a body waited for.
        if not self._used.take(int(at), nonce, now):
            return "it was used already"
        if _hashed(await request.read() if request.body_exists else b"") != hashed:
            return "it is for another body"
        return None

    def _proof(
        self, at: str, nonce: str, method: str, target: str, hashed: str, address: str
    ) -> str:
        # None of these has a line break: what is signed can be read in one way only.
        path, _, query = target.partition("?")
        signed = "\n".join((_PURPOSE, at, nonce, method, path, query, hashed, address))
        return _text(hmac.digest(self._key, signed.encode("utf-8", "surrogateescape"), "sha256"))


class Used:
    """The nonces that came, as long as their time would still be taken; times are in ms."""

    def __init__(self, most: int = MOST_NONCES) -> None:
        self._from = 0
        self._most = most
        self._by_second: dict[int, set[str]] = {}
        self._count = 0

    def take(self, at: int, nonce: str, now: int) -> bool:
        """Use one; False if it was used already, or is too old to be known."""
        for second in [each for each in self._by_second if (each + 1) * 1000 < now - TOLERANCE]:
            self._count -= len(self._by_second.pop(second))
        if at < self._from:
            return False
        there = self._by_second.setdefault(at // 1000, set())
        if nonce in there:
            return False
        there.add(nonce)
        self._count += 1
        while self._count > self._most:
            oldest = min(self._by_second)
            self._count -= len(self._by_second.pop(oldest))
            self._from = (oldest + 1) * 1000
        return True


def _hashed(body: bytes) -> str:
    return _text(hashlib.sha256(body).digest())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
