"""What a partition was given and has not applied yet: bounded, decoded as needed, merged by time.

Fetches wait as they came. A topic with more than `HIGH` bytes waiting is paused, in the fetcher
itself, and resumed below `LOW`; what was on its way is still taken.
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence

from aiokafka.structs import TopicPartition

from app.stream.fetched import Record
from app.stream.items import Item, kinds_of, read_event, read_handover, time_of
from app.stream.merge import Merge
from app.stream.seam import Host
from app.wire.record import RecordCodec

HIGH = 1 << 19
LOW = HIGH // 2
USUAL = 4 << 20
"""Bytes of a topic that wait at most, where its batches unpack to eight times what they are."""
_OVERHEAD = 100
"""Bytes that a record takes beside its own."""


class Inbox:
    """The topics of one partition, in the order that decides ties; the last are handovers."""

    def __init__(
        self,
        host: Host,
        sources: Sequence[TopicPartition],
        codec: RecordCodec,
        patience: float,
        group: str,
    ) -> None:
        self._host = host
        self._sources = tuple(sources)
        self._lanes = {tp: lane for lane, tp in enumerate(self._sources)}
        self._handovers = len(self._sources) - 1
        self._codec = codec
        self._group = group
        self._raw: list[deque[Sequence[Record]]] = [deque() for _ in self._sources]
        self._merge: Merge[Item] = Merge(len(self._sources), patience)
        self._bytes = [0] * len(self._sources)
        self._paused: set[int] = set()
        self._waited = 0.0
        self.received: Counter[tuple[str, str]] = Counter()
        """Records decoded by topic and kind; who shows it clears it."""

    @property
    def bytes(self) -> int:
        """Return how much waits here."""
        return sum(self._bytes)

    @property
    def unusual(self) -> int:
        """Return how much waits here beyond what a topic in a backlog has waiting."""
        return sum(max(0, waiting - USUAL) for waiting in self._bytes)

    def offer(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        """Take records in the order of their offsets; there may be none."""
        if not records:
            return
        lane = self._lanes[tp]
        self._raw[lane].append(records)
        self._bytes[lane] += sum(map(_size, records))
        if self._bytes[lane] > HIGH and lane not in self._paused:
            self._paused.add(lane)
            self._host.pause(tp)

    def empty(self, tp: TopicPartition) -> bool:
        """Return whether nothing of this topic waits here."""
        lane = self._lanes[tp]
        return not self._raw[lane] and not self._merge.buffered(lane)

    def fill(self, wanted: int) -> None:
        """Decode so much of each topic that `wanted` records can be taken in order."""
        for lane, tp in enumerate(self._sources):
            raw = self._raw[lane]
            while raw and self._merge.buffered(lane) < wanted:
                self._decode(lane, raw.popleft())
            self._merge.more(lane, bool(raw) or self._has_more(tp))

    def _decode(self, lane: int, records: Sequence[Record]) -> None:
        if lane == self._handovers:
            found = [read_handover(record, self._codec, self._group) for record in records]
        else:
            found = [read_event(record) for record in records]
        topic = self._sources[lane].topic
        for kind, number in kinds_of(found).items():
            self.received[topic, kind] += number
        items = [Item(lane, record, what) for record, what in zip(records, found, strict=True)]
        self._merge.offer(lane, [time_of(what) for what in found], items)

    def _has_more(self, tp: TopicPartition) -> bool:
        end, position = self._host.end_of(tp), self._host.position_of(tp)
        return end is None or position is None or end > position

    def wait(self, seconds: float) -> None:
        """Count time spent waiting for a topic that has run dry."""
        self._waited += seconds

    def take(self, limit: int) -> list[Item]:
        """Remove and return the next records in order."""
        items = self._merge.take(limit, self._waited)
        for item in items:
            self._bytes[item.lane] -= _size(item.record)
        for lane in [lane for lane in self._paused if self._bytes[lane] < LOW]:
            self._paused.discard(lane)
            self._host.resume(self._sources[lane])
        return items

    def oldest(self) -> int | None:
        """Return the time of the oldest record not yet taken; 0 if it is known to nobody yet."""
        return 0 if self._merge.dry() else self._merge.oldest()

    def arrived(self) -> int | None:
        """Return when the oldest record that waits here was written to its topic, in ms."""
        heads = [item.record for item in self._merge.heads()]
        heads += [raw[0][0] for raw in self._raw if raw]
        return min((record.timestamp for record in heads), default=None)

    def quiet(self) -> bool:
        """Return whether there is nothing more to read."""
        return self._merge.quiet()

    def patience_ends(self) -> float | None:
        """Return when the wait for a topic that has run dry ends, None when none is waited for."""
        return self._merge.patience_ends()

    def positions(self, taken: Mapping[int, int]) -> dict[TopicPartition, int]:
        """Return where each topic goes on, given the offset after the last taken of some lanes.

        Of a topic that waits with nothing, the markers behind the last record are passed, too.
        """
        return {
            self._sources[lane]: self._after(self._sources[lane], offset)
            for lane, offset in taken.items()
        }

    def _after(self, tp: TopicPartition, offset: int) -> int:
        position = self._host.position_of(tp) if self.empty(tp) else None
        return offset if position is None else max(offset, position)

    def clear(self) -> None:
        """Drop everything: it will be fetched again."""
        for raw in self._raw:
            raw.clear()
        self._merge.clear()
        self._bytes = [0] * len(self._sources)
        self._paused.clear()


def _size(record: Record) -> int:
    size = len(record.key or b"") + len(record.value or b"") + _OVERHEAD
    for name, content in record.headers:
        size += len(name) + len(content or b"") + _OVERHEAD
    return size
