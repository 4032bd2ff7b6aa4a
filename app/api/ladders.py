"""`GET /v1/ladders...`: definitions, who stands where, who moved; gathered from all workers."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import msgspec
from aiohttp import web

from app.api import shapes
from app.api.endpoints import NO_STORE, Endpoint, Parameter, answer, whole, word
from app.api.figures import day_text, down, moves, rungs, summed, take_census
from app.api.peers import Peers
from app.api.ports import Day, Figures, Local, Shop
from app.api.problem import Refused
from app.core.instants import Calendar, format_instant
from app.core.ladder import Ladder
from app.core.money import minor_digits
from app.core.nearest import none_such

MOST_DAYS = 400
LADDER = Parameter(
    "ladder", "path", {"type": "string"}, "the id of a ladder", required=True,
    example="raving-fan",
)  # fmt: skip
DAYS = Parameter(
    "days", "query", {"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": 30},
    "moves of the last so many days", default=30,
)  # fmt: skip
YAML = "application/yaml"


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
                "All ladders and how many customers stand on each rung", (shapes.Ladders,),
            ),
            Endpoint(
                "/v1/ladders/{ladder}", "getLadder", self.one,
                "A ladder: its definition, customers by rung, moves by day", (shapes.Ladder,),
                (LADDER, DAYS), problems=(400, 404),
            ),
            Endpoint(
                "/v1/ladders/{ladder}/definition", "getDefinition", self.definition,
                "A ladder's definition as a file that `ladder check` takes", (),
                (LADDER,), problems=(404,), media=YAML,
            ),
            Endpoint(
                "/v1/partitions", "getPartitions", self.partitions,
                "What this worker's own partitions add up to: for the other workers",
                (shapes.OwnPartitions,), (PARTITIONS_LADDER, DAYS), problems=(400, 404),
            ),
        ]  # fmt: skip

    async def all(self, request: web.Request) -> web.Response:
        figures, missing = await self._gathered(None, 1)
        counts = summed(figures)
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
                not missing, missing, as_of, today, shop.currency, minor_digits(shop.currency),
                shop.timezone, ladders,
            )
        )  # fmt: skip

    async def one(self, request: web.Request) -> web.Response:
        ladder, days = self._ladder(request), whole(request, DAYS)
        figures, missing = await self._gathered(ladder.id, days)
        shop, (as_of, today) = self._shop, self._clock(figures)
        inside = self._inside(figures, days)
        counts = summed(figures)[ladder.id]
        found = rungs(ladder, counts, inside)
        return answer(
            shapes.Ladder(
                not missing, missing, as_of, today, shop.currency, minor_digits(shop.currency),
                shop.timezone,
                ladder.id, ladder.version, ladder.title, ladder.kind, ladder.climb, down(ladder),
                ladder.announce, sum(counts.values()), found, moves(ladder, inside),
                not missing and all(each.days_complete for each in figures),
                take_census(found, figures, missing),
            )
        )  # fmt: skip

    async def definition(self, request: web.Request) -> web.Response:
        headers = NO_STORE | {"Content-Type": f"{YAML}; charset=utf-8"}
        return web.Response(body=self._shop.sources[self._ladder(request).id], headers=headers)

    async def partitions(self, request: web.Request) -> web.Response:
        ladder = word(request, PARTITIONS_LADDER)
        if ladder is not None and ladder not in self._by_id:
            raise Refused(404, none_such("ladder", ladder, self._by_id))
        own = self._local.figures(ladder, whole(request, DAYS))
        return answer({"partitions": own})

    def _ladder(self, request: web.Request) -> Ladder:
        asked = request.match_info["ladder"]
        ladder = self._by_id.get(asked)
        if ladder is None:
            raise Refused(404, none_such("ladder", asked, self._by_id))
        return ladder

    async def _gathered(self, ladder: str | None, days: int) -> tuple[list[Figures], list[int]]:
        """Everybody's figures, each partition once, and the partitions that nobody has."""
        of_ladder = f"&ladder={quote(ladder, safe='')}" if ladder is not None else ""
        told = self._local.figures(ladder, days)
        target = f"/v1/partitions?days={days}{of_ladder}"
        for theirs in await self._peers.all_say(target, _OwnPartitions):
            told += theirs.partitions
        there = range(self._peers.group.partitions)
        by_number = {each.partition: each for each in reversed(told) if each.partition in there}
        missing = sorted(set(there) - set(by_number))
        return list(by_number.values()), missing

    def _clock(self, figures: Sequence[Figures]) -> tuple[str | None, str | None]:
        newest = max((each.clock for each in figures), default=0)
        if not newest:
            return None, None
        return format_instant(newest), day_text(self._calendar.today(newest))

    def _inside(self, figures: Sequence[Figures], days: int) -> dict[int, list[Day]]:
        """Return the figures of each of the last so many days."""
        newest = max((each.clock for each in figures), default=0)
        today = self._calendar.today(newest)
        inside: dict[int, list[Day]] = {}
        for each in figures:
            for number, day in each.days.items():
                if today - days < number <= today:
                    inside.setdefault(number, []).append(day)
        return inside


class _OwnPartitions(msgspec.Struct):
    partitions: list[Figures]
