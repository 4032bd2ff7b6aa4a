"""What is left of somebody who was erased, byte by byte: files, changelog, API, topics.

On real Kafka, with a worker that took over from another, which follows as a standby. What is found
here is what docs/operating.md says under *What erasure reaches*.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from app.api.access import Access
from app.api.pace import Pace
from app.api.ports import Shop as OfShop
from app.api.routes import add_routes
from app.core.instants import SECOND
from app.ops.registry import Metrics
from app.stream.history import Turns
from app.stream.live import Live
from app.stream.lookup import Lookup
from app.stream.purging import AFTER_SECONDS, Open, Purging, open_stores
from app.stream.seam import wall_clock
from app.stream.standby import Standbys
from app.wire.record import TRACES
from tests.api_workers import FakeGroup, FakeHealth
from tests.integration.one_partition import Shop, TestHost, event, purchase, until
from tests.kafka.broker import Kafka
from tests.shop import ladder

GONE, ABSORBED, BROUGHT, BRINGER = "Xq7Zk2Vw9LpT", "b4Nf8RmY1Gdh", "Js3Hc6Pe0Uxa", "Ki5Qo8Wz2Bvn"
CITY, OTHER = "Tf9Ly4Dm7Reg", "other-1"
"""Without four letters in common, which files would have only once."""
ERASED = [text.encode() for text in (GONE, ABSORBED, CITY)]
LADDERS = (
    ladder("low: events_in(700) >= 1\nhigh: referrals >= 1", id="climb"),
    ladder("lately: purchases_in(3) >= 1", id="recency"),
)
PARTITIONS = 2
QUICKLY = {
    "cleanup.policy": "compact", "segment.ms": "500", "max.compaction.lag.ms": "500",
    "delete.retention.ms": "500", "min.cleanable.dirty.ratio": "0.1",
}  # fmt: skip
"""Settings of a changelog that does in seconds what ours does in days."""


@pytest.fixture
async def shop(new_kafka: Kafka, unique: str, tmp_path: Path) -> Shop:
    new_kafka.settings |= {"log.cleaner.backoff.ms": "200", "log.segment.delete.delay.ms": "100"}
    new_kafka.start()
    shop = Shop(
        new_kafka.bootstrap, unique, tmp_path / "second", partitions=PARTITIONS, ladders=LADDERS
    )
    admin = AIOKafkaAdminClient(**shop.client)
    await admin.start()
    await admin.create_topics([NewTopic(shop.changelog, PARTITIONS, 1, topic_configs=QUICKLY)])
    await admin.close()
    return await shop.create()


def story() -> list[tuple[bytes | None, bytes | None]]:
    """All that ties somebody to others: brought by one, brings another, absorbs a third."""
    return [
        event("signup.inquired", BRINGER, "2026-03-01T00:00:00Z", 1),
        event("signup.registered", GONE, "2026-03-02T00:00:00Z", 2, referred_by=BRINGER),
        purchase(GONE, "2026-03-03T00:00:00Z", 3),
        event("profile.updated", GONE, "2026-03-03T01:00:00Z", 4, attributes={"city": CITY}),
        event("signup.card_issued", GONE, "2026-03-03T02:00:00Z", 5, tier=CITY),
        event("signup.registered", BROUGHT, "2026-03-04T00:00:00Z", 6, referred_by=GONE),
        purchase(BROUGHT, "2026-03-05T00:00:00Z", 7),
        purchase(ABSORBED, "2026-03-05T01:00:00Z", 8),
        event("profile.merged", ABSORBED, "2026-03-05T02:00:00Z", 9, into=GONE),
        event("signup.inquired", OTHER, "2026-03-20T00:00:00Z", 10),
    ]


class System:
    """Both partitions at work, an API over them, and the stores of the worker before as copies."""

    def __init__(self, shop: Shop, hosts: list[TestHost], standbys: Standbys, url: str) -> None:
        self.shop = shop
        self.hosts = hosts
        self.standbys = standbys
        self.url = url
        self._last = 0

    def stores(self) -> list[Open]:
        partitions = {number: host.partition for number, host in enumerate(self.hosts)}
        found = open_stores(partitions, self.standbys.copies)
        assert len(found) == 2 * PARTITIONS
        return found

    async def purged(self) -> None:
        """Half a day later."""
        later = wall_clock() + AFTER_SECONDS * SECOND
        await Purging(self.stores, Turns(), lambda: later).look()

    async def followed(self) -> None:
        """Wait until the copies hold what is in the changelog."""

        async def level() -> bool:
            copies = self.standbys.copies.values()
            return all(copy.caught_up and copy.position == copy.end for copy in copies)

        await until(level)

    async def answers(self) -> dict[str, bytes]:
        """What the API says to everything that can be asked, of whoever was ever known."""
        paths = ["/metrics", "/v1/ladders"]
        for who in (GONE, ABSORBED, BROUGHT, BRINGER, OTHER):
            paths += [f"/v1/customers/{quote(who)}", f"/v1/customers/{quote(who)}/history"]
        for each in LADDERS:
            paths.append(f"/v1/ladders/{each.id}")
            rungs = [rung.id for rung in each.rungs]
            paths += [f"/v1/ladders/{each.id}/customers?rung={rung}" for rung in rungs]
        async with aiohttp.ClientSession() as client:
            found = {path: await body(client, self.url + path) for path in paths}
            for query in ("", *(f"?ladder={each.id}" for each in LADDERS)):
                found[f"/v1/changes{query}"] = await self._changes(client, query)
        return found

    async def _changes(self, client: aiohttp.ClientSession, query: str) -> bytes:
        """What somebody is told who begins to look, up to a change that comes then."""
        heard, self._last = b"", self._last + 1
        last = f"last-{self._last}"
        async with asyncio.timeout(60), client.get(f"{self.url}/v1/changes{query}") as answer:
            heard += await answer.content.readline()
            await self.shop.send([purchase(last, "2026-03-22T00:00:00Z", last)])
            while last.encode() not in heard:
                heard += await answer.content.readline()
        return heard


async def body(client: aiohttp.ClientSession, url: str) -> bytes:
    async with client.get(url) as answer:
        return await answer.read()


@asynccontextmanager
async def at_work(shop: Shop, before: Path) -> AsyncIterator[System]:
    """A worker with its API; the stores of the one that was at work before are copies now."""
    async with AsyncExitStack() as stack:
        hosts = [await stack.enter_async_context(shop.running(n)) for n in range(PARTITIONS)]
        standbys = Standbys(shop.workshop(data_dir=before))
        stack.push_async_callback(standbys.stop)
        await standbys.follow(range(PARTITIONS))
        yield System(shop, hosts, standbys, await stack.enter_async_context(api(shop, hosts)))


@asynccontextmanager
async def api(shop: Shop, hosts: list[TestHost]) -> AsyncIterator[str]:
    application = web.Application()
    topics = {each.id: f"{shop.changes}.{each.id}" for each in LADDERS}
    partitions = {number: host.partition for number, host in enumerate(hosts)}
    group, metrics = FakeGroup(), Metrics()
    add_routes(
        application, access=Access(None, False), health=FakeHealth(), metrics=metrics,
        local=Lookup(shop.rules, PARTITIONS, lambda: partitions), group=group,
        changes=Live(shop.client, topics, PARTITIONS), pace=Pace(lambda: 0.0),
        shop=OfShop(LADDERS, {each.id: b"" for each in LADDERS}, "VND", "UTC"),
    )  # fmt: skip
    group.partitions = PARTITIONS
    runner = web.AppRunner(application)
    await runner.setup()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    group.own_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    yield group.own_url
    await runner.cleanup()


async def applied(shop: Shop, hosts: Iterable[TestHost]) -> None:
    """Wait until nothing is on its way, handovers neither."""

    async def still() -> bool:
        for host in hosts:
            assert host.partition is not None
            positions = host.partition.positions()
            ends = await host._consumer.end_offsets(list(positions))
            if any(positions[place] < end for place, end in ends.items()):
                return False
        return True

    for _ in range(6):  # a handover may cause another
        await until(still)
        await shop.markers()


def found_in(texts: Iterable[bytes], *folders: Path) -> dict[str, list[bytes]]:
    """Which of some texts lie in any file below some folders, by file."""
    found = {}
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file() and (there := [text for text in texts if text in file.read_bytes()]):
                found[str(file.relative_to(folder))] = there
    return found


def logs_of(kafka: Kafka, topic: str) -> list[Path]:
    return sorted(kafka.folder.rglob(f"{topic}-[0-9]"))


async def told_before(shop: Shop, before: Path) -> None:
    """Let the worker before do the work until then."""
    async with AsyncExitStack() as stack:
        hosts = [
            await stack.enter_async_context(shop.running(number, data_dir=before))
            for number in range(PARTITIONS)
        ]
        await shop.send(story())
        await applied(shop, hosts)


async def test_nothing_is_left_of_who_was_erased_where_it_is_said_that_nothing_is(
    shop: Shop, new_kafka: Kafka, tmp_path: Path
) -> None:
    before = tmp_path / "first"
    await told_before(shop, before)
    async with at_work(shop, before) as system:
        await applied(shop, system.hosts)
        await system.followed()
        said = b"".join((await system.answers()).values())
        assert all(text in said for text in ERASED)
        assert b"credit/sha256:" + sha256(GONE.encode()).hexdigest().encode() in said
        assert len(found_in(ERASED, shop.folder, before)) >= 2 * PARTITIONS
        await shop.send([event("profile.erased", GONE, "2026-03-21T00:00:00Z", 11)], topic=2)
        await shop.send([purchase(OTHER, "2026-03-22T00:00:00Z", 12)])
        await applied(shop, system.hosts)
        await system.followed()

        # At once: the API.
        asked = GONE, ABSORBED
        for path, answer in (await system.answers()).items():
            if not any(id in path for id in asked):
                assert not any(text in answer for text in ERASED), path
            else:
                assert json.loads(answer)["status"] == 404

        # Within a day: the data folders, those of copies too. A marker stays.
        assert found_in(ERASED, shop.folder, before)
        await system.purged()
        assert found_in(ERASED, shop.folder, before) == {}
        rows = [key for each in system.stores() for key, _ in each.store.scan(TRACES, b"y", 99)]
        for text in asked:
            assert TRACES + sha256(text.encode()).digest() in rows

        # Within a day: the changelog, when it was compacted; keys a week later, with another.
        async def compacted() -> bool:
            await shop.send(
                [purchase(f"{OTHER}-{number}", "2026-03-22T00:00:00Z", 13) for number in range(9)]
            )
            await applied(shop, system.hosts)
            return found_in(ERASED, *logs_of(new_kafka, shop.changelog)) == {}

        await until(compacted)

    # Until their retention: what was sent, what was published, what was handed over.
    topics = (*shop.topics, shop.handovers, shop.dead_letters)
    changes = [f"{shop.changes}.{each.id}" for each in LADDERS]
    left = {name for name in (*topics, *changes) if found_in(ERASED, *logs_of(new_kafka, name))}
    assert left == {shop.topics[0], shop.topics[2], shop.handovers, *changes}
