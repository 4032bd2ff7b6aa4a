"""One batch of a partition: records and due customers in, what is to be committed out.

Pure but for the slots, which read the store: nothing is written, sent or published here. What is
found wrong with an input is a value, a dead letter; an exception is a bug, and names its place.
"""

from collections import Counter
from collections.abc import Sequence

from aiokafka.structs import TopicPartition
from msgspec.structs import replace

from app.core.apply import (
    Applied,
    Dropped,
    Outbox,
    Repeated,
    Verdict,
    admit,
    advance,
    examine,
    fold_admitted,
    next_due,
    receive,
    recut,
)
from app.core.customer import Customer, Slot
from app.core.events import (
    TYPES,
    ClockAdvanced,
    Event,
    ProfileErased,
    ProfileMerged,
    PurchaseCompleted,
    PurchaseRefunded,
    Refused,
)
from app.core.handover import Absorb, Credit, Forward, Handover
from app.core.instants import DAY, SECOND
from app.core.receive import MOST_RETURNS
from app.core.rules import Rules
from app.ops.traces import handed_on
from app.stream import due
from app.stream.clock import Clock
from app.stream.cuts import TopSpenders
from app.stream.fetched import Kept, Record
from app.stream.items import APP, Delivered, Item
from app.stream.keys import partition_of
from app.stream.said import Said
from app.stream.slots import Slots
from app.stream.store_batches import Row
from app.stream.transaction import Headers, Out
from app.wire import dead_letter
from app.wire import handover as handover_wire
from app.wire.handover import Origin
from app.wire.record import RecordCodec

_SPENDS_NOTHING = frozenset(
    {*TYPES.values()} - {PurchaseCompleted, PurchaseRefunded, ProfileMerged, ProfileErased}
)
"""Events after which a customer's place among the top spenders is the same."""
PATIENCE = 60 * SECOND
"""For so long an event may look for its customer, by the wall clock, however often it returns."""


class FoldFailed(Exception):
    """The rules raised on a record: a bug. Says where the record is."""

    def __init__(self, record: Record) -> None:
        self.place = TopicPartition(record.topic, record.partition)
        self.offset = record.offset
        super().__init__(f"{record.topic}[{record.partition}] offset {record.offset}")


def _origin(record: Record) -> Origin:
    return Origin(
        record.topic,
        record.partition,
        record.offset,
        record.key,
        record.value,
        tuple(record.headers),
    )


class Tally:
    """What happened in a batch, for the metrics."""

    def __init__(self) -> None:
        self.applied: Counter[str] = Counter()
        self.handed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.first_refused: dict[str, Record | Origin] = {}
        self.late = self.repeated = self.dropped = 0


