"""One partition: its life from take-over to hand-over, and the loop that folds what comes.

A batch is taken from the inbox, folded, committed in one transaction, and only then written to the
store. Whatever goes wrong closes the partition, and there is one way back: `open`.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

import structlog
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, TopicPartition

from app.core.customer import Slot
from app.core.due import Cutter
from app.errors import LadderError
from app.ops import metrics as m
from app.stream import meta as meta_row
from app.stream.batch import FoldFailed
from app.stream.faults import FaultInjected
from app.stream.inbox import Inbox
from app.stream.offsets import refuse_left_behind, starting_points
from app.stream.remembered import decode, refuse_if_changed
from app.stream.restore import Changelog, Progress, restore
from app.stream.retries import Retries, kind_of, named
from app.stream.rounds import Rounds
from app.stream.seam import Host, Workshop
from app.stream.store import Standing, Store, StoreBroken, StoreStarved, set_aside
from app.stream.transaction import CommitFailed, Fenced, Writer
from app.wire.record import RecordCodec

log = structlog.get_logger(__name__)

FINISHING = 5.0
"""Seconds that a batch under way is given when the partition is to stop."""
STARTING = 60.0
"""Seconds for a producer to be initialised: a predecessor's transaction is ended first."""
TICK = 1.0
"""Seconds after which an idle partition looks whether something is due."""
SLICE = 0.05
"""The same while a topic that ran dry is waited for."""
_DELAYS = (0.0, 0.2, 1.0, 2.0, 5.0)
_AFTER_SILENCE = (3.0, 5.0)
"""Seconds before a reopening. A worker that was paused finds that time has run out; until its
group has told it that it lost its partitions, it must not take them back from their new owner."""
_MAY_PASS = (KafkaError, OSError, TimeoutError)
_FAILURES = (CommitFailed, StoreBroken, FoldFailed, FaultInjected, *_MAY_PASS)


