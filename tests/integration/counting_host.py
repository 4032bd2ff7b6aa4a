"""A worker of the Faust side alone: every partition copies what it is offered, exactly once.

Run as a process: `python -m tests.integration.counting_host BROKERS APP SOURCES OUTPUT PORT`.
Each input record becomes one output record in one transaction with the input's offset, so a
read_committed reader of the output sees whether anything was lost or came twice. A line on stdout
says what happens: `ready GENERATION`, `consumes PARTITION`.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import ProducerFenced
from aiokafka.producer import sender
from aiokafka.structs import ConsumerRecord, TopicPartition

from app.api.pace import Pace
from app.api.shedding import Shedding
from app.ops.registry import Metrics
from app.stream.agents import declare
from app.stream.assignment import Assignment
from app.stream.batches import Bounds
from app.stream.fetched import Record
from app.stream.host import LadderApp

PARTITIONS = 4
sender.BACKOFF_OVERRIDE = 0.002


class NoStandbys:
    """For `app.stream.assignment.Standbys`."""

    async def follow(self, numbers: Iterable[int]) -> None:
        return None

    async def release(self, number: int) -> None:
        return None

    async def stop(self) -> None:
        return None


class Counting:
    """A partition without rules or store; see `app.stream.assignment.Partition`."""

    def __init__(self, number: int, host: Any, brokers: str, app: str, inputs: Any, out: str):
        self.number, self.host, self.state = number, host, "closed"
        self._brokers, self._app, self._inputs, self._out = brokers, app, inputs, out
        self._producer: AIOKafkaProducer | None = None
        self._buffer: list[tuple[TopicPartition, list[ConsumerRecord]]] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._accepts = False

    async def open(self) -> Mapping[TopicPartition, int]:
        self.state = "restoring"
        if self._producer is not None:
            await self._producer.stop()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers,
            transactional_id=f"{self._app}-{self.number}",
            linger_ms=0,
            transaction_timeout_ms=15_000,
            retry_backoff_ms=2,
        )
        await self._producer.start()
        tps = [TopicPartition(topic, self.number) for topic in self._inputs]
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._brokers, group_id=self._app, enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign(tps)
            self._positions = {tp: await consumer.committed(tp) or 0 for tp in tps}
        finally:
            await consumer.stop()
        self.state = "ready"
        return dict(self._positions)

    def start(self) -> None:
        self._buffer.clear()
        self._accepts = True
        self._task = asyncio.create_task(self._run())
        print("consumes", self.number, flush=True)

    def offer(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        if self._accepts and records:
            self._buffer.append((tp, list(records)))
            self._wake.set()

    async def _run(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                batch, self._buffer = self._buffer, []
                if batch:
                    await self._commit(batch)
        except ProducerFenced:
            self.state, self._accepts = "closed", False
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self.state = "failed"
            self.host.failed(self.number, error)

    async def _commit(self, batch: list[tuple[TopicPartition, list[ConsumerRecord]]]) -> None:
        producer, ends = self._producer, dict(self._positions)
        assert producer is not None
        async with producer.transaction():
            sent = []
            for tp, records in batch:
                for record in records:
                    name = f"{tp.topic}/{tp.partition}/{record.offset}".encode()
                    sent.append(
                        await producer.send(
                            self._out, key=name, value=record.value, partition=self.number
                        )
                    )
                ends[tp] = records[-1].offset + 1
            await asyncio.gather(*sent)
            await producer.send_offsets_to_transaction(ends, self._app)
        self._positions = ends

    async def quiesce(self) -> None:
        self._accepts = False
        self._buffer.clear()
        if self._task is not None:
            # A commit under way is left to end: cancelled in the middle, its outcome is unknown.
            self._buffer.clear()
            await asyncio.sleep(0)
            self._task.cancel()
            done, _ = await asyncio.wait([self._task])
            self._task = None
            if self.state == "ready" and any(t.cancelled() for t in done):
                self.state = "closed"

    def positions(self) -> Mapping[TopicPartition, int]:
        return dict(self._positions)

    async def close(self) -> None:
        await self.quiesce()
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None


async def main(brokers: str, name: str, sources: str, out: str, port: str) -> int:
    inputs = sources.split(",")
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def stopped_by(error: BaseException) -> None:
        print("stopped", repr(error), flush=True)
        if not ended.done():
            ended.set_result(1)

    listener = socket.socket()
    listener.bind(("127.0.0.1", int(port)))
    app = LadderApp(
        name,
        partitions=PARTITIONS,
        standbys=0,
        session_timeout=6.0,
        instance_id=None,
        url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        client={"bootstrap_servers": brokers},
        listener=listener,
        routes=lambda web: None,
        shedding=Shedding(Pace(lambda: 0.0), Metrics()),
        bounds=Bounds(inputs, 1 << 24),
    )
    assignment = Assignment(
        app,
        new=lambda number, host: Counting(number, host, brokers, name, inputs, out),
        standbys=NoStandbys(),
        metrics=Metrics(),
        stopped_by=stopped_by,
    )
    app.bring_up = assignment
    declare(app, inputs, PARTITIONS, assignment.deliver)

    async def revoked(*_: Any, **__: Any) -> None:
        await assignment.quiesce()

    app.on_partitions_revoked.connect(revoked)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ended.set_result, 0)
    await app.start()
    print("started", flush=True)
    code = await ended
    await app.stop()
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
