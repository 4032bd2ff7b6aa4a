"""One Kafka transaction for each batch of a partition, by that partition's own producer.

Produce everything, await every acknowledgement, send the offsets, commit: in this order, because
aiokafka commits a transaction of which a batch was rejected, and because offsets that go first make
the broker answer the produce requests with errors. A writer that failed is closed and never used
again; starting a new one under the same transactional id aborts what the old one left open.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import aiokafka.producer.sender
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from app.stream.faults import Faults
from app.stream.fencing import is_fenced
from app.stream.giant import Giant, record_bytes
from app.stream.sizes import Sizes

TIMEOUT_MS = 15_000
"""After so long the broker ends a transaction by itself, and readers go on without it."""

PATIENCE = 12.0
"""Seconds that a commit may take from its begin; less than the broker's own limit."""

CLOSING = 3.0
"""Seconds for an orderly end of a producer before its connections are cut."""

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

_BACKOFF = 0.002
"""Seconds between attempts. A broker that has just committed answers the next transaction's first
requests with CONCURRENT_TRANSACTIONS for a few milliseconds; aiokafka would wait 20 and 100."""

aiokafka.producer.sender.BACKOFF_OVERRIDE = _BACKOFF

Headers = list[tuple[str, bytes | None]]
"""A list and nothing else: aiokafka's compiled builder insists."""


class Out(msgspec.Struct, gc=False):
    """A record to be written.

    `lighter` gives key, value and headers of what may go in its place where it does not fit into
    its topic, None when nothing may.
    """

    key: bytes | None
    value: bytes | None
    headers: Headers = []
    lighter: Callable[[bytes | None, bytes | None, Headers], Any] | None = None


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


class _Sent(msgspec.Struct):
    """A batch on its way: whether it arrived, where it is to go, and how large it is."""

    arrived: asyncio.Future[Any]
    place: TopicPartition
    size: int
    records: int


class Writer:
    """The one producer that may write what a partition says."""

    def __init__(
        self,
        client: Mapping[str, Any],
        transactional_id: str,
        faults: Faults,
        topics: Iterable[str] = (),
        sizes: Sizes | None = None,
    ) -> None:
        """`topics` are those that will be written to, so that none is looked up in a batch."""
        self.begins: dict[TopicPartition, int] = {}
        """The offset of the first record in each place of the last commit; -1 where unknown."""
        self._faults = faults
        self._topics = tuple(topics)
        self._sizes = Sizes() if sizes is None else sizes
        self._producer = AIOKafkaProducer(
            **client,
            transactional_id=transactional_id,
            transaction_timeout_ms=TIMEOUT_MS,
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
        sent: list[_Sent] = []
        firsts: dict[TopicPartition, asyncio.Future[Any]] = {}
        try:
            for place, records in outgoing.items():
                of_place = await self._send(place, records)
                firsts.update((place, first.arrived) for first in of_place[:1])
                sent += of_place
            await reach("after-changes-sent")
            noted = await self._send(changelog, rows)
            sent += noted
            await reach("after-changelog-sent")
            await self._arrived(sent)
        finally:
            _disown([one.arrived for one in sent])
        await reach("after-acks")
        if offsets:
            await self._producer.send_offsets_to_transaction(offsets, group)
        await reach("after-offsets")
        await reach("before-commit")
        await self._producer.commit_transaction()
        self.begins = {place: first.result().offset for place, first in firsts.items()}
        return _end(noted, len(rows))

    async def _send(self, place: TopicPartition, records: Sequence[Out]) -> list[_Sent]:
        sent = []
        largest = self._sizes.filled(place.topic)
        rest = iter(records)
        record = next(rest, None)
        while record is not None:
            if record_bytes(record.key, record.value, record.headers) > largest:
                batch = await asyncio.to_thread(_giant, record, self._sizes.largest(place.topic))
                record = next(rest, None)
            else:
                batch = BatchBuilder(largest, 0, is_transactional=True)
                record = _filled(batch, record, rest)
            sent.append(await self._send_batch(batch, place))
        return sent

    async def _send_batch(self, batch: BatchBuilder, place: TopicPartition) -> _Sent:
        batch.close()
        size, records = batch.size(), batch.record_count()
        arrived: asyncio.Future[Any] = await self._producer.send_batch(
            batch, place.topic, partition=place.partition
        )
        return _Sent(arrived, place, size, records)

    async def _arrived(self, sent: Sequence[_Sent]) -> None:
        """Return when all of it has; what a broker found too large is noted for the next try."""
        try:
            await asyncio.gather(*(one.arrived for one in sent))
        except _TOO_LARGE as error:
            refused = [one for one in sent if _is_too_large(one.arrived)]
            for one in refused:
                self._sizes.refused(one.place.topic, one.size, one.records)
            first = refused[0]
            raise type(error)(
                f"{first.place.topic}[{first.place.partition}] does not take "
                f"{first.size} bytes at a time"
            ) from error

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


def _giant(record: Out, largest: int) -> Giant:
    """Return it in a batch of its own; where it does not fit, what may go in its place."""
    now = time.time_ns() // 1_000_000
    key, value, headers = record.key, record.value, record.headers
    while True:
        giant = Giant(key, value, headers, now)
        if giant.size() <= largest or record.lighter is None:
            return giant
        lighter = record.lighter(key, value, headers)
        if lighter is None:
            return giant
        key, value, headers = lighter


def _is_too_large(future: asyncio.Future[Any]) -> bool:
    failed = future.done() and not future.cancelled()
    return failed and isinstance(future.exception(), _TOO_LARGE)


def _filled(batch: BatchBuilder, first: Out, rest: Iterator[Out]) -> Out | None:
    """Append until the batch is full; return the record that did not fit, None if all did.

    Past aiokafka's own wrapper, which takes as long as the builder itself.
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


def _end(noted: Sequence[_Sent], count: int) -> int | None:
    """Add up where the changelog ends: nobody else writes there, so a transaction has no gaps.

    A batch whose first answer was lost does not know its offset.
    """
    begin = noted[0].arrived.result().offset if noted else -1
    return begin + count if begin >= 0 else None


def _disown(futures: Sequence[asyncio.Future[Any]]) -> None:
    """Nobody will ask any more why these failed."""
    for future in futures:
        if future.done() and not future.cancelled():
            future.exception()
        else:
            future.add_done_callback(lambda done: done.cancelled() or done.exception())
