"""A worker, wired: settings in, partitions of the group's topics worked on until it is stopped."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Any

import structlog
from aiohttp import web
from aiokafka.errors import ProducerFenced

from app.api import tls
from app.api.access import Access
from app.api.early import EarlyServer, Starting
from app.api.pace import Pace
from app.api.ports import Shop
from app.api.routes import add_routes
from app.api.shedding import Shedding
from app.core.rules import Rules
from app.ops import descriptors, logs
from app.ops.registry import Metrics
from app.ops.traces import NewTrail
from app.settings import Settings
from app.stream import clients, garbage, nodeless, startup
from app.stream.agents import declare
from app.stream.allocator import share_arenas
from app.stream.assignment import Assignment
from app.stream.batches import Bounds
from app.stream.claims import Claims, claim
from app.stream.contact import Absence
from app.stream.ending import Ended, Ending
from app.stream.faults import Faults
from app.stream.freshness import Freshness
from app.stream.gauges import Gauges
from app.stream.health import Health
from app.stream.host import LadderApp
from app.stream.leftovers import Leftovers
from app.stream.live import Live
from app.stream.lookup import Lookup, Owners
from app.stream.partition import Partition
from app.stream.purging import Open, Purging, open_stores
from app.stream.remembered import encode, remember
from app.stream.seam import Workshop
from app.stream.sizes import Sizes
from app.stream.standby import Standbys
from app.stream.warming import Warming
from app.stream.watch import Watch
from app.stream.watchdog import LoopWatch
from app.wire.definition import sources

log = structlog.get_logger(__name__)

QUIET_SECONDS = 1.0
"""It is quiet while no event waits for longer."""
FENCED_SECONDS = 5.0
"""Past the session timeout: by then a worker that lost its partitions has been told so."""


def run(settings: Settings, rules: Rules, faults: Faults | None = None) -> int:
    """Work until a signal ends it; the exit code. Raises LadderError for what must be changed.

    `faults` are those that a test switched on.
    """
    startup.refuse_without_extension()
    startup.refuse_address(settings)
    nodeless.install()
    share_arenas()
    descriptors.take()
    # Of what lies in a folder that others may enter, too.
    os.umask(0o077)
    claims = claim(settings)
    try:
        return asyncio.run(_run(settings, rules, claims, faults or Faults({})))
    finally:
        claims.release()


async def _run(settings: Settings, rules: Rules, claims: Claims, faults: Faults) -> int:
    log.info(
        "worker starts",
        action="worker-starting",
        app_id=settings.app_id,
        instance_id=settings.instance_id,
        clock=settings.clock,
        data_dir=str(settings.data_dir),
        ladders=[f"{ladder.id} v{ladder.version}" for ladder in rules.ladders],
    )
    ending = Ending()
    ending.on_signals()
    outage = logs.outage()
    absence = Absence(settings.brokers, outage)
    outage.watch(lambda: None)
    try:
        with startup.traces(settings) as trail, suppress(Ended):
            cluster = await _wait_until_fit(settings, rules, claims, ending, absence)
            await Worker(settings, rules, claims, ending, faults, cluster, trail, absence).work()
        if ending.error is not None:
            raise ending.error
        return 0
    finally:
        outage.watch(None)
        ending.over()


async def _wait_until_fit(
    settings: Settings, rules: Rules, claims: Claims, ending: Ending, absence: Absence
) -> startup.Cluster:
    """Return what there is to know of the cluster, once all is as it must be."""
    starting = Starting()

    def say(what: str) -> None:
        starting.waits_for = what

    served = tls.serving(settings.api_certfile, settings.api_keyfile)
    async with EarlyServer(claims.listener, starting, _access(settings), served):
        await ending.unless(startup.wait_for_broker(settings, absence, say))
        say("checking topics and settings")
        names = [ladder.id for ladder in rules.ladders]
        checks = startup.check_cluster(settings, names, _remembered(settings, rules), absence)
        return await ending.unless(checks)


class Worker:
    """One worker's parts and their life. `work` returns when `ending` is set, all closed."""

    def __init__(
        self,
        settings: Settings,
        rules: Rules,
        claims: Claims,
        ending: Ending,
        faults: Faults,
        cluster: startup.Cluster,
        trail: NewTrail,
        absence: Absence,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._rules = rules
        self._ending = ending
        self._metrics = Metrics()
        self._client = clients.arguments(settings)
        self._pace = Pace(self._behind)
        self._app = LadderApp(
            settings.app_id,
            partitions=settings.partitions,
            standbys=settings.standbys,
            session_timeout=settings.session_timeout,
            instance_id=settings.instance_id,
            url=settings.api_url,
            client=self._client,
            listener=claims.listener,
            routes=self._add_routes,
            shedding=Shedding(self._pace, self._metrics),
            bounds=Bounds((*settings.topics, settings.handovers), settings.unpacked, self._unusual),
            tls=tls.serving(settings.api_certfile, settings.api_keyfile),
        )
        self._workshop = self._new_workshop(faults, trail)
        self._sources = (*settings.topics, settings.handovers)
        self._standbys = Standbys(self._workshop)
        self._freshness = Freshness(settings.data_dir, cluster.tombstones / 2)
        self._assignment = Assignment(
            self._app,
            new=lambda number, host: Partition(number, self._workshop, host),
            standbys=self._standbys,
            metrics=self._metrics,
            stopped_by=ending.stop,
        )
        self._app.bring_up = self._assignment
        self._app.stands = self._freshness.stands
        self._watch = Watch(
            self._assignment,
            self._metrics,
            fenced_for=settings.session_timeout + FENCED_SECONDS,
        )
        self._gauges = Gauges(
            self._assignment,
            self._metrics,
            partitions=settings.partitions,
            handovers=settings.handovers,
            data_dir=settings.data_dir,
            shared=self._workshop.shared,
            heard=self._app.heard,
        )
        self._owners = Owners(self._app, settings.changelog, settings.partitions, settings.api_url)
        self._trusted = tls.asking(settings.api_cafile)
        self._health = Health(
            settings,
            app=self._app,
            assignment=self._assignment,
            standbys=self._standbys,
            group=self._owners,
            trusted=self._trusted,
            absence=absence,
        )
        self._leftovers = Leftovers(settings.data_dir, self._used)
        self._purging = Purging(self._open_stores, self._workshop.turns, self._workshop.now)
        self._warming = Warming(self._app, self._assignment, self._standbys, self._freshness)

    async def work(self) -> None:
        declare(self._app, self._sources, self._settings.partitions, self._assignment.deliver)
        self._app.on_partitions_revoked.connect(self._revoked)
        self._say_what_is_special()
        garbage.tune()
        asyncio.get_running_loop().set_exception_handler(_on_stray_error)
        loop_watch = LoopWatch(asyncio.get_running_loop(), self._settings.watchdog)
        loop_watch.start()
        looking = (
            self._watch.run(),
            *self._health.looks(),
            self._gauges.run(),
            self._warming.run(),
            self._leftovers.run(),
            self._purging.run(),
            self._crashed(),
            garbage.collect(lambda: self._gauges.oldest() < QUIET_SECONDS),
        )
        others = [asyncio.create_task(one) for one in looking]
        try:
            await self._ending.unless(self._app.start())
            log.info("worker runs", action="worker-started", api=self._settings.api_url)
            await self._ending.wait()
        finally:
            self._health.readiness.ending = True
            for task in others:
                task.cancel()
            self._warming.note()
            await self._app.stop()
            self._freshness.save()
            loop_watch.stop()
            log.info("worker ended", action="worker-ended")

    async def _crashed(self) -> None:
        """Faust marks itself crashed and waits to be looked at."""
        await self._app._crashed.wait()
        self._ending.stop(self._app.crash_reason or RuntimeError("Faust crashed"))

    def _used(self) -> set[int] | None:
        at_work = self._assignment.used()
        return None if at_work is None else at_work | self._standbys.used()

    def _open_stores(self) -> list[Open]:
        return open_stores(self._assignment.partitions, self._standbys.copies)

    async def _revoked(self, *_: object, **__: object) -> None:
        await self._assignment.quiesce()

    def _new_workshop(self, faults: Faults, trail: NewTrail) -> Workshop:
        settings = self._settings
        return Workshop(
            group=settings.app_id,
            topics=settings.topics,
            handovers=settings.handovers,
            dead_letters=settings.dead_letters,
            changes_prefix=settings.changes_prefix,
            changelog=settings.changelog,
            partitions=settings.partitions,
            data_dir=settings.data_dir,
            event_clock=settings.clock == "event",
            merge_wait=settings.merge_wait,
            remembered=encode(_remembered(settings, self._rules)),
            rules=self._rules,
            client=self._client,
            tombstones=self._cluster.tombstones,
            sizes=Sizes(self._cluster.largest),
            metrics=self._metrics,
            trail=trail,
            faults=faults,
        )

    def _unusual(self) -> int:
        """From any thread: bytes that wait beyond what is usual."""
        return self._gauges.unusual()

    def _behind(self) -> float:
        return self._gauges.oldest()

    def _add_routes(self, application: web.Application) -> None:
        settings = self._settings
        lookup = Lookup(self._rules, settings.partitions, lambda: self._assignment.partitions)
        topics = {one.id: f"{settings.changes_prefix}.{one.id}" for one in self._rules.ladders}
        add_routes(
            application,
            access=_access(settings),
            health=self._health.readiness,
            metrics=self._metrics,
            local=lookup,
            group=self._owners,
            shop=Shop(
                self._rules.ladders, sources(settings.ladders), settings.currency, settings.timezone
            ),
            trusted=self._trusted,
            pace=self._pace,
            changes=Live(self._client, topics, settings.partitions),
        )

    def _say_what_is_special(self) -> None:
        if self._rules.tops:
            log.info(
                "the cut of top_spender is taken over each partition's own customers, "
                "a sample of the shop's",
                action="top-spenders-local",
                cuts=[f"top_spender({p}, {n})" for p, n in self._rules.tops],
            )


def _access(settings: Settings) -> Access:
    return Access(settings.api_token, settings.metrics_open)


def _remembered(settings: Settings, rules: Rules) -> Any:
    return remember(
        settings.timezone,
        settings.currency,
        settings.partitions,
        settings.topics,
        rules.ladders,
    )


def _on_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A producer that was fenced leaves futures behind; its partition has told of it already."""
    if not isinstance(context.get("exception"), ProducerFenced):
        loop.default_exception_handler(context)
