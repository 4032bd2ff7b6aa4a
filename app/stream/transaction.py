"""One Kafka transaction for each batch of a partition, by that partition's own producer.

Produce everything, await every acknowledgement, send the offsets, commit: in this order, because
aiokafka commits a transaction of which a batch was rejected, and because offsets that go first make
the broker answer the produce requests with errors. A writer that failed is closed and never used
again; starting a new one under the same transactional id aborts what the old one left open.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiokafka.producer.sender
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from app.stream.faults import Faults
from app.stream.fencing import is_fenced

TIMEOUT_MS = 15_000
"""After so long the broker ends a transaction by itself, and readers go on without it."""

PATIENCE = 12.0
"""Seconds that a commit may take from its begin; less than the broker's own limit."""

CLOSING = 3.0
"""Seconds for an orderly end of a producer before its connections are cut."""

BATCH_BYTES = 1_000_000
"""Of one produce request for one partition; brokers take 1,048,588 by default."""

_GZIP = 1
"""The codec's number in Kafka's record format."""

_BACKOFF = 0.002
"""Seconds between attempts. A broker that has just committed answers the next transaction's first
requests with CONCURRENT_TRANSACTIONS for a few milliseconds; aiokafka would wait 20 and 100."""

aiokafka.producer.sender.BACKOFF_OVERRIDE = _BACKOFF

Headers = list[tuple[str, bytes | None]]
"""A list and nothing else: aiokafka's compiled builder insists."""


class Out(msgspec.Struct, gc=False):
    """A record to be written."""

    key: bytes | None
    value: bytes | None
    headers: Headers = []


Outgoing = Mapping[TopicPartition, Sequence[Out]]


class Fenced(Exception):
    """Another producer has taken this partition over: wait for the next assignment."""


class CommitFailed(Exception):
    """The batch was not committed, or nobody knows whether it was: reopen the partition.

    `cause` tells one way of failing from another.
    """

    def __init__(self, cause: BaseException) -> None:
        self.cause = cause
        super().__init__(f"{type(cause).__name__}: {cause}")


