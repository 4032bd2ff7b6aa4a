"""Whole fetches instead of single messages, diverted where Faust asks aiokafka for records.

Faust's own path takes every message by itself and keeps offsets that lose and double events at
start and rebalance, so input topics do not use it. Here a fetch goes to the agents' channels as
it came, and Faust, which sees no `Event`, neither acknowledges nor commits it.

Two threads meet in this module: aiokafka lives in the consumer thread, everything else in the
main loop. What the consumer thread owns (`_flowing`, `_epochs`, `_ends`) changes only there.
What happens to a fetch in the main loop is `delivery`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import ConsumerStoppedError, OffsetOutOfRangeError
from aiokafka.structs import TopicPartition
from faust.transport.drivers import aiokafka as driver

from app.errors import OffsetsLost
from app.stream import fetched
from app.stream.delivery import Fetch, Sought
from app.stream.fetched import Record
from app.stream.remembered import START_ANEW
from app.stream.unhurried import unhurried

FAUST = logging.getLogger("faust.app")
"""Where what Faust itself says about our parts belongs, beside the rest of what it says."""
FETCH_WAIT_MS = 100
FETCH_BYTES = 1 << 19
"""For each partition of a topic; every paused one may hold this much in memory."""
TAKE_RECORDS = 10_000
"""At most so many records are parsed in one go: the parser holds the interpreter."""
TAKE_SECONDS = 0.1
NONE_FLOWS = TopicPartition("", -1)
"""Stands in the set of flowing partitions, because aiokafka takes an empty set for all of them."""


class RebalanceListener(driver.ConsumerRebalanceListener):
    """Holds every partition still from the first moment of an assignment on."""

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> Any:
        self._thread.hold(())
        return super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self._thread.hold(assigned)
        await super().on_partitions_assigned(assigned)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """The thread of aiokafka's consumer; its fetch keeps positions and records together."""

    logger = FAUST

    def __post_init__(self) -> None:
        super().__post_init__()
        self._flowing: set[TopicPartition] = {NONE_FLOWS}
        self._epoch = 0
        self._epochs: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._stables: dict[TopicPartition, int | None] = {}
        self._resumed: dict[TopicPartition, float] = {}
        """When it began to flow, in seconds since 1970."""

    def _create_worker_consumer(self, transport: object) -> AIOKafkaConsumer:
        fetched.install(self.app.bounds)
        return unhurried(
            AIOKafkaConsumer(
                **self.app.consumer_arguments,
                partition_assignment_strategy=[self.app.assignor],
                enable_auto_commit=False,
                auto_offset_reset="none",
                isolation_level="read_committed",
                fetch_max_wait_ms=FETCH_WAIT_MS,
                max_partition_fetch_bytes=FETCH_BYTES,
                max_poll_records=TAKE_RECORDS,
            )
        )

    def hold(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing flows until it was sought and resumed.

        The position 0 is never read from; it keeps aiokafka from looking for one by itself.
        """
        self._flowing = {NONE_FLOWS}
        self._ends.clear()
        consumer = self._ensure_consumer()
        for tp in assigned:
            consumer.pause(tp)
            consumer.seek(tp, 0)

    async def place(self, positions: Mapping[TopicPartition, int]) -> dict[TopicPartition, Sought]:
        """Pause these partitions and put them where they are to be read from."""
        consumer = self._ensure_consumer()
        stable = await consumer.end_offsets(list(positions))
        sought = {}
        self._epoch += 1
        for tp, position in positions.items():
            self._flowing.discard(tp)
            consumer.pause(tp)
            consumer.seek(tp, position)
            self._epochs[tp] = self._epoch
            self._ends[tp] = position
            self._stables[tp] = stable[tp]
            sought[tp] = Sought(self._epoch, position, stable[tp])
        return sought

    def flow(self, tp: TopicPartition, epoch: int) -> None:
        """Let it flow, unless it was sought again or assigned anew since it was asked for."""
        if tp in self._ends and self._epochs[tp] == epoch:
            self._ensure_consumer().resume(tp)
            self._resumed[tp] = time.time()
            self._flowing.add(tp)

    def stem(self, tp: TopicPartition) -> None:
        self._flowing.discard(tp)
        consumer = self._ensure_consumer()
        if tp in consumer.assignment():
            consumer.pause(tp)

    def rejoin(self) -> None:
        """Run by `later`: join the group again, which revokes and assigns everything anew."""
        self._ensure_consumer()._coordinator.request_rejoin()

    async def take(self) -> list[Fetch]:
        """What was fetched of the partitions that flow; waits a moment when there is nothing."""
        consumer = self._ensure_consumer()
        if consumer._closed or consumer._fetcher._closed:
            raise ConsumerStoppedError
        room = self.app.bounds.begin()
        with consumer._subscription.fetch_context():
            if not room or not self.consumer.flow_active or len(self._flowing) == 1:
                await asyncio.sleep(TAKE_SECONDS)
                return []
            records = await consumer._fetcher.fetched_records(
                self._flowing, timeout=TAKE_SECONDS, max_records=TAKE_RECORDS
            )
        return self._told(consumer, records)

    def _told(
        self, consumer: AIOKafkaConsumer, records: Mapping[TopicPartition, Sequence[Record]]
    ) -> list[Fetch]:
        """No await since the records were taken, so positions and epochs are those they had."""
        subscription = consumer._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        if assignment is None or not assignment.active:
            return []
        fetches = []
        for tp in self._ends:
            state = assignment.state_value(tp)
            if state is None:
                continue
            start, end = self._ends[tp], state.position
            stable = self._stables[tp] if state.lso is None else state.lso
            if end != start or stable != self._stables[tp]:
                self._ends[tp], self._stables[tp] = end, stable
                found = records.get(tp, [])
                generation, epoch = self.app.consumer_generation_id, self._epochs[tp]
                fetches.append(Fetch(tp, found, generation, epoch, start, end, stable))
        return fetches

    def heard(self) -> float | None:
        """From any thread: when a broker last answered a fetch, in seconds since 1970.

        None while nothing is assigned, or nothing was fetched since it was.
        """
        stamps = [at for tp in list(self._ends) if (at := self._answered(tp)) is not None]
        return max(stamps, default=None)

    def silences(self) -> dict[TopicPartition, float]:
        """From any thread: of all that flow, for how many seconds no broker has answered a fetch.

        Brokers answer each within a moment, whether or not there is anything.
        """
        now = time.time()
        flowing = [tp for tp in list(self._flowing) if tp != NONE_FLOWS]
        return {
            tp: max(0.0, now - max(self._answered(tp) or 0.0, self._resumed.get(tp, now)))
            for tp in flowing
        }

    def _answered(self, tp: TopicPartition) -> float | None:
        subscription = self._ensure_consumer()._subscription.subscription
        assignment = subscription.assignment if subscription is not None else None
        state = assignment.state_value(tp) if assignment is not None else None
        return state.timestamp / 1000 if state is not None and state.timestamp else None

    def later(self, change: Callable[..., object], *arguments: object) -> None:
        """From any thread: change what this thread owns, here and in the order asked."""
        with contextlib.suppress(RuntimeError):  # its loop is closed: the worker is stopping
            self.thread_loop.call_soon_threadsafe(change, *arguments)


class Consumer(driver.Consumer):
    """Faust's consumer, but for its way of reading."""

    RebalanceListener = RebalanceListener
    logger = FAUST

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[Any, Any]]:
        """Put whole fetches on the channels of their topics; yields nothing.

        Keeps the checks of the original: the flow is active, the generation is the one that was
        fetched in, the partition is active (the thread takes only of those that flow). It goes on
        asking while nothing flows, since a consumer that does not ask is taken for stuck by
        aiokafka and kept out of the group: only a main loop that hangs may end like that.
        """
        for fetch in await self._taken():
            if not self.flow_active or fetch.generation != self.app.consumer_generation_id:
                break  # revoked meanwhile: all of it will be sought again
            (channel,) = self.app.topics._tp_index[fetch.tp]
            channel.queue.force_put_nowait(fetch)
        none: tuple[tuple[Any, Any], ...] = ()
        for message in none:  # what makes this the async generator that Faust expects
            yield message

    async def _taken(self) -> list[Fetch]:
        try:
            fetches: list[Fetch] = await self._thread.call_thread(self._thread.take)
        except OffsetOutOfRangeError as error:
            # Not raised through Faust, which would show the way it took and not what to do.
            self.app.bring_up.stop_worker(OffsetsLost(_lost(error)))
            await self.wait_until_stopped()
            return []
        return fetches

    def verify_event_path(self, now: float, tp: object) -> None:
        """Faust would complain that input topics are never committed through it."""


class Transport(driver.Transport):
    """Faust's transport over aiokafka with the consumer above."""

    Consumer = Consumer


def _lost(error: OffsetOutOfRangeError) -> str:
    wanted = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    places = ", ".join(f"{tp.topic}[{tp.partition}] at {at}" for tp, at in wanted.items())
    return (
        f"the broker no longer has the records that come next ({places or error}): they were "
        "deleted before this worker read them (retention was shorter than the wait). Start it "
        "again: it then tells all that is lost, in every partition, with the commands that go on "
        f"without; or {START_ANEW}"
    )
