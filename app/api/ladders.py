"""`GET /v1/ladders...`: definitions, who stands where, who moved; gathered from all workers."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
import yaml
from aiohttp import web

from app.api import shapes
from app.api.dwell import median
from app.api.endpoints import NO_STORE, Endpoint, Parameter, answer, whole, word
from app.api.peers import Peers, decoded, is_forwarded
from app.api.ports import (
    Day,
    Elsewhere,
    Figures,
    Local,
    NotReady,
    Shop,
    Standing,
    Stands,
    Stood,
)
from app.api.problem import Refused, unavailable
from app.core.instants import DAY, Calendar, format_instant, parse_instant
from app.core.ladder import Ladder

MOST_DAYS = 400
LADDER = Parameter("ladder", "path", {"type": "string"}, "the id of a ladder", required=True)
DAYS = Parameter(
    "days", "query", {"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": 30},
    "moves of the last so many days", default=30,
)  # fmt: skip
RUNG = Parameter("rung", "query", {"type": "string"}, "the id of a rung", required=True)
LIMIT = Parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100},
    "customers of one page, at most", default=100,
)  # fmt: skip
CURSOR = Parameter("cursor", "query", {"type": "string"}, "`next` of the page before")
YAML = "application/yaml"
LONGEST_CURSOR = 1024
LOOKS = 20
"""Partitions, or parts of one, that are looked through for one page."""


PARTITIONS_LADDER = Parameter("ladder", "query", {"type": "string"}, "days and census of it, too")


class LadderViews:
    """Answers about all customers. What a worker that does not answer has is said to be missing."""

    def __init__(self, local: Local, peers: Peers, shop: Shop) -> None:
        self._local = local
        self._peers = peers
        self._shop = shop
        self._by_id = {ladder.id: ladder for ladder in shop.ladders}
        self._calendar = Calendar(shop.timezone)

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "/v1/ladders", "getLadders", self.all,
                "All ladders and how many customers stand on each rung", shapes.Ladders,
            ),
            Endpoint(
                "/v1/ladders/{ladder}", "getLadder", self.one,
                "A ladder: its definition, customers by rung, moves by day", shapes.Ladder,
                (LADDER, DAYS), problems=(400, 404),
            ),
            Endpoint(
                "/v1/ladders/{ladder}/definition", "getDefinition", self.definition,
                "A ladder's definition as a file that `ladder check` takes", None,
                (LADDER,), problems=(404,), media=YAML,
            ),
            Endpoint(
                "/v1/ladders/{ladder}/customers", "getCustomersOnRung", self.customers,
                "Who stands on a rung, in pages", shapes.Page,
                (LADDER, RUNG, LIMIT, CURSOR), problems=(400, 404, 421, 503),
            ),
            Endpoint(
                "/v1/partitions", "getPartitions", self.partitions,
                "What this worker's own partitions add up to: for the other workers",
                shapes.OwnPartitions, (PARTITIONS_LADDER, DAYS), problems=(400, 404),
            ),
        ]  # fmt: skip

    async def all(self, request: web.Request) -> web.Response:
        figures, missing = await self._gathered(None, 1)
        counts = _summed(figures)
        ladders = [
            shapes.LadderCount(
                ladder.id,
                ladder.version,
                ladder.title,
                ladder.kind,
                sum(counts[ladder.id].values()),
                [
                    shapes.RungCount(
                        rung.id, dict(rung.title), rung.override, counts[ladder.id][rung.id]
                    )
                    for rung in ladder.rungs
                ],
            )
            for ladder in self._shop.ladders
        ]
        shop, (as_of, today) = self._shop, self._clock(figures)
        return answer(
            shapes.Ladders(
                not missing, missing, as_of, today, shop.currency, shop.timezone, ladders
            )
        )

    async def one(self, request: web.Request) -> web.Response:
        ladder, days = self._ladder(request), whole(request, DAYS)
        figures, missing = await self._gathered(ladder.id, days)
        shop, (as_of, today) = self._shop, self._clock(figures)
        inside = self._inside(figures, days)
        counts = _summed(figures)[ladder.id]
        rungs = _rungs(ladder, counts, inside)
        return answer(
            shapes.Ladder(
                not missing, missing, as_of, today, shop.currency, shop.timezone,
                ladder.id, ladder.version, ladder.title, ladder.kind, ladder.climb, _down(ladder),
                ladder.announce, sum(counts.values()), rungs, _moves(ladder, inside),
                not missing and all(each.days_complete for each in figures),
                _take_census(rungs, figures, missing),
            )
        )  # fmt: skip

    async def definition(self, request: web.Request) -> web.Response:
        text = yaml.safe_dump(
            written(self._ladder(request)), allow_unicode=True, sort_keys=False, width=100
        )
        headers = NO_STORE | {"Content-Type": f"{YAML}; charset=utf-8"}
        return web.Response(body=text.encode(), headers=headers)

    async def customers(self, request: web.Request) -> web.Response:
        ladder, limit = self._ladder(request), whole(request, LIMIT)
        rung = word(request, RUNG) or ""
        if rung not in {each.id for each in ladder.rungs}:
            raise Refused(404, f"{ladder.id} has no such rung")
        partition, after = _read_cursor(word(request, CURSOR), self._peers.group.partitions)
        page = shapes.Page(True, [], ladder.id, rung, [], None)
        forwarded = is_forwarded(request)
        for _ in range(1 if forwarded else LOOKS):
            wanted = limit - len(page.customers)
            if partition >= self._peers.group.partitions or not wanted:
                break
            stood = await self._stood(ladder.id, rung, partition, after, wanted, forwarded)
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

    async def partitions(self, request: web.Request) -> web.Response:
        ladder = word(request, PARTITIONS_LADDER)
        if ladder is not None and ladder not in self._by_id:
            raise Refused(404, "there is no such ladder")
        own = self._local.figures(ladder, whole(request, DAYS))
        return answer({"partitions": own})

    def _ladder(self, request: web.Request) -> Ladder:
        ladder = self._by_id.get(request.match_info["ladder"])
        if ladder is None:
            raise Refused(404, "there is no such ladder")
        return ladder

    async def _gathered(self, ladder: str | None, days: int) -> tuple[list[Figures], list[int]]:
        """Everybody's figures, each partition once, and the partitions that nobody has."""
        of_ladder = f"&ladder={quote(ladder, safe='')}" if ladder is not None else ""
        told = self._local.figures(ladder, days)
        for body in await self._peers.all_say(f"/v1/partitions?days={days}{of_ladder}"):
            theirs = decoded(body, _OwnPartitions)
            told += theirs.partitions if theirs is not None else []
        by_number = {each.partition: each for each in reversed(told)}
        missing = sorted(set(range(self._peers.group.partitions)) - set(by_number))
        return list(by_number.values()), missing

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
        try:
            said = await self._peers.owner_says(
                partition, f"/v1/ladders/{quote(ladder, safe='')}/customers?{query}"
            )
        except Refused:
            return None
        return _theirs(said.body, partition) if said.status == 200 else None

    def _clock(self, figures: Sequence[Figures]) -> tuple[str | None, str | None]:
        newest = max((each.clock for each in figures), default=0)
        if not newest:
            return None, None
        return format_instant(newest), _day_text(self._calendar.day_of(newest))

    def _inside(self, figures: Sequence[Figures], days: int) -> dict[int, list[Day]]:
        """Return the figures of each of the last so many days."""
        newest = max((each.clock for each in figures), default=0)
        today = self._calendar.day_of(newest)
        inside: dict[int, list[Day]] = {}
        for each in figures:
            for number, day in each.days.items():
                if today - days < number <= today:
                    inside.setdefault(number, []).append(day)
        return inside