class Writer:
    """The one producer that may write what a partition says."""

    def __init__(
        self,
        client: Mapping[str, Any],
        transactional_id: str,
        faults: Faults,
        topics: Iterable[str] = (),
    ) -> None:
        """`topics` are those that will be written to, so that none is looked up in a batch."""
        self.begins: dict[TopicPartition, int] = {}
        """The offset of the first record in each place of the last commit; -1 where unknown."""
        self._faults = faults
        self._topics = tuple(topics)
        self._producer = AIOKafkaProducer(
            **client,
            transactional_id=transactional_id,
            transaction_timeout_ms=TIMEOUT_MS,
            max_batch_size=BATCH_BYTES,
            linger_ms=0,
        )
        # Not the client's own backoff, which also paces its attempts to reach a broker.
        self._producer._sender._retry_backoff = _BACKOFF

    async def start(self) -> None:
        """Fence whoever wrote before, and end what they left open."""
        await self._producer.start()
        if self._topics:
            # Else aiokafka asks for each when it first comes, in the middle of a transaction.
            await self._producer.client.set_topics(self._topics)
        await self._faults.reach("after-producer-init")

    async def commit(
        self,
        outgoing: Outgoing,
        changelog: TopicPartition,
        rows: Sequence[Out],
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        group: str,
    ) -> int | None:
        """Write and commit a batch; return the changelog's offset after it, None if unknown.

        Raises Fenced or CommitFailed; then the writer is of no use any more.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._commit(outgoing, changelog, rows, offsets, group)
        except Exception as error:
            if await is_fenced(self._producer, error):
                raise Fenced(str(error)) from error
            raise CommitFailed(error) from error

    async def _commit(
        self,
        outgoing: Outgoing,
        changelog: TopicPartition,
        rows: Sequence[Out],
        offsets: Mapping[TopicPartition, OffsetAndMetadata],
        group: str,
    ) -> int | None:
        reach = self._faults.reach
        await reach("before-begin")
        await self._producer.begin_transaction()
        await reach("after-begin")
        sent: list[asyncio.Future[Any]] = []
        firsts: dict[TopicPartition, asyncio.Future[Any]] = {}
        try:
            for place, records in outgoing.items():
                of_place = await self._send(place, records)
                firsts.update((place, first) for first in of_place[:1])
                sent += of_place
            await reach("after-changes-sent")
            noted = await self._send(changelog, rows)
            sent += noted
            await reach("after-changelog-sent")
            await asyncio.gather(*sent)
        finally:
            _disown(sent)
        await reach("after-acks")
        if offsets:
            await self._producer.send_offsets_to_transaction(offsets, group)
        await reach("after-offsets")
        await reach("before-commit")
        await self._producer.commit_transaction()
        self.begins = {place: first.result().offset for place, first in firsts.items()}
        return _end(noted, len(rows))

    async def _send(
        self, place: TopicPartition, records: Sequence[Out]
    ) -> list[asyncio.Future[Any]]:
        sent = []
        rest = iter(records)
        record = next(rest, None)
        while record is not None:
            batch = self._batch(record)
            record = _filled(batch, record, rest)
            sent.append(await self._send_batch(batch, place))
        return sent

    def _batch(self, first: Out) -> BatchBuilder:
        """Return an empty batch; one that begins with a giant is compressed.

        A dead letter may be such: a record that came in a compressed batch. Uncompressed it would
        be larger than a broker takes.
        """
        size = len(first.key or b"") + len(first.value or b"")
        size += sum(len(name) + len(said or b"") for name, said in first.headers)
        if size < BATCH_BYTES:
            return self._producer.create_batch()
        return BatchBuilder(BATCH_BYTES, _GZIP, is_transactional=True)

    async def _send_batch(self, batch: BatchBuilder, place: TopicPartition) -> asyncio.Future[Any]:
        batch.close()
        sent: asyncio.Future[Any] = await self._producer.send_batch(
            batch, place.topic, partition=place.partition
        )
        return sent

    async def close(self) -> None:
        """Abort what is open and let go of the connections, in bounded time; never raises."""
        transaction = self._producer._txn_manager
        with suppress(Exception):
            async with asyncio.timeout(CLOSING):
                if transaction.is_in_transaction():
                    await self._producer.abort_transaction()
        with suppress(Exception):
            async with asyncio.timeout(CLOSING):
                await self._producer.stop()
        with suppress(Exception):
            async with asyncio.timeout(CLOSING):
                await self._producer.client.close()
        if transaction._transaction_waiter is not None:
            _disown([transaction._transaction_waiter])


def _filled(batch: BatchBuilder, first: Out, rest: Iterator[Out]) -> Out | None:
    """Append until the batch is full; return the record that did not fit, None if all did.

    Past aiokafka's own wrapper, which takes as long as the builder itself. The first of a batch is
    taken whatever its size.
    """
    append = batch._builder.append
    now = time.time_ns() // 1_000_000
    count = 0
    record: Out | None = first
    while record is not None:
        if append(count, now, record.key, record.value, record.headers) is None:
            break
        count += 1
        record = next(rest, None)
    batch._relative_offset = count
    return record


def _end(noted: Sequence[asyncio.Future[Any]], count: int) -> int | None:
    """Add up where the changelog ends: nobody else writes there, so a transaction has no gaps.

    A batch whose first answer was lost does not know its offset.
    """
    begin = noted[0].result().offset if noted else -1
    return begin + count if begin >= 0 else None


def _disown(futures: Sequence[asyncio.Future[Any]]) -> None:
    """Nobody will ask any more why these failed."""
    for future in futures:
        if future.done() and not future.cancelled():
            future.exception()
        else:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
