"""What an open partition holds: its producer, its store, and the rounds that work with both.

All of it is taken together and let go together, in the order of architecture.md, rule 2.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiokafka.structs import TopicPartition

from app.ops import metrics as m
from app.stream import meta as meta_row
from app.stream.census import CensusTaker
from app.stream.changelog import Changelog
from app.stream.history import History
from app.stream.history_reader import follow
from app.stream.inbox import Inbox
from app.stream.offsets import Positions, refuse_left_behind, starting_points
from app.stream.remembered import decode, refuse_if_changed
from app.stream.restore import Progress, restore
from app.stream.retries import Retries
from app.stream.rounds import Rounds
from app.stream.seam import Host, Workshop
from app.stream.store import Standing, Store, StoreBroken, StoreClosed, set_aside
from app.stream.transaction import Writer
from app.wire.record import RecordCodec

log = structlog.get_logger(__name__)

STARTING = 60.0
"""Seconds for a producer to be initialised: a predecessor's transaction is ended first."""


class Hold:
    """Empty, or all that it takes to work. `suspect`: the store failed and is to be built anew."""

    def __init__(
        self,
        number: int,
        shop: Workshop,
        host: Host,
        codec: RecordCodec,
        inbox: Inbox,
        retries: Retries,
        sources: Sequence[TopicPartition],
    ) -> None:
        self.progress = Progress()
        self.writer: Writer | None = None
        self.store: Store | None = None
        self.rounds: Rounds | None = None
        self.history: History | None = None
        self.census: CensusTaker | None = None
        self.suspect = False
        self.codec = codec
        self._following: asyncio.Task[None] | None = None
        self._number = number
        self._shop = shop
        self._host = host
        self._inbox = inbox
        self._retries = retries
        self._sources = sources

    async def take(self) -> Positions:
        """Take the partition over; returns where each source starts.

        Raises LadderError for what an operator has to mend; KafkaError, OSError and TimeoutError
        for what may pass. Whatever it raises, `let_go` is to follow.
        """
        shop, number = self._shop, self._number
        topics = (
            *(f"{shop.changes_prefix}.{ladder.id}" for ladder in shop.rules.ladders),
            shop.dead_letters,
            shop.handovers,
            shop.changelog,
        )
        self.writer = Writer(shop.client, f"{shop.group}-{number}", shop.faults, topics, shop.sizes)
        async with asyncio.timeout(STARTING):
            await self.writer.start()
        self.store, standing = await self._restored()
        meta = meta_row.read(self.store.get([meta_row.KEY])[0])
        old, new = decode(meta.remembered), decode(shop.remembered)
        if old is not None and new is not None:
            refuse_if_changed(old, new)
        refuse_left_behind(meta.positions, self._sources)
        positions = await starting_points(
            shop.client, shop.group, self._sources, meta.positions, shop.partitions
        )
        self._inbox.clear()
        self.history = self._follow(self.store, standing.offset)
        self.rounds = Rounds(
            number, shop, self._host, self.codec, self._inbox, self._retries,
            writer=self.writer, store=self.store, standing=standing, meta=meta,
            positions=positions, history=self.history,
        )  # fmt: skip
        self.census = CensusTaker(self.store, self.codec, shop.rules, self._clock, shop.turns)
        done = self.progress
        log.info(
            "partition open",
            action="partition-opened",
            partition=number,
            restored=done.read,
            customers=done.customers,
            per_second=done.per_second,
        )
        return positions

    @property
    def stands_at(self) -> int | None:
        """Where in the changelog its store stands; None while that is not known."""
        if self.rounds is not None and self.store is not None:
            return self.rounds.stands_at
        return self.progress.position or None

    async def let_go(self) -> None:
        """Close producer and store; what they hold that was not committed is lost, as it must.

        `rounds` stays, to tell where the partition stood.
        """
        following, self._following = self._following, None
        census, self.census = self.census, None
        if census is not None:
            await census.close()
        if following is not None:
            following.cancel()
            await asyncio.wait([following])
        writer, self.writer = self.writer, None
        if self.history is not None and self.rounds is not None and self.store is not None:
            with suppress(StoreBroken, StoreClosed):
                self.history.leave(self.rounds.stands_at)
        self.history = None
        store, self.store = self.store, None
        try:
            if writer is not None:
                await writer.close()
        finally:
            if store is not None:
                store.close()

    def _follow(self, store: Store, offset: int) -> History:
        shop = self._shop
        topics = {each.id: f"{shop.changes_prefix}.{each.id}" for each in shop.rules.ladders}
        history = History(store, shop.rules, topics, shop.turns)
        history.enter(offset)
        self._following = asyncio.create_task(follow(history, self._number, shop.client))
        return history

    def _clock(self) -> int:
        return self.rounds.clock.position if self.rounds is not None else 0

    async def _restored(self) -> tuple[Store, Standing]:
        shop = self._shop
        path = shop.data_dir / str(self._number)
        if self.suspect:
            aside = set_aside(path)
            log.warning(
                "store failed, rebuilding it",
                action="store-set-aside",
                partition=self._number,
                moved_to=str(aside),
            )
            self.suspect = False
        self.progress = Progress(tell=self._tell)
        changelog = Changelog(
            client=shop.client,
            place=TopicPartition(shop.changelog, self._number),
            partitions=shop.partitions,
            tombstones=shop.tombstones,
        )
        return await restore(
            changelog, path, shop.shared, now=shop.now, faults=shop.faults,
            progress=self.progress, at_once=shop.filling,
        )  # fmt: skip

    def _tell(self, remaining: int, rows: int) -> None:
        self._shop.metrics.set(m.RESTORE_REMAINING, remaining, str(self._number))
        self._shop.metrics.count(m.RESTORED, rows)
