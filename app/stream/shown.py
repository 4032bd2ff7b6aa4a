"""How a partition looks from outside: its metrics, and a line in the log for dead letters."""

import time
from collections.abc import Mapping, Sequence

import structlog

from app.ops import metrics as m
from app.stream.batch import Batch, Tally
from app.stream.clock import Clock
from app.stream.fetched import Record
from app.stream.inbox import Inbox
from app.stream.items import Item
from app.stream.old_input import OldInput
from app.stream.seam import Workshop
from app.stream.slots import Slots
from app.wire.handover import Origin

log = structlog.get_logger(__name__)

LATENCIES = 50
"""Records of a batch whose latency is measured; of more, evenly spaced ones."""


class Shown:
    """Shows what was committed of one partition."""

    def __init__(self, number: int, workshop: Workshop) -> None:
        self._number = number
        self._now = workshop.now
        self._metrics = workshop.metrics
        self._old = OldInput(number, workshop.rules.quiet_before, event_clock=workshop.event_clock)

    def committed(self, batch: Batch, items: Sequence[Item]) -> None:
        metrics = self._metrics
        self._tally(batch.tally)
        for labels, number in batch.said.moves.items():
            metrics.count(m.STAGE_CHANGES, number, *(label or "" for label in labels))
        for ladder, rung, seconds in batch.said.stays:
            metrics.observe(m.DWELL, seconds, ladder, rung)
        if items:
            metrics.observe(m.BATCH_SIZE, len(items))
            self._old.look(items, self._now())
            now = self._now() / 1_000_000
            for item in items[:: max(1, len(items) // LATENCIES)]:
                metrics.observe(m.COMMIT_LATENCY, max(0.0, now - item.record.timestamp / 1000))
        metrics.set(m.LAST_COMMIT, time.time(), str(self._number))

    def _tally(self, tally: Tally) -> None:
        metrics = self._metrics
        for kind, number in tally.applied.items():
            metrics.count(m.EVENTS_APPLIED, number, kind)
        for kind, number in tally.handed.items():
            metrics.count(m.HANDOVERS, number, kind)
        for reason, number in tally.refused.items():
            metrics.count(m.DEAD_LETTERS, number, reason)
            _log_letters(reason, number, tally.first_refused[reason])
        metrics.count(m.EVENTS_LATE, tally.late)
        metrics.count(m.EVENTS_REPEATED, tally.repeated)
        metrics.count(m.EVENTS_DROPPED, tally.dropped)

    def worked(self, inbox: Inbox, slots: Slots) -> None:
        """Show what was read, and begin to count anew."""
        metrics = self._metrics
        for place, number in inbox.received.items():
            metrics.count(m.RECORDS_IN, number, *place)
        inbox.received.clear()
        metrics.count(m.CACHE_LOOKUPS, slots.asked - slots.missed, "hit")
        metrics.count(m.CACHE_LOOKUPS, slots.missed, "miss")
        slots.asked = slots.missed = 0
        metrics.set(m.BUFFERED_BYTES, inbox.bytes, str(self._number))

    def behind(self, clock: Clock) -> None:
        behind = clock.behind() / 1_000_000
        self._metrics.set(m.DUE_BEHIND, behind, str(self._number))
        if not behind:
            self._metrics.set(m.LAST_EVALUATED, time.time(), str(self._number))

    def customers(self, standing: Mapping[str, Mapping[str, int]]) -> None:
        """Show how many stand on each rung of each ladder."""
        counts = {
            (ladder, rung): number
            for ladder, rungs in standing.items()
            for rung, number in rungs.items()
        }
        self._metrics.customers(self._number, counts)


def _log_letters(reason: str, number: int, first: Record | Origin) -> None:
    log.warning(
        "dead letters",
        action="dead-letters-written",
        reason=reason,
        number=number,
        topic=first.topic,
        partition=first.partition,
        offset=first.offset,
    )
