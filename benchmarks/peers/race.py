"""The cases of the race: throughput of a backlog, and latency at 1,000 events/s, for each program.

The worker does it with one ladder and its six topics; its peers read the one topic with purchases.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from app.core.instants import DAY, SECOND
from benchmarks.broker import Place
from benchmarks.case import CUSTOMERS_PER_EVENT
from benchmarks.child import Child, said
from benchmarks.curve import follow
from benchmarks.figures import Round
from benchmarks.made_up import PURCHASES, Crowd, Made
from benchmarks.open_loop import Listener, all_changes, timed
from benchmarks.peers.names import (
    CPU,
    CPU_SHARE,
    FASTER,
    HALF,
    LATENCY_SHARE,
    MEMORY,
    MEMORY_SHARE,
    NAMES,
    OURS,
    RIVAL,
    WRONG,
)
from benchmarks.peers.outputs import published
from benchmarks.peers.programs import PROGRAMS, Given, Program
from benchmarks.peers.verdict import expected, wrong
from benchmarks.population import FIRST_FREE
from benchmarks.sender import Load
from benchmarks.shop import PARTITIONS, Shop, delete_topics, new_topics
from benchmarks.throughput import DAYS, only

LADDER = "raving-fan"
RATE = 1_000.0
CUSTOMERS = 160_000
PRIMER = 100
"""Purchases by so many customers, which lie in every partition, before the load begins."""
READY = 120.0
"""Seconds for a program to start and to answer those."""


class RaceSizes(NamedTuple):
    """Events of the backlogs by pace, and seconds of warm-up and of measurement."""

    backlogs: Mapping[str, int]
    warm_up: int
    seconds: int


FULL = RaceSizes({"fast": 1_000_000, "quix": 400_000, "faust": 30_000}, 20, 40)
QUICK = RaceSizes({"fast": 60_000, "quix": 60_000, "faust": 6_000}, 3, 4)


class Running(Protocol):
    """A program on its way: where it publishes, and whether it is ready."""

    child: Child
    group: str
    out: str

    async def clear(self) -> None: ...


class Backlogs:
    """Purchases in topics before anybody starts; a smaller one for who is slower."""

    def __init__(self, place: Place, sizes: RaceSizes) -> None:
        self.place = place
        self.client = {"bootstrap_servers": place.bootstrap}
        self.sizes = sizes
        self.right: dict[str, dict[str, int]] = {}

    def shop(self, name: str, inputs: str = "") -> Shop:
        ladders = only(self.place.folder, LADDER)
        return Shop(self.place.bootstrap, self.place.folder, name, inputs=inputs, ladders=ladders)

    async def fill(self, pace: str) -> None:
        """Make the backlog of a pace, if it is not there yet."""
        if pace in self.right:
            return
        count = self.sizes.backlogs[pace]
        shop = self.shop(f"backlog-{pace}")
        await shop.create()
        now = time.time_ns() // 1000
        crowd = Crowd(int(count * CUSTOMERS_PER_EVENT), PURCHASES)
        buyers: list[bytes] = []
        await shop.fill(_noted(crowd.stream(count, now - DAYS * DAY, now), buyers))
        self.right[pace] = expected(buyers)


def _noted(events: Iterable[Made], buyers: list[bytes]) -> Iterable[Made]:
    for made in events:
        buyers.append(made.key)
        yield made


def _renamed(made: Made) -> Made:
    """Give an event to somebody whom no load knows."""
    value = made.value.replace(b'"subject":"', b'"subject":"primer-')
    return Made(made.family, b"primer-" + made.key, value)


class _Worker:
    """Ours."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.group = shop.name
        self.out = shop.settings.changes_topic(LADDER)
        self.child = shop.worker()

    async def clear(self) -> None:
        await self.shop.delete()


class _Peer:
    """Somebody else's."""

    def __init__(self, program: Program, given: Given, client: Mapping[str, Any]) -> None:
        self._client = client
        self.group = given.name
        self.out = given.topic_out
        self.child = program.start(given)

    async def clear(self) -> None:
        await delete_topics(self._client, self.group)


class Entrant:
    """A program in the race, by its name: `ladder`, or one of `PROGRAMS`."""

    def __init__(self, name: str, backlogs: Backlogs) -> None:
        self.name = name
        self.backlogs = backlogs
        self.program = next((each for each in PROGRAMS if each.name == name), None)
        self.exact = self.program is None or self.program.exact
        self.pace = self.program.pace if self.program else "fast"
        self.what = self.program.what if self.program else "Loyalty Ladder, exactly once"

    async def start(self, name: str, inputs: str, *, is_timed: bool) -> Running:
        """Start it on the topics of a shop, with outputs of its own."""
        place = self.backlogs.place
        if self.program is None:
            shop = self.backlogs.shop(name, inputs)
            await shop.create()
            return _Worker(shop)
        folder = place.folder / name
        folder.mkdir()
        out = f"{name}.changes"
        await new_topics(self.backlogs.client, [out])
        given = Given(place.bootstrap, name, folder, f"{inputs}.purchases", out, is_timed)
        return _Peer(self.program, given, self.backlogs.client)