class _OwnPartitions(msgspec.Struct):
    partitions: list[Figures]


def written(ladder: Ladder) -> dict[str, object]:
    """Return a definition as it stands in a file."""
    down = _down(ladder)
    whole_one: dict[str, object] = {
        "id": ladder.id,
        "version": ladder.version,
        "title": ladder.title,
        "kind": ladder.kind,
    }
    if ladder.kind == "ladder":
        whole_one["climb"] = ladder.climb
        whole_one["down"] = msgspec.to_builtins(down)
    if ladder.announce:
        whole_one["announce"] = True
    whole_one["rungs"] = [
        {
            "id": rung.id,
            "title": dict(rung.title),
            "when": rung.when,
            **({"override": True} if rung.override else {}),
            **({"suggest": rung.suggest} if rung.suggest else {}),
        }
        for rung in ladder.rungs
    ]
    return whole_one


def _down(ladder: Ladder) -> Any:
    if ladder.down.mode != "grace":
        return ladder.down.mode
    return shapes.Grace(ladder.down.grace // DAY, ladder.down.step)


def _summed(figures: Sequence[Figures]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for each in figures:
        for ladder, rungs in each.customers.items():
            counts[ladder].update(rungs)
    return counts


def _rungs(
    ladder: Ladder, counts: Mapping[str, int], inside: Mapping[int, list[Day]]
) -> list[shapes.RungFigures]:
    held = [day.held for days in inside.values() for day in days]
    return [
        shapes.RungFigures(
            rung.id,
            dict(rung.title),
            rung.when,
            rung.override,
            rung.suggest,
            counts.get(rung.id, 0),
            median(day.get(rung.id, {}) for day in held),
            None,
            None,
        )
        for rung in ladder.rungs
    ]


def _moves(ladder: Ladder, inside: Mapping[int, list[Day]]) -> list[shapes.Moves]:
    place = {rung.id: number for number, rung in enumerate(ladder.rungs, 1)} | {"": 0}
    found = []
    for number in sorted(inside):
        together: Counter[tuple[str, str]] = Counter()
        for day in inside[number]:
            for left, entered in day.moves.items():
                for right, count in entered.items():
                    together[left, right] += count
        for (left, right), count in sorted(together.items()):
            up = place.get(right, 0) > place.get(left, 0)
            direction = "moved" if ladder.kind == "segment" else "up" if up else "down"
            found.append(
                shapes.Moves(_day_text(number), left or None, right or None, direction, count)  # type: ignore[arg-type]
            )
    return found


def _take_census(
    rungs: Sequence[shapes.RungFigures], figures: Sequence[Figures], missing: Sequence[int]
) -> shapes.CensusState:
    """Put what was counted one by one into the rungs, once it was in every partition."""
    taken = [each.census for each in figures if each.census is not None]
    as_of = format_instant(min(each.as_of for each in taken)) if taken else None
    if missing or len(taken) < len(figures):
        return shapes.CensusState(as_of, False)
    for rung in rungs:
        standing = [each.rungs.get(rung.id, Standing()) for each in taken]
        rung.revenue = sum(each.spend for each in standing)
        rung.median_standing_seconds = median(each.held for each in standing)
    return shapes.CensusState(as_of, True)


def _day_text(day: int) -> str:
    return format_instant(day * DAY)[:10]


def _cursor(partition: int, after: bytes) -> str:
    return base64.urlsafe_b64encode(partition.to_bytes(2, "big") + after).decode().rstrip("=")


def _read_cursor(text: str | None, partitions: int) -> tuple[int, bytes]:
    """Return partition and key. Raises Refused for what `_cursor` did not write."""
    if text is None:
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


def _theirs(body: bytes, partition: int) -> Stood | None:
    page = decoded(body, shapes.Page)
    if page is None:
        return None
    found = [
        Stands(one.customer_id, parse_instant(one.since) or 0, one.sequence)
        for one in page.customers
    ]
    if page.next is None:
        return Stood(found, None)
    there, after = _read_cursor(page.next, partition + 2)
    return Stood(found, after if there == partition else None)