class Batch:
    """Folds records and due customers one after the other, and collects what comes of it.

    now: the wall clock, µs; judged: whether events more than a day ahead of it are refused.
    """

    def __init__(
        self,
        rules: Rules,
        codec: RecordCodec,
        slots: Slots,
        clock: Clock,
        tops: TopSpenders,
        *,
        group: str,
        number: int,
        partitions: int,
        now: int,
        judged: bool,
    ) -> None:
        self._rules = rules
        self._codec = codec
        self._slots = slots
        self._clock = clock
        self._tops = tops
        self._written_by: Headers = [(APP, group.encode())]
        self._number = number
        self._partitions = partitions
        self._now = now
        self._latest = now + DAY if judged else None
        self._ranks = bool(rules.tops)
        self.out = Outbox()
        self.said = Said()
        self.tally = Tally()
        self.letters: dict[int, list[Out]] = {}
        self.handovers: dict[int, list[Out]] = {}
        self.local: list[Row] = []
        self.offsets: dict[int, int] = {}
        self.turned = False

    def take(self, item: Item) -> None:
        """Fold one record; raises FoldFailed."""
        record, what = item.record, item.what
        self.offsets[item.lane] = record.offset + 1
        try:
            if isinstance(what, Event):
                self._event(record, what)
            elif isinstance(what, Refused):
                self._refuse(what, record)
            elif isinstance(what, Delivered):
                self._handover(record, what)
            else:
                self.tally.dropped += 1
        except OSError:
            raise
        except Exception as error:
            raise FoldFailed(record) from error

    def _event(self, record: Record, event: Event) -> None:
        refused = examine(self._rules, event, self._latest)
        if refused is not None:
            self._refuse(refused, record)
            return
        if isinstance(event.data, ClockAdvanced):
            if self._ranks:
                self._reach(event.time)
            self._clock.applied(event.time)
            self.tally.applied[event.type] += 1
            return
        slot = self._slots.held(event.subject).slot
        if slot.record is None and (astray := self._astray(record.key)):
            self._refuse(astray, record)
            return
        key = admit(self._rules, slot, event)
        if not isinstance(key, bytes):
            self._judge(key, event.type, event.time, record)
            return
        if self._ranks:
            self._reach(event.time)
        verdict = fold_admitted(self._rules, slot, event, key, self._tops, self.out)
        if self._ranks and event.data.__class__ not in _SPENDS_NOTHING:
            self._note(slot, (self._rules.calendar.day_of(event.time),))
        self._judge(verdict, event.type, event.time, record)
        if self.out.handovers:
            self._hand_over(_origin(record), record)

    def _astray(self, key: bytes | None) -> Refused | None:
        """Refuse the first event of a customer who belongs to another partition."""
        right = partition_of(key or b"", self._partitions)
        if right == self._number:
            return None
        return Refused(
            "wrong-partition",
            f"the key belongs to partition {right} of {self._partitions}: produce with the Kafka "
            "default partitioner (librdkafka: partitioner=murmur2_random)",
        )

    def _handover(self, record: Record, delivered: Delivered) -> None:
        handover = delivered.handover
        if isinstance(handover, Credit) and handover.address is not None:
            customer = self._slots.at(handover.address)
            if customer is None:
                self.tally.dropped += 1
                return
            handover = handover.found(customer)
        slot = self._slots.held(handover.to).slot
        if self._ranks:
            self._reach(handover.time)
        verdict = receive(self._rules, slot, handover, self._tops, self.out)
        if self._ranks and isinstance(handover, Absorb) and isinstance(slot.record, Customer):
            self._note(slot, slot.record.bought.days)
        elif self._ranks:
            self._note(slot, (self._rules.calendar.day_of(handover.time),))
        kind = handover.event.type if isinstance(handover, Forward | Credit) else None
        self._judge(verdict, kind, handover.time, self._letter_of(delivered, record))
        if self.out.handovers:
            self._hand_over(delivered.origin, record)

    def _letter_of(self, delivered: Delivered, record: Record) -> Record | Origin:
        """Return what becomes the dead letter of a handover, should it be refused.

        Of an event it is the record in which that was received. So it is of a merge while the
        absorbed customer goes home; one that stays nowhere else stays in its letter.
        """
        if isinstance(delivered.handover, Absorb) and not self.out.handovers:
            return record
        if isinstance(delivered.handover, Absorb) and delivered.origin is None:
            return Origin(record.topic, record.partition, record.offset, record.key, None, ())
        return delivered.origin or record

    def _judge(
        self, verdict: Verdict, kind: str | None, time: int, source: Record | Origin
    ) -> None:
        """Count what became of an event (`kind` is its type); what is applied moves the clock."""
        tally = self.tally
        if isinstance(verdict, Applied):
            if kind is not None:
                tally.applied[kind] += 1
                tally.late += verdict.late
            self._clock.applied(time)
        elif isinstance(verdict, Repeated):
            tally.repeated += 1
        elif isinstance(verdict, Dropped):
            tally.dropped += 1
        elif isinstance(verdict, Refused):
            self._refuse(verdict, source)

    def _refuse(self, refused: Refused, source: Record | Origin) -> None:
        self.tally.refused[refused.reason] += 1
        self.tally.first_refused.setdefault(refused.reason, source)
        headers = dead_letter.headers(
            refused.reason,
            refused.message,
            source.topic,
            source.partition,
            source.offset,
            source.headers,
        )
        if isinstance(source, Kept):
            headers += source.missing
        elif isinstance(source, Origin) and source.left_out:
            headers += dead_letter.left_out(source.left_out)
        letters = self.letters.setdefault(source.partition, [])
        letters.append(Out(source.key, source.value, headers, dead_letter.lighter))

    def _hand_over(self, origin: Origin | None, record: Record) -> None:
        """Put what other customers are owed on its way, to the partitions of their ids.

        The trace of the record goes along.
        """
        headers = self._written_by + handed_on(record.headers)
        for owed in self.out.handovers:
            handover = self._patient(owed)
            key, there = self._addressed(handover)
            value = handover_wire.encode(handover, self._codec, origin)
            self.handovers.setdefault(there, []).append(Out(key, value, headers))
            self.tally.handed[type(handover).__name__.lower()] += 1
        self.out.handovers.clear()

    def _addressed(self, handover: Handover) -> tuple[bytes, int]:
        """Return the key and the partition of a handover."""
        if isinstance(handover, Credit) and (address := handover.address) is not None:
            return address.digest.hex().encode(), address.spread % self._partitions
        key = handover.to.encode()
        return key, partition_of(key, self._partitions)

    def _patient(self, handover: Handover) -> Handover:
        """Let what came back go on for a while however often it did.

        What it waits for may lie in a partition that is away, and events are quick.
        """
        if not isinstance(handover, Forward | Credit) or not handover.returns:
            return handover
        since = handover.since or self._now
        returns = handover.returns
        if self._now - since < PATIENCE:
            returns = min(returns, MOST_RETURNS - 1)
        return replace(handover, returns=returns, since=since)

    def _note(self, slot: Slot, days: Sequence[int]) -> None:
        if isinstance(slot.record, Customer):
            self._tops.note(slot.id, slot.record, days)
        else:
            self._tops.forget(slot.id)

    def _reach(self, time: int) -> None:
        """Take the cuts of the day boundaries that the clock passes before what is at `time`."""
        self.pass_boundaries(self._clock.before(time, self._now))

    def pass_boundaries(self, position: int) -> None:
        """Take the cuts of every day that has begun by a position, and look at whom they move."""
        for day in self._tops.days_to(position):
            self.turned = True
            boundary = self._rules.calendar.start_of(day)
            for customer in sorted(self._tops.turn(day, self._customer)):
                slot = self._slots.held(customer).slot
                recut(self._rules, slot, boundary, self._tops, self.out)

    def _customer(self, customer: str) -> Customer | None:
        record = self._slots.held(customer).slot.record
        return record if isinstance(record, Customer) else None

    def look(self, instant: int, customer: str, until: int) -> None:
        """Evaluate what is due for a customer whom the index names at an instant."""
        held = self._slots.held(customer)
        expected = next_due(self._rules, held.slot)
        if expected is not None and expected <= until:
            advance(self._rules, held.slot, until, self._tops, self.out)
        if instant != held.due:
            # Out of date; the right one is there, or is put there now.
            self.local.append((due.entry(instant, customer.encode()), None))
        if not held.slot.touched:
            self._slots.index(customer, held, self.local)
