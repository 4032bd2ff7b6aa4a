"""What is done at a rebalance, in place of Faust's recovery: partitions up side by side.

The group's protocol is eager: everything is revoked at each rebalance and most of it comes back.
So a revoke only stops the work; producers and stores stay open, and what the next assignment
lacks is closed then. Every partition goes its own way: one that is ready consumes while another
is still being restored. A newer generation takes over from an older one wherever it stands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.structs import TopicPartition
from mode import Service
from mode.utils.locks import Event

from app.ops import metrics as m
from app.ops.registry import Metrics
from app.stream.delivery import Delivery, Fetch
from app.stream.fetched import Record
from app.stream.host import REBALANCE_SECONDS
from app.stream.intake import FAUST
from app.stream.opening import Openings

log = structlog.get_logger(__name__)

SIDE_BY_SIDE = 8
"""Partitions that are restored at the same time."""
RETRY_SECONDS = (0.2, 1.0, 2.0, 5.0)
"""Between attempts to open a partition; the last one again and again."""
NO_USE_TO_RETRY = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
STOP_SECONDS = 7.0
"""What partitions get to finish and close when the worker stops."""


class Partition(Protocol):
    """What the assignment needs of a partition; see `app.stream.partition`."""

    state: str

    async def open(self) -> Mapping[TopicPartition, int]: ...
    def start(self) -> None: ...
    def offer(self, tp: TopicPartition, records: Sequence[Record]) -> None: ...
    async def quiesce(self) -> None: ...
    def positions(self) -> Mapping[TopicPartition, int]: ...
    async def close(self) -> None: ...


class Standbys(Protocol):
    """What the assignment needs of the copies that are kept here; see `app.stream.standby`."""

    async def follow(self, numbers: Iterable[int]) -> None: ...
    async def release(self, number: int) -> None: ...
    async def stop(self) -> None: ...


class Assignment(Service):
    """The partitions of this worker, and the host that they talk to.

    `new` makes the partition of a number. `stopped_by` is told of an error that must stop the
    worker; it may be called more than once.
    """

    abstract = False
    logger = FAUST
    in_recovery = False

    def __init__(
        self,
        app: Any,
        *,
        new: Callable[[int, Assignment], Partition],
        standbys: Standbys,
        metrics: Metrics,
        stopped_by: Callable[[BaseException], None],
    ) -> None:
        super().__init__(beacon=app.beacon)
        self.app = app
        self.partitions: dict[int, Partition] = {}
        self.generation: int | None = None
        """The one whose assignment is held; None while there is none."""
        self.completed = Event()
        self._standbys = standbys
        self._new = new
        self._metrics = metrics
        self._stopped_by = stopped_by
        self._delivery = Delivery(app.thread)
        self._last_generation: int | None = None
        self._openings = Openings(SIDE_BY_SIDE)
        self._consuming: set[int] = set()
        self._reopening: dict[int, asyncio.Task[None]] = {}
        self._partings: dict[int, asyncio.Task[None]] = {}
        """Being closed, and it may take longer than the assignment in which that began."""
        self._job: asyncio.Task[None] | None = None

    # What Faust calls.

    def on_partitions_revoked(self, revoked: object) -> None:
        """At once, before anything else: nothing more reaches a partition."""
        if self.generation is not None:
            held = sorted(self.partitions)
            log.info("partitions revoked", action="partitions-revoked", partitions=held)
        self.completed.clear()
        self.generation = None
        self._delivery.forget()
        for task in self._acting():
            task.cancel()

    async def on_rebalance(
        self, assigned: object, revoked: object, newly_assigned: object, generation_id: int = 0
    ) -> None:
        for task in self._acting():
            task.cancel()
        wanted = {tp.partition for tp in self.app.assignor.assigned_actives()}
        copies = {tp.partition for tp in self.app.assignor.assigned_standbys()} - wanted
        self._metrics.count(m.REBALANCES)
        log.info(
            "partitions assigned",
            action="partitions-assigned",
            generation=generation_id,
            partitions=sorted(wanted),
            standbys=sorted(copies),
            warming=sorted(self.app.assignor.warming),
        )
        self._job = asyncio.create_task(self._bring_up(wanted, copies, generation_id))

    async def on_stop(self) -> None:
        self.on_partitions_revoked(())
        await self._openings.give_up_all()
        await self.quiesce(STOP_SECONDS / 2)
        closing: list[Any] = [partition.close() for partition in self.partitions.values()]
        closing.append(self._standbys.stop())
        await _bounded([*closing, *self._partings.values()], STOP_SECONDS / 2, "closing")
        self.partitions.clear()

    async def quiesce(self, seconds: float = REBALANCE_SECONDS / 2) -> None:
        """Finish or abort what is under way. The group waits for this before it goes on."""
        await asyncio.gather(*self._acting(), return_exceptions=True)
        started = sorted(self._consuming)
        self._consuming.clear()
        stopping = [self.partitions[number].quiesce() for number in started]
        late = await _bounded(stopping, seconds, "finishing a batch")
        await self._part_with({started[index] for index in late})

    def used(self) -> set[int] | None:
        """The partitions whose stores are open here or being closed; None between assignments."""
        if not self.completed.is_set():
            return None
        return {*self.partitions, *self._partings}

    # What partitions ask of their host.

    async def seek(self, positions: Mapping[TopicPartition, int]) -> None:
        await self._delivery.seek(positions)

    def resume(self, tp: TopicPartition) -> None:
        self._delivery.resume(tp)

    def pause(self, tp: TopicPartition) -> None:
        self._delivery.pause(tp)

    def end_of(self, tp: TopicPartition) -> int | None:
        return self._delivery.end_of(tp)

    def position_of(self, tp: TopicPartition) -> int | None:
        return self._delivery.position_of(tp)

    def failed(self, number: int, error: BaseException) -> None:
        log.error(
            "partition gave up",
            action="partition-failed",
            partition=number,
            error=str(error) or repr(error),
        )
        self._stopped_by(error)

    def stop_worker(self, error: BaseException) -> None:
        """For what no partition can mend. May be called more than once."""
        self._stopped_by(error)

    def deliver(self, fetch: Fetch) -> None:
        """From an agent: hand a fetch to its partition. Whatever goes wrong stops the worker."""
        try:
            partition = self.partitions.get(fetch.tp.partition)
            if partition is not None:
                self._delivery.deliver(fetch, partition.offer)
        except Exception as error:
            self.failed(fetch.tp.partition, error)

    def reopen(self, number: int) -> None:
        """Open a partition again that stays closed, though it is still assigned here."""
        if number in self._consuming and number not in self._reopening:
            self._reopening[number] = asyncio.create_task(self._reopen(number))

    async def _reopen(self, number: int) -> None:
        try:
            self._consuming.discard(number)
            await self.partitions[number].quiesce()
            await self._bring_one(number, kept=False)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._stopped_by(error)
        finally:
            self._reopening.pop(number, None)

    # The life of an assignment.

    async def _bring_up(self, wanted: set[int], copies: set[int], generation: int) -> None:
        try:
            await self._part_with(set(self.partitions) - wanted)
            kept = self._last_generation is not None and generation == self._last_generation + 1
            self._last_generation = self.generation = generation
            self.app.flow_control.resume()
            self.app.consumer.resume_flow()
            await self.app._fetcher.maybe_start()
            bringing = (self._bring_one(number, kept=kept) for number in sorted(wanted))
            await asyncio.gather(self._follow(copies), *bringing)
            self._say_ready(generation)
            await self.app.on_rebalance_complete.send()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._stopped_by(error)

    def _acting(self) -> list[asyncio.Task[None]]:
        """What acts for the current assignment, and for no other."""
        return [*self._reopening.values(), *([self._job] if self._job is not None else [])]

    def _say_ready(self, generation: int) -> None:
        self.completed.set()
        self.app.tables.on_actives_ready()
        self.app.tables.on_standbys_ready()
        self.app.on_rebalance_end()
        self._metrics.set(m.LAST_ASSIGNMENT, time.time())
        log.info(
            "partitions ready",
            action="partitions-ready",
            generation=generation,
            partitions=sorted(self.partitions),
        )

    async def _part_with(self, lost: set[int]) -> None:
        await asyncio.gather(*(self._drop(number) for number in lost))

    async def _drop(self, number: int) -> None:
        """Close it for good; another worker may have it already, so nothing is left to save."""
        partition = self.partitions.pop(number, None)
        if partition is not None:
            self._partings[number] = asyncio.create_task(self._part(number, partition))
        await self._parted(number)

    async def _part(self, number: int, partition: Partition) -> None:
        """Goes on whatever becomes of the assignment in which it began."""
        try:
            await self._openings.give_up(number)
            async with asyncio.timeout(STOP_SECONDS):
                await partition.close()
        except Exception as error:
            log.warning(
                "failed", action="stop-failed", doing="closing", partition=number, error=repr(error)
            )
        finally:
            self._metrics.forget(number)
            log.info("partition given away", action="partition-closed", partition=number)
            del self._partings[number]

    async def _parted(self, number: int) -> None:
        """Wait until nobody here holds the folder of a partition that was given away."""
        parting = self._partings.get(number)
        if parting is not None:
            await asyncio.wait([parting])

    async def _follow(self, copies: set[int]) -> None:
        for number in copies:
            await self._parted(number)
        await self._standbys.follow(copies)

    async def _bring_one(self, number: int, *, kept: bool) -> None:
        """From whatever it is now to consuming."""
        partition = self.partitions.get(number)
        if partition is None:
            await self._parted(number)
            await self._standbys.release(number)
            partition = self.partitions[number] = self._new(number, self)
        elif not kept:
            # Somebody else may have had it since that began: what it reads now is not the end.
            await self._openings.give_up(number)
        delays = iter(RETRY_SECONDS)
        while True:
            try:
                await self._to_consuming(number, partition, kept=kept)
                return
            except NO_USE_TO_RETRY:
                raise
            except (KafkaError, OSError, TimeoutError) as error:
                delay = next(delays, RETRY_SECONDS[-1])
                log.warning(
                    "partition not open yet",
                    action="partition-open-retried",
                    partition=number,
                    error=repr(error),
                )
                await asyncio.sleep(delay)

    async def _to_consuming(self, number: int, partition: Partition, *, kept: bool) -> None:
        if kept and partition.state == "ready" and number not in self._openings:
            positions = partition.positions()
        else:
            positions = await self._openings.result(number, partition.open)
        await self._delivery.seek(positions)
        partition.start()
        self._consuming.add(number)
        log.info("partition consumes", action="partition-started", partition=number)
        for tp in positions:
            self._delivery.resume(tp)


async def _bounded(work: list[Any], seconds: float, doing: str) -> list[int]:
    """Run all of it side by side; the indexes of what did not end in time or failed."""
    if not work:
        return []
    tasks = [asyncio.ensure_future(one) for one in work]
    await asyncio.wait(tasks, timeout=seconds)
    wrong = []
    for index, task in enumerate(tasks):
        if not task.done():
            task.cancel()
            log.warning("gave up waiting", action="wait-given-up", doing=doing, seconds=seconds)
            wrong.append(index)
        elif not task.cancelled() and task.exception() is not None:
            log.warning("failed", action="stop-failed", doing=doing, error=repr(task.exception()))
            wrong.append(index)
    return wrong
