"""`GET /v1/ladders/{id}/customers`: who stands on a rung, in pages, partition by partition."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from urllib.parse import quote

from aiohttp import web

from app.api import shapes
from app.api.endpoints import Endpoint, Parameter, answer, whole, word
from app.api.ladders import LADDER
from app.api.peers import Peers, unreadable
from app.api.ports import Elsewhere, Local, NotReady, Stands, Stood
from app.api.problem import Refused, unavailable
from app.api.proof import is_forwarded
from app.core.instants import format_instant, parse_instant
from app.core.ladder import Ladder
from app.core.nearest import none_such

RUNG = Parameter(
    "rung", "query", {"type": "string"}, "the id of a rung", required=True, example="customer",
)  # fmt: skip
LIMIT = Parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    "customers of one page, at most", default=100,
)  # fmt: skip
CURSOR = Parameter("cursor", "query", {"type": "string"}, "`next` of the page before")
LONGEST_CURSOR = 1024
LOOKS = 20
"""Partitions, or parts of one, that are looked through for one page."""


class RungViews:
    """Goes through the partitions, wherever they are; one that does not answer is missing."""

    def __init__(self, local: Local, peers: Peers, ladders: Sequence[Ladder]) -> None:
        self._local = local
        self._peers = peers
        self._rungs = {ladder.id: [rung.id for rung in ladder.rungs] for ladder in ladders}

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "/v1/ladders/{ladder}/customers", "getCustomersOnRung", self.customers,
                "Who stands on a rung, in pages", (shapes.Page,),
                (LADDER, RUNG, LIMIT, CURSOR), problems=(400, 404, 421),
            ),
        ]  # fmt: skip

    async def customers(self, request: web.Request) -> web.Response:
        ladder, limit = request.match_info["ladder"], whole(request, LIMIT)
        rung = word(request, RUNG) or ""
        if ladder not in self._rungs:
            raise Refused(404, none_such("ladder", ladder, self._rungs))
        if rung not in self._rungs[ladder]:
            raise Refused(404, none_such(f"rung of {ladder}", rung, self._rungs[ladder]))
        partition, after = _read_cursor(word(request, CURSOR), self._peers.group.partitions)
        page = shapes.Page(True, [], ladder, rung, [], None)
        forwarded = is_forwarded(request)
        for _ in range(1 if forwarded else LOOKS):
            wanted = limit - len(page.customers)
            if partition >= self._peers.group.partitions or not wanted:
                break
            stood = await self._stood(ladder, rung, partition, after, wanted, forwarded)
            if stood is None:
                page.missing.append(partition)
            else:
                page.customers += [
                    shapes.StandsThere(one.customer, format_instant(one.since), one.sequence)
                    for one in stood.found
                ]
            going_on = stood is not None and stood.after is not None
            after = (stood.after or b"") if stood is not None else b""
            partition += not going_on
        page.complete = not page.missing
        if partition < self._peers.group.partitions:
            page.next = _cursor(partition, after)
        return answer(page)

    async def _stood(
        self, ladder: str, rung: str, partition: int, after: bytes, limit: int, forwarded: bool
    ) -> Stood | None:
        """Some of a partition's customers on a rung; None where its worker does not answer."""
        try:
            return await self._local.stood(partition, ladder, rung, after, limit)
        except NotReady:
            if forwarded:
                raise unavailable(
                    f"partition {partition} is being restored; try again soon", partition=partition
                ) from None
            return None
        except Elsewhere:
            if forwarded:
                raise Refused(
                    421, f"partition {partition} is not here", more={"partition": partition}
                ) from None
        query = f"rung={quote(rung, safe='')}&limit={limit}&cursor={_cursor(partition, after)}"
        target = f"/v1/ladders/{quote(ladder, safe='')}/customers?{query}"
        try:
            said = await self._peers.owner_says(partition, target, shapes.Page)
            return _theirs(said.value, partition, limit) if said.status == 200 else None
        except Refused:
            return None


def _cursor(partition: int, after: bytes) -> str:
    return base64.urlsafe_b64encode(partition.to_bytes(2, "big") + after).decode().rstrip("=")


def _read_cursor(text: str | None, partitions: int) -> tuple[int, bytes]:
    """Return partition and key. Raises Refused for what `_cursor` did not write."""
    if not text:
        return 0, b""
    try:
        if len(text) > LONGEST_CURSOR:
            raise ValueError
        found = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
    except ValueError:
        found = b""
    partition = int.from_bytes(found[:2], "big")
    if len(found) < 2 or partition >= partitions:
        raise Refused(400, "cursor is not one that this API gave")
    return partition, found[2:]


def _theirs(page: shapes.Page, partition: int, limit: int) -> Stood:
    """Read another worker's page. Raises Refused for one that it may not give."""
    if len(page.customers) > limit:
        raise unreadable()
    found = [
        Stands(one.customer_id, parse_instant(one.since) or 0, one.sequence)
        for one in page.customers
    ]
    if page.next is None:
        return Stood(found, None)
    there, after = _read_cursor(page.next, partition + 2)
    return Stood(found, after if there == partition else None)
