"""A shop under load on three brokers, what is done to it, and what is measured meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.errors import BrokerError
from app.stream import clients
from tests.faults import rest
from tests.faults.fleet import Fleet
from tests.faults.load import Load, find_places, load
from tests.faults.rest import until
from tests.faults.setting_up import FEW, trial
from tests.faults.tale import Chapter
from tests.faults.verdict import Trial
from tests.kafka.broker import Kafka

T = TypeVar("T")
MAY_PASS = (KafkaError, BrokerError, OSError, TimeoutError)
QUICKLY: dict[str, Any] = {"request_timeout_ms": 5_000, "metadata_max_age_ms": 3_000}
LOOK = 0.5
BELIEVED = 300.0
"""Seconds by which a record may be older than its arrival here."""


async def stubborn(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until a cluster that is being mistreated answers."""
    answers: list[T] = []

    async def answered() -> bool:
        try:
            answers.append(await ask())
        except MAY_PASS:
            return False
        return True

    await until("the cluster answers", answered, 0.3)
    return answers[-1]


class Progress:
    """How long at most nothing was committed while a worker and most brokers were there.

    By the times in the changelog's records: whoever looks is kept from looking by the same faults.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet, self._settings = fleet, fleet.settings
        self._excused = 0
        self._last = time.time()
        self._at: dict[TopicPartition, int] = {}
        self.longest = 0.0
        self.longest_until = 0.0
        """When that ended, in seconds since 1970: where to look in the workers' logs."""

    @contextmanager
    def excused(self) -> Iterator[None]:
        """Nothing can be committed now: a majority is away."""
        self._excused += 1
        try:
            yield
        finally:
            self._excused -= 1
            self._last = time.time()

    async def run(self) -> None:
        """Look until cancelled."""
        changelog = rest.places(self._settings, [self._settings.changelog])
        self._at, self._last = {}, time.time()
        while True:
            with suppress(*MAY_PASS):
                async with clients.consumer(self._settings, **QUICKLY) as consumer:
                    consumer.assign(changelog)
                    if not self._at:
                        self._at = await consumer.end_offsets(changelog)
                    for place, offset in self._at.items():
                        consumer.seek(place, offset)
                    while True:
                        self._take(await consumer.getmany(timeout_ms=int(LOOK * 1000)))
            await asyncio.sleep(LOOK)

    def _take(self, found: Mapping[TopicPartition, Sequence[Any]]) -> None:
        if not self._fleet.running:
            self._last = time.time()
        self._at.update({place: records[-1].offset + 1 for place, records in found.items()})
        records = [record for of_place in found.values() for record in of_place]
        self.committed(sorted(record.timestamp / 1000 for record in records), time.time())

    def committed(self, at: Sequence[float], now: float) -> None:
        """Take in when something was committed, as its writer says, the oldest first."""
        for moment in at:
            # Of a worker whose clock was moved only that it has come is to be believed.
            moment = moment if abs(now - moment) < BELIEVED else now
            if not self._excused and moment - self._last > self.longest:
                self.longest, self.longest_until = moment - self._last, moment
            self._last = max(self._last, moment)


@dataclass
class Ordeal:
    """`recoveries` are seconds from a fault's end until all that was sent by then is committed."""

    name: str
    seed: int
    trial: Trial
    cluster: Kafka
    progress: Progress
    events: int = 0
    deeds: int = 0
    recoveries: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verdict: str = "FAILED"
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    @property
    def fleet(self) -> Fleet:
        return self.trial.fleet

    @asynccontextmanager
    async def under_load(
        self, next_chapter: Callable[[], Chapter] | None = None
    ) -> AsyncIterator[Load]:
        """Events come all the while, and it is looked at whether anything moves."""
        watching = asyncio.create_task(self.progress.run())
        try:
            async with load(self.trial, next_chapter) as these:
                try:
                    yield these
                finally:
                    watching.cancel()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        self.events += these.sent

    async def recovered(self, what: str, since: float | None = None) -> float:
        """Wait until everything sent up to now is committed; says how long after `since`, or now.

        since: of the monotonic clock, when the fault began.
        """
        began = time.monotonic() if since is None else since
        ends = await stubborn(self.ends)
        at: dict[TopicPartition, int] = {}

        async def committed() -> bool:
            self.fleet.see_that_they_run()
            at.update(await stubborn(self.committed))
            return all(at.get(place, 0) >= end for place, end in ends.items())

        await until(lambda: f"{ends} are applied after {what}; committed is {at}", committed, 0.2)
        seconds = time.monotonic() - began
        self.deeds += 1
        self.recoveries.append(seconds)
        print(f"  {what}: recovered in {seconds:.1f} s", flush=True)
        return seconds

    async def ends(self) -> dict[TopicPartition, int]:
        settings = self.fleet.settings
        async with clients.consumer(settings, **QUICKLY) as consumer:
            found: dict[TopicPartition, int] = await consumer.end_offsets(
                rest.places(settings, settings.topics)
            )
            return found

    async def committed(self) -> dict[TopicPartition, int]:
        async with clients.admin(self.fleet.settings) as admin:
            return await rest.committed(admin, self.fleet.settings)

    async def conclude(self) -> None:
        """Leave one worker, which then has everything; compare; look at all stores."""
        for member in self.fleet.running[1:]:
            await member.quit()  # one of them may have hardly begun
        await self.fleet.ready()
        await self.trial.at_rest()
        await self.compare()
        await self.fleet.stop()
        await self.trial.check_stores()
        self.verdict = "right"

    async def compare(self) -> None:
        await find_places(self.trial)
        await self.trial.check()

    def report(self) -> str:
        """One line for the table of faults."""
        compared = self.trial.compared
        slowest = f"{max(self.recoveries):.1f}" if self.recoveries else "-"
        return (
            f"{self.name:<28} {self.seed:>4} {self.events:>7} {compared['changes']:>8} "
            f"{compared['dead letters']:>7} {compared['stores']:>6} {self.deeds:>5} {slowest:>9} "
            f"{self.progress.longest:>8.1f} {self.seconds:>7.0f}  {self.verdict}"
            + "".join(f"\n    {note}" for note in self.notes)
        )


HEADER = (
    f"{'fault':<28} {'seed':>4} {'events':>7} {'changes':>8} {'letters':>7} {'stores':>6} "
    f"{'faults':>5} {'recover s':>9} {'silent s':>8} {'took s':>7}  output"
)
"""`silent s`: the longest time in which no partition committed, where a majority was there."""


@asynccontextmanager
async def ordeal(
    cluster: Kafka, name: str, topics: str, folder: Path, *, seed: int, **more: Any
) -> AsyncIterator[Ordeal]:
    """A shop of its own on the cluster; whatever happens, no worker is left and all brokers run."""
    made = await trial(
        cluster.bootstrap, topics, folder, seed=seed,
        **{"lanes": 1, "few": FEW, "LADDER_REPLICATION_FACTOR": "3", **more},
    )  # fmt: skip
    under = Ordeal(name, seed, made, cluster, Progress(made.fleet))
    try:
        yield under
    finally:
        made.fleet.kill()
        cluster.start()
        under.seconds = time.monotonic() - under.began
        print(HEADER, under.report(), sep="\n", flush=True)