class Throughput:
    """A backlog, from the first commit seen to the last but one, and the second half of that."""

    def __init__(self, entrant: Entrant) -> None:
        self.entrant = entrant
        self.name = f"{entrant.name} throughput"
        self.what = f"{entrant.what}: backlog of purchases"
        self.earlier: Mapping[str, Round] = {}
        self.wanted = (
            {FASTER: "≥ 1.3 (aim: 1.8)", CPU_SHARE: "≤ 0.333", MEMORY_SHARE: "≤ 0.333", WRONG: "0"}
            if entrant.name == OURS
            else ({WRONG: "0"} if entrant.exact else {})
        )

    async def prepare(self) -> None:
        await self.entrant.backlogs.fill(self.entrant.pace)

    async def measure(self, number: int) -> Round:
        entrant, backlogs = self.entrant, self.entrant.backlogs
        right = backlogs.right[entrant.pace]
        inputs = f"backlog-{entrant.pace}"
        running = await entrant.start(f"{entrant.name}-{number}", inputs, is_timed=False)
        with running.child:
            curve = await follow(
                backlogs.client,
                running.child,
                running.group,
                [f"{inputs}.purchases"],
                backlogs.sizes.backlogs[entrant.pace],
            )
            moves = await published(backlogs.client, running.out, sum(right.values()))
        await running.clear()
        mistakes = wrong(moves, right)
        if mistakes and entrant.exact:
            raise ValueError(f"{mistakes} of {len(right)} customers have wrong stage changes")
        return {**curve.figures(), WRONG: mistakes, **self._compared(curve.figures())}

    def _compared(self, own: Round) -> Round:
        rival = self.earlier.get(f"{RIVAL} throughput", {})
        if self.entrant.name != OURS or not (rival.get(HALF) and own.get(HALF)):
            return {}
        return {
            FASTER: own[HALF] / rival[HALF],
            CPU_SHARE: own[CPU] / rival[CPU],
            MEMORY_SHARE: own[MEMORY] / rival[MEMORY],
        }


class Pace:
    """Purchases at a steady rate, from each one's time to its stage change."""

    def __init__(self, entrant: Entrant) -> None:
        self.entrant = entrant
        self.name = f"{entrant.name} latency"
        self.what = f"{entrant.what}: purchases at {RATE:,.0f} events/s, open loop"
        self.earlier: Mapping[str, Round] = {}
        shares = dict.fromkeys(LATENCY_SHARE.values(), "≤ 1")
        self.wanted = shares if entrant.name == OURS else {}

    async def prepare(self) -> None:
        """Nothing: its events are made for each round."""

    async def measure(self, number: int) -> Round:
        entrant, backlogs = self.entrant, self.entrant.backlogs
        sizes = backlogs.sizes
        inputs = f"paced-{entrant.name}-{number}"
        shop = backlogs.shop(inputs)
        await shop.create()
        running = await entrant.start(f"{entrant.name}-{number}-paced", inputs, is_timed=True)
        load = Load(
            bootstrap=backlogs.place.bootstrap,
            topics=list(shop.settings.topics),
            mixed=False,
            customers=CUSTOMERS,
            rate=RATE,
            count=int((sizes.warm_up + sizes.seconds) * RATE),
            partitions=PARTITIONS,
        )
        with running.child as child:
            await self._primed(shop, running)
            found = await timed(
                load, running.out, sizes.warm_up, lambda: child.usage().cpu, all_changes
            )
        await running.clear()
        await shop.delete()
        return {**found, **self._compared(found)}

    async def _primed(self, shop: Shop, running: Running) -> None:
        """See that it works, in all its partitions: a change comes of each of a few purchases."""
        now = time.time_ns() // 1000
        primer = Crowd(PRIMER, PURCHASES, first=FIRST_FREE)
        made = [_renamed(each) for each in primer.stream(PRIMER, now - 10 * SECOND, now)]
        wanted = sum(expected(each.key for each in made).values())
        await shop.fill(made)
        with Listener(shop.settings.brokers, running.out) as listener:
            deadline = time.monotonic() + READY
            while (came := len(listener.seen)) < wanted:
                running.child.usage()
                listener.check()
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        f"{came} of {wanted} first changes came in {READY:g} s, "
                        f"{said(running.child.log)}"
                    )
                await asyncio.sleep(0.2)

    def _compared(self, own: Round) -> Round:
        rival = self.earlier.get(f"{RIVAL} latency", {})
        if self.entrant.name != OURS or not rival:
            return {}
        return {share: own[name] / rival[name] for name, share in LATENCY_SHARE.items()}


def cases(place: Place, sizes: RaceSizes, names: Sequence[str]) -> list[Throughput | Pace]:
    """All cases of these programs in their order: the rival before us, so that we can compare."""
    backlogs = Backlogs(place, sizes)
    entrants = [Entrant(name, backlogs) for name in NAMES if name in names]
    return [kind(entrant) for kind in (Throughput, Pace) for entrant in entrants]