class Partition:
    """See `app.stream.seam` for what it asks of its host.

    state: 'closed' (lost, never opened, or fenced), 'restoring', 'ready' or 'failed'.
    """

    def __init__(self, number: int, workshop: Workshop, host: Host) -> None:
        self.number = number
        self.state = "closed"
        self.progress = Progress()
        self._shop = workshop
        self._host = host
        self._codec = RecordCodec(workshop.rules.ladders)
        self._sources = [
            TopicPartition(topic, number) for topic in (*workshop.topics, workshop.handovers)
        ]
        self._inbox = Inbox(host, self._sources, self._codec, workshop.merge_wait, workshop.group)
        self._retries = Retries(workshop.batch)
        self._writer: Writer | None = None
        self._store: Store | None = None
        self._suspect = False
        self._rounds: Rounds | None = None
        self._accepting = False
        self._stop = asyncio.Event()
        self._wake = asyncio.Event()
        self._living: asyncio.Task[None] | None = None

    # What the host calls.

    async def open(self) -> Mapping[TopicPartition, int]:
        """Take the partition over (architecture.md, rule 2); returns where each source starts.

        Raises LadderError for what an operator has to mend; KafkaError, OSError and TimeoutError
        for what may pass. It may be called again after any of them, and after being cancelled.
        """
        self.state = "restoring"
        await self._let_go()
        try:
            positions = await self._open()
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

    def offer(self, tp: TopicPartition, records: list[ConsumerRecord]) -> None:
        """Take what was fetched; ignored unless started."""
        if not self._accepting or self._rounds is None:
            return
        self._inbox.offer(tp, records)
        if not records and self._inbox.empty(tp):
            self._rounds.pass_markers(tp)
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
        return dict(self._rounds.positions) if self._rounds is not None else {}

    async def close(self) -> None:
        """Let go of everything: the partition is lost, or the worker ends."""
        await self.quiesce()
        await self._shut()

    def slot(self, customer: str) -> Slot | None:
        """Return a customer as last committed; None when unknown, or while this is not open."""
        store = self._store
        if store is None or self.state != "ready":
            return None
        return self._codec.load([customer], store.get)[customer]

    def clock(self) -> int:
        """Return where the partition's clock stands, in µs."""
        return self._rounds.clock.position if self._rounds is not None else 0

    @property
    def cutter(self) -> Cutter:
        """Return what knows the top-spender cuts of each day; only of an open partition."""
        assert self._rounds is not None
        return self._rounds.tops

    # Taking over and letting go.

    async def _open(self) -> Mapping[TopicPartition, int]:
        shop, number = self._shop, self.number
        topics = (
            *(f"{shop.changes_prefix}.{ladder.id}" for ladder in shop.rules.ladders),
            shop.dead_letters,
            shop.handovers,
            shop.changelog,
        )
        self._writer = Writer(shop.client, f"{shop.group}-{number}", shop.faults, topics)
        async with asyncio.timeout(STARTING):
            await self._writer.start()
        self._store, standing = await self._restored()
        meta = meta_row.read(self._store.get([meta_row.KEY])[0])
        old, new = decode(meta.remembered), decode(shop.remembered)
        if old is not None and new is not None:
            refuse_if_changed(old, new)
        refuse_left_behind(meta.positions, self._sources)
        positions = await starting_points(shop.client, shop.group, self._sources, meta.positions)
        self._inbox.clear()
        self._rounds = Rounds(
            number, shop, self._host, self._codec, self._inbox, self._retries,
            writer=self._writer, store=self._store, standing=standing, meta=meta,
            positions=positions,
        )  # fmt: skip
        log.info("partition open", partition=number, restored=self.progress.read)
        return positions

    async def _restored(self) -> tuple[Store, Standing]:
        shop = self._shop
        path = shop.data_dir / str(self.number)
        if self._suspect:
            aside = set_aside(path)
            log.warning("store failed, rebuilding it", partition=self.number, moved_to=str(aside))
            self._suspect = False
        self.progress = Progress(
            tell=lambda left: shop.metrics.set(m.RESTORE_REMAINING, left, str(self.number))
        )
        changelog = Changelog(
            client=shop.client,
            place=TopicPartition(shop.changelog, self.number),
            partitions=shop.partitions,
            tombstones=shop.tombstones,
        )
        found = await restore(
            changelog, path, shop.shared, now=shop.now, faults=shop.faults, progress=self.progress
        )
        shop.metrics.count(m.RESTORED, self.progress.read)
        return found

    async def _shut(self) -> None:
        """Close, and be as if never opened, but for having failed."""
        if self.state != "failed":
            self.state = "closed"
        await self._let_go()

    async def _let_go(self) -> None:
        """Close producer and store; what they hold that was not committed is lost, as it must."""
        self._accepting = False
        writer, self._writer = self._writer, None
        store, self._store = self._store, None
        try:
            if writer is not None:
                await writer.close()
        finally:
            if store is not None:
                store.close()

    # The life between start and stop.

    async def _live(self) -> None:
        while True:
            try:
                await self._loop()
                return
            except Fenced:
                log.warning("partition was taken over by another worker", partition=self.number)
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
        rounds = self._rounds
        assert rounds is not None
        while not self._stop.is_set():
            self._wake.clear()
            async with self._shop.transactions:
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
        rounds = self._rounds
        assert rounds is not None
        if not self._retries.failed(error, rounds.size):
            await self._give_up(named(error, rounds.first))
            return False
        log.warning("partition failed, opening it again", partition=self.number, error=str(error))
        self._suspect |= isinstance(error, StoreBroken) and not isinstance(error, StoreStarved)
        # From here on what lies in memory is of no batch that was committed: only `open` leads on.
        self.state = "restoring"
        self._accepting = False
        self._inbox.clear()
        self._shop.metrics.count(m.PARTITIONS_REOPENED)
        silent = isinstance(error, CommitFailed) and isinstance(error.cause, TimeoutError)
        reopened = await self._reopened(_AFTER_SILENCE if silent else _DELAYS)
        if not reopened:
            await self._shut()
        return reopened

    async def _reopened(self, delays: Sequence[float]) -> bool:
        """Tell whether it is open again; False: it was stopped, or gave up."""
        attempt = 0
        while not self._stop.is_set():
            await asyncio.sleep(delays[min(attempt, len(delays) - 1)])
            attempt += 1
            try:
                await self._let_go()
                positions = await self._open()
                if self._stop.is_set():
                    return False
                await self._host.seek(positions)
            except LadderError as error:
                await self._give_up(error)
                return False
            except (*_MAY_PASS, FaultInjected) as error:
                log.warning("partition not open yet", partition=self.number, error=repr(error))
                continue
            self.state = "ready"
            self._accepting = True
            for tp in positions:
                self._host.resume(tp)
            return True
        return False

    async def _give_up(self, error: BaseException) -> None:
        self.state = "failed"
        await self._shut()
        self._host.failed(self.number, error)


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
