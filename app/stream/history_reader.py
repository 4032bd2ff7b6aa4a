"""Reads the stage-change topics of a partition into its history, when there is time for it.

After a restore that is all they still hold; after a backlog, what was left. Records of lives that
are over are passed by, so nobody who was erased comes back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from app.stream import history_rows as rows
from app.stream.history import History, Turns
from app.stream.store import StoreBroken, StoreClosed
from app.stream.unhurried import unhurried
from app.wire.record import HOT, life_of

log = structlog.get_logger(__name__)

RECORDS = 100
"""In one go: a millisecond or two, in which nobody else has a turn."""
FETCH_BYTES = 256 * 1024
AT_REST, AT_WORK, IN_A_HURRY = 3.0, 4.0, 120.0
"""How many times as long as it worked it sleeps, so that the stream has the time it needs."""
LONGEST_SLEEP = 1.0
RETRY_SECONDS = 5.0


def _rest(turns: Turns) -> float:
    if turns.busy():
        return IN_A_HURRY
    return AT_WORK if turns.working() else AT_REST


async def follow(history: History, number: int, client: Mapping[str, Any]) -> None:
    """Bring a history level whenever it is behind, until cancelled or the store is closed."""
    while True:
        await history.behind.wait()
        try:
            if not history.swept:
                await _sweep(history)
            await _Reader(history, number, client).bring()
        except (StoreBroken, StoreClosed) as error:
            log.info(
                "history is left", action="history-left", partition=number, why=type(error).__name__
            )
            return
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning(
                "history cannot be read yet",
                action="history-unread",
                partition=number,
                error=repr(error),
            )
            await asyncio.sleep(RETRY_SECONDS)
        except Exception:
            # Nobody waits for this task; without a word history would stay incomplete for ever.
            log.exception(
                "history is given up until the partition opens again",
                action="history-given-up",
                partition=number,
            )
            return


class _Reader:
    def __init__(self, history: History, number: int, client: Mapping[str, Any]) -> None:
        self._history = history
        self._places = [TopicPartition(topic, number) for topic in history.topics.values()]
        self._client = client

    async def bring(self) -> None:
        consumer = unhurried(
            AIOKafkaConsumer(
                **self._client,
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="none",
                max_partition_fetch_bytes=FETCH_BYTES,
                fetch_max_wait_ms=100,
            )
        )
        try:
            await consumer.start()
            await self._begin(consumer)
            while not self._history.level:
                await self._step(consumer)
        finally:
            await consumer.stop()

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        consumer.assign(self._places)
        begins = await consumer.beginning_offsets(self._places)
        ends = await consumer.end_offsets(self._places)
        for place in self._places:
            known = self._history.positions.get(place.topic, 0)
            # Beyond the end: the topic was made anew.
            consumer.seek(place, max(begins[place], known) if known <= ends[place] else 0)
        self._history.read_to({place.topic: end for place, end in ends.items()})

    async def _step(self, consumer: AIOKafkaConsumer) -> None:
        history = self._history
        found = await consumer.getmany(timeout_ms=100, max_records=RECORDS)
        positions = {place.topic: await consumer.position(place) for place in self._places}
        # Else a change that is committed and not stored yet would seem to be of an erased customer.
        await history.stored.wait()
        async with history.turns.lock:
            began = history.turns.used()
            records = [record for of_place in found.values() for record in of_place]
            self._take(records, positions)
            if history.reached(positions):
                self._prune()
            elif records:
                took = history.turns.used() - began
                await asyncio.sleep(min(took * _rest(history.turns), LONGEST_SLEEP))

    def _take(self, records: Sequence[Any], positions: dict[str, int]) -> None:
        history = self._history
        found = []
        for record in records:
            try:
                entry = rows.read_entry(record.value)
            except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
                continue  # somebody else wrote it
            found.append((entry, record.value))
        keys = [HOT + entry.subject.encode() for entry, _ in found]
        lives = [life_of(hot) if hot is not None else None for hot in history.store.get(keys)]
        alive, over = [], []
        for one, life in zip(found, lives, strict=True):
            if life == one[0].life:
                alive.append(one)
            else:
                over.append(one[0])
        if found or positions != history.positions:
            history.put(alive, positions, over)

    def _prune(self) -> None:
        """Drop days that are older than anybody may ask for."""
        store = self._history.store
        for ladder in self._history.topics:
            if gone := rows.days_too_many(store, ladder):
                store.write(gone, None)


async def _sweep(history: History) -> None:
    """Delete what is kept of people who were erased while another worker had the partition."""
    after = b""
    while (found := rows.next_customer(history.store, after)) is not None:
        key, customer = found
        history.forget(customer)
        after = rows.of_customer(customer) + b"\xff"
        assert key < after
        await asyncio.sleep(0)
    history.swept = True
