"""One partition: its life from take-over to hand-over, and the loop that folds what comes.

A batch is taken from the inbox, folded, committed in one transaction, and only then written to the
store. Whatever goes wrong closes the partition, and there is one way back: `open`.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog
from aiokafka.structs import TopicPartition

from app.core.customer import Slot
from app.core.due import Cutter
from app.errors import LadderError
from app.ops import metrics as m
from app.stream.batch import FoldFailed
from app.stream.faults import FaultInjected
from app.stream.fetched import Record
from app.stream.hold import Hold
from app.stream.inbox import Inbox
from app.stream.reopening import MAY_PASS, reopened
from app.stream.restore import Progress
from app.stream.retries import Retries, kind_of, named
from app.stream.seam import Host, Workshop
from app.stream.store import StoreBroken, StoreStarved
from app.stream.transaction import CommitFailed, Fenced
from app.wire.record import RecordCodec

log = structlog.get_logger(__name__)

FINISHING = 5.0
"""Seconds that a batch under way is given when the partition is to stop."""
TICK = 1.0
"""Seconds after which an idle partition looks whether something is due."""
SLICE = 0.05
"""The same while a topic that ran dry is waited for."""
_FAILURES = (CommitFailed, StoreBroken, FoldFailed, FaultInjected, *MAY_PASS)


class Partition:
    """See `app.stream.seam` for what it asks of its host.

    state: 'closed' (lost, never opened, or fenced), 'restoring', 'ready' or 'failed'.
    """

    def __init__(self, number: int, workshop: Workshop, host: Host) -> None:
        self.number = number
        self.state = "closed"
        self._shop = workshop
        self._host = host
        self._codec = RecordCodec(workshop.rules.ladders)
        sources = [
            TopicPartition(topic, number) for topic in (*workshop.topics, workshop.handovers)
        ]
        self._inbox = Inbox(host, sources, self._codec, workshop.merge_wait, workshop.group)
        self._retries = Retries(workshop.batch)
        self._hold = Hold(number, workshop, host, self._codec, self._inbox, self._retries, sources)
        self._accepting = False
        self._stop = asyncio.Event()
        self._wake = asyncio.Event()
        self._living: asyncio.Task[None] | None = None

    @property
    def progress(self) -> Progress:
        """How far its restore is, or was."""
        return self._hold.progress

    @property
    def hold(self) -> Hold:
        """What it holds; all there while `state` is 'ready'."""
        return self._hold

    @property
    def stands_at(self) -> int | None:
        """Where in the changelog its store stands; None while that is not known."""
        return self._hold.stands_at

    # What the host calls.

    async def open(self) -> Mapping[TopicPartition, int]:
        """Take the partition over (architecture.md, rule 2); returns where each source starts.

        Raises LadderError for what an operator has to mend; KafkaError, OSError and TimeoutError
        for what may pass. It may be called again after any of them, and after being cancelled.
        """
        self.state = "restoring"
        await self._let_go()
        try:
            positions = await self._hold.take()
        except BaseException:
            await self._shut()
            raise
        self.state = "ready"
        return positions

    def start(self) -> None:
        """Begin to fold what is offered."""
        assert self.state == "ready", self.state
        assert self._living is None or self._living.done()
        self._accepting = True
        self._stop.clear()
        self._living = asyncio.create_task(self._live(), name=f"partition {self.number}")
        self._living.add_done_callback(self._ended)

    def offer(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        """Take what was fetched; ignored unless started."""
        if not self._accepting or self._hold.rounds is None:
            return
        self._inbox.offer(tp, records)
        if not records and self._inbox.empty(tp):
            self._hold.rounds.pass_markers(tp)
        self._wake.set()

    async def quiesce(self) -> None:
        """Finish the batch under way, or give it up, and drop what waits; stays open."""
        self._accepting = False
        self._stop.set()
        self._wake.set()
        living, self._living = self._living, None
        if living is not None:
            patience = FINISHING if self.state == "ready" else 0.0
            _, late = await asyncio.wait([living], timeout=patience)
            if late:
                # Whether its batch was committed is unknown now: only `open` can tell.
                await _cancelled(living)
                await self._shut()
        self._inbox.clear()

    def positions(self) -> Mapping[TopicPartition, int]:
        """Return the offsets after the last commit; empty before the first `open`."""
        return dict(self._hold.rounds.positions) if self._hold.rounds is not None else {}

    async def close(self) -> None:
        """Let go of everything: the partition is lost, or the worker ends."""
        await self.quiesce()
        await self._shut()

    def slot(self, customer: str) -> Slot | None:
        """Return a customer as last committed; None when unknown, or while this is not open."""
        store = self._hold.store
        if store is None or self.state != "ready":
            return None
        return self._codec.load([customer], store.get)[customer]

    def clock(self) -> int:
        """Return where the partition's clock stands, in µs."""
        return self._hold.rounds.clock.position if self._hold.rounds is not None else 0

    @property
    def unusual(self) -> int:
        """Return how many bytes wait here beyond what is usual in a backlog."""
        return self._inbox.unusual

    def arrived(self) -> int | None:
        """Return when the oldest record here that is not committed was written, in ms."""
        return self._hold.rounds.arrived() if self._hold.rounds is not None else None

    def sizes(self, limit: int) -> tuple[int, int] | None:
        """Return the store's bytes, and how much waits to be looked at; None while not open."""
        hold = self._hold
        if hold.store is None or hold.rounds is None or self.state != "ready":
            return None
        return hold.store.size(), hold.rounds.due_waiting(limit)

    @property
    def cutter(self) -> Cutter:
        """Return what knows the top-spender cuts of each day; only of an open partition."""
        assert self._hold.rounds is not None
        return self._hold.rounds.tops

    async def _shut(self) -> None:
        """Close, and be as if never opened, but for having failed."""
        if self.state != "failed":
            self.state = "closed"
        await self._let_go()

    async def _let_go(self) -> None:
        self._accepting = False
        await self._hold.let_go()

    # The life between start and stop.

    async def _live(self) -> None:
        while True:
            try:
                await self._loop()
                return
            except Fenced:
                self._shop.metrics.count(m.PARTITIONS_FENCED)
                log.warning(
                    "partition was taken over by another worker",
                    action="partition-fenced",
                    partition=self.number,
                )
                await self._shut()
                return
            except _FAILURES as error:
                self._shop.metrics.count(m.TRANSACTIONS_ABORTED, 1, kind_of(error))
                if not await self._recovered(error):
                    return
            except Exception as error:
                await self._give_up(error)
                return

    def _ended(self, living: asyncio.Task[None]) -> None:
        """Let no failure of a failure's handling go unseen."""
        if not living.cancelled() and (error := living.exception()) is not None:
            self.state = "failed"
            self._host.failed(self.number, error)

    async def _loop(self) -> None:
        rounds = self._hold.rounds
        assert rounds is not None
        while not self._stop.is_set():
            self._wake.clear()
            async with self._shop.transactions.one():
                worked = await rounds.one()
            if worked:
                # A round with nothing to commit has let nobody else have a turn.
                await asyncio.sleep(0)
            elif not self._stop.is_set():
                await self._nap()

    async def _nap(self) -> None:
        """Sleep until something is offered or due; only sleep is waiting for a topic.

        A loop that is busy with other partitions wakes nobody in time and delivers late, which is
        no fault of the topic: what a nap took longer than asked for does not count.
        """
        nap = TICK if self._inbox.patience_ends() is None else SLICE
        began = time.monotonic()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), nap)
        self._inbox.wait(min(nap, time.monotonic() - began))

    async def _recovered(self, error: BaseException) -> bool:
        """Reopen after a failure; tells whether there is anything to go on with."""
        rounds = self._hold.rounds
        assert rounds is not None
        if not self._retries.failed(error, rounds.size):
            await self._give_up(named(error, rounds.first))
            return False
        log.warning(
            "partition failed, opening it again",
            action="partition-reopening",
            partition=self.number,
            error=str(error),
        )
        self._hold.suspect |= isinstance(error, StoreBroken) and not isinstance(error, StoreStarved)
        # From here on what lies in memory is of no batch that was committed: only `open` leads on.
        self.state = "restoring"
        self._accepting = False
        self._inbox.clear()
        self._shop.metrics.count(m.PARTITIONS_REOPENED)
        try:
            positions = await reopened(self.number, self._hold, self._host, self._stop, error)
        except LadderError as refusal:
            await self._give_up(refusal)
            return False
        if positions is None:
            await self._shut()
            return False
        self.state = "ready"
        self._accepting = True
        for tp in positions:
            self._host.resume(tp)
        return True

    async def _give_up(self, error: BaseException) -> None:
        self.state = "failed"
        await self._shut()
        self._host.failed(self.number, error)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
